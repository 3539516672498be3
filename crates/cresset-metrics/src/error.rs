//! What can be wrong with the numbers a metric is asked about.

use crate::MetricKeyError;

/// Why a metric has no value.
///
/// [`MetricError::Undefined`] is a property of honest data and becomes null in [`Metrics`](crate::Metrics);
/// every other variant means that the numbers handed in are wrong.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum MetricError {
    /// Targets and predictions do not pair up.
    #[error("{targets} targets but {predictions} predictions, expected one prediction for each target")]
    LengthMismatch {
        /// Number of targets.
        targets: usize,
        /// Number of predictions.
        predictions: usize,
    },
    /// A key that is not one of a metric.
    #[error(transparent)]
    Key(#[from] MetricKeyError),
    /// A key of a family that the function does not compute.
    #[error("metric \"{key}\" is not one {expected}: split the keys by their family")]
    WrongFamily {
        /// The key.
        key: String,
        /// Of what the function's metrics are.
        expected: &'static str,
    },
    /// No metric at all.
    #[error("no metric is asked for, expected at least one, such as ndcg@10")]
    NoMetric,
    /// A tolerance that is no length.
    #[error("the tolerance is {value}, expected a finite number of stars from 0 up")]
    BadTolerance {
        /// The tolerance.
        value: f64,
    },
    /// There is nothing to average over.
    #[error("no values to evaluate, expected at least one")]
    Empty,
    /// A NaN or an infinity among the inputs of a metric.
    #[error("{what} {index} is {value}, expected a finite number")]
    NotFinite {
        /// Which input: `target`, `prediction` or `score`.
        what: &'static str,
        /// Its position in the slice, from 0; for a score the item id.
        index: usize,
        /// The value.
        value: f32,
    },
    /// A NaN or an infinity among a user's scores.
    #[error(
        "the score of item {item} for user {user} is {value}, \
         expected a finite number: a training that diverged gives such scores"
    )]
    ScoreNotFinite {
        /// Dense user id.
        user: u32,
        /// Dense item id.
        item: u32,
        /// The score.
        value: f64,
    },
    /// The data leave the metric without a value.
    #[error("{metric} is undefined: {reason}")]
    Undefined {
        /// The metric's name, without a cut-off.
        metric: &'static str,
        /// What the data lack.
        reason: String,
    },
    /// A cut-off of 0.
    #[error("cut-off k = 0, expected at least 1")]
    ZeroCutoff,
    /// No cut-off at all.
    #[error("no cut-off k given, expected at least one, such as 10")]
    NoCutoff,
    /// The scorer has no item to rank.
    #[error("the catalogue holds no item, expected at least one")]
    EmptyCatalogue,
    /// An item twice in a list whose items must differ.
    #[error("item {item} is twice in the {list} list, expected each item once")]
    DuplicateItem {
        /// Which list: `ranked` or `relevant`.
        list: &'static str,
        /// Dense item id.
        item: u32,
    },
    /// Row offsets that do not cut the items into rows.
    #[error(
        "the {list} lists' offset {index} is {value}, expected offsets that start at 0, never fall and end at {n_items}"
    )]
    BadOffsets {
        /// Which lists: `relevant` or `seen`.
        list: &'static str,
        /// Position of the first bad offset.
        index: usize,
        /// The offset.
        value: usize,
        /// Number of items in all rows together.
        n_items: usize,
    },
    /// A user for whom the lists have no row.
    #[error("the {list} lists have {n_users} rows and none for user {user}, expected one row for each user")]
    NoSuchUser {
        /// Which lists: `relevant` or `seen`.
        list: &'static str,
        /// Dense user id.
        user: u32,
        /// Number of rows.
        n_users: usize,
    },
    /// A list that is not sorted, or names an item twice.
    #[error("the {list} list of user {user} has item {item} out of order, expected ids that strictly rise")]
    NotAscending {
        /// Which list: `relevant` or `seen`.
        list: &'static str,
        /// Dense user id.
        user: u32,
        /// The first item that is not above its predecessor.
        item: u32,
    },
    /// An item that the catalogue does not hold.
    #[error(
        "the {list} list of user {user} names item {item}, expected ids below {n_items}, the catalogue's size"
    )]
    ItemOutOfRange {
        /// Which list: `relevant` or `seen`.
        list: &'static str,
        /// Dense user id.
        user: u32,
        /// The item.
        item: u32,
        /// Number of items in the catalogue.
        n_items: usize,
    },
    /// A slice of another length than its neighbours ask for.
    #[error("{what}: {found} values, expected {expected}")]
    WrongLength {
        /// Which slice.
        what: &'static str,
        /// Its length.
        found: usize,
        /// The length that fits.
        expected: usize,
    },
    /// More users have an item than there are users.
    #[error("item {item} was had by {count} users of {n_users}: count each user once")]
    TooManyInteractions {
        /// Dense item id.
        item: u32,
        /// How many users have it.
        count: u32,
        /// Number of users.
        n_users: usize,
    },
    /// A NaN or an infinity in the vector of an item.
    #[error("the vector of item {item} holds {value}, expected finite numbers, all 0 if there is no vector")]
    VectorNotFinite {
        /// Dense item id.
        item: u32,
        /// The value.
        value: f32,
    },
    /// A block that reaches beyond the users of the task.
    #[error("the block of {rows} users from position {first} on leaves the task, which has {n_users} users")]
    BlockBeyondTask {
        /// Position of the block's first user.
        first: usize,
        /// Users in the block.
        rows: usize,
        /// Users of the task.
        n_users: usize,
    },
    /// A user of the task whose scores came twice.
    #[error("user {user} at position {position} was added before, expected each position of the task once")]
    AddedTwice {
        /// Dense user id.
        user: u32,
        /// Position in the task.
        position: usize,
    },
    /// A user of the task whose scores never came.
    #[error("user {user} at position {position} was never added, expected each position of the task once")]
    NeverAdded {
        /// Dense user id.
        user: u32,
        /// Position in the task.
        position: usize,
    },
    /// Counts that no ranking has.
    #[error(
        "item {item} of user {user} was counted below {above} and level with {equal} of {n_candidates} \
         candidates, which no ranking allows: check the scorer's rank_block"
    )]
    ImpossibleCounts {
        /// Dense user id.
        user: u32,
        /// Dense item id.
        item: u32,
        /// Candidates counted above the item.
        above: u32,
        /// Candidates counted level with it, itself included.
        equal: u32,
        /// Candidates there are.
        n_candidates: usize,
    },
    /// An item twice in a user's list.
    #[error("the list of user {user} names item {item} twice, expected each item once")]
    ListedTwice {
        /// Dense user id.
        user: u32,
        /// Dense item id.
        item: u32,
    },
}

//! Why there is no interval or no comparison.

/// What is wrong with the settings or with the values handed in.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StatisticsError {
    /// A level that is no probability.
    #[error("level = {value}, expected a number above 0 and below 1, such as 0.95")]
    Level {
        /// The level.
        value: f64,
    },
    /// A number of draws of 0.
    #[error("{field} = 0, expected at least 1, such as {usual}")]
    NoDraws {
        /// `n_resamples` or `n_flips`.
        field: &'static str,
        /// Its default.
        usual: usize,
    },
    /// There is nobody to draw.
    #[error("no user to draw, expected at least one with a value")]
    NoUsers,
    /// More users than a draw tells apart.
    #[error("{n_users} users, expected at most {}: draw a part of them", u32::MAX)]
    TooManyUsers {
        /// How many there are.
        n_users: usize,
    },
    /// Two columns of one number for each user have different lengths.
    #[error("{found} {what} but {expected} {other}, expected one of each for each user")]
    LengthMismatch {
        /// What the second column holds.
        what: &'static str,
        /// Its length.
        found: usize,
        /// What the first column holds.
        other: &'static str,
        /// Its length.
        expected: usize,
    },
    /// A number that cannot be averaged.
    #[error("{what} {index} is {value}, expected a finite number")]
    NotFinite {
        /// Which column: `value`, `numerator` ...
        what: &'static str,
        /// The user's position, from 0.
        index: usize,
        /// The number.
        value: f64,
    },
    /// A user without weight.
    #[error("{what} {index} is {value}, expected a number above 0: leave the user out of this metric")]
    NotPositive {
        /// Which column: `weight` or `denominator`.
        what: &'static str,
        /// The user's position, from 0.
        index: usize,
        /// The number.
        value: f64,
    },
    /// A metric that only one run has.
    #[error(
        "only the {run} run has the metric {key}, expected the same metrics of both: evaluate both with the same keys"
    )]
    MetricOfOneRun {
        /// `baseline` or `candidate`.
        run: &'static str,
        /// The metric.
        key: String,
    },
    /// A metric that one run gives twice.
    #[error("the {run} run has the metric {key} twice, expected each metric once")]
    MetricTwice {
        /// `baseline` or `candidate`.
        run: &'static str,
        /// The metric.
        key: String,
    },
    /// A metric that the two runs average differently.
    #[error(
        "{key} is a {baseline} of the baseline and a {candidate} of the candidate, expected the same of both"
    )]
    KindsDiffer {
        /// The metric.
        key: String,
        /// How the baseline's users are put together.
        baseline: &'static str,
        /// How the candidate's are.
        candidate: &'static str,
    },
    /// The runs were evaluated on different users.
    #[error(
        "{key} has {only_baseline} users of the baseline alone and {only_candidate} of the candidate alone (user {example} \
         for one), expected the same users of both: evaluate both on the same split"
    )]
    UsersDiffer {
        /// The metric.
        key: String,
        /// Number of users that only the baseline has.
        only_baseline: usize,
        /// Number of users that only the candidate has.
        only_candidate: usize,
        /// One of them.
        example: u32,
    },
    /// A user who cannot be paired, for being there twice.
    #[error(
        "{key} has user {user} twice in a run whose users come in another order, expected each user once"
    )]
    UserTwice {
        /// The metric.
        key: String,
        /// Dense user id.
        user: u32,
    },
    /// A user who counts for more in one run than in the other.
    #[error(
        "{key} gives user {user} the {what} {baseline} in the baseline and {candidate} in the candidate, expected the \
         same in both: evaluate both on the same split"
    )]
    WeightsDiffer {
        /// The metric.
        key: String,
        /// `weight` or `denominator`.
        what: &'static str,
        /// Dense user id.
        user: u32,
        /// The baseline's.
        baseline: f64,
        /// The candidate's.
        candidate: f64,
    },
}

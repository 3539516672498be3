//! What the caller of a model can get wrong.

use cresset_data::negatives::NegativesError;
use cresset_nn::ConfigError;

use crate::config::SideShape;

/// Why a model could not be made, or an answer was refused.
#[derive(Debug, thiserror::Error)]
pub enum TwoTowerError {
    /// A hyperparameter outside its range.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Negatives that cannot be drawn.
    #[error(transparent)]
    Negatives(#[from] NegativesError),
    /// A tower that reads nothing.
    #[error("the {side} tower reads nothing; set model.{side}_id, or name features or vectors for it")]
    Blind {
        /// `user` or `item`.
        side: &'static str,
    },
    /// Vectors that the config names and the data lack.
    #[error(
        "model.{side}_vectors names {name}, and the data have {found}; add it to data.vectors or leave it out of the model"
    )]
    NoVectors {
        /// `user` or `item`.
        side: &'static str,
        /// The name asked for.
        name: String,
        /// The names there are.
        found: String,
    },
    /// Vectors of another width than the config says.
    #[error(
        "the vectors {name} are {found} wide, and model.text_feature_dim is {expected}; take the file of that encoder, or set \
         model.text_feature_dim={found}"
    )]
    VectorWidth {
        /// What they are called.
        name: String,
        /// Their width.
        found: usize,
        /// The width that the config says.
        expected: usize,
    },
    /// Features or vectors of another number of rows.
    #[error("{what} has {found} rows, and there are {n_rows} {side}s; read it for the same data")]
    OtherRows {
        /// What was given.
        what: String,
        /// `user` or `item`.
        side: &'static str,
        /// Its rows.
        found: usize,
        /// The rows there are.
        n_rows: usize,
    },
    /// Data whose features are not those of the config or the model.
    #[error(
        "the model reads {expected} features of {side}s, and the data have {found}; encode those that the config names"
    )]
    OtherFeatures {
        /// `user` or `item`.
        side: &'static str,
        /// Features of the model.
        expected: usize,
        /// Features of the data.
        found: usize,
    },
    /// Data of another shape than those a model was made for.
    #[error(
        "the model was made for {side}s of {made_for}, and these are of {found}; encode them as those it was trained on"
    )]
    OtherShape {
        /// `user` or `item`.
        side: &'static str,
        /// What it was made for.
        made_for: Box<SideShape>,
        /// What was given.
        found: Box<SideShape>,
    },
    /// An id beyond the table, where the config says that this is an error.
    #[error(
        "{side} {id} is unknown to the model, expected an index below {n_rows}; with model.out_of_range=unknown it is served by \
         its features"
    )]
    OutOfRange {
        /// `user` or `item`.
        side: &'static str,
        /// The index.
        id: u32,
        /// Rows of the table.
        n_rows: usize,
    },
    /// Negatives are to be taken from the data, which have none.
    #[error(
        "model.negatives.kind is given, and the data have no lists of negatives to train with; put negatives.json into the \
         two-tower folder, or take drawn"
    )]
    NoGiven,
    /// Lists of negatives of other training rows.
    #[error(
        "there are lists of negatives for {found} training rows, and {n_rows} rows; read them for the same split"
    )]
    GivenRows {
        /// Lists.
        found: usize,
        /// Training rows.
        n_rows: usize,
    },
    /// A training row whose list is empty.
    #[error("the list of negatives of training row {row} is empty; name an item there, or take drawn")]
    GivenNothing {
        /// The row, from 0.
        row: usize,
    },
    /// A list that names an item beyond the catalogue.
    #[error("the list of negatives of training row {row} names item {item}, and there are {n_items} items")]
    GivenItem {
        /// The row, from 0.
        row: usize,
        /// The item's index.
        item: u32,
        /// Items that there are.
        n_items: usize,
    },
    /// Nothing to tell a pair from.
    #[error(
        "a batch of {n} example has no other whose items could stand against its own; raise training.batch_size or choose other \
         model.negatives than in_batch"
    )]
    LonelyBatch {
        /// Examples of the batch.
        n: usize,
    },
}

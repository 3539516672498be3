//! What the caller of a model can get wrong.

use cresset_nn::ConfigError;

/// Why a checked prediction was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KgMfError {
    /// A user that the model has no vector for.
    #[error("user {user_id} is unknown to the model, expected an index below {n_users}")]
    UnknownUser {
        /// The user's index.
        user_id: u32,
        /// Users that the model has vectors for.
        n_users: usize,
    },
    /// An item that the model has no vector for.
    #[error("item {item_id} is unknown to the model, expected an index below {n_items}")]
    UnknownItem {
        /// The item's index.
        item_id: u32,
        /// Items that the model has vectors for.
        n_items: usize,
    },
    /// Users and items that do not pair up.
    #[error("{n_users} users and {n_items} items are no pairs, expected as many of each")]
    Unpaired {
        /// Users given.
        n_users: usize,
        /// Items given.
        n_items: usize,
    },
}

/// Why a model could not be made of a config and what it is given to read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum KnowledgeError {
    /// A hyperparameter outside its range.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A part of the model has nothing to read.
    #[error("model.{part} is on and there is no {missing}; {remedy}, or leave model.{part} out")]
    Missing {
        /// The part's key.
        part: &'static str,
        /// What it reads.
        missing: &'static str,
        /// Where that comes from.
        remedy: &'static str,
    },
    /// A graph in which no item has a neighbour.
    #[error(
        "of {n_links} links none leads from one of the {n_items} items to an entity of at least {min_items} of them; \
         check that data.graph names the items as the ratings do, or lower model.graph.min_items"
    )]
    NoLinks {
        /// Links of the whole graph.
        n_links: usize,
        /// Items of the model.
        n_items: usize,
        /// Items that an entity must have.
        min_items: usize,
    },
    /// Knowledge of another data set.
    #[error("the {what} is of {found} items and the model of {n_items}; read it for the same items")]
    OtherItems {
        /// What was given.
        what: &'static str,
        /// Items it knows.
        found: usize,
        /// Items of the model.
        n_items: usize,
    },
}

impl KnowledgeError {
    /// The graph part is on, and no graph is given.
    pub fn no_graph() -> Self {
        let remedy = "name one under data.graph.sources";
        Self::Missing { part: "graph", missing: "knowledge graph", remedy }
    }
}

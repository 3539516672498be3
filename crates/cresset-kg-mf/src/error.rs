//! What the caller of a trained model can get wrong.

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

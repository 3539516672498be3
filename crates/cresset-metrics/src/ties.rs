//! What equal scores are worth.

use serde::{Deserialize, Serialize};

/// How the order of items with equal scores is decided, which the scores leave open.
///
/// It concerns the metrics of [`Family::Ranking`](crate::Family::Ranking). Lists, which have to name items,
/// break ties by item id.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ties {
    /// The mean over all orders: chance, neither luck nor goodwill. The answer to publish.
    #[default]
    Expected,
    /// Relevant items come first among their equals: an upper bound, and what a sort gives that happens to
    /// favour them.
    Optimistic,
    /// Relevant items come last among their equals: a lower bound.
    Pessimistic,
}

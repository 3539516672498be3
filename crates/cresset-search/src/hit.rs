//! What a search finds.

/// An item and its score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// The item: its row in the index.
    pub item: u32,
    /// Its inner product with the query.
    pub score: f32,
}

//! What can be wrong with an index or with a search.

/// Why an index cannot be built, or a search not be answered.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SearchError {
    /// Vectors without a coordinate.
    #[error("the vectors are 0 wide, expected a width of at least 1")]
    ZeroDim,
    /// Vectors wider than the sums of whole numbers can hold.
    #[error("the vectors are {dim} wide, expected at most {max}")]
    TooWide {
        /// The width.
        dim: usize,
        /// The widest that is allowed.
        max: usize,
    },
    /// More items than ids.
    #[error("the index would hold {n_items} items, expected at most {max}, since ids are u32")]
    TooManyItems {
        /// Number of rows.
        n_items: usize,
        /// The most that is allowed.
        max: usize,
    },
    /// Values that are not whole rows.
    #[error("{what}: {found} values, expected whole rows of width {dim}")]
    RaggedRows {
        /// `items` or `queries`.
        what: &'static str,
        /// Number of values.
        found: usize,
        /// Width of a row.
        dim: usize,
    },
    /// A single query of another width than the index.
    #[error("the query has {found} values, expected {dim}, the width of the index")]
    WrongWidth {
        /// Number of values.
        found: usize,
        /// Width of the index.
        dim: usize,
    },
    /// A NaN or an infinity among the vectors.
    #[error(
        "{what} {row} holds {value} in column {column}, expected finite numbers: \
         a training that diverged gives others"
    )]
    NotFinite {
        /// `item` or `query`.
        what: &'static str,
        /// The row, from 0.
        row: usize,
        /// The column, from 0.
        column: usize,
        /// The value.
        value: f32,
    },
    /// Lists of masked items that do not belong to the queries.
    #[error("{found} lists of masked items for {n_queries} queries, expected one for each, or Masks::NONE")]
    WrongMasks {
        /// Number of lists.
        found: usize,
        /// Number of queries.
        n_queries: usize,
    },
    /// Offsets that do not cut the masked items into lists.
    #[error(
        "the masks' offset {index} is {value}, \
         expected offsets that start at 0, never fall and end at {n_ids}"
    )]
    BadOffsets {
        /// Position of the first bad offset.
        index: usize,
        /// The offset.
        value: usize,
        /// Number of ids in all lists together.
        n_ids: usize,
    },
    /// Masked items out of order.
    #[error("the masked items of query {query} have {item} out of order, expected ids that rise")]
    NotAscending {
        /// The query, from 0.
        query: usize,
        /// The first item that is below its predecessor.
        item: u32,
    },
}

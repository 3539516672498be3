//! The catalogue.

use crate::codes::{Codes, MAX_DIM};
use crate::{Hit, SearchError, Searcher};

/// A catalogue of vectors to be searched, item by item without exception.
///
/// Beside the vectors it holds them a second time in eight bits a number, with which a search finds out which
/// items can be among the best at all: about `n_items * (5 * dim + 21)` bytes together.
#[derive(Debug, Clone)]
pub struct FlatIndex {
    vectors: Vec<f32>,
    dim: usize,
    n_items: usize,
    codes: Codes,
}

impl FlatIndex {
    /// The index of a table, one row of `dim` numbers for each item.
    ///
    /// # Shapes
    ///
    /// - vectors: `[n_items, dim]`
    ///
    /// # Errors
    ///
    /// If `dim` is 0 or above 65,536, if the values are not whole rows, if there are more rows than `u32`
    /// counts, or if a value is not finite, with its row and column.
    pub fn try_new(vectors: Vec<f32>, dim: usize) -> Result<Self, SearchError> {
        if dim == 0 {
            return Err(SearchError::ZeroDim);
        }
        if dim > MAX_DIM {
            return Err(SearchError::TooWide { dim, max: MAX_DIM });
        }
        check_rows("items", "item", &vectors, dim)?;
        let (n_items, max) = (vectors.len() / dim, u32::MAX as usize);
        if n_items > max {
            return Err(SearchError::TooManyItems { n_items, max });
        }
        let codes = Codes::of(&vectors, dim);
        Ok(Self { vectors, dim, n_items, codes })
    }

    /// The `k` items of the highest inner product with `query` that are not `masked`, best first; of equal
    /// scores the lower id first.
    ///
    /// For more than one call, a [`Searcher`] uses its memory again.
    ///
    /// # Errors
    ///
    /// As [`Searcher::search`].
    pub fn search(&self, query: &[f32], k: usize, masked: &[u32]) -> Result<Vec<Hit>, SearchError> {
        Searcher::new().search(self, query, k, masked).map(<[Hit]>::to_vec)
    }

    /// Number of items.
    pub fn n_items(&self) -> usize {
        self.n_items
    }

    /// Width of a vector.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The vector of an item.
    ///
    /// # Panics
    ///
    /// If the index holds no such item.
    #[inline]
    pub fn vector(&self, item: u32) -> &[f32] {
        &self.vectors[item as usize * self.dim..][..self.dim]
    }

    #[inline(always)]
    pub(crate) fn codes(&self) -> &Codes {
        &self.codes
    }
}

/// That `values` are whole rows of width `dim`, of finite numbers.
pub(crate) fn check_rows(
    what: &'static str,
    of_one: &'static str,
    values: &[f32],
    dim: usize,
) -> Result<(), SearchError> {
    if !values.len().is_multiple_of(dim) {
        return Err(SearchError::RaggedRows { what, found: values.len(), dim });
    }
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(place) => {
            let (row, column, value) = (place / dim, place % dim, values[place]);
            Err(SearchError::NotFinite { what: of_one, row, column, value })
        }
    }
}

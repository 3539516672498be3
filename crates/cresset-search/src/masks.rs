//! The items that each query must not get back.

use crate::SearchError;

/// A view of the items that are masked for each query: those of query `q` are `items[offsets[q]..offsets[q +
/// 1]]`.
///
/// Each list holds ids that rise; an id that the index does not hold masks nothing. Whoever is given the view
/// checks it, and answers a violation with an error.
#[derive(Debug, Clone, Copy)]
pub struct Masks<'a> {
    /// Where each query's list starts, and at last where all end: `[n_queries + 1]`; empty if every list is.
    pub offsets: &'a [usize],
    /// The ids of all lists, one list after the other.
    pub items: &'a [u32],
}

impl<'a> Masks<'a> {
    /// No item for any query, whatever their number.
    pub const NONE: Masks<'static> = Masks { offsets: &[], items: &[] };

    /// The items of one query.
    ///
    /// # Panics
    ///
    /// If there is no list for `query`, or the offsets do not fit the items.
    pub fn of(&self, query: usize) -> &'a [u32] {
        if self.offsets.is_empty() {
            return &[];
        }
        &self.items[self.offsets[query]..self.offsets[query + 1]]
    }

    /// That there is a list for each of `n_queries`, and that its ids rise.
    pub(crate) fn check(&self, n_queries: usize) -> Result<(), SearchError> {
        self.check_offsets(n_queries)?;
        (0..n_queries).try_for_each(|query| match self.of(query).windows(2).find(|pair| pair[0] > pair[1]) {
            Some(pair) => Err(SearchError::NotAscending { query, item: pair[1] }),
            None => Ok(()),
        })
    }

    fn check_offsets(&self, n_queries: usize) -> Result<(), SearchError> {
        let n_ids = self.items.len();
        let bad = |index: usize, value: usize| SearchError::BadOffsets { index, value, n_ids };
        let (Some(&first), Some(&last)) = (self.offsets.first(), self.offsets.last()) else {
            return if n_ids == 0 { Ok(()) } else { Err(bad(0, 0)) };
        };
        if first != 0 {
            return Err(bad(0, first));
        }
        if let Some(index) = self.offsets.windows(2).position(|pair| pair[0] > pair[1]) {
            return Err(bad(index + 1, self.offsets[index + 1]));
        }
        if last != n_ids {
            return Err(bad(self.offsets.len() - 1, last));
        }
        match self.offsets.len() - 1 {
            found if found == n_queries => Ok(()),
            found => Err(SearchError::WrongMasks { found, n_queries }),
        }
    }
}

//! Lists of codes of unequal length, in one array.

/// A list of codes for each of some rows (compressed sparse rows).
///
/// ```
/// use cresset_data::features::Ragged;
///
/// let lists = Ragged::from_lists([vec![2, 0], vec![], vec![1]]);
/// assert_eq!(lists.len(), 3);
/// assert_eq!(lists.of(0), [2, 0]);
/// assert_eq!(lists.multi_hot(3), [1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ragged {
    offsets: Vec<usize>,
    codes: Vec<u32>,
}

impl Default for Ragged {
    fn default() -> Self {
        Self { offsets: vec![0], codes: Vec::new() }
    }
}

impl Ragged {
    /// The lists as they are.
    pub fn from_lists<L: IntoIterator<Item = u32>>(lists: impl IntoIterator<Item = L>) -> Self {
        let mut ragged = Self::default();
        lists.into_iter().for_each(|list| ragged.push(list));
        ragged
    }

    /// Lists that lie one after another in `codes`, each from its offset to the next.
    ///
    /// # Panics
    ///
    /// If there is no offset, or the last is not the number of codes.
    pub(crate) fn from_parts(offsets: Vec<usize>, codes: Vec<u32>) -> Self {
        assert_eq!(offsets.last(), Some(&codes.len()), "the last offset is the end of the codes");
        Self { offsets, codes }
    }

    /// Appends a list.
    pub fn push(&mut self, list: impl IntoIterator<Item = u32>) {
        self.codes.extend(list);
        self.offsets.push(self.codes.len());
    }

    /// The number of lists.
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there is no list.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One list.
    ///
    /// # Panics
    ///
    /// If `row` is not below [`len`](Self::len).
    pub fn of(&self, row: u32) -> &[u32] {
        &self.codes[self.range(row)]
    }

    /// Where one list is in [`codes`](Self::codes).
    ///
    /// # Panics
    ///
    /// If `row` is not below [`len`](Self::len).
    pub fn range(&self, row: u32) -> std::ops::Range<usize> {
        let row = row as usize;
        self.offsets[row]..self.offsets[row + 1]
    }

    /// Where each list begins, and last the end: `[rows + 1]`.
    pub fn offsets(&self) -> &[usize] {
        &self.offsets
    }

    /// All lists, one after another.
    pub fn codes(&self) -> &[u32] {
        &self.codes
    }

    /// A matrix with 1 where a list has a code, else 0.
    ///
    /// # Shapes
    ///
    /// - output: `[rows, n_codes]`
    ///
    /// # Panics
    ///
    /// If a code is not below `n_codes`.
    pub fn multi_hot(&self, n_codes: usize) -> Vec<f32> {
        let mut matrix = vec![0.0; self.len() * n_codes];
        for (row, bounds) in self.offsets.windows(2).enumerate() {
            for &code in &self.codes[bounds[0]..bounds[1]] {
                assert!((code as usize) < n_codes, "codes are below n_codes");
                matrix[row * n_codes + code as usize] = 1.0;
            }
        }
        matrix
    }
}

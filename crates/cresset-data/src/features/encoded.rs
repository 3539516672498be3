//! Features as arrays.

use crate::ragged::Ragged;

/// The features of some users or items: a column for each feature of the configuration, in its order, and in each a
/// row for each user or item.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EncodedFeatures {
    /// Number of users or items.
    pub n_rows: usize,
    /// One for each feature.
    pub columns: Vec<EncodedColumn>,
}

/// One feature of all rows.
#[derive(Debug, Clone, PartialEq)]
pub enum EncodedColumn {
    /// One code a row.
    Categorical {
        /// The codes, below `n_codes`; 0 is what is unknown: missing, too rare, or not seen when it was learnt.
        codes: Vec<u32>,
        /// Number of codes, 0 included.
        n_codes: usize,
    },
    /// Any number of codes a row.
    Multi {
        /// The codes of each row, ascending, each once, below `n_codes`; what is unknown is left out.
        lists: Ragged,
        /// Number of codes.
        n_codes: usize,
    },
    /// One number a row.
    Numeric {
        /// Standard deviations from the mean; 0 where the value is missing.
        values: Vec<f32>,
        /// Whether the value is there.
        is_known: Vec<bool>,
    },
}

impl EncodedColumn {
    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        match self {
            Self::Categorical { codes, .. } => codes.len(),
            Self::Multi { lists, .. } => lists.len(),
            Self::Numeric { values, .. } => values.len(),
        }
    }

    /// The number of codes; none for numbers.
    pub fn n_codes(&self) -> Option<usize> {
        match self {
            Self::Categorical { n_codes, .. } | Self::Multi { n_codes, .. } => Some(*n_codes),
            Self::Numeric { .. } => None,
        }
    }
}

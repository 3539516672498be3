//! How one feature becomes numbers.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::config::is_ascending;
use super::described::{Described, Value};
use super::encoded::EncodedColumn;
use super::error::FeatureError;
use crate::ragged::Ragged;

/// How one feature becomes codes or numbers; learnt once, kept with the model, and used for those who come later.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case", tag = "kind")]
pub enum ColumnEncoder {
    /// Code `1 + n` for the category at place `n`, 0 for any other.
    Category {
        /// Name of the feature.
        name: String,
        /// The categories, ascending as text.
        values: Vec<String>,
    },
    /// Code `n` for the category at place `n`; any other is left out.
    Multi {
        /// Name of the feature.
        name: String,
        /// What stands between the values of one attribute.
        separator: String,
        /// The categories, ascending as text.
        values: Vec<String>,
    },
    /// Code `1 + n` for numbers of which `n` edges are at most as large, 0 for what is no number.
    Buckets {
        /// Name of the feature.
        name: String,
        /// Where each range after the first begins, ascending.
        edges: Vec<f64>,
    },
    /// A number less the mean, over the standard deviation.
    Numeric {
        /// Name of the feature.
        name: String,
        /// What is taken away.
        mean: f64,
        /// What the rest is divided by, above 0.
        std: f64,
    },
}

impl ColumnEncoder {
    /// Name of the feature.
    pub fn name(&self) -> &str {
        match self {
            Self::Category { name, .. }
            | Self::Multi { name, .. }
            | Self::Buckets { name, .. }
            | Self::Numeric { name, .. } => name,
        }
    }

    /// The number of codes, "unknown" included where it has one; none for numbers.
    pub fn n_codes(&self) -> Option<usize> {
        match self {
            Self::Category { values, .. } => Some(values.len() + 1),
            Self::Multi { values, .. } => Some(values.len()),
            Self::Buckets { edges, .. } => Some(edges.len() + 2),
            Self::Numeric { .. } => None,
        }
    }

    /// The feature of some rows.
    pub(super) fn encode<R: Described>(&self, rows: &[R]) -> EncodedColumn {
        let n_codes = self.n_codes().unwrap_or_default();
        match self {
            Self::Category { name, values } => {
                let code =
                    |row| text_in(row, name).and_then(|text| place(values, text)).map_or(0, |at| at + 1);
                EncodedColumn::Categorical { codes: rows.iter().map(code).collect(), n_codes }
            }
            Self::Buckets { name, edges } => {
                let code = |row| text_in(row, name).and_then(number).map_or(0, |it| range(edges, it));
                EncodedColumn::Categorical { codes: rows.iter().map(code).collect(), n_codes }
            }
            Self::Multi { name, separator, values } => {
                let list = |row| codes_of(texts_in(row, name, separator), |text| place(values, text));
                EncodedColumn::Multi { lists: Ragged::from_lists(rows.iter().map(list)), n_codes }
            }
            Self::Numeric { name, mean, std } => {
                let standard = |row| text_in(row, name).and_then(number).map(|it| (it - mean) / std);
                let (is_known, values) =
                    rows.iter().map(standard).map(|it| (it.is_some(), it.unwrap_or(0.0) as f32)).unzip();
                EncodedColumn::Numeric { values, is_known }
            }
        }
    }

    /// Holds an encoder that was read from a file against what is written.
    pub(super) fn check(&self, file: &Path) -> Result<(), FeatureError> {
        let (holds, fault) = match self {
            Self::Category { values, .. } | Self::Multi { values, .. } => {
                (values.is_sorted_by(|a, b| a < b), "has categories that do not ascend")
            }
            Self::Buckets { edges, .. } => (is_ascending(edges), "has ranges that do not ascend"),
            Self::Numeric { mean, std, .. } => {
                let holds = mean.is_finite() && std.is_finite() && *std > 0.0;
                (holds, "has no mean, or no standard deviation above 0")
            }
        };
        let feature = || self.name().to_owned();
        holds.then_some(()).ok_or_else(|| FeatureError::BadSavedEncoder {
            file: file.to_owned(),
            feature: feature(),
            fault,
        })
    }
}

/// The one text that a row has under a name.
pub(super) fn text_in<'r, R: Described>(row: &'r R, name: &str) -> Option<&'r str> {
    Value::of(row, name)?.text()
}

/// The texts that a row has under a name.
pub(super) fn texts_in<'r, R: Described>(row: &'r R, name: &str, separator: &str) -> Vec<&'r str> {
    Value::of(row, name).map_or_else(Vec::new, |value| value.texts(separator))
}

/// The finite number that a text spells.
pub(super) fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// The codes of some texts, ascending, each once; a text without a code is left out.
pub(super) fn codes_of<'t>(
    texts: impl IntoIterator<Item = &'t str>,
    code_of: impl Fn(&str) -> Option<u32>,
) -> Vec<u32> {
    let mut codes: Vec<u32> = texts.into_iter().filter_map(code_of).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

/// Where a text is among texts that ascend.
fn place(values: &[String], text: &str) -> Option<u32> {
    values.binary_search_by(|known| known.as_str().cmp(text)).ok().map(|at| at as u32)
}

/// The code of the range that a number is in.
fn range(edges: &[f64], number: f64) -> u32 {
    1 + edges.partition_point(|&edge| edge <= number) as u32
}

//! Attributes of users and items as codes.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::error::DataError;

/// Which attributes are encoded, and how.
///
/// ```
/// use cresset_data::features::AttributesConfig;
///
/// let config: AttributesConfig =
///     serde_json::from_str(r#"{ "columns": ["age", "gender"], "buckets": { "age": [18, 35, 50] } }"#)?;
/// assert_eq!(config.min_count, 1);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AttributesConfig {
    /// Attributes to encode, in this order. Default: empty, all that occur, in order of first sight.
    pub columns: Vec<String>,
    /// For numeric attributes that are to be divided into ranges, where each range after the first begins,
    /// ascending. Default: empty, every attribute is a category.
    pub buckets: BTreeMap<String, Vec<f64>>,
    /// Categories seen less often become "unknown", at least 1. Default: 1.
    pub min_count: u32,
}

impl Default for AttributesConfig {
    fn default() -> Self {
        Self { columns: Vec::new(), buckets: BTreeMap::new(), min_count: 1 }
    }
}

impl AttributesConfig {
    /// Checks every value against its documented range.
    ///
    /// # Errors
    ///
    /// [`DataError::Config`] with the key, the value and what would be right.
    pub fn validate(&self) -> Result<(), DataError> {
        let refused =
            |key, value, expected: &str| DataError::Config { key, value, expected: expected.to_owned() };
        if self.min_count == 0 {
            return Err(refused("min_count", "0".to_owned(), "at least 1"));
        }
        for (column, edges) in &self.buckets {
            let ascend = edges.is_sorted_by(|a, b| a < b) && edges.iter().all(|edge| edge.is_finite());
            if edges.is_empty() || !ascend {
                let expected = "one or more numbers that ascend";
                return Err(refused("buckets", format!("{column}: {edges:?}"), expected));
            }
            if !self.columns.is_empty() && !self.columns.contains(column) {
                return Err(refused("buckets", column.clone(), "attributes that are in columns too"));
            }
        }
        let mut seen = HashSet::new();
        match self.columns.iter().find(|column| !seen.insert(column.as_str())) {
            Some(repeated) => Err(refused("columns", repeated.clone(), "each attribute once")),
            None => Ok(()),
        }
    }
}

/// Turns the attributes of one user or item into codes; learnt once, kept with the model, and used for those who come
/// later.
///
/// Code 0 stands for what is unknown: missing, empty, no number where ranges are asked for, too rare, or not seen
/// when it was learnt.
///
/// ```
/// use cresset_data::features::{AttributeEncoder, AttributesConfig};
///
/// let person = |age: &str, gender: &str| vec![
///     ("age".to_owned(), age.to_owned()),
///     ("gender".to_owned(), gender.to_owned()),
/// ];
/// let users = [person("24", "M"), person("53", "F"), person("", "F")];
/// let buckets = [("age".to_owned(), vec![18.0, 35.0])].into();
/// let config = AttributesConfig { buckets, ..AttributesConfig::default() };
/// let encoder = AttributeEncoder::fit(users.iter().map(Vec::as_slice), &config)?;
/// assert_eq!(encoder.n_codes(), [4, 3]);
///
/// let codes = encoder.encode(users.iter().map(Vec::as_slice));
/// assert_eq!(codes.values, [2, 2, 3, 1, 0, 1]);
/// # Ok::<(), cresset_data::DataError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttributeEncoder {
    /// One for each attribute.
    pub columns: Vec<ColumnEncoder>,
}

/// How one attribute becomes a code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case", tag = "kind")]
pub enum ColumnEncoder {
    /// Code `1 + n` for the category at place `n`.
    Category {
        /// Name of the attribute.
        name: String,
        /// The categories, ascending as text.
        values: Vec<String>,
    },
    /// Code `1 + n` for numbers of which `n` edges are at most as large.
    Buckets {
        /// Name of the attribute.
        name: String,
        /// Where each range after the first begins, ascending.
        edges: Vec<f64>,
    },
}

/// Codes of some users or items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeCodes {
    /// Number of attributes.
    pub n_columns: usize,
    /// The codes of one row after another: `[rows, columns]`.
    pub values: Vec<u32>,
}

/// The attributes of one user or item, by name.
type Attributes = [(String, String)];

impl AttributeEncoder {
    /// Learns the categories that occur in some rows.
    ///
    /// # Errors
    ///
    /// [`DataError::Config`] when the configuration is out of range, or asks for an attribute that no row has.
    pub fn fit<'r>(
        rows: impl IntoIterator<Item = &'r Attributes>,
        config: &AttributesConfig,
    ) -> Result<Self, DataError> {
        config.validate()?;
        let counts = Counts::of(rows);
        let asked = if config.columns.is_empty() { &counts.names } else { &config.columns };
        let in_buckets = config.buckets.keys();
        if let Some(missing) =
            asked.iter().chain(in_buckets).find(|name| !counts.of_name.contains_key(name.as_str()))
        {
            return Err(DataError::Config {
                key: "columns",
                value: missing.clone(),
                expected: format!("attributes of the data, which are {}", counts.names.join(", ")),
            });
        }
        let encoder = |name: &String| match config.buckets.get(name) {
            Some(edges) => ColumnEncoder::Buckets { name: name.clone(), edges: edges.clone() },
            None => {
                ColumnEncoder::Category { name: name.clone(), values: counts.kept(name, config.min_count) }
            }
        };
        Ok(Self { columns: asked.iter().map(encoder).collect() })
    }

    /// The number of codes of each attribute, "unknown" included.
    pub fn n_codes(&self) -> Vec<usize> {
        let n_codes = |column: &ColumnEncoder| match column {
            ColumnEncoder::Category { values, .. } => values.len() + 1,
            ColumnEncoder::Buckets { edges, .. } => edges.len() + 2,
        };
        self.columns.iter().map(n_codes).collect()
    }

    /// The codes of some rows.
    pub fn encode<'r>(&self, rows: impl IntoIterator<Item = &'r Attributes>) -> AttributeCodes {
        let mut values = Vec::new();
        for row in rows {
            values.extend(self.columns.iter().map(|column| column.code_in(row)));
        }
        AttributeCodes { n_columns: self.columns.len(), values }
    }
}

impl ColumnEncoder {
    /// Name of the attribute.
    pub fn name(&self) -> &str {
        match self {
            Self::Category { name, .. } | Self::Buckets { name, .. } => name,
        }
    }

    /// The code of a value, 0 when it is unknown.
    pub fn code(&self, value: &str) -> u32 {
        let value = value.trim();
        match self {
            Self::Category { values, .. } => {
                values.binary_search_by(|known| known.as_str().cmp(value)).map_or(0, |at| 1 + at as u32)
            }
            Self::Buckets { edges, .. } => match value.parse::<f64>() {
                Ok(number) if !number.is_nan() => 1 + edges.partition_point(|&edge| edge <= number) as u32,
                _ => 0,
            },
        }
    }

    fn code_in(&self, row: &Attributes) -> u32 {
        let value = row.iter().find(|(name, _)| name == self.name());
        value.map_or(0, |(_, value)| self.code(value))
    }
}

/// How often each value of each attribute occurs.
#[derive(Default)]
struct Counts<'r> {
    /// Attributes in order of first sight.
    names: Vec<String>,
    of_name: HashMap<&'r str, HashMap<&'r str, u32>>,
}

impl<'r> Counts<'r> {
    fn of(rows: impl IntoIterator<Item = &'r Attributes>) -> Self {
        let mut counts = Self::default();
        for (name, value) in rows.into_iter().flatten() {
            let of_value = counts.of_name.entry(name).or_insert_with(|| {
                counts.names.push(name.clone());
                HashMap::new()
            });
            *of_value.entry(value.trim()).or_insert(0) += 1;
        }
        counts
    }

    /// The values seen often enough, ascending; an empty one is none.
    fn kept(&self, name: &str, min_count: u32) -> Vec<String> {
        let counts = self.of_name.get(name).into_iter().flatten();
        let kept = counts.filter(|&(value, &count)| !value.is_empty() && count >= min_count);
        let mut kept: Vec<String> = kept.map(|(value, _)| (*value).to_owned()).collect();
        kept.sort_unstable();
        kept
    }
}

impl AttributeCodes {
    /// The codes of one row.
    ///
    /// # Panics
    ///
    /// If there is no such row.
    pub fn row(&self, row: usize) -> &[u32] {
        &self.values[row * self.n_columns..][..self.n_columns]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(values: &[&str]) -> Vec<Vec<(String, String)>> {
        values.iter().map(|value| vec![("job".to_owned(), (*value).to_owned())]).collect()
    }

    fn codes(encoder: &AttributeEncoder, values: &[&str]) -> Vec<u32> {
        encoder.encode(rows(values).iter().map(Vec::as_slice)).values
    }

    fn fit(values: &[&str], config: &AttributesConfig) -> Result<AttributeEncoder, DataError> {
        AttributeEncoder::fit(rows(values).iter().map(Vec::as_slice), config)
    }

    #[test]
    fn categories_are_coded_in_order_and_what_is_rare_new_or_empty_is_unknown() {
        let config = AttributesConfig { min_count: 2, ..AttributesConfig::default() };
        let encoder = fit(&["b", "a", "b", " a ", "c", "", ""], &config).unwrap();
        assert_eq!(encoder.n_codes(), [3]);
        assert_eq!(codes(&encoder, &["a", "b", "c", "d", ""]), [1, 2, 0, 0, 0]);
        assert_eq!(encoder.encode([[].as_slice()]).row(0), [0]);
    }

    #[test]
    fn a_number_at_an_edge_is_in_the_range_that_begins_there() {
        let buckets = BTreeMap::from([("job".to_owned(), vec![18.0, 35.0])]);
        let encoder = fit(&["1"], &AttributesConfig { buckets, ..AttributesConfig::default() }).unwrap();
        assert_eq!(codes(&encoder, &["17.9", "18", "34", "35", "inf", "-inf"]), [1, 2, 2, 3, 3, 1]);
        assert_eq!(codes(&encoder, &["", "NaN", "old"]), [0, 0, 0]);
        assert_eq!(encoder.n_codes(), [4]);
    }

    #[test]
    fn an_encoder_survives_being_saved() {
        let encoder = fit(&["b", "a"], &AttributesConfig::default()).unwrap();
        let saved = serde_json::to_string(&encoder).unwrap();
        assert_eq!(saved, r#"{"columns":[{"kind":"category","name":"job","values":["a","b"]}]}"#);
        assert_eq!(serde_json::from_str::<AttributeEncoder>(&saved).unwrap(), encoder);
    }

    fn check(config: &AttributesConfig, expected: &str) {
        assert_eq!(fit(&["1"], config).unwrap_err().to_string(), expected);
    }

    #[test]
    fn values_out_of_range_and_attributes_that_no_row_has_are_refused() {
        let config = AttributesConfig::default();
        check(&AttributesConfig { min_count: 0, ..config.clone() }, "min_count = 0: expected at least 1");
        let buckets = BTreeMap::from([("job".to_owned(), vec![2.0, 1.0])]);
        check(
            &AttributesConfig { buckets, ..config.clone() },
            "buckets = job: [2.0, 1.0]: expected one or more numbers that ascend",
        );
        check(
            &AttributesConfig { columns: vec!["age".to_owned()], ..config.clone() },
            "columns = age: expected attributes of the data, which are job",
        );
        check(
            &AttributesConfig { columns: vec!["job".to_owned(); 2], ..config },
            "columns = job: expected each attribute once",
        );
    }
}

//! Which features of users or items a model reads.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::error::FeatureError;

/// One feature of a side of the data: an attribute, and what it is read as.
///
/// ```
/// use cresset_data::features::{FeatureConfig, FeatureKind};
///
/// let features: Vec<FeatureConfig> = serde_json::from_str(
///     r#"[{ "name": "genres", "kind": "multi" }, { "name": "age", "kind": "numeric", "buckets": [18, 35] }]"#,
/// )?;
/// assert_eq!(features[0].kind, FeatureKind::Multi);
/// FeatureConfig::validate(&features)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FeatureConfig {
    /// An attribute of the catalogue (`age`, `gender`, `brand`); `genres` of items is their list of genres, `year` of
    /// items that have no such attribute is the year in their title, "Heat (1995)". Needed.
    pub name: String,
    /// `categorical`, `multi` or `numeric`. Default: `categorical`.
    pub kind: FeatureKind,
    /// Categories seen less often are unknown, at least 1; `numeric` does not read it. Default: 1.
    pub min_count: u32,
    /// What stands between the values of an attribute of kind `multi`. Default: `|`.
    pub separator: String,
    /// Where each range after the first begins, ascending: a `numeric` feature becomes the code of its range. Default:
    /// empty, it stays a number.
    pub buckets: Vec<f64>,
}

/// What a feature is read as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeatureKind {
    /// One category, as a code.
    #[default]
    Categorical,
    /// Any number of categories, as a list of codes.
    Multi,
    /// A number, in standard deviations from the mean.
    Numeric,
}

impl Default for FeatureConfig {
    fn default() -> Self {
        Self {
            name: String::new(),
            kind: FeatureKind::default(),
            min_count: 1,
            separator: "|".to_owned(),
            buckets: Vec::new(),
        }
    }
}

impl FeatureConfig {
    /// A feature at the defaults of its kind.
    pub fn new(name: &str, kind: FeatureKind) -> Self {
        Self { name: name.to_owned(), kind, ..Self::default() }
    }

    /// Checks the features of one side: each value against its documented range, and that no name is there twice.
    ///
    /// # Errors
    ///
    /// [`FeatureError::Config`] with the feature, the key, the value and what would be right.
    pub fn validate(features: &[Self]) -> Result<(), FeatureError> {
        let mut seen = HashSet::new();
        for feature in features {
            feature.validate_one()?;
            if !seen.insert(feature.name.as_str()) {
                let expected = "each feature once; delete one of the two";
                return Err(feature.refused("name", format!("\"{}\"", feature.name), expected));
            }
        }
        Ok(())
    }

    fn validate_one(&self) -> Result<(), FeatureError> {
        if self.name.trim().is_empty() {
            let expected = "the name of an attribute, such as age, brand or genres";
            return Err(self.refused("name", format!("\"{}\"", self.name), expected));
        }
        if self.min_count == 0 {
            return Err(self.refused("min_count", "0".to_owned(), "at least 1"));
        }
        if self.separator.is_empty() {
            return Err(self.refused("separator", "\"\"".to_owned(), "one character or more, such as |"));
        }
        let value = || format!("{:?}", self.buckets);
        if !self.buckets.is_empty() && self.kind != FeatureKind::Numeric {
            return Err(self.refused("buckets", value(), "none, unless kind is numeric"));
        }
        if !is_ascending(&self.buckets) {
            return Err(self.refused("buckets", value(), "finite numbers that ascend"));
        }
        Ok(())
    }

    fn refused(&self, key: &'static str, value: String, expected: &'static str) -> FeatureError {
        FeatureError::Config { feature: self.name.clone(), key, value, expected }
    }
}

/// Whether edges of ranges are finite and ascend.
pub(super) fn is_ascending(edges: &[f64]) -> bool {
    edges.is_sorted_by(|a, b| a < b) && edges.iter().all(|edge| edge.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(change: impl FnOnce(&mut FeatureConfig), expected: &str) {
        let mut feature = FeatureConfig::new("age", FeatureKind::Numeric);
        change(&mut feature);
        assert_eq!(FeatureConfig::validate(&[feature]).unwrap_err().to_string(), expected);
    }

    #[test]
    fn a_value_out_of_range_is_named_with_its_feature_and_key() {
        check(
            |it| it.name = " ".to_owned(),
            "feature \" \": name = \" \": expected the name of an attribute, such as age, brand or genres",
        );
        check(|it| it.min_count = 0, "feature \"age\": min_count = 0: expected at least 1");
        check(
            |it| it.separator.clear(),
            "feature \"age\": separator = \"\": expected one character or more, such as |",
        );
        check(
            |it| (it.kind, it.buckets) = (FeatureKind::Multi, vec![1.0]),
            "feature \"age\": buckets = [1.0]: expected none, unless kind is numeric",
        );
        for buckets in [vec![2.0, 1.0], vec![1.0, 1.0], vec![f64::NAN], vec![0.0, f64::INFINITY]] {
            let expected =
                format!("feature \"age\": buckets = {buckets:?}: expected finite numbers that ascend");
            check(|it| it.buckets = buckets, &expected);
        }
    }

    #[test]
    fn a_feature_named_twice_is_refused() {
        let features = ["age", "job", "age"].map(|name| FeatureConfig::new(name, FeatureKind::Categorical));
        let message = FeatureConfig::validate(&features).unwrap_err().to_string();
        assert_eq!(
            message,
            "feature \"age\": name = \"age\": expected each feature once; delete one of the two"
        );
        FeatureConfig::validate(&features[..2]).unwrap();
    }

    #[test]
    fn a_misspelt_key_is_refused() {
        let parsed = serde_json::from_str::<FeatureConfig>(r#"{ "name": "age", "bucket": [1] }"#);
        assert!(parsed.unwrap_err().to_string().contains("bucket"));
    }
}

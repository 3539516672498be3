//! The `data` section of a configuration.

use serde::{Deserialize, Serialize};

use crate::error::DataError;
use crate::source::SourceKind;
use crate::world::WorldConfig;

/// What is read, how it is cleaned, and how it is split.
///
/// ```
/// use cresset_data::{DataConfig, SplitKind};
///
/// let config: DataConfig = serde_json::from_str(r#"{ "source": "movielens-1m", "split": "temporal" }"#)?;
/// assert_eq!(config.folder(), "ml-1m");
/// assert_eq!(config.split, SplitKind::Temporal);
/// assert_eq!(config.valid_ratio, 0.1);
/// config.validate()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DataConfig {
    /// The reader: `movielens-100k`, `movielens-1m`, `movielens-csv` or `synthetic`. Default: `synthetic`.
    pub source: SourceKind,
    /// Folder below the data directory. Default: null, the source's own (`ml-100k`, `ml-1m`, `ml-latest-small`).
    pub name: Option<String>,
    /// What becomes of a row without a rating or with one off the scale. Default: `error`.
    pub on_bad_row: OnBadRow,
    /// Users with fewer ratings are removed, again and again until none is left. Default: 0, off.
    pub min_user_ratings: u32,
    /// Items with fewer ratings are removed, together with such users. Default: 0, off.
    pub min_item_ratings: u32,
    /// How rows are divided. Default: `random`.
    pub split: SplitKind,
    /// Share of rows to validate on, at least 0 and below 1; with `k_fold`, of a fold's training part. At 0 there is
    /// no validation part. Default: 0.1.
    pub valid_ratio: f64,
    /// Share of rows to test on, above 0; `k_fold` does not read it. Default: 0.1.
    pub test_ratio: f64,
    /// Number of folds of `k_fold`, at least 2; the other splits do not read it. Default: 5.
    pub n_folds: usize,
    /// Seed of `random` and `k_fold`. Default: 42.
    pub split_seed: u64,
    /// The world of the source `synthetic`; other sources do not read it. Default: that of the quickstart.
    pub synthetic: WorldConfig,
}

impl Default for DataConfig {
    fn default() -> Self {
        Self {
            source: SourceKind::default(),
            name: None,
            on_bad_row: OnBadRow::default(),
            min_user_ratings: 0,
            min_item_ratings: 0,
            split: SplitKind::default(),
            valid_ratio: 0.1,
            test_ratio: 0.1,
            n_folds: 5,
            split_seed: 42,
            synthetic: WorldConfig::default(),
        }
    }
}

/// What becomes of a row whose rating is empty, NaN or outside the source's scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnBadRow {
    /// Loading ends with an error that names the line.
    #[default]
    Error,
    /// The row is left out and counted in the [`CleaningReport`](crate::CleaningReport).
    Skip,
}

/// How rows are divided into training, validation and test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SplitKind {
    /// By seeded chance over all rows.
    #[default]
    Random,
    /// By time within each user, the latest rows to test.
    Temporal,
    /// By seeded chance into folds, each the test part once.
    KFold,
}

impl DataConfig {
    /// The folder below the data directory that is read.
    pub fn folder(&self) -> &str {
        self.name.as_deref().unwrap_or_else(|| self.source.default_folder())
    }

    /// The number of splits to train on: `n_folds` for `k_fold`, else 1.
    pub fn n_splits(&self) -> usize {
        if self.split == SplitKind::KFold { self.n_folds } else { 1 }
    }

    /// Checks every value against its documented range.
    ///
    /// # Errors
    ///
    /// [`DataError::Config`] or [`DataError::World`] with the key, the value and what would be right.
    pub fn validate(&self) -> Result<(), DataError> {
        if self.source == SourceKind::Synthetic {
            self.synthetic.validate()?;
        }
        let ratios = (0.0..1.0).contains(&self.valid_ratio);
        require(ratios, "data.valid_ratio", &self.valid_ratio, "at least 0 and below 1")?;
        if self.split == SplitKind::KFold {
            return require(self.n_folds >= 2, "data.n_folds", &self.n_folds, "at least 2");
        }
        let test = self.test_ratio > 0.0 && self.test_ratio < 1.0;
        require(test, "data.test_ratio", &self.test_ratio, "above 0 and below 1")?;
        let sum = self.valid_ratio + self.test_ratio;
        require(
            sum < 1.0,
            "data.valid_ratio + data.test_ratio",
            &sum,
            "below 1, so that rows are left to train on",
        )
    }
}

fn require(is_met: bool, key: &'static str, value: &impl ToString, expected: &str) -> Result<(), DataError> {
    if is_met {
        return Ok(());
    }
    Err(DataError::Config { key, value: value.to_string(), expected: expected.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(change: impl FnOnce(&mut DataConfig), expected: &str) {
        let mut config = DataConfig::default();
        change(&mut config);
        assert_eq!(config.validate().unwrap_err().to_string(), expected);
    }

    #[test]
    fn the_default_is_valid() {
        DataConfig::default().validate().unwrap();
    }

    #[test]
    fn a_value_out_of_range_is_named_with_its_key() {
        check(|it| it.valid_ratio = 1.0, "data.valid_ratio = 1: expected at least 0 and below 1");
        check(|it| it.valid_ratio = f64::NAN, "data.valid_ratio = NaN: expected at least 0 and below 1");
        check(|it| it.test_ratio = 0.0, "data.test_ratio = 0: expected above 0 and below 1");
        check(
            |it| (it.valid_ratio, it.test_ratio) = (0.5, 0.5),
            "data.valid_ratio + data.test_ratio = 1: expected below 1, so that rows are left to train on",
        );
        check(|it| (it.split, it.n_folds) = (SplitKind::KFold, 1), "data.n_folds = 1: expected at least 2");
    }

    #[test]
    fn a_world_that_cannot_be_made_is_refused_where_it_is_asked_for() {
        let synthetic = WorldConfig { n_users: 0, ..WorldConfig::default() };
        let config = DataConfig { synthetic, ..DataConfig::default() };
        let message = config.validate().unwrap_err().to_string();
        assert!(message.contains("data.synthetic.n_users"), "{message}");
        DataConfig { source: SourceKind::MovieLens1m, ..config }.validate().unwrap();
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let message =
            serde_json::from_str::<DataConfig>(r#"{ "valid_ration": 0.1 }"#).unwrap_err().to_string();
        assert!(message.contains("valid_ration"), "{message}");
    }

    #[test]
    fn a_config_survives_being_saved() {
        let config =
            DataConfig { name: Some("mine".to_owned()), split: SplitKind::KFold, ..DataConfig::default() };
        let saved = serde_json::to_string(&config).unwrap();
        assert!(saved.contains(r#""split":"k_fold""#), "{saved}");
        assert_eq!(serde_json::from_str::<DataConfig>(&saved).unwrap(), config);
    }
}

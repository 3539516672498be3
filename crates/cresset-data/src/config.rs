//! The `data` section of a configuration.

use serde::{Deserialize, Serialize};

use crate::columns::{ColumnsConfig, FilesConfig, IdOrder, TextConfig, TimeUnit};
use crate::error::DataError;
use crate::graph::GraphConfig;
use crate::item_files::ItemFileConfig;
use crate::loader::LoaderConfig;
use crate::source::SourceKind;
use crate::split::Moment;
use crate::text::Separator;
use crate::vectors::VectorSourceConfig;
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
    /// The reader, by the name that [`SourceKind`] gives it. Default: `synthetic`.
    pub source: SourceKind,
    /// Folder below the data directory. Default: null, the source's own (`ml-100k`, `ml-1m`, `ml-latest-small`; for
    /// the formats of other libraries the source's name).
    pub name: Option<String>,
    /// The files that `csv`, `parquet` and `amazon` read. Default: null each, the source's own.
    pub files: FilesConfig,
    /// The columns of `csv` and `parquet`. Default: null each, those with the usual names.
    pub columns: ColumnsConfig,
    /// What stands between two fields of `csv`, one character, once or repeated: `,`, `;`, `|`, `\t`, `::`. With commas
    /// and semicolons fields may stand in quotes. Default: `,`.
    pub separator: String,
    /// Whether the first line of each file of `csv` names the columns; else `data.columns` has numbers. Default: true.
    pub header: bool,
    /// What whole numbers in a column of times count: `seconds`, `milliseconds` or `position`. Default: null, what the
    /// source's format says, else seconds.
    pub time_unit: Option<TimeUnit>,
    /// Which id stands first in `amazon`'s rating files without a header: `user_first` (2014) or `item_first` (2018).
    /// Default: null; such files are then refused.
    pub id_order: Option<IdOrder>,
    /// The texts of `multimodal`. Default: null each, `text.xls` where it is there, and columns of the usual names.
    pub text: TextConfig,
    /// Whether `multimodal` lists the pictures in the folder `image`. Default: true.
    pub load_images: bool,
    /// Files beside the source's own that describe items, of any source. Default: none.
    pub items: Vec<ItemFileConfig>,
    /// What becomes of a row that cannot be read, lacks a value or is off the scale. Default: `error`.
    pub on_bad_row: OnBadRow,
    /// Lowest and highest rating of the scale. Default: null, that of the source, or of the rows read where the source has
    /// none of its own.
    pub rating_range: Option<(f32, f32)>,
    /// Rows with a lower rating are left out: what stays is taken as implicit feedback. Default: null, off.
    pub min_rating: Option<f32>,
    /// Rows before this moment are left out. Default: null, off.
    pub min_time: Option<Moment>,
    /// Rows at this moment or later are left out. Default: null, off.
    pub max_time: Option<Moment>,
    /// Users with fewer ratings are removed, again and again until none is left. Default: 0, off.
    pub min_user_ratings: u32,
    /// Items with fewer ratings are removed, together with such users. Default: 0, off.
    pub min_item_ratings: u32,
    /// How rows are divided: `random`, `temporal`, `leave_one_out`, `global_time`, `k_fold` or `given`. Default:
    /// `random`.
    pub split: SplitKind,
    /// Whether `random` divides the rows of each user, so that no user is without training rows; the other splits
    /// do not read it. Default: false.
    pub per_user: bool,
    /// Share of rows to validate on, at least 0 and below 1; with `k_fold`, of a fold's training part. At 0 there is
    /// no validation part. `leave_one_out` and `given` do not read it. Default: 0.1.
    pub valid_ratio: f64,
    /// Share of rows to test on, above 0; `k_fold`, `leave_one_out` and `given` do not read it. Default: 0.1.
    pub test_ratio: f64,
    /// First moment of the validation part of `global_time`, seconds since 1970 or a UTC date, only beside
    /// `test_from` and before it. Default: null, by `valid_ratio`.
    pub valid_from: Option<Moment>,
    /// First moment of the test part of `global_time`, seconds since 1970 or a UTC date. Default: null, by
    /// `test_ratio`.
    pub test_from: Option<Moment>,
    /// Number of folds of `k_fold`, at least 2; the other splits do not read it. Default: 5.
    pub n_folds: usize,
    /// Seed of `random` and `k_fold`. Default: 42.
    pub split_seed: u64,
    /// Threads that make batches ahead of the step that uses them; at 0 each is made when it is needed. The batches
    /// are the same. Default: 1.
    pub num_workers: usize,
    /// The most batches made ahead, at least 1. Default: 4.
    pub prefetch: usize,
    /// The world of the source `synthetic`; other sources do not read it. Default: that of the quickstart.
    pub synthetic: WorldConfig,
    /// Vectors of items and users, of any source. Default: none.
    pub vectors: Vec<VectorSourceConfig>,
    /// The knowledge graph of the items. Default: no sources, and no graph.
    pub graph: GraphConfig,
}

impl Default for DataConfig {
    fn default() -> Self {
        let loader = LoaderConfig::default();
        Self {
            source: SourceKind::default(),
            name: None,
            files: FilesConfig::default(),
            columns: ColumnsConfig::default(),
            separator: ",".to_owned(),
            header: true,
            time_unit: None,
            id_order: None,
            text: TextConfig::default(),
            load_images: true,
            items: Vec::new(),
            on_bad_row: OnBadRow::default(),
            rating_range: None,
            min_rating: None,
            min_time: None,
            max_time: None,
            min_user_ratings: 0,
            min_item_ratings: 0,
            split: SplitKind::default(),
            per_user: false,
            valid_ratio: 0.1,
            test_ratio: 0.1,
            valid_from: None,
            test_from: None,
            n_folds: 5,
            split_seed: 42,
            num_workers: loader.num_workers,
            prefetch: loader.prefetch,
            synthetic: WorldConfig::default(),
            vectors: Vec::new(),
            graph: GraphConfig::default(),
        }
    }
}

/// What becomes of a row that cannot be read, or whose rating is empty, NaN or outside the scale.
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
    /// By seeded chance over all rows, or those of each user.
    #[default]
    Random,
    /// By time within each user, the latest rows to test.
    Temporal,
    /// The latest row of each user to test, the one before to validation.
    LeaveOneOut,
    /// By one cut through the times of all users.
    GlobalTime,
    /// By seeded chance into folds, each the test part once.
    KFold,
    /// As the source says.
    Given,
}

impl SplitKind {
    /// Whether time decides what is tested, so that a user's validation rows are not later than their test rows.
    pub fn is_by_time(self) -> bool {
        matches!(self, Self::Temporal | Self::LeaveOneOut | Self::GlobalTime)
    }
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

    /// How batches are made ahead.
    pub fn loader(&self) -> LoaderConfig {
        LoaderConfig { num_workers: self.num_workers, prefetch: self.prefetch }
    }

    /// Checks every value against its documented range.
    ///
    /// # Errors
    ///
    /// [`DataError::Config`] or [`DataError::World`] with the key, the value and what would be right.
    pub fn validate(&self) -> Result<(), DataError> {
        self.graph.validate()?;
        if self.source == SourceKind::Synthetic {
            self.synthetic.validate()?;
        }
        if let Some((low, high)) = self.rating_range {
            let range = format!("[{low}, {high}]");
            let is_scale = low < high && low.is_finite() && high.is_finite();
            require(is_scale, "data.rating_range", &range, "two numbers, the lower first")?;
        }
        if let Some(min_rating) = self.min_rating {
            require(!min_rating.is_nan(), "data.min_rating", &min_rating, "a number")?;
        }
        let is_separator = Separator::of(&self.separator).is_some();
        require(is_separator, "data.separator", &self.separator, "one character, once or repeated")?;
        self.items.iter().try_for_each(ItemFileConfig::validate)?;
        self.validate_vectors()?;
        if let (Some(min), Some(max)) = (self.min_time, self.max_time) {
            require(min < max, "data.max_time", &max, "a time after data.min_time")?;
        }
        require(self.prefetch > 0, "data.prefetch", &self.prefetch, "at least 1")?;
        match self.split {
            SplitKind::LeaveOneOut | SplitKind::Given => Ok(()),
            SplitKind::KFold => {
                self.validate_valid_ratio()?;
                require(self.n_folds >= 2, "data.n_folds", &self.n_folds, "at least 2")
            }
            SplitKind::Random | SplitKind::Temporal => self.validate_ratios(),
            SplitKind::GlobalTime => {
                self.validate_ratios()?;
                self.validate_cuts()
            }
        }
    }

    fn validate_vectors(&self) -> Result<(), DataError> {
        for (place, entry) in self.vectors.iter().enumerate() {
            entry.validate(self.source)?;
            let is_new =
                self.vectors[..place].iter().all(|other| (&other.name, other.of) != (&entry.name, entry.of));
            let name = format!("\"{}\"", entry.name);
            let expected = format!("another name, {name} is that of an entry above");
            require(is_new, "data.vectors.name", &name, &expected)?;
        }
        Ok(())
    }

    fn validate_valid_ratio(&self) -> Result<(), DataError> {
        let is_share = (0.0..1.0).contains(&self.valid_ratio);
        require(is_share, "data.valid_ratio", &self.valid_ratio, "at least 0 and below 1")
    }

    fn validate_ratios(&self) -> Result<(), DataError> {
        self.validate_valid_ratio()?;
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

    fn validate_cuts(&self) -> Result<(), DataError> {
        let Some(valid_from) = self.valid_from else { return Ok(()) };
        let precedes = self.test_from.is_some_and(|test_from| valid_from < test_from);
        require(
            precedes,
            "data.valid_from",
            &valid_from,
            "a moment before data.test_from, which must be set too",
        )
    }
}

pub(crate) fn require(
    is_met: bool,
    key: &'static str,
    value: &impl ToString,
    expected: &str,
) -> Result<(), DataError> {
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
        for range in [(5.0, 1.0), (1.0, f32::INFINITY), (f32::NAN, 5.0)] {
            let expected = format!(
                "data.rating_range = [{}, {}]: expected two numbers, the lower first",
                range.0, range.1
            );
            check(|it| it.rating_range = Some(range), &expected);
        }
        check(|it| it.min_rating = Some(f32::NAN), "data.min_rating = NaN: expected a number");
        check(|it| it.prefetch = 0, "data.prefetch = 0: expected at least 1");
        let expected = "data.valid_from = 9: expected a moment before data.test_from, which must be set too";
        check(|it| (it.split, it.valid_from) = (SplitKind::GlobalTime, Some(Moment(9))), expected);
        let cuts = |it: &mut DataConfig| {
            it.split = SplitKind::GlobalTime;
            (it.valid_from, it.test_from) = (Some(Moment(9)), Some(Moment(9)));
        };
        check(cuts, expected);
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

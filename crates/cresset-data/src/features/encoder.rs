//! The features of one side of a data set, learnt and encoded.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::column::ColumnEncoder;
use super::config::FeatureConfig;
use super::described::Described;
use super::encoded::EncodedFeatures;
use super::error::FeatureError;
use super::fit::fit_column;
use crate::catalogue::Side;
use crate::dataset::Dataset;
use crate::error::DataError;
use crate::files::{FileError, atomic_write_with, read_bytes};

/// What the features of users or items are, and how those who come later are encoded.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Features {
    /// Kept with the model.
    pub encoder: FeatureEncoder,
    /// One row for each index of the side's vocabulary.
    pub encoded: EncodedFeatures,
}

/// Turns users or items into codes and numbers; learnt once, kept with the model, and used for those who come later.
///
/// ```
/// use cresset_data::UserInfo;
/// use cresset_data::features::{EncodedColumn, FeatureConfig, FeatureEncoder, FeatureKind};
///
/// let person = |id: &str, age: &str, job: &str| {
///     UserInfo::new(id.to_owned(), ["age", "job"], [age.to_owned(), job.to_owned()])
/// };
/// let users = [person("1", "24", "artist"), person("2", "53", "writer"), person("3", "", "writer")];
/// let buckets = FeatureConfig {
///     buckets: vec![18.0, 35.0],
///     ..FeatureConfig::new("age", FeatureKind::Numeric)
/// };
/// let features = [buckets, FeatureConfig::new("job", FeatureKind::Categorical)];
/// let encoder = FeatureEncoder::fit(&features, &users, &[0, 1, 2])?;
///
/// let encoded = encoder.encode(&users);
/// assert_eq!(encoded.columns[0], EncodedColumn::Categorical { codes: vec![2, 3, 0], n_codes: 4 });
/// assert_eq!(encoded.columns[1], EncodedColumn::Categorical { codes: vec![1, 2, 2], n_codes: 3 });
///
/// let later = encoder.encode_one(&person("4", "17", "pilot"));
/// assert_eq!(later.columns[0], EncodedColumn::Categorical { codes: vec![1], n_codes: 4 });
/// assert_eq!(later.columns[1], EncodedColumn::Categorical { codes: vec![0], n_codes: 3 });
/// # Ok::<(), cresset_data::DataError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureEncoder {
    /// One for each feature, in the order of the configuration.
    pub columns: Vec<ColumnEncoder>,
}

impl Features {
    /// The features of a data set's users or items, learnt from `known_rows`, indices of that side: those that training
    /// sees, or all.
    ///
    /// # Errors
    ///
    /// [`DataError::Feature`] as [`FeatureEncoder::fit`].
    ///
    /// # Panics
    ///
    /// If an index is not of that side.
    pub fn fit(
        features: &[FeatureConfig],
        data: &Dataset,
        side: Side,
        known_rows: &[u32],
    ) -> Result<Self, DataError> {
        match side {
            Side::Items => Self::of_rows(features, &data.catalogue.items, known_rows),
            Side::Users => Self::of_rows(features, &data.catalogue.users, known_rows),
        }
    }

    fn of_rows<R: Described>(
        features: &[FeatureConfig],
        rows: &[R],
        known_rows: &[u32],
    ) -> Result<Self, DataError> {
        let encoder = FeatureEncoder::fit(features, rows, known_rows)?;
        let encoded = encoder.encode(rows);
        Ok(Self { encoder, encoded })
    }
}

impl FeatureEncoder {
    /// Learns categories, means and deviations from the rows in `known_rows`; that each feature occurs, and that numbers
    /// are numbers, is asked of all rows.
    ///
    /// # Errors
    ///
    /// [`DataError::Feature`] when the configuration is out of range, when no row has a feature, or when one of kind
    /// `numeric` has a value that is no number.
    ///
    /// # Panics
    ///
    /// If one of `known_rows` is not below the number of rows.
    pub fn fit<R: Described>(
        features: &[FeatureConfig],
        rows: &[R],
        known_rows: &[u32],
    ) -> Result<Self, DataError> {
        let is_row = |&row: &u32| (row as usize) < rows.len();
        assert!(known_rows.iter().all(is_row), "known rows are below the number of rows");
        FeatureConfig::validate(features)?;
        let columns = features.iter().map(|feature| fit_column(feature, rows, known_rows));
        Ok(Self { columns: columns.collect::<Result<_, FeatureError>>()? })
    }

    /// The features of some rows. What is missing, not seen when the encoder learnt, or no number where one is wanted is
    /// unknown.
    pub fn encode<R: Described>(&self, rows: &[R]) -> EncodedFeatures {
        let columns = self.columns.iter().map(|column| column.encode(rows)).collect();
        EncodedFeatures { n_rows: rows.len(), columns }
    }

    /// The features of one row, as columns of one row.
    pub fn encode_one<R: Described>(&self, row: &R) -> EncodedFeatures {
        self.encode(std::slice::from_ref(row))
    }

    /// Writes the encoder as JSON.
    ///
    /// # Errors
    ///
    /// [`DataError::File`] when the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), DataError> {
        let written = atomic_write_with(path, |file| Ok(serde_json::to_writer_pretty(file, self)?));
        Ok(written?)
    }

    /// Reads what [`save`](Self::save) wrote.
    ///
    /// # Errors
    ///
    /// [`DataError::File`] when the file cannot be read or is not what was written; [`DataError::Feature`] when an
    /// encoder in it breaks a rule, such as categories that do not ascend.
    pub fn load(path: &Path) -> Result<Self, DataError> {
        let encoder: Self =
            serde_json::from_slice(&read_bytes(path)?).map_err(|cause| FileError::read(path, cause))?;
        encoder.columns.iter().try_for_each(|column| column.check(path))?;
        Ok(encoder)
    }
}

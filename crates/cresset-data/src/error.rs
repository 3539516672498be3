//! What can be wrong with files, configuration and data, each said in one sentence with its remedy.

use std::fmt;
use std::path::PathBuf;

use crate::arrow::ColumnError;
use crate::features::FeatureError;
use crate::files::FileError;
use crate::graph::GraphError;
use crate::item_files::ItemFileError;
use crate::json::JsonError;
use crate::negatives::NegativesError;
use crate::parquet_io::ParquetError;
use crate::processed::FolderError;
use crate::sources::SourceError;
use crate::split::SplitError;
use crate::vectors::VectorsError;
use crate::world::WorldError;

/// Why data could not be read, cleaned or split.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),

    /// A synthetic world that cannot be made.
    #[error(transparent)]
    World(#[from] WorldError),

    /// A column of a record batch that is not as it must be.
    #[error(transparent)]
    Column(#[from] ColumnError),

    /// A Parquet file or folder that cannot be read.
    #[error(transparent)]
    Parquet(#[from] ParquetError),

    /// A knowledge graph that cannot be read or built.
    #[error(transparent)]
    Graph(#[from] GraphError),

    /// Vectors that could not be read.
    #[error(transparent)]
    Vectors(#[from] VectorsError),

    /// A source whose files could not be told apart, or their columns not understood.
    #[error(transparent)]
    Source(#[from] SourceError),

    /// A feature of users or items that cannot be read as it is asked for.
    #[error(transparent)]
    Feature(#[from] FeatureError),

    /// A line or a file of JSON that cannot be read.
    #[error(transparent)]
    Json(#[from] JsonError),

    /// A file that describes items and cannot be read.
    #[error(transparent)]
    ItemFile(#[from] ItemFileError),

    /// Files of a processed folder that do not go together.
    #[error(transparent)]
    Folder(#[from] FolderError),

    /// A data set is not where it was looked for.
    #[error(
        "no {looked_for}, plain, .gz or .zst, in the folder {}: put the data set there (`cargo xtask data \
         NAME` fetches a public one), or name the folder above it with --data DIR or the variable CRESSET_DATA",
        folder.display()
    )]
    Missing {
        /// Folder that was searched.
        folder: PathBuf,
        /// File names, any of which would do.
        looked_for: String,
    },

    /// A file without a single row.
    #[error("{} has no rows: replace it by a complete copy of the file", file.display())]
    EmptyFile {
        /// The file.
        file: PathBuf,
    },

    /// A header without a column that is needed.
    #[error(
        "{}:1: no column \"{column}\" in the header \"{header}\": name the columns in the first line",
        file.display()
    )]
    MissingColumn {
        /// The file.
        file: PathBuf,
        /// The column's name.
        column: String,
        /// The header as it is.
        header: String,
    },

    /// A row with fewer fields than its format has.
    #[error("{place}: {found} of {expected} fields in \"{row}\": complete or delete the line")]
    TooFewFields {
        /// Where.
        place: Place,
        /// Number of fields found.
        found: usize,
        /// Number of fields needed.
        expected: usize,
        /// The beginning of the row.
        row: String,
    },

    /// A field that is no value of its kind.
    #[error("{place}: {field} \"{value}\" is not {expected}: correct or delete the line")]
    BadField {
        /// Where.
        place: Place,
        /// Name of the field.
        field: &'static str,
        /// The field's text.
        value: String,
        /// What would be right.
        expected: &'static str,
    },

    /// A row without a rating, or with a rating outside the source's scale, under `on_bad_row: error`.
    #[error(
        "{place}: {fault}: correct the row, or set data.on_bad_row: skip to leave such rows out and count them"
    )]
    BadRow {
        /// Where.
        place: Place,
        /// What is wrong with it.
        fault: RowFault,
    },

    /// No row is left after cleaning.
    #[error(
        "no rating is left of {read} read ({report}): lower data.min_user_ratings and \
         data.min_item_ratings, or check the file"
    )]
    NothingLeft {
        /// Rows read.
        read: u64,
        /// What became of them.
        report: String,
    },

    /// Negatives that cannot be drawn, saved or read.
    #[error(transparent)]
    Negatives(#[from] NegativesError),

    /// Rows that cannot be divided as asked.
    #[error(transparent)]
    Split(#[from] SplitError),

    /// An id that no line of a list can hold.
    #[error(
        "cannot write {}: id {id:?} holds a tab or a line end, which ends an id there: rename it in the data, or leave \
         the graph form out (prepare --no-graph)",
        file.display()
    )]
    UnlistableId {
        /// The list.
        file: PathBuf,
        /// External id.
        id: String,
    },

    /// A configuration value outside its documented range.
    #[error("{key} = {value}: expected {expected}")]
    Config {
        /// Full key, as `data.valid_ratio`.
        key: &'static str,
        /// The value found.
        value: String,
        /// What would be right.
        expected: String,
    },

    /// A vocabulary file whose indices are not `0..n`, each once.
    #[error(
        "{}: id \"{id}\" has index {index}, {fault}: restore the file that was saved with the model",
        file.display()
    )]
    BadVocabulary {
        /// The file.
        file: PathBuf,
        /// External id.
        id: String,
        /// Its index as written.
        index: String,
        /// What is wrong with it.
        fault: String,
    },
}

impl DataError {
    /// Whether one row is at fault, so that the rows around it can still be read.
    pub(crate) fn is_of_a_row(&self) -> bool {
        match self {
            Self::TooFewFields { .. } | Self::BadField { .. } | Self::BadRow { .. } => true,
            Self::Json(error) => error.is_of_a_row(),
            _ => false,
        }
    }
}

/// Where a row came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A line of a file, counted from 1.
    Line {
        /// The file.
        file: PathBuf,
        /// Line number.
        line: u64,
    },
    /// A row of interactions that were made in memory, counted from 0.
    Row(usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { file, line } => write!(f, "{}:{line}", file.display()),
            Self::Row(row) => write!(f, "row {row} of the interactions"),
        }
    }
}

/// What makes a row unfit to learn from.
#[derive(Debug, Clone, PartialEq)]
pub enum RowFault {
    /// An empty or NaN field.
    Missing {
        /// Name of the field.
        field: &'static str,
        /// Its text.
        value: String,
    },
    /// A rating that is infinite, where no scale says so already.
    Infinite {
        /// The rating's text.
        value: String,
    },
    /// A rating outside the source's scale.
    OutOfRange {
        /// The rating's text.
        value: String,
        /// Lowest and highest rating of the source.
        range: (f32, f32),
    },
}

impl RowFault {
    /// What is wrong with a row, if anything; the scale is that of `range`, its ends included.
    pub(crate) fn find(user: &str, item: &str, rating: f32, range: Option<(f32, f32)>) -> Option<Self> {
        let missing = |field, value: &str| Some(Self::Missing { field, value: value.to_owned() });
        match () {
            () if user.is_empty() => missing("user id", user),
            () if item.is_empty() => missing("item id", item),
            () => Self::of_rating(rating, range),
        }
    }

    /// As [`find`](Self::find), for the rating alone.
    pub(crate) fn of_rating(rating: f32, range: Option<(f32, f32)>) -> Option<Self> {
        if rating.is_nan() {
            return Some(Self::Missing { field: "rating", value: "NaN".to_owned() });
        }
        let is_out = |&(low, high): &(f32, f32)| !(low..=high).contains(&rating);
        let out_of_range = |range| Self::OutOfRange { value: rating.to_string(), range };
        let infinite = || rating.is_infinite().then(|| Self::Infinite { value: rating.to_string() });
        range.filter(is_out).map(out_of_range).or_else(infinite)
    }

    /// The same with the rating as its file spells it.
    pub(crate) fn spelt(self, rating: &[u8]) -> Self {
        let value = String::from_utf8_lossy(rating).into_owned();
        match self {
            Self::Missing { field: "rating", .. } => Self::Missing { field: "rating", value },
            Self::Infinite { .. } => Self::Infinite { value },
            Self::OutOfRange { range, .. } => Self::OutOfRange { value, range },
            other => other,
        }
    }
}

impl fmt::Display for RowFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { field, value } => write!(f, "{field} \"{value}\" is missing"),
            Self::Infinite { value } => write!(f, "rating \"{value}\" is not a finite number"),
            Self::OutOfRange { value, range: (low, high) } => {
                write!(f, "rating \"{value}\" is outside the scale {low} to {high}")
            }
        }
    }
}

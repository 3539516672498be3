//! What can be wrong with a file of vectors.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::arrow::BatchPlace;
use crate::error::Place;

/// Why vectors could not be read or joined.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VectorsError {
    /// A name that tells no format.
    #[error(
        "{}: the name ends in none of .npy, .parquet, .safetensors, .json, .jsonl, .csv and .tsv, plain, .gz or \
         .zst: rename the file, or give its format",
        file.display()
    )]
    UnknownFormat {
        /// The file.
        file: PathBuf,
    },

    /// A file that is damaged or of another format than its name says.
    #[error("{} is no {format} file ({fault}): replace it by a complete copy, or give its format", file.display())]
    NotOfFormat {
        /// The file.
        file: PathBuf,
        /// The format it was read as.
        format: &'static str,
        /// What does not fit.
        fault: String,
    },

    /// A file with more or fewer values than its header announces.
    #[error(
        "{} holds {found} bytes of values and announces {expected}: replace it by a complete copy",
        file.display()
    )]
    Length {
        /// The file.
        file: PathBuf,
        /// Bytes after the header.
        found: u64,
        /// Bytes by the header.
        expected: u64,
    },

    /// A layout that is not read.
    #[error("{}: {found}, expected {expected}: {remedy}", file.display())]
    Layout {
        /// The file.
        file: PathBuf,
        /// What the file has.
        found: String,
        /// What would be right.
        expected: &'static str,
        /// What to do.
        remedy: &'static str,
    },

    /// A place in JSON where something else should be.
    #[error(
        "{place}: {found} where {expected} should be: correct it, or replace the file by a complete copy"
    )]
    Json {
        /// The line.
        place: Place,
        /// What is there.
        found: String,
        /// What should be.
        expected: &'static str,
    },

    /// A vector of another width than the first.
    #[error("{place} has {found} numbers, expected {expected} as in the first vector: correct or delete it")]
    Width {
        /// The vector.
        place: VectorPlace,
        /// Its width.
        found: usize,
        /// The width of the first.
        expected: usize,
    },

    /// Vectors of another width than the configuration asks for.
    #[error(
        "data.vectors \"{name}\": {file} has vectors of {found} numbers, and dim is {expected}: name the file of that \
         width, or set dim to {found} or null"
    )]
    Dim {
        /// Name of the entry.
        name: String,
        /// The file.
        file: String,
        /// The width of its vectors.
        found: usize,
        /// The width asked for.
        expected: usize,
    },

    /// A vector without a number.
    #[error("{place} has no numbers: fill it in or delete it")]
    Empty {
        /// The vector.
        place: VectorPlace,
    },

    /// A value that is no finite number.
    #[error(
        "{place}: \"{value}\" in dimension {dimension} is not a finite number: correct it, or delete the vector"
    )]
    BadNumber {
        /// The vector.
        place: VectorPlace,
        /// Place in the vector, from 0.
        dimension: usize,
        /// The value as the file has it.
        value: String,
    },

    /// An id that two vectors have.
    #[error("{}: rows {first} and {second} have the same id \"{id}\": delete one of them", file.display())]
    RepeatedId {
        /// The file.
        file: PathBuf,
        /// The id.
        id: String,
        /// The row that has it first, from 0.
        first: usize,
        /// The row that has it again.
        second: usize,
    },

    /// A row without an id.
    #[error("{}: row {row} has no id: give it one, or delete it", file.display())]
    NoId {
        /// The file.
        file: PathBuf,
        /// The row, from 0.
        row: usize,
    },

    /// As many ids as there are vectors are needed.
    #[error(
        "{} has {n_ids} ids for the {n_rows} vectors of {}: give the list that was made with the vectors",
        ids_file.display(), file.display()
    )]
    IdCount {
        /// The file of vectors.
        file: PathBuf,
        /// The file of ids.
        ids_file: PathBuf,
        /// Number of ids.
        n_ids: usize,
        /// Number of vectors.
        n_rows: usize,
    },

    /// A column or tensor that is not there or is not the only one.
    #[error("{} has {found}, expected {expected}: name it with {key}", file.display())]
    NoColumn {
        /// The file.
        file: PathBuf,
        /// The columns or tensors there are.
        found: String,
        /// What was looked for.
        expected: &'static str,
        /// The configuration's key.
        key: &'static str,
    },

    /// An id that is mapped to two others.
    #[error(
        "{place}: id \"{id}\" is mapped to \"{second}\", and to \"{first}\" above: delete one of the lines"
    )]
    AmbiguousMap {
        /// The line.
        place: Place,
        /// The id.
        id: Box<str>,
        /// What it was mapped to first.
        first: Box<str>,
        /// What it is mapped to here.
        second: Box<str>,
    },
}

/// A vector of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VectorPlace {
    /// The file.
    pub file: PathBuf,
    /// Where in the file.
    pub position: Position,
    /// Its id, empty where it is not known.
    pub id: String,
}

impl VectorPlace {
    pub(super) fn new(file: &Path, position: Position, id: &str) -> Self {
        Self { file: file.to_owned(), position, id: id.to_owned() }
    }

    /// A row of a record batch, counted from its first row.
    pub(super) fn in_batch(batch: &BatchPlace, row: usize, id: &str) -> Self {
        let row = batch.first_row + row;
        let position = match batch.row_group {
            Some(group) => Position::RowGroup { group: group as usize, row },
            None => Position::Row(row),
        };
        Self::new(batch.file.as_deref().unwrap_or(Path::new("record batch")), position, id)
    }
}

/// Where a vector is in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// A line, from 1.
    Line(u64),
    /// A row, from 0.
    Row(usize),
    /// A row of a row group, both from 0.
    RowGroup {
        /// The row group.
        group: usize,
        /// The row within it.
        row: usize,
    },
}

impl fmt::Display for VectorPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        match self.position {
            Position::Line(line) => write!(f, ":{line}")?,
            Position::Row(row) => write!(f, ", row {row}")?,
            Position::RowGroup { group, row } => write!(f, ", row {row} of row group {group}")?,
        }
        if self.id.is_empty() { Ok(()) } else { write!(f, ", id \"{}\"", self.id) }
    }
}

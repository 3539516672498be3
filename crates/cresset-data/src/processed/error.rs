//! What can be wrong with a processed folder.

use std::path::PathBuf;

use crate::arrow::BatchPlace;

/// Why the files of a processed folder do not go together.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// A JSON file of another shape.
    #[error("{}: {cause}: write the file as {expected}", file.display())]
    Json {
        /// The file.
        file: PathBuf,
        /// What the parser said, with line and column.
        cause: String,
        /// What would be right.
        expected: &'static str,
    },

    /// An index that stands for no id.
    #[error(
        "{place}: column \"{column}\" is {index} in row {row}, and {vocabulary} has the indices {first} to {last}: use \
         files that were written together"
    )]
    IndexBeyond {
        /// File and row group.
        place: BatchPlace,
        /// The column's name.
        column: String,
        /// The row, counted from 0 within the row group.
        row: usize,
        /// The index found.
        index: i64,
        /// `uid2idx.json` or `iid2idx.json`.
        vocabulary: &'static str,
        /// Its lowest index.
        first: u32,
        /// Its highest index.
        last: u64,
    },

    /// An external id that has no index.
    #[error(
        "{place}: column \"{column}\" is \"{id}\" in row {row}, which {vocabulary} does not name: use files that were \
         written together"
    )]
    UnknownId {
        /// File and row group.
        place: BatchPlace,
        /// The column's name.
        column: String,
        /// The row, counted from 0 within the row group.
        row: usize,
        /// The id.
        id: String,
        /// `uid2idx.json` or `iid2idx.json`.
        vocabulary: &'static str,
    },

    /// A part that names a row which is not there.
    #[error(
        "{}: the {part} part names row {row}, and the table has {n_rows} rows: use files that were written together",
        file.display()
    )]
    RowBeyond {
        /// The file.
        file: PathBuf,
        /// `train`, `valid` or `test`.
        part: &'static str,
        /// The row, counted from 0.
        row: u64,
        /// Number of rows of the table.
        n_rows: usize,
    },

    /// A row in two parts.
    #[error("{}: row {row} is in the {first} part and in the {second} part: take it out of one", file.display())]
    RowTwice {
        /// The file.
        file: PathBuf,
        /// The row, counted from 0.
        row: u64,
        /// The part that named it first.
        first: &'static str,
        /// The part that names it again.
        second: &'static str,
    },

    /// A row in no part, under `on_bad_row: error`.
    #[error(
        "{}: row {row} is in no part: add it to one, or set data.on_bad_row: skip to leave such rows out and count them",
        file.display()
    )]
    NoPart {
        /// The file.
        file: PathBuf,
        /// The row, counted from 0.
        row: usize,
    },

    /// A list with a part for each row that is shorter or longer than the table.
    #[error("{}: a list of {found} for {expected} {of}: use files that were written together", file.display())]
    Length {
        /// The file.
        file: PathBuf,
        /// Length of the list.
        found: usize,
        /// Length that it must have.
        expected: usize,
        /// What the list is of.
        of: &'static str,
    },

    /// Negatives of a user or an item that is not there.
    #[error("{}: {what} {id} of the negatives is unknown: use files that were written together", file.display())]
    UnknownNegative {
        /// The file.
        file: PathBuf,
        /// `user` or `item`.
        what: &'static str,
        /// As written.
        id: String,
    },

    /// A training row for which no negative is listed.
    #[error(
        "{}: no negatives for {whose}: list items for each, or take the file away and let training draw its own",
        file.display()
    )]
    EmptyNegatives {
        /// The file.
        file: PathBuf,
        /// Whose list it is.
        whose: String,
    },
}

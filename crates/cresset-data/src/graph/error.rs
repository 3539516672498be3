//! What can be wrong with a knowledge graph and its files, each said in one sentence with its remedy.

use std::fmt;
use std::path::PathBuf;

use super::skipped::SkippedRows;
use crate::error::Place;

/// Why a knowledge graph could not be read, built or loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GraphError {
    /// A row that is not of its format, under `on_bad_row: error`.
    #[error(
        "{place}: {fault}: {}, or set data.on_bad_row: skip to leave such rows out and count them",
        fault.remedy()
    )]
    BadRow {
        /// Where.
        place: Place,
        /// What is wrong with it.
        fault: GraphFault,
    },

    /// No triple is left of a file.
    #[error("{} has no triple that can be used ({skipped}): check its separator and its format", file.display())]
    NothingUsable {
        /// The file.
        file: PathBuf,
        /// What became of its rows.
        skipped: SkippedRows,
    },

    /// A first line from which the separator cannot be told.
    #[error(
        "{place}: neither a tab nor a comma nor a space cuts \"{row}\" into 3 fields: name the separator of the \
         triples, or correct the line"
    )]
    NoSeparator {
        /// Where.
        place: Place,
        /// The beginning of the line.
        row: String,
    },

    /// A folder in which the file of triples cannot be told.
    #[error(
        "the folder {} holds {found} files that end in {ending}: name one with the key `file` of the graph's source",
        folder.display()
    )]
    AmbiguousFile {
        /// The folder.
        folder: PathBuf,
        /// The ending looked for.
        ending: &'static str,
        /// Number of such files.
        found: usize,
    },

    /// A source of facts that the data set does not have.
    #[error(
        "data.graph.sources asks for {facts} and the data source has none: remove it from the list, or read a data \
         set that has them"
    )]
    NoFacts {
        /// `tags`, `genome` or `metadata`.
        facts: &'static str,
    },

    /// More triples than a 32-bit row number counts.
    #[error("{found} triples, at most 4294967295 can be held: leave some relations or sources out")]
    TooManyTriples {
        /// Their number.
        found: usize,
    },

    /// A relation that already has the name which an added inverse would get.
    #[error(
        "relation \"{relation}\" is in the sources and would be added as an inverse too: set data.graph.inverse to \
         false, or rename the relation"
    )]
    InverseTaken {
        /// The relation's name.
        relation: String,
    },

    /// A saved graph whose files do not agree with each other or with the rules of a graph.
    #[error("{}: {fault}: save the graph again, or restore the folder that was saved", file.display())]
    BadSavedGraph {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        fault: String,
    },
}

/// What makes a row of a graph's file unfit.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum GraphFault {
    /// More or fewer fields than the format has: cut short, or cut at a separator that is not the file's.
    FieldCount {
        /// Number of fields found.
        found: usize,
        /// Number of fields needed.
        expected: usize,
        /// The separator's name.
        separator: &'static str,
        /// The beginning of the row.
        row: String,
    },
    /// A quote that is not closed on its line, or stands where it neither opens nor closes a field.
    BadQuote {
        /// The beginning of the row.
        row: String,
    },
    /// A row that is not UTF-8.
    NotUtf8 {
        /// The beginning of the row, with a replacement character for what is no text.
        row: String,
    },
    /// A field without text.
    Empty {
        /// The column.
        column: &'static str,
    },
    /// An entity that the list of entities lacks.
    UnknownEntity {
        /// `head`, `tail` or `entity`.
        column: &'static str,
        /// The entity as written.
        value: String,
        /// File with the list.
        list: PathBuf,
    },
    /// A relation that the list of relations lacks.
    UnknownRelation {
        /// The relation as written.
        value: String,
        /// File with the list.
        list: PathBuf,
    },
    /// An item, entity or number that an earlier line has.
    Repeated {
        /// The column.
        column: &'static str,
        /// The value.
        value: String,
    },
    /// A link to an entity that occurs in no triple.
    LinkWithoutFacts {
        /// The entity.
        value: String,
        /// File with the triples.
        triples: PathBuf,
    },
}

impl GraphFault {
    fn remedy(&self) -> &'static str {
        match self {
            Self::FieldCount { .. } => "complete or delete the line, or name the file's separator",
            Self::BadQuote { .. } => {
                "put the field in quotes, with each of its own doubled, or delete the line"
            }
            Self::NotUtf8 { .. } => "save the file as UTF-8",
            Self::Empty { .. } => "fill the field or delete the line",
            Self::UnknownEntity { .. } | Self::UnknownRelation { .. } => {
                "add it there, or correct or delete the line"
            }
            Self::Repeated { .. } => "keep one of the two lines",
            Self::LinkWithoutFacts { .. } => "correct or delete the link",
        }
    }
}

impl fmt::Display for GraphFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FieldCount { found, expected, separator, row } => {
                write!(f, "{found} of {expected} fields separated by {separator} in \"{row}\"")
            }
            Self::BadQuote { row } => {
                write!(f, "a quote is not closed or not at an end of its field in \"{row}\"")
            }
            Self::NotUtf8 { row } => write!(f, "\"{row}\" is not UTF-8 text"),
            Self::Empty { column } => write!(f, "{column} \"\" is missing"),
            Self::UnknownEntity { column, value, list } => {
                write!(f, "{column} \"{value}\" is not listed in {}", list.display())
            }
            Self::UnknownRelation { value, list } => {
                write!(f, "relation \"{value}\" is not listed in {}", list.display())
            }
            Self::Repeated { column, value } => write!(f, "{column} \"{value}\" is on an earlier line too"),
            Self::LinkWithoutFacts { value, triples } => {
                write!(f, "entity \"{value}\" is in no triple of {}", triples.display())
            }
        }
    }
}

//! What can be wrong with negatives and the files that hold them.

use std::path::PathBuf;

use crate::files::FileError;

/// Why negatives could not be drawn, saved or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NegativesError {
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),

    /// A protocol that nobody knows.
    #[error("\"{value}\" is no protocol: expected full, uniN or popN with N from 1 up, as uni100")]
    Protocol {
        /// The name found.
        value: String,
    },

    /// Candidate sets of a protocol that has none.
    #[error("the protocol full ranks all items and has no candidate sets: ask for uniN or popN, as uni100")]
    NoSets,

    /// A power of popularity outside its range.
    #[error("the power of popularity is {power}: expected 0 (all items alike) to 8")]
    Power {
        /// The power found.
        power: f64,
    },

    /// A user who has every item there is.
    #[error(
        "user {user} has all {n_items} items, and none is left to draw as a negative: leave such users out, or give \
         more items"
    )]
    HasEverything {
        /// User index.
        user: u32,
        /// Number of items.
        n_items: usize,
    },

    /// A file that holds no candidate sets, or damaged ones.
    #[error("{}: {cause}: restore the file, or delete it and have the candidates drawn again", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        cause: String,
    },

    /// A candidate that cannot be one.
    #[error(
        "{}: user {user} has the candidate {item}, {fault}: the file belongs to other data; have the candidates \
         drawn again",
        file.display()
    )]
    Candidate {
        /// The file.
        file: PathBuf,
        /// User index.
        user: u32,
        /// Item index.
        item: u32,
        /// What is wrong with it.
        fault: String,
    },
}

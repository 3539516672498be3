//! How a config fails.

use cresset_data::files::FileError;

/// Why a config cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigFileError {
    /// The file could not be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file or the value of a `--set` is not YAML, or gives a key twice.
    #[error("{place} is not valid YAML ({cause}): mend that line")]
    Syntax {
        /// The file, or the `--set` argument.
        place: String,
        /// What the parser said, with line and column.
        cause: String,
    },
    /// The file holds something else than sections.
    #[error("{file} holds {found}, expected sections such as `model:`")]
    NoSections {
        /// The file.
        file: String,
        /// What it holds.
        found: String,
    },
    /// A `--set` without a key or a value.
    #[error("--set {0}: expected key=value, such as training.epochs=3")]
    NoPair(String),
    /// A key that does not exist.
    #[error("{place}: unknown key `{key}`{}", remedy(nearest.as_deref()))]
    UnknownKey {
        /// The file, or the `--set` argument.
        place: String,
        /// The key, with its section.
        key: String,
        /// The known key most like it: its name alone where it is of the same section.
        nearest: Option<String>,
    },
    /// A key and its alias in one place.
    #[error("{place}: `{alias}` is another name of `{key}`, which is given too; keep one of them")]
    Twice {
        /// The file, or the `--set` argument.
        place: String,
        /// The alias, with its section.
        alias: String,
        /// The key it stands for, with its section.
        key: String,
    },
    /// A section that is no section, or no known kind of model.
    #[error("{place}: `{key}` is {found}, expected {expected}")]
    Shape {
        /// The file, or the `--set` argument.
        place: String,
        /// The key, with its section.
        key: String,
        /// What is there.
        found: String,
        /// What should be.
        expected: String,
    },
    /// A value of the wrong type.
    #[error("{place}: `{key}` is {found}: {cause}; the default is {default}")]
    Type {
        /// The file, or the `--set` argument.
        place: String,
        /// The key, with its section.
        key: String,
        /// What is there.
        found: String,
        /// What was expected.
        cause: String,
        /// The documented default.
        default: String,
    },
    /// A value outside its documented range.
    #[error("{place}: {cause}")]
    Range {
        /// The file, or the `--set` argument.
        place: String,
        /// The key, value and range.
        cause: String,
    },
}

fn remedy(nearest: Option<&str>) -> String {
    nearest.map_or_else(|| "; remove it".to_owned(), |known| format!(", did you mean `{known}`?"))
}

//! Features that cannot be read as they are asked for.

use std::path::PathBuf;

use crate::catalogue::Side;

/// Why features of users or items could not be encoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FeatureError {
    /// A value of a [`FeatureConfig`](super::FeatureConfig) outside its documented range.
    #[error("feature \"{feature}\": {key} = {value}: expected {expected}")]
    Config {
        /// Name of the feature.
        feature: String,
        /// Key within its entry.
        key: &'static str,
        /// The value found.
        value: String,
        /// What would be right.
        expected: &'static str,
    },

    /// A feature that no row of its side has.
    #[error(
        "feature \"{feature}\": none of the {side} has it; they have {known}: correct the name, or read a source or a \
             file (data.items) that has it"
    )]
    Unknown {
        /// Name of the feature.
        feature: String,
        /// Whose features were asked for.
        side: Side,
        /// What they have, as a list.
        known: String,
    },

    /// A feature of kind `numeric` whose value is no number.
    #[error(
        "feature \"{feature}\": \"{value}\" of \"{id}\" among the {side} is no finite number: correct it, or set kind: \
         categorical"
    )]
    NotANumber {
        /// Name of the feature.
        feature: String,
        /// Whose features were asked for.
        side: Side,
        /// External id of the first row at fault.
        id: String,
        /// Its value.
        value: String,
    },

    /// A saved encoder that is not as it was written.
    #[error("{}: feature \"{feature}\" {fault}: restore the file that was saved with the model", file.display())]
    BadSavedEncoder {
        /// The file.
        file: PathBuf,
        /// Name of the feature.
        feature: String,
        /// What is wrong with it.
        fault: &'static str,
    },
}

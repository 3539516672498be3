//! The functions that a layer may apply to each element of its output.

use serde::{Deserialize, Serialize};

/// What is applied to each element after a linear layer and its bias.
///
/// In a configuration file: `none`, `relu` or `gelu`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// The element itself.
    None,
    /// The element, or zero if it is negative.
    Relu,
    /// The element times the standard normal distribution function of it: the exact form, by the error
    /// function.
    ///
    /// # Source
    ///
    /// Hendrycks and Gimpel, 2016, section 2, <https://arxiv.org/abs/1606.08415>.
    Gelu,
}

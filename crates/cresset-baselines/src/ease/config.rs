//! The one number of EASE, and how much memory it may take.

use serde::{Deserialize, Serialize};

use crate::ParameterError;

/// Parameters of [`Ease`](crate::Ease).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EaseConfig {
    /// Penalty on the square of each weight, from 0 up; 0 only where no item depends on others. Default: 700, chosen
    /// on the validation part of MovieLens 1M.
    pub l2: f64,
    /// The most memory that its two matrices may take while fitting, in MiB, 12 bytes for each pair of items; at least
    /// 1. Default: 8192, enough for 26,754 items.
    pub memory_limit_mb: u64,
}

impl Default for EaseConfig {
    fn default() -> Self {
        Self { l2: 700.0, memory_limit_mb: 8192 }
    }
}

impl EaseConfig {
    /// Checks every number against its documented range.
    ///
    /// # Errors
    ///
    /// The first number outside its range.
    pub fn validate(&self) -> Result<(), ParameterError> {
        ParameterError::check_from_0("l2", self.l2)?;
        let limit = self.memory_limit_mb;
        ParameterError::check("memory_limit_mb", &limit, limit >= 1, "at least 1")
    }
}

//! The names of metrics in configs and result files.

mod metric;
mod parse;

use std::fmt;

pub use metric::{Direction, Family, Metric, Takes};
pub use parse::{MetricKeyError, direction, expand_keys, parse_key};

/// A metric as configs and results spell it: `rmse`, `ndcg@10`, `accuracy@0.5`.
///
/// ```
/// use cresset_metrics::{Direction, Family, MetricKey};
///
/// let key: MetricKey = "ndcg@10".parse()?;
/// assert_eq!((key.name(), key.k()), ("ndcg", Some(10)));
/// assert_eq!((key.family(), key.direction()), (Family::Ranking, Direction::HigherIsBetter));
/// assert_eq!(key.to_string(), "ndcg@10");
/// # Ok::<(), cresset_metrics::MetricKeyError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MetricKey {
    metric: Metric,
    parameter: Parameter,
}

/// What stands behind the `@` of a key.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Parameter {
    /// Nothing: the metric takes none.
    Nothing,
    /// The cut-off k, at least 1.
    Cutoff(usize),
    /// The tolerance in stars, finite and at least 0.
    Tolerance(f64),
}

impl MetricKey {
    /// The key of a metric that takes a cut-off.
    pub(crate) fn at_k(metric: Metric, k: usize) -> Self {
        debug_assert!(metric.takes() == Takes::Cutoff && k > 0, "a metric with a cut-off from 1 up");
        Self { metric, parameter: Parameter::Cutoff(k) }
    }

    /// The metric, without what stands behind the `@`.
    pub fn metric(&self) -> Metric {
        self.metric
    }

    /// What stands behind the `@`.
    pub fn parameter(&self) -> Parameter {
        self.parameter
    }

    /// The cut-off of a metric that has one.
    pub fn k(&self) -> Option<usize> {
        match self.parameter {
            Parameter::Cutoff(k) => Some(k),
            Parameter::Nothing | Parameter::Tolerance(_) => None,
        }
    }

    /// The name without the `@`.
    pub fn name(&self) -> &'static str {
        self.metric.name()
    }

    /// What the metric is computed from.
    pub fn family(&self) -> Family {
        self.metric.family()
    }

    /// Which way the metric improves.
    pub fn direction(&self) -> Direction {
        self.metric.direction()
    }
}

impl fmt::Display for MetricKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parameter {
            Parameter::Nothing => f.write_str(self.name()),
            Parameter::Cutoff(k) => write!(f, "{}@{k}", self.name()),
            Parameter::Tolerance(tolerance) => write!(f, "{}@{tolerance}", self.name()),
        }
    }
}

impl std::str::FromStr for MetricKey {
    type Err = MetricKeyError;

    /// As [`parse_key`].
    fn from_str(key: &str) -> Result<Self, MetricKeyError> {
        parse_key(key)
    }
}

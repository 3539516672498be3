//! A table of results, as result files hold it.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::MetricError;

/// Values by metric key, in the order in which they came.
///
/// A metric that the data leave undefined is there too, without a value and with the reason. As a file it
/// is a plain map from key to number or null.
///
/// ```
/// let mut metrics = cresset_metrics::Metrics::new();
/// metrics.insert("rmse", 0.93);
/// metrics.insert_undefined("r2", "all 5 targets equal 4, which leaves no variance");
/// assert_eq!(metrics.get("rmse"), Some(0.93));
/// assert_eq!(serde_json::to_string(&metrics)?, r#"{"rmse":0.93,"r2":null}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metrics {
    entries: Vec<(String, Entry)>,
}

#[derive(Debug, Clone, PartialEq)]
enum Entry {
    Value(f64),
    Undefined(String),
}

impl Metrics {
    /// No metric yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a value; the key keeps its place if it is there already.
    ///
    /// A NaN or an infinity is no value: the metric is undefined then.
    pub fn insert(&mut self, key: impl Into<String>, value: f64) {
        let entry = if value.is_finite() {
            Entry::Value(value)
        } else {
            Entry::Undefined(format!("the value came out as {value}"))
        };
        self.set(key.into(), entry);
    }

    /// Records that a metric has no value, and why.
    pub fn insert_undefined(&mut self, key: impl Into<String>, reason: impl Into<String>) {
        self.set(key.into(), Entry::Undefined(reason.into()));
    }

    /// Sets what a metric function returned: its value, or the reason of [`MetricError::Undefined`].
    ///
    /// # Errors
    ///
    /// Any other error, as it is: numbers that are wrong do not become null.
    pub fn insert_result(
        &mut self,
        key: impl Into<String>,
        result: Result<f64, MetricError>,
    ) -> Result<(), MetricError> {
        match result {
            Ok(value) => self.insert(key, value),
            Err(MetricError::Undefined { reason, .. }) => self.insert_undefined(key, reason),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Takes over all entries of `other`; where both have a key, those of `other` win.
    pub fn extend(&mut self, other: Metrics) {
        for (key, entry) in other.entries {
            self.set(key, entry);
        }
    }

    /// The value of a metric; none if it is undefined or absent.
    pub fn get(&self, key: &str) -> Option<f64> {
        self.entry(key).and_then(Entry::value)
    }

    /// Why a metric is undefined; none if it has a value or is absent.
    pub fn reason(&self, key: &str) -> Option<&str> {
        match self.entry(key)? {
            Entry::Value(_) => None,
            Entry::Undefined(reason) => Some(reason),
        }
    }

    /// Whether a metric is there, with or without a value.
    pub fn contains_key(&self, key: &str) -> bool {
        self.entry(key).is_some()
    }

    /// Keys and values in their order, undefined ones without a value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<f64>)> {
        self.entries.iter().map(|(key, entry)| (key.as_str(), entry.value()))
    }

    /// The metrics without a value, and why they have none.
    pub fn undefined(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries.iter().filter_map(|(key, entry)| match entry {
            Entry::Undefined(reason) => Some((key.as_str(), reason.as_str())),
            Entry::Value(_) => None,
        })
    }

    /// Number of metrics, undefined ones too.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no metric.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|(name, _)| name == key).map(|(_, entry)| entry)
    }

    fn set(&mut self, key: String, entry: Entry) {
        match self.entries.iter_mut().find(|(name, _)| *name == key) {
            Some(place) => place.1 = entry,
            None => self.entries.push((key, entry)),
        }
    }
}

impl Entry {
    fn value(&self) -> Option<f64> {
        match self {
            Entry::Value(value) => Some(*value),
            Entry::Undefined(_) => None,
        }
    }
}

impl Serialize for Metrics {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

/// Reads the map back; the file does not hold why a metric is null, and the reason says so.
impl<'de> Deserialize<'de> for Metrics {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MetricsVisitor)
    }
}

struct MetricsVisitor;

impl<'de> Visitor<'de> for MetricsVisitor {
    type Value = Metrics;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map from metric keys to numbers or null")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Metrics, A::Error> {
        let mut metrics = Metrics::new();
        while let Some((key, value)) = map.next_entry::<String, Option<f64>>()? {
            match value {
                Some(value) => metrics.insert(key, value),
                None => metrics.insert_undefined(key, "recorded as null"),
            }
        }
        Ok(metrics)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Metrics {
        let mut metrics = Metrics::new();
        metrics.insert("rmse", 0.5);
        metrics.insert_undefined("r2", "no variance");
        metrics.insert("mae", 0.25);
        metrics
    }

    #[test]
    fn entries_keep_the_order_in_which_they_came() {
        let entries: Vec<_> = sample().iter().map(|(key, value)| (key.to_owned(), value)).collect();
        let expected = [("rmse", Some(0.5)), ("r2", None), ("mae", Some(0.25))];
        assert_eq!(entries, expected.map(|(key, value)| (key.to_owned(), value)));
    }

    #[test]
    fn an_undefined_metric_has_a_reason_and_an_absent_one_has_none() {
        let metrics = sample();
        assert_eq!((metrics.get("r2"), metrics.reason("r2")), (None, Some("no variance")));
        assert_eq!((metrics.get("mse"), metrics.reason("mse")), (None, None));
        assert!(metrics.contains_key("r2") && !metrics.contains_key("mse"));
    }

    #[test]
    fn extending_adds_new_keys_and_replaces_old_ones_in_place() {
        let mut metrics = sample();
        let mut other = Metrics::new();
        other.insert("r2", 0.75);
        other.insert("mse", 0.25);
        metrics.extend(other);
        let keys: Vec<&str> = metrics.iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["rmse", "r2", "mae", "mse"]);
        assert_eq!(metrics.get("r2"), Some(0.75));
    }

    #[test]
    fn a_value_that_is_not_finite_is_undefined() {
        let mut metrics = Metrics::new();
        metrics.insert("rmse", f64::NAN);
        assert_eq!(metrics.reason("rmse"), Some("the value came out as NaN"));
    }

    #[test]
    fn wrong_numbers_do_not_become_null() {
        let mut metrics = Metrics::new();
        assert_eq!(metrics.insert_result("rmse", Err(MetricError::Empty)), Err(MetricError::Empty));
        assert!(metrics.is_empty());
    }

    #[test]
    fn a_file_holds_numbers_and_nulls_and_reads_back_to_the_same_values() {
        let text = serde_json::to_string(&sample()).unwrap();
        assert_eq!(text, r#"{"rmse":0.5,"r2":null,"mae":0.25}"#);
        let read: Metrics = serde_json::from_str(&text).unwrap();
        assert!(read.iter().eq(sample().iter()));
        assert_eq!(read.reason("r2"), Some("recorded as null"));
    }
}

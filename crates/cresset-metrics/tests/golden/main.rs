//! Our values beside those of scikit-learn, ranx, `pytrec_eval` and `SciPy`, which `make_cases.py` has written down.

mod catalogues;
mod lists;
mod ratings;
mod statistics;

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

/// How far a value may lie from a peer's: both compute in `f64`, in orders of their own.
const TOLERANCE: f64 = 1e-9;

/// A peer's values by key, one for each user where a metric is of users.
type ByKey<T> = BTreeMap<String, T>;

/// The cases of a file, at least one.
#[track_caller]
fn cases<T: DeserializeOwned>(text: &str) -> Vec<T> {
    let cases: Vec<T> = serde_json::from_str(text).expect("a list of cases");
    assert!(!cases.is_empty());
    cases
}

#[track_caller]
fn check_close(case: &str, key: &str, found: f64, expected: f64) {
    assert!((found - expected).abs() <= TOLERANCE, "{case}: {key} is {found}, expected {expected}");
}

//! That all implementations of a case computed the same.

use super::measurement::{Line, Measurement};

/// How far two values may lie apart: both sides compute in `f64`, in an order of their own.
const TOLERANCE: f64 = 1e-9;

/// Two implementations of one case came to different values, so their times are not to be compared.
#[derive(Debug, PartialEq, thiserror::Error)]
#[error("{what} is {found} and {expected}, expected the same: compare the inputs of both programs")]
pub(crate) struct Disagreement {
    /// The group, the case, and which of its values.
    what: String,
    /// The later value and whose it is.
    found: String,
    /// The first value and whose it is.
    expected: String,
}

/// That every line came to the values of the first line of its case that has any; a line without agrees with all.
///
/// # Errors
///
/// With the first value that differs or that only one of the two has.
pub(super) fn check(measurements: &[Measurement]) -> Result<(), Disagreement> {
    let lines = || measurements.iter().map(|measurement| &measurement.line);
    for line in lines() {
        let is_same_case = |other: &&Line| other.group == line.group && other.case == line.case;
        let first = lines().filter(is_same_case).find(|other| !other.values.is_empty());
        if let Some(first) = first.filter(|_| !line.values.is_empty()) {
            compare(first, line)?;
        }
    }
    Ok(())
}

fn compare(first: &Line, line: &Line) -> Result<(), Disagreement> {
    let is_close = |a: Option<&f64>, b: Option<&f64>| match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() <= TOLERANCE,
        _ => false,
    };
    let mut names = first.values.keys().chain(line.values.keys());
    let differing = names.find(|name| !is_close(first.values.get(*name), line.values.get(*name)));
    let Some(value) = differing else { return Ok(()) };
    let shown = |line: &Line| {
        let number = line.values.get(value).map_or("missing".to_owned(), ToString::to_string);
        format!("{number} by {}", line.implementation)
    };
    let what = format!("{}, {}: {value}", line.group, line.case);
    Err(Disagreement { what, found: shown(line), expected: shown(first) })
}

#[cfg(test)]
mod tests {
    use super::super::measurement::parse;
    use super::*;

    fn measured(case: &str, implementation: &str, values: &str) -> Measurement {
        let figures = format!(r#""ms":[1]{values}"#);
        let text =
            format!(r#"{{"group":"g","case":"{case}","implementation":"{implementation}",{figures}}}"#);
        Measurement { round: 0, line: parse(&text, "g").unwrap().remove(0) }
    }

    #[test]
    fn values_that_differ_by_rounding_agree_and_so_do_lines_without_values() {
        let measurements = [
            measured("a", "cresset", r#","values":{"ndcg@10":0.25}"#),
            measured("b", "cresset", r#","values":{"ndcg@10":0.75}"#),
            measured("a", "cresset", ""),
            measured("a", "ranx", r#","values":{"ndcg@10":0.2500000000001}"#),
        ];
        assert_eq!(check(&measurements), Ok(()));
    }

    #[test]
    fn values_that_differ_or_are_missing_are_named_with_both_sides() {
        let ours = || measured("a", "cresset", r#","values":{"ndcg@10":0.25}"#);
        let sentence = |values| check(&[ours(), measured("a", "ranx", values)]).unwrap_err().to_string();
        let differing = sentence(r#","values":{"ndcg@10":0.26}"#);
        assert!(differing.contains("g, a: ndcg@10 is 0.26 by ranx and 0.25 by cresset"), "{differing}");
        let missing = sentence(r#","values":{"ndcg@10":0.25,"map@10":0.5}"#);
        assert!(missing.contains("map@10 is 0.5 by ranx and missing by cresset"), "{missing}");
    }
}

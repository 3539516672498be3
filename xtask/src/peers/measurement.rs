//! The lines that programs print, and what is computed from many of them.

use std::collections::BTreeMap;

use serde::Deserialize;

/// One line of a program: a case, by an implementation, and either times or an amount of memory.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    /// The group that the program was asked for.
    pub(super) group: String,
    /// What was computed.
    pub(super) case: String,
    /// Who computed it: `cresset` or a peer.
    pub(super) implementation: String,
    /// Time of each measured step, in milliseconds.
    ms: Option<Vec<f64>>,
    /// Memory beyond inputs and outputs, in MB.
    mb: Option<f64>,
    /// What came out, where all implementations of a case must come to the same.
    #[serde(default)]
    pub(super) values: BTreeMap<String, f64>,
}

/// A line and the round in which it was printed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Measurement {
    /// From 0.
    pub(super) round: usize,
    /// What was printed.
    pub(super) line: Line,
}

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Milliseconds.
    Ms,
    /// Megabytes.
    Mb,
}

/// Median, smallest and largest of several values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spread {
    /// The middle one, or the mean of the two in the middle.
    pub(super) median: f64,
    /// The smallest.
    pub(super) min: f64,
    /// The largest.
    pub(super) max: f64,
}

/// A line is not a measurement of the expected group.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LineError {
    /// It has another form.
    #[error(
        "`{line}`, expected a JSON object with group, case, implementation, ms or mb and perhaps values ({reason})"
    )]
    Form {
        /// The line.
        line: String,
        /// What the parser said.
        reason: String,
    },
    /// It belongs to another group.
    #[error("`{line}`, expected the group {expected}")]
    Group {
        /// The line.
        line: String,
        /// The group asked for.
        expected: String,
    },
    /// Its figures cannot be compared.
    #[error("`{line}`, expected one of ms and mb, with figures above 0")]
    Figures {
        /// The line.
        line: String,
    },
    /// There is no line.
    #[error("nothing, expected the cases of the group {0}")]
    Empty(String),
}

/// The lines of `output`, all of them of `group`.
///
/// # Errors
///
/// If there is none, or one that is not a measurement of that group.
pub(super) fn parse(output: &str, group: &str) -> Result<Vec<Line>, LineError> {
    let lines = output.lines().filter(|line| !line.trim().is_empty());
    let parsed = lines.map(|line| parse_line(line, group)).collect::<Result<Vec<_>, _>>()?;
    if parsed.is_empty() { Err(LineError::Empty(group.to_owned())) } else { Ok(parsed) }
}

fn parse_line(text: &str, group: &str) -> Result<Line, LineError> {
    let form = |error: serde_json::Error| LineError::Form { line: text.into(), reason: error.to_string() };
    let line: Line = serde_json::from_str(text).map_err(form)?;
    if line.group != group {
        return Err(LineError::Group { line: text.into(), expected: group.into() });
    }
    let figures = match (&line.ms, &line.mb) {
        (Some(ms), None) => ms.as_slice(),
        (None, Some(mb)) => std::slice::from_ref(mb),
        _ => &[],
    };
    let is_comparable = !figures.is_empty() && figures.iter().all(|figure| *figure > 0.0);
    if is_comparable { Ok(line) } else { Err(LineError::Figures { line: text.into() }) }
}

impl Line {
    /// What its figure counts.
    pub(super) fn unit(&self) -> Unit {
        if self.ms.is_some() { Unit::Ms } else { Unit::Mb }
    }

    /// The median step, or the memory.
    pub(super) fn figure(&self) -> f64 {
        let figures = self.ms.as_deref().or(self.mb.as_ref().map(std::slice::from_ref));
        Spread::of(figures.expect("a line has figures")).median
    }
}

impl Spread {
    /// Median, smallest and largest of `values`.
    ///
    /// # Panics
    ///
    /// If there is no value.
    pub(super) fn of(values: &[f64]) -> Self {
        assert!(!values.is_empty(), "a spread needs at least one value");
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let n = sorted.len();
        let median = (sorted[(n - 1) / 2] + sorted[n / 2]) / 2.0;
        Self { median, min: sorted[0], max: sorted[n - 1] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_refused(output: &str, expected: &str) {
        let error = parse(output, "tables").unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }

    #[test]
    fn a_line_of_times_counts_by_its_median() {
        let output = r#"{"group": "tables", "case": "a", "implementation": "torch", "ms": [9, 1.5, 2]}"#;
        let lines = parse(output, "tables").unwrap();
        assert_eq!((lines[0].unit(), lines[0].figure()), (Unit::Ms, 2.0));
    }

    #[test]
    fn a_line_of_memory_counts_as_it_is() {
        let output = "\n{\"group\":\"tables\",\"case\":\"a\",\"implementation\":\"torch\",\"mb\":12.5}\n";
        let lines = parse(output, "tables").unwrap();
        assert_eq!((lines[0].unit(), lines[0].figure()), (Unit::Mb, 12.5));
    }

    #[test]
    fn what_is_not_a_measurement_of_the_group_is_refused_with_the_line() {
        let line = |rest: &str| format!(r#"{{"group":"tables","case":"a","implementation":"b"{rest}}}"#);
        check_refused("", "nothing, expected the cases of the group tables");
        check_refused("Hello", "`Hello`, expected a JSON object");
        check_refused(&line(r#","s":[1]"#), "unknown field `s`");
        check_refused(&line(""), "expected one of ms and mb");
        check_refused(&line(r#","ms":[]"#), "expected one of ms and mb");
        check_refused(&line(r#","ms":[1,0]"#), "figures above 0");
        check_refused(&line(r#","ms":[1],"mb":2"#), "expected one of ms and mb");
        check_refused(&line(r#","ms":[1]"#).replace("tables", "chairs"), "expected the group tables");
    }

    #[test]
    fn the_median_of_an_even_number_of_values_lies_between_the_two_in_the_middle() {
        assert_eq!(Spread::of(&[4.0, 1.0, 3.0, 10.0]), Spread { median: 3.5, min: 1.0, max: 10.0 });
        assert_eq!(Spread::of(&[7.0]), Spread { median: 7.0, min: 7.0, max: 7.0 });
    }
}

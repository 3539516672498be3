//! The table of the comparison.

use super::measurement::{Line, Measurement, Spread, Unit};

/// The implementation that ratios are taken against.
const OURS: &str = "cresset";

/// A Markdown table: a row for each case and implementation, in the order in which they were first printed, ours first.
pub(super) fn render(measurements: &[Measurement]) -> String {
    let mut table = String::from(
        "| group | case | implementation | median | rounds | ratio |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    let mut shown_group = "";
    for case in cases(measurements) {
        let group = if case.group == shown_group { "" } else { case.group };
        shown_group = case.group;
        let ours = figures(measurements, case, OURS);
        for (place, name) in implementations(measurements, case).into_iter().enumerate() {
            let theirs = figures(measurements, case, name);
            let (group, shown_case) = if place == 0 { (group, case.name) } else { ("", "") };
            table += &row(&[group, shown_case, name], case.unit, &theirs, &ratio(name, &theirs, &ours));
        }
    }
    table
}

/// What rows are compared within.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Case<'a> {
    group: &'a str,
    name: &'a str,
    unit: Unit,
}

impl<'a> Case<'a> {
    fn of(line: &'a Line) -> Self {
        Self { group: &line.group, name: &line.case, unit: line.unit() }
    }
}

/// The cases, in the order of first appearance, those of a group together.
fn cases(measurements: &[Measurement]) -> Vec<Case<'_>> {
    let mut cases: Vec<Case<'_>> = Vec::new();
    for case in measurements.iter().map(|measurement| Case::of(&measurement.line)) {
        if !cases.contains(&case) {
            cases.push(case);
        }
    }
    cases
}

/// Who measured the case: ours first, then the others in the order of first appearance.
fn implementations<'a>(measurements: &'a [Measurement], case: Case<'_>) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    for line in measurements.iter().map(|measurement| &measurement.line) {
        if Case::of(line) == case && !names.contains(&line.implementation.as_str()) {
            names.push(&line.implementation);
        }
    }
    names.sort_by_key(|name| *name != OURS);
    names
}

/// Round and figure of every measurement of a case by `implementation`.
fn figures(measurements: &[Measurement], case: Case<'_>, implementation: &str) -> Vec<(usize, f64)> {
    let is_meant = |line: &Line| Case::of(line) == case && line.implementation == implementation;
    let meant = measurements.iter().filter(|measurement| is_meant(&measurement.line));
    meant.map(|measurement| (measurement.round, measurement.line.figure())).collect()
}

/// Median and spread of the ratios within a round; nothing where ours did not run.
fn ratio(name: &str, theirs: &[(usize, f64)], ours: &[(usize, f64)]) -> String {
    if name == OURS {
        return "1".into();
    }
    let of_round = |round: usize| ours.iter().find(|(other, _)| *other == round).map(|(_, figure)| *figure);
    let ratios: Vec<f64> =
        theirs.iter().filter_map(|(round, figure)| Some(figure / of_round(*round)?)).collect();
    if ratios.is_empty() {
        return "-".into();
    }
    let Spread { median, min, max } = Spread::of(&ratios);
    format!("**{}** ({} to {})", shown(median), shown(min), shown(max))
}

fn row(names: &[&str; 3], unit: Unit, figures: &[(usize, f64)], ratio: &str) -> String {
    let values: Vec<f64> = figures.iter().map(|(_, figure)| *figure).collect();
    let Spread { median, min, max } = Spread::of(&values);
    let unit = match unit {
        Unit::Ms => "ms",
        Unit::Mb => "MB",
    };
    let [group, case, implementation] = names;
    let (median, min, max) = (shown(median), shown(min), shown(max));
    format!("| {group} | {case} | {implementation} | {median} {unit} | {min} to {max} | {ratio} |\n")
}

/// Three significant digits, as far as they lie behind the point.
fn shown(value: f64) -> String {
    let decimals = match value {
        value if value >= 99.95 => 0,
        value if value >= 9.995 => 1,
        value if value >= 0.9995 => 2,
        _ => 3,
    };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::super::measurement::parse;
    use super::*;

    fn measured(round: usize, case: &str, implementation: &str, figure: &str) -> Measurement {
        let text = format!(r#"{{"group":"g","case":"{case}","implementation":"{implementation}",{figure}}}"#);
        Measurement { round, line: parse(&text, "g").unwrap().remove(0) }
    }

    #[test]
    fn ratios_are_taken_within_a_round_and_ours_comes_first() {
        // Round 0: 8 / 2 = 4; round 1 on a machine half as fast: 24 / 4 = 6; round 2: 10 / 2 = 5.
        let measurements = [
            measured(0, "a", "torch", r#""ms":[8]"#),
            measured(0, "a", "cresset", r#""ms":[2]"#),
            measured(1, "a", "cresset", r#""ms":[4]"#),
            measured(1, "a", "torch", r#""ms":[24]"#),
            measured(2, "a", "torch", r#""ms":[10]"#),
            measured(2, "a", "cresset", r#""ms":[2]"#),
        ];
        let table = render(&measurements);
        let rows: Vec<&str> = table.lines().skip(2).collect();
        assert_eq!(
            rows,
            [
                "| g | a | cresset | 2.00 ms | 2.00 to 4.00 | 1 |",
                "|  |  | torch | 10.0 ms | 8.00 to 24.0 | **5.00** (4.00 to 6.00) |",
            ]
        );
    }

    #[test]
    fn memory_and_time_of_one_case_are_two_comparisons_and_a_case_without_ours_has_no_ratio() {
        let measurements = [
            measured(0, "a", "torch", r#""mb":7680.4"#),
            measured(0, "a", "torch", r#""ms":[0.5]"#),
            measured(0, "a", "cresset", r#""mb":200"#),
        ];
        let table = render(&measurements);
        let rows: Vec<&str> = table.lines().skip(2).collect();
        assert_eq!(
            rows,
            [
                "| g | a | cresset | 200 MB | 200 to 200 | 1 |",
                "|  |  | torch | 7680 MB | 7680 to 7680 | **38.4** (38.4 to 38.4) |",
                "|  | a | torch | 0.500 ms | 0.500 to 0.500 | - |",
            ]
        );
    }

    #[test]
    fn figures_have_three_digits() {
        let figures = [1234.5, 99.96, 99.94, 9.996, 9.994, 0.9996, 0.01234].map(shown);
        assert_eq!(figures, ["1234", "100", "99.9", "10.0", "9.99", "1.00", "0.012"]);
    }
}

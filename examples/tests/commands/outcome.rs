//! What must be equal between two runs that are to be the same, and what is read from a run's files.

use yaml_serde::Value;

use crate::desk::Desk;

/// All of a run that its config, data and seed decide; what measures it, such as seconds, is left out.
#[derive(Debug, PartialEq)]
pub(crate) struct Outcome {
    weights: Vec<u8>,
    results: Vec<(&'static str, Value)>,
    history: Vec<Vec<String>>,
}

const DECIDED: [&str; 7] = ["model", "n_parameters", "best_epoch", "epochs", "valid", "test", "baselines"];
const MEASURED: [&str; 2] = ["seconds", "examples_per_second"];

impl Outcome {
    pub(crate) fn of(desk: &Desk, run: &str) -> Self {
        let results = results(desk, run);
        Self {
            weights: desk.bytes(&format!("{run}/best_model/weights.safetensors")),
            results: DECIDED.iter().map(|&key| (key, results[key].clone())).collect(),
            history: history(desk, run),
        }
    }

    pub(crate) fn weights(&self) -> &[u8] {
        &self.weights
    }
}

/// The content of `results.yaml`.
pub(crate) fn results(desk: &Desk, run: &str) -> Value {
    yaml_serde::from_str(&desk.read(&format!("{run}/results.yaml"))).unwrap()
}

/// A number in a tree of YAML, by the keys on the way.
#[track_caller]
pub(crate) fn number(tree: &Value, keys: &[&str]) -> f64 {
    let value = keys.iter().fold(tree, |level, key| &level[*key]);
    value.as_f64().unwrap_or_else(|| panic!("{keys:?} is {value:?}"))
}

/// The rows of `history.csv`, header first, without the columns that measure.
pub(crate) fn history(desk: &Desk, run: &str) -> Vec<Vec<String>> {
    let text = desk.read(&format!("{run}/history.csv"));
    let header: Vec<&str> = text.lines().next().unwrap_or_default().split(',').collect();
    let is_kept = |column: usize| !MEASURED.contains(&header[column]);
    let row = |line: &str| {
        let fields = line.split(',').map(str::to_owned).enumerate();
        fields.filter(|(column, _)| is_kept(*column)).map(|(_, field)| field).collect()
    };
    text.lines().map(row).collect()
}

/// The line of a printed table that begins with `name`: its metrics by the header of the table, as printed.
#[track_caller]
pub(crate) fn table_row(printed: &str, name: &str) -> Vec<(String, String)> {
    let mut lines = printed.lines().skip_while(|line| {
        !["rmse", "mse", "hit_rate"].iter().any(|first| line.trim_start().starts_with(first))
    });
    let header = lines.next().unwrap_or_else(|| panic!("no table in: {printed}"));
    let row = lines.find_map(|line| line.strip_prefix(name).filter(|rest| rest.starts_with(' ')));
    let row = row.unwrap_or_else(|| panic!("no line of {name} in: {printed}"));
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(header).len(), words(row).len(), "{printed}");
    words(header).into_iter().zip(words(row)).collect()
}

/// The metrics of a mapping in `results.yaml`, as a table prints them.
pub(crate) fn as_printed(metrics: &Value) -> Vec<(String, String)> {
    let mapping = metrics.as_mapping().unwrap();
    let cell = |value: &Value| value.as_f64().map_or("-".to_owned(), |value| format!("{value:.4}"));
    mapping.iter().map(|(name, value)| (name.as_str().unwrap().to_owned(), cell(value))).collect()
}

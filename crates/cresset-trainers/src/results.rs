//! What a run ends with: `results.yaml`, and the table a person reads.

use std::collections::BTreeMap;

use cresset_metrics::Metrics;
use cresset_metrics::statistics::Interval;
use serde::{Deserialize, Serialize};

use crate::evaluation::{RankingCounts, RatingBand};

/// The content of `results.yaml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// The kind of model.
    pub model: String,
    /// Values that training can change.
    pub n_parameters: usize,
    /// The epoch whose weights were kept, from 1.
    pub best_epoch: u64,
    /// Epochs trained.
    pub epochs: u64,
    /// Seconds of the whole run, data and evaluation included.
    pub seconds: f64,
    /// Training examples a second, validation left out.
    pub examples_per_second: f64,
    /// Most memory held at once, in MiB; null where the system does not tell.
    pub peak_memory_mb: Option<f64>,
    /// Metrics on the validation part.
    pub valid: Metrics,
    /// Metrics on the test part.
    pub test: Metrics,
    /// 95% bootstrap intervals over users of the test metrics that single users add to, lower and upper end.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub test_intervals: BTreeMap<String, [f64; 2]>,
    /// Errors of the test ratings by how many training ratings their item has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub test_by_item_ratings: Vec<RatingBand>,
    /// How many users and positives stand behind the ranking metrics of the test part.
    pub ranking: RankingCounts,
    /// Metrics of the simple recommenders on the same test part, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub baselines: BTreeMap<String, Metrics>,
}

/// The content of the top `results.yaml` of a run with folds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoldResults {
    /// The kind of model.
    pub model: String,
    /// Values that training can change, in one fold.
    pub n_parameters: usize,
    /// Folds.
    pub n_folds: usize,
    /// Seconds of all folds together.
    pub seconds: f64,
    /// Mean over folds of the training examples a second.
    pub examples_per_second: f64,
    /// Mean of each metric over folds, and under `<metric>_std` its sample standard deviation.
    pub valid: Metrics,
    /// The same on the test parts.
    pub test: Metrics,
    /// Errors of the test ratings of all folds together, by how many training ratings their item has in their fold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub test_by_item_ratings: Vec<RatingBand>,
    /// The same for the simple recommenders.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub baselines: BTreeMap<String, Metrics>,
}

impl FoldResults {
    /// Means and spreads over the results of each fold.
    ///
    /// # Panics
    ///
    /// If there is no fold.
    pub fn over(folds: &[Results]) -> Self {
        let first = folds.first().expect("at least one fold");
        let of_baseline = |name: &str| {
            let metrics: Vec<_> = folds.iter().filter_map(|fold| fold.baselines.get(name)).collect();
            mean_and_std(&metrics)
        };
        Self {
            model: first.model.clone(),
            n_parameters: first.n_parameters,
            n_folds: folds.len(),
            seconds: folds.iter().map(|fold| fold.seconds).sum(),
            examples_per_second: folds.iter().map(|fold| fold.examples_per_second).sum::<f64>()
                / folds.len() as f64,
            valid: mean_and_std(&folds.iter().map(|fold| &fold.valid).collect::<Vec<_>>()),
            test: mean_and_std(&folds.iter().map(|fold| &fold.test).collect::<Vec<_>>()),
            test_by_item_ratings: pooled_bands(folds),
            baselines: first.baselines.keys().map(|name| (name.clone(), of_baseline(name))).collect(),
        }
    }
}

/// The bands of all folds; none where a fold has none, as one that an earlier version trained.
fn pooled_bands(folds: &[Results]) -> Vec<RatingBand> {
    let bands: Vec<&[RatingBand]> = folds.iter().map(|fold| fold.test_by_item_ratings.as_slice()).collect();
    if bands.iter().any(|fold| fold.is_empty()) { Vec::new() } else { RatingBand::pooled(&bands) }
}

/// Mean of each metric, and its sample standard deviation under `<metric>_std`.
fn mean_and_std(folds: &[&Metrics]) -> Metrics {
    let mut summary = Metrics::new();
    let Some(first) = folds.first() else { return summary };
    for (name, _) in first.iter() {
        let values: Vec<f64> = folds.iter().filter_map(|metrics| metrics.get(name)).collect();
        if values.len() < folds.len() {
            summary.insert_undefined(name, "undefined in at least one fold");
            continue;
        }
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        summary.insert(name, mean);
        if values.len() > 1 {
            let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
            summary.insert(format!("{name}_std"), (squares / (n - 1.0)).sqrt());
        }
    }
    summary
}

/// A table of metrics, one row for each name, columns aligned; a dash where a metric is not defined.
///
/// Spreads (`<metric>_std`) stand beside their mean as `0.9214 ± 0.0021`.
pub fn metric_table(rows: &[(&str, &Metrics)]) -> String {
    let mut columns: Vec<&str> = Vec::new();
    for (name, _) in rows.iter().flat_map(|(_, metrics)| metrics.iter()) {
        if !columns.contains(&name) && !name.ends_with("_std") {
            columns.push(name);
        }
    }
    let mut lines = vec![std::iter::once("").chain(columns.iter().copied()).map(str::to_owned).collect()];
    for (name, metrics) in rows {
        let cells = columns.iter().map(|column| cell(metrics, column));
        lines.push(std::iter::once((*name).to_owned()).chain(cells).collect::<Vec<String>>());
    }
    align(&lines)
}

/// A table of intervals, one row for each name, as `0.1681 to 0.1759`; a dash where a row has none.
pub fn interval_table(rows: &[(String, Vec<(String, Interval)>)]) -> String {
    let mut columns: Vec<&str> = Vec::new();
    for (key, _) in rows.iter().flat_map(|(_, intervals)| intervals) {
        if !columns.contains(&key.as_str()) {
            columns.push(key);
        }
    }
    let mut lines = vec![std::iter::once("").chain(columns.iter().copied()).map(str::to_owned).collect()];
    for (name, intervals) in rows {
        let cell = |column: &&str| match intervals.iter().find(|(key, _)| key == column) {
            Some((_, Interval { low, high, .. })) => {
                let shown = |end: f64| without_negative_zero(format!("{end:.4}"));
                format!("{} to {}", shown(*low), shown(*high))
            }
            None => "-".to_owned(),
        };
        lines.push(std::iter::once(name.clone()).chain(columns.iter().map(cell)).collect::<Vec<String>>());
    }
    align(&lines)
}

/// A table of errors by the training ratings of the item; without the number of items where that is not known.
pub fn band_table(bands: &[RatingBand]) -> String {
    let has_items = bands.iter().all(|band| band.n_items.is_some());
    let columns = ["", "items", "ratings", "rmse", "mae"].map(str::to_owned);
    let mut lines = vec![columns.to_vec()];
    for band in bands {
        let [rmse, mae] = [band.rmse, band.mae].map(|error| format!("{error:.4}"));
        let n_items = band.n_items.unwrap_or_default().to_string();
        lines.push(vec![band.to_string(), n_items, band.n_ratings.to_string(), rmse, mae]);
    }
    if !has_items {
        lines.iter_mut().for_each(|line| drop(line.remove(1)));
    }
    align(&lines)
}

fn cell(metrics: &Metrics, column: &str) -> String {
    match (metrics.get(column), metrics.get(&format!("{column}_std"))) {
        (Some(mean), Some(std)) => format!("{} ± {std:.4}", without_negative_zero(format!("{mean:.4}"))),
        (Some(value), None) => without_negative_zero(format!("{value:.4}")),
        (None, _) => "-".to_owned(),
    }
}

/// `-0.0000` as `0.0000`: what rounds to zero has no sign.
fn without_negative_zero(number: String) -> String {
    match number.strip_prefix('-') {
        Some(digits) if digits.chars().all(|c| c == '0' || c == '.') => digits.to_owned(),
        _ => number,
    }
}

fn align(lines: &[Vec<String>]) -> String {
    let n_columns = lines.first().map_or(0, Vec::len);
    let width = |at: usize| lines.iter().map(|line| line[at].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..n_columns).map(width).collect();
    let mut text = String::new();
    for line in lines {
        for (at, field) in line.iter().enumerate() {
            let gap = " ".repeat(widths[at] - field.chars().count());
            // Names to the left, numbers to the right.
            text.push_str(&if at == 0 { format!("{field}{gap}") } else { format!("  {gap}{field}") });
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics(pairs: &[(&str, f64)]) -> Metrics {
        let mut metrics = Metrics::new();
        for &(name, value) in pairs {
            metrics.insert(name, value);
        }
        metrics
    }

    #[test]
    fn folds_give_the_mean_and_the_sample_deviation() {
        let (a, b) = (metrics(&[("rmse", 0.9)]), metrics(&[("rmse", 1.1)]));
        let summary = mean_and_std(&[&a, &b]);
        assert!((summary.get("rmse").unwrap() - 1.0).abs() < 1e-12);
        assert!((summary.get("rmse_std").unwrap() - 0.02f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn a_metric_undefined_in_one_fold_is_undefined_in_the_mean() {
        let mut a = Metrics::new();
        a.insert_undefined("r2", "no variance");
        let summary = mean_and_std(&[&a, &metrics(&[("r2", 0.5)])]);
        assert_eq!(summary.get("r2"), None);
        assert!(summary.reason("r2").is_some());
    }

    #[test]
    fn bands_are_a_table_with_their_items_and_over_folds_without() {
        let band =
            |from, to, n_items, n_ratings, rmse, mae| RatingBand { from, to, n_items, n_ratings, rmse, mae };
        let bands = [band(1, Some(9), Some(3), 12, 1.0, 0.75), band(200, None, Some(40), 999, 0.875, 0.5)];
        let expected = "              items  ratings    rmse     mae\n\
                        1 to 9            3       12  1.0000  0.7500\n\
                        200 and more     40      999  0.8750  0.5000\n";
        assert_eq!(band_table(&bands), expected);
        let pooled = RatingBand::pooled(&[&bands[..1]]);
        assert_eq!(band_table(&pooled), "        ratings    rmse     mae\n1 to 9       12  1.0000  0.7500\n");
    }

    #[test]
    fn the_table_aligns_its_columns_and_dashes_what_a_row_lacks() {
        let (model, popularity) =
            (metrics(&[("rmse", 0.91234), ("ndcg@10", 0.1)]), metrics(&[("ndcg@10", 0.05)]));
        let table = metric_table(&[("kg-mf", &model), ("popularity", &popularity)]);
        let expected = "              rmse  ndcg@10\n\
                        kg-mf       0.9123   0.1000\n\
                        popularity       -   0.0500\n";
        assert_eq!(table, expected);
    }
}

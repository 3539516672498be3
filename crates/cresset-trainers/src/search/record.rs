//! What became of trials.

use std::cmp::Ordering;

use cresset_metrics::Direction;
use serde::{Deserialize, Serialize};

use super::space::{Trial, flow};

/// A trial and what became of it; each lies in its own file, so that a search can be interrupted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrialRecord {
    /// What was tried.
    pub trial: Trial,
    /// What it reached, rung by rung.
    pub climbed: Vec<Climbed>,
    /// Why it was given up, where it was: such as a loss that was no number.
    pub failure: Option<String>,
}

/// What a trial reached on one rung.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Climbed {
    /// Epochs of the rung.
    pub epochs: u64,
    /// The epoch that was best by then.
    pub best_epoch: u64,
    /// Its monitored validation metric.
    pub value: Option<f64>,
    /// Seconds of the rung, those before it left out.
    pub seconds: f64,
}

impl TrialRecord {
    /// A trial that has not begun.
    pub fn new(trial: Trial) -> Self {
        Self { trial, climbed: vec![], failure: None }
    }

    /// Adds what it reached on a rung.
    pub fn reached(&mut self, epochs: u64, best_epoch: u64, value: Option<f64>, seconds: f64) {
        self.climbed.push(Climbed { epochs, best_epoch, value, seconds });
    }

    /// Whether it needs no training for the rung of that many epochs: it has had it, or has failed.
    pub fn is_done(&self, epochs: u64) -> bool {
        self.failure.is_some() || self.on(epochs).is_some()
    }

    fn on(&self, epochs: u64) -> Option<&Climbed> {
        self.climbed.iter().find(|climbed| climbed.epochs == epochs)
    }

    /// Where it ended: its last rung and the value there.
    fn last(&self) -> Option<(&Climbed, f64)> {
        let last = self.climbed.last().filter(|_| self.failure.is_none())?;
        Some((last, last.value?))
    }
}

/// The numbers of the best `n` trials by their value on the rung of that many epochs, ascending; of equals the earlier.
pub fn survivors(records: &[TrialRecord], epochs: u64, direction: Direction, n: usize) -> Vec<usize> {
    // One that failed on a later rung had reached this one, and its place is not given away.
    let value = |record: &TrialRecord| record.on(epochs)?.value;
    let mut ranked: Vec<(usize, f64)> =
        records.iter().filter_map(|record| Some((record.trial.number, value(record)?))).collect();
    ranked.sort_by(|a, b| by_value(a.1, b.1, direction).then(a.0.cmp(&b.0)));
    let mut numbers: Vec<usize> = ranked.into_iter().take(n).map(|(number, _)| number).collect();
    numbers.sort_unstable();
    numbers
}

/// The best trial: by value among those on the last rung that any reached; none where all failed.
pub fn best(records: &[TrialRecord], direction: Direction) -> Option<&TrialRecord> {
    ranked(records, direction).into_iter().next().filter(|record| record.last().is_some())
}

/// Those that climbed highest first, among them by value; failed ones last.
fn ranked(records: &[TrialRecord], direction: Direction) -> Vec<&TrialRecord> {
    let mut ranked: Vec<&TrialRecord> = records.iter().collect();
    ranked.sort_by(|a, b| match (a.last(), b.last()) {
        (Some((x, a)), Some((y, b))) => y.epochs.cmp(&x.epochs).then(by_value(a, b, direction)),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    });
    ranked
}

fn by_value(a: f64, b: f64, direction: Direction) -> Ordering {
    match direction {
        Direction::LowerIsBetter => a.total_cmp(&b),
        Direction::HigherIsBetter => b.total_cmp(&a),
    }
}

/// The table of a search, best trial first: its number, the values tried, epochs, the best epoch, the monitored metric,
/// seconds of all rungs, and why it failed where it did.
#[expect(clippy::missing_panics_doc, reason = "memory takes every row, and all rows have one length")]
pub fn table_csv(records: &[TrialRecord], monitor: &str, direction: Direction) -> String {
    let keys: Vec<&str> = records
        .first()
        .map(|record| record.trial.values.iter().map(|(key, _)| key.as_str()).collect())
        .unwrap_or_default();
    let mut header = vec!["trial"];
    header.extend(&keys);
    let valid = format!("valid_{monitor}");
    header.extend(["epochs", "best_epoch", valid.as_str(), "seconds", "failure"]);
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut lines = vec![header.into_iter().map(str::to_owned).collect::<Vec<_>>()];
    lines.extend(ranked(records, direction).into_iter().map(row));
    for line in lines {
        writer.write_record(line).expect("memory takes every row, and all have one length");
    }
    String::from_utf8(writer.into_inner().expect("memory takes every row")).expect("fields are text")
}

fn row(record: &TrialRecord) -> Vec<String> {
    let mut fields = vec![record.trial.number.to_string()];
    fields.extend(record.trial.values.iter().map(|(_, value)| match value.as_str() {
        Some(text) => text.to_owned(),
        None => flow(value),
    }));
    let last = record.climbed.last();
    // Of no rung the sum is -0.
    let seconds = record.climbed.iter().map(|climbed| climbed.seconds).sum::<f64>().abs();
    fields.push(last.map_or(String::new(), |last| last.epochs.to_string()));
    fields.push(last.map_or(String::new(), |last| last.best_epoch.to_string()));
    fields.push(last.and_then(|last| last.value).map_or(String::new(), |value| value.to_string()));
    fields.push(format!("{seconds:.2}"));
    fields.push(record.failure.clone().unwrap_or_default());
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(number: usize, values: &[(u64, f64)], failure: Option<&str>) -> TrialRecord {
        let values_tried = vec![("model.l2".to_owned(), yaml_serde::Value::from(number))];
        let mut record = TrialRecord::new(Trial { number, values: values_tried });
        values.iter().for_each(|&(epochs, value)| record.reached(epochs, 1, Some(value), 1.5));
        record.failure = failure.map(str::to_owned);
        record
    }

    #[test]
    fn the_best_of_a_rung_survive_and_failed_trials_do_not() {
        let records = [
            record(1, &[(2, 0.9)], None),
            record(2, &[(2, 0.8)], None),
            record(3, &[], Some("the loss became NaN")),
            record(4, &[(2, 0.8)], Some("the loss became NaN on the next rung")),
            record(5, &[], None),
        ];
        assert_eq!(survivors(&records, 2, Direction::LowerIsBetter, 2), [2, 4]);
        assert_eq!(survivors(&records, 2, Direction::HigherIsBetter, 2), [1, 2]);
        assert_eq!(survivors(&records, 6, Direction::LowerIsBetter, 2), Vec::<usize>::new());
    }

    #[test]
    fn the_best_is_among_those_that_climbed_highest() {
        let records = [record(1, &[(2, 0.5)], None), record(2, &[(2, 0.6), (6, 0.55)], None)];
        assert_eq!(best(&records, Direction::LowerIsBetter).map(|best| best.trial.number), Some(2));
        let failed = [record(1, &[], Some("no"))];
        assert_eq!(best(&failed, Direction::LowerIsBetter), None);
    }

    #[test]
    fn the_table_has_the_best_first_and_says_why_a_trial_failed() {
        let records =
            [record(1, &[(2, 0.9)], None), record(2, &[], Some("no, never")), record(3, &[(2, 0.5)], None)];
        let table = table_csv(&records, "rmse", Direction::LowerIsBetter);
        let expected = "trial,model.l2,epochs,best_epoch,valid_rmse,seconds,failure\n\
                        3,3,2,1,0.5,1.50,\n\
                        1,1,2,1,0.9,1.50,\n\
                        2,2,,,,0.00,\"no, never\"\n";
        assert_eq!(table, expected);
    }
}

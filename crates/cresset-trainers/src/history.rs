//! What each epoch did: the rows of `history.csv`.

use std::fmt::Write;

use cresset_metrics::Metrics;
use serde::{Deserialize, Serialize};

/// One epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Which, from 1.
    pub epoch: u64,
    /// The stage of the strategy, where it has stages.
    #[serde(default)]
    pub stage: Option<String>,
    /// Mean loss over the epoch's examples, as it was weighted, and its terms by name, as they are.
    pub losses: Vec<(String, f64)>,
    /// The learning rate of the run in the epoch's last step.
    pub learning_rate: f64,
    /// Seconds of training, validation left out.
    pub seconds: f64,
    /// Examples trained on in each of those seconds.
    pub examples_per_second: f64,
    /// Validation metrics; `None` where undefined.
    pub valid: Vec<(String, Option<f64>)>,
}

/// All epochs so far, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// The epochs.
    pub epochs: Vec<EpochRecord>,
}

impl History {
    /// The file's text: a header, then one row an epoch; an undefined metric is an empty field.
    pub fn to_csv(&self) -> String {
        let mut text = String::new();
        let Some(first) = self.epochs.first() else { return text };
        let mut header = vec!["epoch".to_owned()];
        header.extend(first.stage.is_some().then(|| "stage".to_owned()));
        header.extend(first.losses.iter().map(|(name, _)| format!("train_{name}")));
        header.extend(["learning_rate", "seconds", "examples_per_second"].map(str::to_owned));
        header.extend(first.valid.iter().map(|(name, _)| format!("valid_{name}")));
        text.push_str(&header.join(","));
        text.push('\n');
        for row in &self.epochs {
            row.write_to(&mut text);
        }
        text
    }
}

impl EpochRecord {
    /// The validation metric of that name, where it is defined.
    pub fn valid(&self, name: &str) -> Option<f64> {
        self.valid.iter().find(|(metric, _)| metric == name).and_then(|&(_, value)| value)
    }

    fn write_to(&self, text: &mut String) {
        let mut fields = vec![self.epoch.to_string()];
        fields.extend(self.stage.clone());
        fields.extend(self.losses.iter().map(|(_, value)| value.to_string()));
        fields.push(self.learning_rate.to_string());
        fields.push(format!("{:.3}", self.seconds));
        fields.push(format!("{:.0}", self.examples_per_second));
        fields.extend(self.valid.iter().map(|(_, value)| value.map_or_else(String::new, |v| v.to_string())));
        let _ = writeln!(text, "{}", fields.join(","));
    }
}

/// A metric set as name and value pairs, in its order.
pub(crate) fn pairs(metrics: &Metrics) -> Vec<(String, Option<f64>)> {
    metrics.iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

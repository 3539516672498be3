//! What is told, and what may be told at all.

use std::fmt;

/// What an alert is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AlertKind {
    /// The training loss rises.
    LossRises,
    /// The monitored metric does not improve in the first epochs.
    NoProgress,
    /// The training loss falls and the monitored metric worsens.
    Overfitting,
    /// Steps take many times longer than they did.
    SlowSteps,
    /// One step took so long that the machine must have slept.
    Pause,
    /// A parameter's gradient is always zero.
    ZeroGradient,
    /// A router leaves most of its experts idle.
    RouterCollapse,
    /// The process holds more and more memory.
    MemoryGrowth,
}

impl AlertKind {
    /// Every kind, in the order of this list.
    pub const ALL: [Self; 8] = [
        Self::LossRises,
        Self::NoProgress,
        Self::Overfitting,
        Self::SlowSteps,
        Self::Pause,
        Self::ZeroGradient,
        Self::RouterCollapse,
        Self::MemoryGrowth,
    ];

    /// Its name in `alerts.csv`.
    pub fn name(self) -> &'static str {
        match self {
            Self::LossRises => "loss_rises",
            Self::NoProgress => "no_progress",
            Self::Overfitting => "overfitting",
            Self::SlowSteps => "slow_steps",
            Self::Pause => "pause",
            Self::ZeroGradient => "zero_gradient",
            Self::RouterCollapse => "router_collapse",
            Self::MemoryGrowth => "memory_growth",
        }
    }

    fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// One sentence of what was seen in a run, and what to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// The epoch, from 1.
    pub epoch: u64,
    /// The step in it, from 1; `None` for what the whole epoch shows.
    pub step: Option<usize>,
    /// What it is about.
    pub kind: AlertKind,
    /// The sentence.
    pub message: String,
}

impl fmt::Display for Alert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.step {
            Some(step) => write!(f, "alert, epoch {}, step {step}: {}", self.epoch, self.message),
            None => write!(f, "alert, epoch {}: {}", self.epoch, self.message),
        }
    }
}

/// The alerts of a run, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alerts(pub Vec<Alert>);

impl Alerts {
    /// The text of `alerts.csv`: a header, then one row an alert.
    pub fn to_csv(&self) -> String {
        let mut text = "epoch,step,kind,message\n".to_owned();
        for alert in &self.0 {
            let step = alert.step.map_or_else(String::new, |step| step.to_string());
            let message = alert.message.replace('"', "\"\"");
            text.push_str(&format!("{},{step},{},\"{message}\"\n", alert.epoch, alert.kind.name()));
        }
        text
    }

    /// The alerts of such a text up to a place in the run: those of later steps will be told again where they happen again.
    /// A row that is none is left out.
    pub fn from_csv(text: &str, epochs: u64, steps: usize) -> Self {
        let mut rows = csv::Reader::from_reader(text.as_bytes());
        let alerts = rows.records().filter_map(Result::ok).filter_map(|row| {
            let step = row.get(1)?;
            Some(Alert {
                epoch: row.get(0)?.parse().ok()?,
                step: if step.is_empty() { None } else { Some(step.parse().ok()?) },
                kind: AlertKind::of_name(row.get(2)?)?,
                message: row.get(3)?.to_owned(),
            })
        });
        let is_past = |alert: &Alert| {
            alert.epoch <= epochs
                || (alert.epoch == epochs + 1 && alert.step.is_some_and(|step| step <= steps))
        };
        Self(alerts.filter(is_past).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(epoch: u64, step: Option<usize>, message: &str) -> Alert {
        Alert { epoch, step, kind: AlertKind::SlowSteps, message: message.to_owned() }
    }

    #[test]
    fn what_is_written_is_read_up_to_where_the_run_stands() {
        let told =
            [alert(1, None, "a"), alert(3, Some(4), "\"b\", c"), alert(3, Some(5), "d"), alert(3, None, "e")];
        let alerts = Alerts(told.to_vec());
        let text = alerts.to_csv();
        assert!(text.starts_with("epoch,step,kind,message\n1,,slow_steps,\"a\"\n"), "{text}");
        assert_eq!(Alerts::from_csv(&text, 3, 0), alerts);
        assert_eq!(Alerts::from_csv(&text, 2, 4).0, told[..2]);
        assert_eq!(Alerts::from_csv(&text, 2, 0).0, told[..1]);
        assert_eq!(Alerts::from_csv("no such file", 2, 0), Alerts::default());
    }

    #[test]
    fn every_kind_has_a_name_of_its_own() {
        for kind in AlertKind::ALL {
            assert_eq!(AlertKind::of_name(kind.name()), Some(kind));
        }
    }

    #[test]
    fn an_alert_says_where_it_was_seen() {
        assert_eq!(alert(3, Some(4), "look").to_string(), "alert, epoch 3, step 4: look");
        assert_eq!(alert(3, None, "look").to_string(), "alert, epoch 3: look");
    }
}

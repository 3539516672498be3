//! What a person sees while an epoch runs: a bar on a terminal, a line a minute elsewhere.

use std::fmt::Write;
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::checkpoint::Progress;

/// A bar over the steps of one epoch, with the loss and its terms, the rate, and the time left for epoch and run.
#[derive(Debug)]
pub(crate) struct EpochBar {
    bar: ProgressBar,
    is_hidden: bool,
    place: EpochPlace,
    spoke: Instant,
}

/// Where an epoch stands in its run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EpochPlace {
    /// The epoch, from 1.
    pub(crate) epoch: u64,
    /// Epochs of the run, if nothing ends it early.
    pub(crate) n_epochs: u64,
    /// Steps finished when the bar is made.
    pub(crate) first_step: usize,
    /// Steps of an epoch.
    pub(crate) n_steps: usize,
    /// Seconds from the end of one epoch's steps to the beginning of the next, as far as they are known.
    pub(crate) seconds_between: f64,
}

const TEMPLATE: &str = "{prefix} [{bar:30}] {pos}/{len} steps  {msg}";
/// The eye cannot follow more, and formatting costs as much as a small step.
const BETWEEN_MESSAGES: Duration = Duration::from_millis(100);
const BETWEEN_LINES: Duration = Duration::from_secs(60);

impl EpochBar {
    /// A bar, where one is wanted and standard error is a terminal; otherwise lines in the log.
    pub(crate) fn new(place: EpochPlace, is_shown: bool) -> Self {
        let target = if is_shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(place.n_steps as u64), target);
        let is_hidden = bar.is_hidden();
        if !is_hidden {
            let style = ProgressStyle::with_template(TEMPLATE).expect("a constant template");
            bar.set_style(style.progress_chars("=> "));
            bar.set_prefix(format!("epoch {}/{}", place.epoch, place.n_epochs));
            bar.set_position(place.first_step as u64);
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        Self { bar, is_hidden, place, spoke: Instant::now() }
    }

    /// Shows a step that was just finished.
    pub(crate) fn advance(&mut self, progress: &Progress) {
        if !self.is_hidden {
            self.bar.inc(1);
        }
        let pause = if self.is_hidden { BETWEEN_LINES } else { BETWEEN_MESSAGES };
        if self.spoke.elapsed() < pause {
            return;
        }
        self.spoke = Instant::now();
        let text = message(progress, &self.place);
        if self.is_hidden {
            let EpochPlace { epoch, n_epochs, n_steps, .. } = self.place;
            tracing::info!("epoch {epoch:>3}/{n_epochs}  step {}/{n_steps}  {text}", progress.step);
        } else {
            self.bar.set_message(text);
        }
    }

    /// Says something without writing into the bar.
    pub(crate) fn suspend(&self, say: impl FnOnce()) {
        self.bar.suspend(say);
    }
}

impl Drop for EpochBar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Loss, terms, rate and the time left.
fn message(progress: &Progress, place: &EpochPlace) -> String {
    let examples = progress.examples as f64;
    let mut means = progress.loss_sums.iter().map(|(name, sum)| (name, sum / examples));
    let mut text = String::new();
    if let Some((_, loss)) = means.next() {
        let _ = write!(text, "loss {loss:.4}");
    }
    let terms: Vec<String> = means.map(|(name, value)| format!("{name} {value:.4}")).collect();
    // One term says no more than the loss.
    if terms.len() > 1 {
        let _ = write!(text, " ({})", terms.join(", "));
    }
    let [epoch, run] = seconds_left(progress, place).map(|s| HumanDuration(Duration::from_secs_f64(s)));
    let rate = progress.examples_per_second();
    let _ = write!(text, "  {rate:.0} examples/s  {epoch:#} left");
    if place.epoch < place.n_epochs {
        let _ = write!(text, ", {run:#} of the run at most");
    }
    text
}

/// Seconds left of the epoch's steps and of the whole run, at the pace of the epoch so far.
fn seconds_left(progress: &Progress, place: &EpochPlace) -> [f64; 2] {
    let of_step = progress.epoch_seconds / progress.step.max(1) as f64;
    let of_epoch = of_step * place.n_steps.saturating_sub(progress.step) as f64;
    let whole = of_step * place.n_steps as f64 + place.seconds_between;
    let epochs_left = place.n_epochs.saturating_sub(place.epoch) as f64;
    [of_epoch, of_epoch + place.seconds_between + epochs_left * whole]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress() -> Progress {
        let named = |name: &str, sum| (name.to_owned(), sum);
        Progress {
            step: 25,
            examples: 100,
            epoch_seconds: 50.0,
            loss_sums: vec![named("loss", 80.0), named("ratings", 75.0), named("penalty", 5.0)],
            ..Progress::default()
        }
    }

    const PLACE: EpochPlace =
        EpochPlace { epoch: 3, n_epochs: 5, first_step: 0, n_steps: 100, seconds_between: 10.0 };

    #[test]
    fn the_time_left_is_that_of_the_steps_and_of_what_lies_between_epochs() {
        // 2 s a step: 75 steps, then two epochs of 200 s, and three times 10 s between.
        assert_eq!(seconds_left(&progress(), &PLACE), [150.0, 580.0]);
        let last = EpochPlace { epoch: 5, ..PLACE };
        assert_eq!(seconds_left(&progress(), &last), [150.0, 160.0]);
    }

    #[test]
    fn the_line_holds_loss_terms_rate_and_time() {
        assert_eq!(
            message(&progress(), &PLACE),
            "loss 0.8000 (ratings 0.7500, penalty 0.0500)  2 examples/s  3m left, 10m of the run at most"
        );
    }
}

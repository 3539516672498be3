//! A training loss that rises.

use super::{StepFacts, Thresholds};

/// Averages of the loss over windows of steps.
///
/// In the first epoch each is held against the lowest before it. Later every example has been seen before, and the loss of a model
/// that learns it by heart climbs within each epoch and falls at its end: from then on a window is held against the lowest
/// of those at its own place in the earlier epochs.
#[derive(Debug, Default)]
pub(super) struct LossTrend {
    open: Window,
    place: (u64, usize),
    /// The lowest average at each place of an epoch.
    lowest: Vec<Option<Average>>,
    high: usize,
}

/// A rise that is no noise.
#[derive(Debug, PartialEq)]
pub(super) struct Rise {
    pub(super) from: f64,
    pub(super) to: f64,
}

/// Sums by Welford's recurrence: losses are large numbers that differ by little.
#[derive(Debug, Default)]
struct Window {
    n: usize,
    mean: f64,
    squares: f64,
}

#[derive(Debug, Clone, Copy)]
struct Average {
    mean: f64,
    /// Square of its standard error.
    error_2: f64,
}

impl LossTrend {
    /// Takes a step; a rise where it begins the window after one that shows it.
    pub(super) fn observe(&mut self, facts: &StepFacts, bounds: &Thresholds) -> Option<Rise> {
        let place = (facts.epoch, (facts.step - 1) / bounds.loss_window);
        let rise = if place == self.place { None } else { self.close(bounds) };
        self.place = place;
        self.open.push(f64::from(facts.loss));
        rise
    }

    fn close(&mut self, bounds: &Thresholds) -> Option<Rise> {
        let (epoch, place) = self.place;
        let closed = std::mem::take(&mut self.open);
        // Of few steps, an average says little, and its error less: the end of an epoch, or where a run goes on.
        if 2 * closed.n < bounds.loss_window && (place > 0 || closed.n < 2) {
            return None;
        }
        let now = closed.average();
        let before = match epoch {
            1 => self.lowest.iter().flatten().copied().min_by(|a, b| a.mean.total_cmp(&b.mean)),
            _ => self.lowest.get(place).copied().flatten(),
        };
        if self.lowest.len() <= place {
            self.lowest.resize(place + 1, None);
        }
        let lowest = &mut self.lowest[place];
        if lowest.is_none_or(|lowest| now.mean < lowest.mean) {
            *lowest = Some(now);
        }
        let rise = before.filter(|before| now.is_above(*before, bounds));
        self.high = if rise.is_some() { self.high + 1 } else { 0 };
        let from = rise.filter(|_| self.high >= bounds.loss_windows)?.mean;
        self.high = 0;
        Some(Rise { from, to: now.mean })
    }
}

impl Window {
    fn push(&mut self, value: f64) {
        self.n += 1;
        let before = value - self.mean;
        self.mean += before / self.n as f64;
        self.squares += before * (value - self.mean);
    }

    fn average(&self) -> Average {
        let n = self.n as f64;
        Average { mean: self.mean, error_2: self.squares / (n * (n - 1.0).max(1.0)) }
    }
}

impl Average {
    /// Whether it is higher by more than noise, and by enough to matter.
    fn is_above(&self, lowest: Self, bounds: &Thresholds) -> bool {
        let rise = self.mean - lowest.mean;
        let noise = (self.error_2 + lowest.error_2).sqrt();
        rise > bounds.loss_rise * lowest.mean.abs() && rise > bounds.loss_errors * noise
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The steps, counted from 1 over all epochs, at which a rise is told.
    fn rises_in(steps_per_epoch: usize, losses: impl IntoIterator<Item = f64>) -> Vec<usize> {
        let mut trend = LossTrend::default();
        let bounds = Thresholds { loss_window: 10, ..Thresholds::default() };
        let steps = losses.into_iter().enumerate();
        let told = steps.filter_map(|(at, loss)| {
            let (epoch, step) = ((at / steps_per_epoch) as u64 + 1, at % steps_per_epoch + 1);
            let facts = StepFacts { epoch, step, stage: 0, loss: loss as f32, seconds: 1.0 };
            trend.observe(&facts, &bounds).map(|_| at + 1)
        });
        told.collect()
    }

    fn rises(losses: impl IntoIterator<Item = f64>) -> Vec<usize> {
        rises_in(1_000, losses)
    }

    fn noise(step: usize) -> f64 {
        [0.3, -0.2, 0.1, -0.4, 0.2][step % 5]
    }

    #[test]
    fn a_loss_that_doubles_is_told_after_its_second_window() {
        assert_eq!(rises((0..41).map(|step| if step < 20 { 1.0 } else { 2.0 })), [41]);
    }

    #[test]
    fn a_loss_that_doubles_in_a_later_epoch_is_told_whatever_the_length_of_an_epoch() {
        let doubled = |steps| (0..steps).map(move |step| if step < steps / 2 { 1.0 } else { 2.0 });
        assert_eq!(rises_in(100, doubled(400))[0], 221);
        assert_eq!(rises_in(4, doubled(32))[0], 25);
    }

    #[test]
    fn a_loss_that_climbs_within_each_epoch_and_falls_from_one_to_the_next_is_healthy() {
        let losses = (0..400).map(|at| {
            let (epoch, step) = (at / 100, at % 100);
            if epoch == 0 { 1.5 } else { 0.8 - 0.02 * f64::from(epoch) + 0.003 * f64::from(step) }
        });
        assert!(rises_in(100, losses).is_empty());
    }

    #[test]
    fn a_loss_that_falls_or_stays_is_not_told_whatever_its_noise() {
        assert!(rises((0..500).map(|step| 1.0 / (1.0 + step as f64 / 50.0) + noise(step))).is_empty());
        assert!(rises((0..500).map(|step| 1.0 + noise(step))).is_empty());
    }

    #[test]
    fn a_rise_within_the_noise_and_a_short_spike_are_not_told() {
        // 15% more, at a standard deviation of 70%: the error of the mean of ten is 22%.
        let noisy = (0..200).map(|step| 1.0 + 2.5 * noise(step) + if step > 100 { 0.15 } else { 0.0 });
        assert!(rises(noisy).is_empty());
        assert!(rises((0..200).map(|step| if (100..110).contains(&step) { 3.0 } else { 1.0 })).is_empty());
    }

    #[test]
    fn losses_below_zero_rise_too() {
        assert_eq!(rises((0..41).map(|step| if step < 20 { -2.0 } else { -1.0 })), [41]);
    }
}

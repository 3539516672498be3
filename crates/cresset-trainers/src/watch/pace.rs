//! Steps and epochs that take much longer than they did.

use super::Thresholds;

/// Seconds of the last ordinary steps, and how many slow ones have come since.
#[derive(Debug, Default)]
pub(super) struct Pace {
    seen: usize,
    /// The last ordinary steps, the oldest overwritten first.
    recent: Vec<f64>,
    next: usize,
    median: f64,
    slow: usize,
    slow_seconds: f64,
}

/// What is wrong with the pace.
#[derive(Debug, PartialEq)]
pub(super) enum Slow {
    /// One step of so many seconds.
    Pause { seconds: f64, median: f64 },
    /// So many steps of so many seconds each.
    Steps { n: usize, seconds: f64, median: f64 },
}

/// Steps that the median is of.
const RECENT: usize = 65;

impl Pace {
    /// Takes the seconds of a step.
    pub(super) fn observe(&mut self, seconds: f64, bounds: &Thresholds) -> Option<Slow> {
        self.seen += 1;
        if self.seen <= bounds.warmup_steps {
            return None;
        }
        let is_known = self.recent.len() * 2 > RECENT;
        if !is_known || seconds <= bounds.slow_factor * self.median {
            self.remember(seconds);
            return None;
        }
        let median = self.median;
        if seconds >= bounds.pause_seconds.max(100.0 * median) {
            (self.slow, self.slow_seconds) = (0, 0.0);
            return Some(Slow::Pause { seconds, median });
        }
        self.slow += 1;
        self.slow_seconds += seconds;
        if self.slow < bounds.slow_steps || self.slow_seconds < bounds.slow_seconds {
            return None;
        }
        let (n, seconds) = (self.slow, self.slow_seconds / self.slow as f64);
        // From here on this is the pace.
        *self = Self { seen: self.seen, ..Self::default() };
        Some(Slow::Steps { n, seconds, median })
    }

    fn remember(&mut self, seconds: f64) {
        (self.slow, self.slow_seconds) = (0, 0.0);
        if self.recent.len() < RECENT {
            self.recent.push(seconds);
        } else {
            self.recent[self.next] = seconds;
        }
        self.next = (self.next + 1) % RECENT;
        // A median moves slowly, and sorting at every step would cost more than the rest of this.
        if self.next.is_multiple_of(RECENT / 2) {
            self.median = median(&self.recent);
        }
    }
}

/// The middle of some values; 0 where there are none.
pub(super) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The steps, from 0, at which something is told.
    fn told(seconds: impl IntoIterator<Item = f64>) -> Vec<(usize, Slow)> {
        let (mut pace, bounds) = (Pace::default(), Thresholds::default());
        let steps = seconds.into_iter().enumerate();
        steps.filter_map(|(step, seconds)| Some((step, pace.observe(seconds, &bounds)?))).collect()
    }

    #[test]
    fn steps_ten_times_as_long_are_told_once_and_then_are_the_pace() {
        // The reference's: from 3 seconds to 30.
        let seconds = (0..300).map(|step| if step < 100 { 3.0 } else { 30.0 });
        assert_eq!(told(seconds), [(104, Slow::Steps { n: 5, seconds: 30.0, median: 3.0 })]);
    }

    #[test]
    fn short_steps_are_told_when_they_have_cost_some_seconds() {
        let seconds = (0..500).map(|step| if step < 100 { 0.001 } else { 0.0625 });
        assert_eq!(told(seconds).iter().map(|(step, _)| *step).collect::<Vec<_>>(), [179]);
    }

    #[test]
    fn an_hour_between_two_steps_is_a_pause() {
        let seconds = (0..300).map(|step| if step == 150 { 3600.0 } else { 0.4 });
        assert_eq!(told(seconds), [(150, Slow::Pause { seconds: 3600.0, median: 0.4 })]);
    }

    #[test]
    fn cold_first_steps_single_slow_ones_and_noise_are_not_told() {
        assert!(told((0..300).map(|step| if step < 10 { 100.0 } else { 1.0 })).is_empty());
        assert!(told((0..300).map(|step| if step % 20 == 19 { 10.0 } else { 1.0 })).is_empty());
        assert!(told((0..300).map(|step| 1.0 + (step * 7 % 5) as f64)).is_empty());
    }
}

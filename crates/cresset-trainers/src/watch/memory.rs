//! Memory that grows from epoch to epoch.

use super::Thresholds;

/// Resident memory at the ends of the session's epochs.
#[derive(Debug, Default)]
pub(super) struct MemoryTrend {
    /// The most in the first two epochs, when everything has been allocated once.
    first: f64,
    seen: usize,
    last: f64,
    rising: usize,
}

/// From how much to how much, in MiB.
#[derive(Debug, PartialEq)]
pub(super) struct Growth {
    pub(super) from: f64,
    pub(super) to: f64,
}

impl MemoryTrend {
    /// Takes the memory at the end of an epoch, in MiB.
    pub(super) fn observe(&mut self, resident: f64, bounds: &Thresholds) -> Option<Growth> {
        self.seen += 1;
        if self.seen <= 2 {
            (self.first, self.last) = (self.first.max(resident), resident);
            return None;
        }
        self.rising = if resident > self.last { self.rising + 1 } else { 0 };
        self.last = resident;
        let grown = resident - self.first;
        let is_much = grown > bounds.memory_mb && grown > bounds.memory_growth * self.first;
        if self.rising < bounds.memory_epochs || !is_much {
            return None;
        }
        let from = std::mem::replace(&mut self.first, resident);
        Some(Growth { from, to: resident })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(resident: &[f64]) -> Vec<usize> {
        let (mut trend, bounds) = (MemoryTrend::default(), Thresholds::default());
        let epochs = (1..).zip(resident);
        epochs.filter_map(|(epoch, &mb)| trend.observe(mb, &bounds).map(|_| epoch)).collect()
    }

    #[test]
    fn a_leak_is_told_each_time_that_it_has_grown_enough() {
        assert_eq!(told(&[500.0, 600.0, 700.0, 800.0, 900.0, 1000.0, 1200.0]), [5, 7]);
    }

    #[test]
    fn a_level_a_single_jump_and_a_small_growth_are_not_told() {
        assert!(told(&[500.0, 600.0, 600.0, 590.0, 600.0, 600.0]).is_empty());
        assert!(told(&[500.0, 600.0, 1600.0, 1600.0, 1600.0]).is_empty());
        assert!(told(&[500.0, 510.0, 520.0, 530.0, 540.0, 550.0]).is_empty());
    }
}

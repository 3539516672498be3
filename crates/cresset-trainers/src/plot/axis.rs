//! Axes with round numbers on them.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

/// Where an axis begins and ends, and which round numbers it names.
///
/// Plotters' own choice puts fractions on an axis of epochs, and as many decimals on all of them as it likes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    step: f64,
    ticks: Vec<f64>,
}

/// Most ticks but one of each axis: no label touches the next in the smallest panel.
const COUNT_STEPS: f64 = 7.0;
const VALUE_STEPS: f64 = 8.0;

impl Axis {
    /// Whole epochs or steps, with a little room on both sides.
    pub(super) fn of_counts(counts: &[f64]) -> Self {
        let (first, last) = (counts.first().copied().unwrap_or(1.0), counts.last().copied().unwrap_or(1.0));
        let room = if first == last { 1.0 } else { (last - first) * 0.03 };
        let step = round_step((last - first) / COUNT_STEPS).max(1.0);
        Self { low: first - room, high: last + room, step, ticks: multiples(step, first, last) }
    }

    /// The span of the values with a little air, never empty.
    pub(super) fn of_values(values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), y| (low.min(y), high.max(y)));
        let air = match high - low {
            0.0 => low.abs().max(1e-6) * 0.01,
            span => span * 0.06,
        };
        let (low, high) = (low - air, high + air);
        let step = round_step((high - low) / VALUE_STEPS);
        Self { low, high, step, ticks: multiples(step, low, high) }
    }

    /// The ticks from `low` to `high` with their labels.
    pub(super) fn labels_within(&self, low: f64, high: f64) -> impl Iterator<Item = (f64, String)> {
        let within = self.ticks.iter().copied().filter(move |tick| (low..=high).contains(tick));
        within.map(|tick| (tick, self.format_ext(&tick)))
    }

    /// Characters of the longest label.
    pub(super) fn longest_label(&self) -> usize {
        self.ticks.iter().map(|tick| self.format_ext(tick).len()).max().unwrap_or(0)
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        let share = (value - self.low) / (self.high - self.low);
        from + (share * f64::from(to - from)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks.clone()
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

impl ValueFormatter<f64> for Axis {
    /// As many decimals as tell one tick from the next.
    fn format_ext(&self, tick: &f64) -> String {
        let power = self.step.log10().floor();
        let largest = self.low.abs().max(self.high.abs());
        if largest >= 1e6 || power < -6.0 {
            let digits = (largest.log10().floor() - power).max(0.0) as usize;
            return format!("{tick:.digits$e}");
        }
        let decimals = (-power).max(0.0) as usize;
        format!("{tick:.decimals$}")
    }
}

/// The smallest of 1, 2 and 5 times a power of ten that is not below `least`.
fn round_step(least: f64) -> f64 {
    if least <= 0.0 {
        return 1.0;
    }
    let power = 10f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0].map(|digit| digit * power).into_iter().find(|&step| step >= least).unwrap_or(10.0 * power)
}

/// Multiples of `step` from `low` to `high`.
fn multiples(step: f64, low: f64, high: f64) -> Vec<f64> {
    let (first, last) = ((low / step).ceil() as i64, (high / step).floor() as i64);
    (first..=last).map(|n| n as f64 * step).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn labels(axis: &Axis) -> Vec<String> {
        axis.ticks.iter().map(|tick| axis.format_ext(tick)).collect()
    }

    fn epochs(n: u32) -> Vec<String> {
        labels(&Axis::of_counts(&(1..=n).map(f64::from).collect::<Vec<_>>()))
    }

    #[test]
    fn epochs_are_named_by_whole_round_numbers() {
        assert_eq!(epochs(1), ["1"]);
        assert_eq!(epochs(2), ["1", "2"]);
        assert_eq!(epochs(7), ["1", "2", "3", "4", "5", "6", "7"]);
        assert_eq!(epochs(12), ["2", "4", "6", "8", "10", "12"]);
        assert_eq!(epochs(50), ["10", "20", "30", "40", "50"]);
    }

    #[test]
    fn values_get_as_many_decimals_as_their_span_needs() {
        let of = |low, high| labels(&Axis::of_values([low, high].into_iter()));
        assert_eq!(of(0.93, 1.02), ["0.94", "0.96", "0.98", "1.00", "1.02"]);
        assert_eq!(
            of(0.9312, 0.9318),
            ["0.9312", "0.9313", "0.9314", "0.9315", "0.9316", "0.9317", "0.9318"]
        );
        assert_eq!(of(-3.0, 12.0), ["0", "5", "10"]);
        assert_eq!(of(0.5, 0.5), ["0.496", "0.498", "0.500", "0.502", "0.504"]);
        assert_eq!(of(0.0, 1e12), ["0.0e0", "2.0e11", "4.0e11", "6.0e11", "8.0e11", "1.0e12"]);
    }

    proptest! {
        #[test]
        fn labels_differ_and_ticks_lie_on_the_axis(low in -1e9f64..1e9, span in 1e-3f64..1e9) {
            let axis = Axis::of_values([low, low + span].into_iter());
            let mut labels = labels(&axis);
            prop_assert!((3..=9).contains(&labels.len()), "{labels:?}");
            prop_assert!(axis.ticks.iter().all(|tick| (axis.low..=axis.high).contains(tick)));
            labels.dedup();
            prop_assert_eq!(labels.len(), axis.ticks.len());
        }
    }
}

//! Scores that several tasks of one query know of.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::order::{number, rank};

/// For each query the highest score of which it is known that enough items reach it.
///
/// A task that reads an old one keeps more items than it must, and comes to the same result.
#[derive(Debug, Default)]
pub(crate) struct Bars(Vec<AtomicU32>);

impl Bars {
    /// Nothing is known of `n_queries`.
    pub(crate) fn begin(&mut self, n_queries: usize) {
        self.0.clear();
        self.0.resize_with(n_queries, || AtomicU32::new(rank(f32::NEG_INFINITY)));
    }

    pub(crate) fn raise(&self, query: usize, bar: f32) {
        self.0[query].fetch_max(rank(bar), Ordering::Relaxed);
    }

    pub(crate) fn get(&self, query: usize) -> f32 {
        number(self.0[query].load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_only_rises() {
        let mut bars = Bars::default();
        bars.begin(2);
        assert_eq!(bars.get(1), f32::NEG_INFINITY);
        for (raised_to, expected) in [(-2.0, -2.0), (-3.0, -2.0), (0.0, 0.0), (1.5, 1.5), (-1.0, 1.5)] {
            bars.raise(1, raised_to);
            assert_eq!(bars.get(1), expected);
        }
        assert_eq!(bars.get(0), f32::NEG_INFINITY);
    }
}

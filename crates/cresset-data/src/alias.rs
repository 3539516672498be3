//! Draws from a fixed distribution in constant time.

use rand::Rng;

use crate::random::below;

/// A distribution over `0..n`, prepared for drawing.
///
/// # Source
///
/// Vose, IEEE Transactions on Software Engineering 17(9), 1991, <https://doi.org/10.1109/32.92917>.
#[derive(Debug, Clone)]
pub(crate) struct AliasTable {
    /// Chance, in units of 2^-32, that a slot keeps its own number.
    keep: Vec<u32>,
    /// The number that a slot gives otherwise.
    other: Vec<u32>,
}

impl AliasTable {
    /// The table of weights that are above 0 and finite.
    pub(crate) fn new(weights: &[f64]) -> Self {
        let total: f64 = weights.iter().sum();
        let mut share: Vec<f64> = weights.iter().map(|w| w / total * weights.len() as f64).collect();
        let (mut poor, mut rich): (Vec<usize>, Vec<usize>) = (0..share.len()).partition(|&i| share[i] < 1.0);
        let mut table = Self { keep: vec![u32::MAX; share.len()], other: (0..share.len() as u32).collect() };
        while let (Some(p), Some(&r)) = (poor.pop(), rich.last()) {
            table.keep[p] = (share[p] * 4_294_967_296.0) as u32;
            table.other[p] = r as u32;
            share[r] -= 1.0 - share[p];
            if share[r] < 1.0 {
                rich.pop();
                poor.push(r);
            }
        }
        table
    }

    /// One draw.
    pub(crate) fn draw(&self, rng: &mut impl Rng) -> usize {
        let slot = below(self.keep.len() as u64, rng) as usize;
        if rng.next_u32() <= self.keep[slot] { slot } else { self.other[slot] as usize }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::stream;

    #[test]
    fn draws_follow_the_weights() {
        let table = AliasTable::new(&[1.0, 5.0, 0.5, 3.5]);
        let mut rng = stream(1, "test", 0);
        let mut counts = [0.0f64; 4];
        (0..100_000).for_each(|_| counts[table.draw(&mut rng)] += 1e-5);
        for (count, share) in counts.iter().zip([0.1, 0.5, 0.05, 0.35]) {
            assert!((count - share).abs() < 0.006, "{counts:?}");
        }
    }
}

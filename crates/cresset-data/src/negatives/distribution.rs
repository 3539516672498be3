//! How often each item is drawn.

use rand::Rng;

use super::NegativesError;
use crate::alias::AliasTable;
use crate::random::below;

/// Tries to draw a free item before the free ones are listed; with half of all draws free, one in 2^32 needs the list.
const MAX_TRIES: usize = 32;

/// A distribution over the items `0..n_items`, each with a chance above 0.
#[derive(Debug, Clone)]
pub struct ItemDistribution {
    n_items: usize,
    /// `None` where all items are alike.
    weighted: Option<Weighted>,
}

#[derive(Debug, Clone)]
struct Weighted {
    table: AliasTable,
    log_q: Vec<f32>,
}

impl ItemDistribution {
    /// All of `n_items` alike.
    ///
    /// # Panics
    ///
    /// If there is no item.
    pub fn uniform(n_items: usize) -> Self {
        assert!(n_items > 0, "there is an item to draw");
        Self { n_items, weighted: None }
    }

    /// In proportion to `counts` to the power `power`, `counts` being the training rows of each item.
    ///
    /// An item without a row counts as one with a single row, so that every item may be drawn and has a finite
    /// [`log_q`](Self::log_q). Power 1 is popularity itself; 0.75 is usual for softening it, and 0 is uniform.
    ///
    /// # Errors
    ///
    /// [`NegativesError::Power`] when the power is not from 0 to 8.
    ///
    /// # Panics
    ///
    /// If there is no item.
    pub fn popularity(counts: &[u32], power: f64) -> Result<Self, NegativesError> {
        assert!(!counts.is_empty(), "there is an item to draw");
        if !(0.0..=8.0).contains(&power) {
            return Err(NegativesError::Power { power });
        }
        let weights: Vec<f64> = counts.iter().map(|&count| f64::from(count.max(1)).powf(power)).collect();
        let ln_total = weights.iter().sum::<f64>().ln();
        let log_q = weights.iter().map(|weight| (weight.ln() - ln_total) as f32).collect();
        Ok(Self {
            n_items: counts.len(),
            weighted: Some(Weighted { table: AliasTable::new(&weights), log_q }),
        })
    }

    /// The number of items.
    pub fn n_items(&self) -> usize {
        self.n_items
    }

    /// The natural log of an item's chance to be the next draw, before any user's own items are left out.
    ///
    /// # Panics
    ///
    /// If `item` is not below [`n_items`](Self::n_items).
    pub fn log_q(&self, item: u32) -> f32 {
        assert!((item as usize) < self.n_items, "an item is below the number of items");
        match &self.weighted {
            Some(weighted) => weighted.log_q[item as usize],
            None => -(self.n_items as f64).ln() as f32,
        }
    }

    /// One item.
    pub fn draw(&self, rng: &mut impl Rng) -> u32 {
        match &self.weighted {
            Some(weighted) => weighted.table.draw(rng) as u32,
            None => below(self.n_items as u64, rng) as u32,
        }
    }

    /// One item that is not in `taken`, which ascends and does not hold all items; each of the others with its own
    /// chance, divided by that of all the others together.
    ///
    /// It ends however many items are taken: a uniform draw counts through the free items, a weighted one lists
    /// them after some tries in vain.
    ///
    /// # Panics
    ///
    /// If all items are taken.
    pub fn draw_free(&self, taken: &[u32], rng: &mut impl Rng) -> u32 {
        assert!(taken.len() < self.n_items, "an item is free");
        match &self.weighted {
            None => nth_free(taken, below((self.n_items - taken.len()) as u64, rng) as u32),
            Some(weighted) => weighted.draw_free(taken, rng),
        }
    }
}

impl Weighted {
    fn draw_free(&self, taken: &[u32], rng: &mut impl Rng) -> u32 {
        let is_free = |item: &u32| taken.binary_search(item).is_err();
        let tried = (0..MAX_TRIES).map(|_| self.table.draw(rng) as u32).find(is_free);
        tried.unwrap_or_else(|| self.draw_from_list(taken, rng))
    }

    /// The item at which the running sum of chances passes a uniform share of their total.
    fn draw_from_list(&self, taken: &[u32], rng: &mut impl Rng) -> u32 {
        let free = || {
            let mut taken = taken.iter().peekable();
            (0..self.log_q.len() as u32).filter(move |item| taken.next_if(|&taken| taken == item).is_none())
        };
        let heaviest = free().map(|item| self.log_q[item as usize]).fold(f32::NEG_INFINITY, f32::max);
        // Relative to the heaviest of them, so that none vanishes for being rare.
        let weight = |item: u32| f64::from(self.log_q[item as usize] - heaviest).exp();
        let unit = (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
        let mut left = unit * free().map(weight).sum::<f64>();
        let mut chosen = None;
        for item in free() {
            chosen = Some(item);
            left -= weight(item);
            if left < 0.0 {
                break;
            }
        }
        chosen.expect("an item is free")
    }
}

/// The free item with `rank` free ones below it, by bisection over `taken`, which ascends.
#[inline]
fn nth_free(taken: &[u32], rank: u32) -> u32 {
    // Below taken[k] there are taken[k] - k free items: find how many taken ones lie below the answer.
    let (mut low, mut high) = (0, taken.len());
    while low < high {
        let middle = low.midpoint(high);
        let is_below = taken[middle] - middle as u32 <= rank;
        (low, high) = if is_below { (middle + 1, high) } else { (low, middle) };
    }
    rank + low as u32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::random::stream;

    /// The share of each item among many draws that avoid `taken`.
    fn shares(items: &ItemDistribution, taken: &[u32]) -> Vec<f64> {
        let mut rng = stream(1, "test", 0);
        let mut shares = vec![0.0; items.n_items()];
        (0..100_000).for_each(|_| shares[items.draw_free(taken, &mut rng) as usize] += 1e-5);
        shares
    }

    fn check(found: &[f64], expected: &[f64]) {
        let is_near = |(found, expected): (&f64, &f64)| (found - expected).abs() < 0.006;
        assert!(found.iter().zip(expected).all(is_near), "{found:?}, expected {expected:?}");
    }

    #[test]
    fn free_items_are_counted_past_those_taken() {
        // Of 0 to 6 without 0, 3 and 4 there are 1, 2, 5, 6.
        let found: Vec<u32> = (0..4).map(|rank| nth_free(&[0, 3, 4], rank)).collect();
        assert_eq!(found, [1, 2, 5, 6]);
    }

    #[test]
    fn chances_are_those_of_the_counts_to_the_power() {
        // Counts 16, 1, 0 (as 1) and 81 to the power 1/2 are 4, 1, 1 and 9 of 15.
        let items = ItemDistribution::popularity(&[16, 1, 0, 81], 0.5).unwrap();
        let chances: Vec<f64> = (0..4).map(|item| f64::from(items.log_q(item)).exp()).collect();
        let expected = [4.0 / 15.0, 1.0 / 15.0, 1.0 / 15.0, 9.0 / 15.0];
        assert!(chances.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-6));
        check(&shares(&items, &[]), &expected);
        // Without item 3, shares of 6; and where only rare items are left, from the list.
        check(&shares(&items, &[3]), &[4.0 / 6.0, 1.0 / 6.0, 1.0 / 6.0, 0.0]);
    }

    #[test]
    fn power_0_is_uniform_with_the_same_log_q() {
        let (flat, uniform) =
            (ItemDistribution::popularity(&[7, 0, 3], 0.0).unwrap(), ItemDistribution::uniform(3));
        assert!((0..3).all(|item| (flat.log_q(item) - uniform.log_q(item)).abs() < 1e-6));
        assert!((uniform.log_q(2) - (1.0f32 / 3.0).ln()).abs() < 1e-6);
        check(&shares(&uniform, &[1]), &[0.5, 0.0, 0.5]);
    }

    #[test]
    fn where_nearly_all_that_is_drawn_is_taken_the_rest_keep_their_proportions() {
        // Item 0 has all but 2 in 10^9 of the draws, so every draw comes from the list.
        let items = ItemDistribution::popularity(&[2_000_000_000, 1, 3], 1.0).unwrap();
        check(&shares(&items, &[0]), &[0.0, 0.25, 0.75]);
    }

    #[test]
    fn a_power_out_of_range_is_refused() {
        for power in [-0.5, 9.0, f64::NAN] {
            assert!(matches!(ItemDistribution::popularity(&[1], power), Err(NegativesError::Power { .. })));
        }
    }

    proptest! {
        #[test]
        fn a_taken_item_is_never_drawn_and_the_last_free_one_is_found(
            counts in prop::collection::vec(0u32..1_000_000, 1..60), keep in any::<prop::sample::Index>(), seed: u64,
            taken in prop::collection::btree_set(0u32..60, 0..60), power in 0.0..2.0,
        ) {
            let n_items = counts.len() as u32;
            let spared = keep.index(counts.len()) as u32;
            let all_but_one: Vec<u32> = (0..n_items).filter(|&item| item != spared).collect();
            let some: Vec<u32> = taken.into_iter().filter(|&item| item < n_items && item != spared).collect();
            let both =
                [ItemDistribution::uniform(counts.len()), ItemDistribution::popularity(&counts, power).unwrap()];
            for items in both {
                let mut rng = stream(seed, "test", 0);
                prop_assert_eq!(items.draw_free(&all_but_one, &mut rng), spared);
                for _ in 0..20 {
                    let item = items.draw_free(&some, &mut rng);
                    prop_assert!(item < n_items && some.binary_search(&item).is_err());
                    prop_assert!(items.draw(&mut rng) < n_items);
                }
            }
        }
    }
}

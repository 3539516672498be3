//! What a hit is worth at each position.

use std::sync::LazyLock;

/// Positions whose discount is kept; those beyond, which few cut-offs reach, are computed.
const KEPT: usize = 1_024;

struct Table {
    /// Of each position.
    discounts: Vec<f64>,
    /// Of the first n positions together, for n from 0.
    sums: Vec<f64>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let discounts: Vec<f64> = (0..KEPT).map(compute).collect();
    let mut sums = vec![0.0];
    for (n, discount) in discounts.iter().enumerate() {
        sums.push(sums[n] + discount);
    }
    Table { discounts, sums }
});

fn compute(position: usize) -> f64 {
    ((position + 2) as f64).log2().recip()
}

/// What a hit at this position (from 0) is worth.
pub(crate) fn discount(position: usize) -> f64 {
    TABLE.discounts.get(position).copied().unwrap_or_else(|| compute(position))
}

/// The gain of `n_hits` hits at the top, added from the first to the last.
pub(crate) fn ideal_dcg(n_hits: usize) -> f64 {
    match TABLE.sums.get(n_hits) {
        Some(&sum) => sum,
        None => (KEPT..n_hits).fold(TABLE.sums[KEPT], |sum, position| sum + compute(position)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_hit_is_worth_1_and_the_third_one_half() {
        assert_eq!((discount(0), discount(2)), (1.0, 0.5));
        assert_eq!(ideal_dcg(0), 0.0);
        assert_eq!(ideal_dcg(2), 1.0 + 3.0_f64.log2().recip());
    }

    #[test]
    fn what_is_kept_and_what_is_computed_have_the_same_bits() {
        for n in [1, KEPT - 1, KEPT, KEPT + 1, 3 * KEPT] {
            assert_eq!(discount(n), compute(n));
            assert_eq!(ideal_dcg(n), (0..n).fold(0.0, |sum, position| sum + compute(position)));
        }
    }
}

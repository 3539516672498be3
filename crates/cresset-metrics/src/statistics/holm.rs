//! Several tests at once.

/// Holm's adjusted p-values, in the order given: how likely it is that a family of true null hypotheses shows
/// even one result as extreme.
///
/// The smallest of `n` is multiplied by `n`, the next by `n - 1` and so on; none falls below one that was
/// smaller before, and none exceeds 1. Rejecting what stays below 0.05 errs at all with a chance of at most
/// 0.05, however the tests depend on one another.
///
/// ```
/// let adjusted = cresset_metrics::statistics::holm(&[0.5, 0.125, 0.25]);
/// assert_eq!(adjusted, [0.5, 0.375, 0.5]);
/// ```
///
/// # Source
///
/// Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6(2),
/// 1979, <https://www.jstor.org/stable/4615733>.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut adjusted = vec![0.0; p_values.len()];
    let mut largest = 0.0_f64;
    for (rank, &test) in order.iter().enumerate() {
        let n_left = (p_values.len() - rank) as f64;
        largest = largest.max((p_values[test] * n_left).min(1.0));
        adjusted[test] = largest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn four_p_values_are_adjusted_as_worked_out_by_hand() {
        // Rising: 0.01 x 4 = 0.04, 0.02 x 3 = 0.06, 0.03 x 2 = 0.06, 0.9 x 1.
        let close = |found: &[f64], expected: &[f64]| {
            found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-15)
        };
        assert!(close(&holm(&[0.03, 0.01, 0.9, 0.02]), &[0.06, 0.04, 0.9, 0.06]));
        assert!(close(&holm(&[0.04, 0.03]), &[0.06, 0.06]));
    }

    #[test]
    fn one_test_needs_no_correction_and_none_has_none() {
        assert_eq!(holm(&[0.3]), [0.3]);
        assert!(holm(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn adjusted_values_keep_their_order_and_lie_between_the_raw_ones_and_bonferroni(
            p_values in prop::collection::vec(0.0_f64..=1.0, 1..20),
        ) {
            let adjusted = holm(&p_values);
            for (raw, adjusted) in p_values.iter().zip(&adjusted) {
                prop_assert!(raw <= adjusted && *adjusted <= (raw * p_values.len() as f64).min(1.0));
            }
            let mut order: Vec<usize> = (0..p_values.len()).collect();
            order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
            prop_assert!(order.is_sorted_by(|&a, &b| adjusted[a] <= adjusted[b]));
        }
    }
}

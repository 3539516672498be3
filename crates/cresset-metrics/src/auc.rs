//! How well scores tell two classes apart.

use std::cmp::Ordering;

use crate::MetricError;
use crate::rating::check_finite;

/// Chance that a random positive scores above a random negative, where a tie counts one half.
///
/// This is the area under the ROC curve of one pool of scores. The keys `auc` and `gauc` are means of such
/// chances over users, which leave differences between users out; see
/// [`RelevantRanks::auc`](crate::RelevantRanks::auc).
///
/// ```
/// // Of four pairs the positives win three and tie in one.
/// let auc = cresset_metrics::auc(&[0.9, 0.5, 0.5, 0.1], &[true, true, false, false])?;
/// assert_eq!(auc, 3.5 / 4.0);
/// # Ok::<(), cresset_metrics::MetricError>(())
/// ```
///
/// # Shapes
///
/// - scores, labels: `[n]`, paired by position; a label says whether the score is a positive's
///
/// # Errors
///
/// If the lengths differ, there is no pair, a score is NaN or infinite, or one class is missing
/// ([`MetricError::Undefined`]).
///
/// # Source
///
/// Hanley and McNeil, Radiology 143(1), 1982, <https://doi.org/10.1148/radiology.143.1.7063747>.
pub fn auc(scores: &[f32], labels: &[bool]) -> Result<f64, MetricError> {
    if scores.len() != labels.len() {
        return Err(MetricError::LengthMismatch { targets: labels.len(), predictions: scores.len() });
    }
    if scores.is_empty() {
        return Err(MetricError::Empty);
    }
    check_finite("score", scores)?;
    let n_positives = labels.iter().filter(|&&label| label).count();
    let n_negatives = labels.len() - n_positives;
    if n_positives == 0 || n_negatives == 0 {
        let missing = if n_positives == 0 { "positive" } else { "negative" };
        let reason = format!("none of the {} labels is {missing}", labels.len());
        return Err(MetricError::Undefined { metric: "auc", reason });
    }
    let mut rising: Vec<(f32, bool)> = scores.iter().copied().zip(labels.iter().copied()).collect();
    rising.sort_unstable_by(|a, b| a.0.partial_cmp(&b.0).unwrap_or(Ordering::Equal));
    // Halves of pairs, so that all sums are whole numbers.
    let (mut won_halves, mut negatives_below) = (0_u128, 0);
    for tied in rising.chunk_by(|a, b| a.0 == b.0) {
        let positives = tied.iter().filter(|(_, label)| *label).count();
        let negatives = tied.len() - positives;
        won_halves += positives as u128 * (2 * negatives_below + negatives) as u128;
        negatives_below += negatives;
    }
    Ok(won_halves as f64 / (2 * n_positives as u128 * n_negatives as u128) as f64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn positives_above_all_negatives_score_1_below_them_0_and_tied_with_them_one_half() {
        let labels = [true, false, false];
        assert_eq!(auc(&[3.0, 2.0, 1.0], &labels), Ok(1.0));
        assert_eq!(auc(&[0.0, 2.0, 1.0], &labels), Ok(0.0));
        assert_eq!(auc(&[7.0; 3], &labels), Ok(0.5));
        assert_eq!(auc(&[0.0, -0.0], &[true, false]), Ok(0.5));
    }

    #[test]
    fn a_missing_class_leaves_it_undefined_with_the_reason() {
        let reason = |label| auc(&[1.0, 2.0], &[label; 2]).unwrap_err().to_string();
        assert_eq!(reason(true), "auc is undefined: none of the 2 labels is negative");
        assert_eq!(reason(false), "auc is undefined: none of the 2 labels is positive");
    }

    #[test]
    fn bad_input_is_an_error() {
        assert_eq!(auc(&[], &[]), Err(MetricError::Empty));
        assert!(matches!(auc(&[1.0], &[true, false]), Err(MetricError::LengthMismatch { .. })));
        let nan = auc(&[1.0, f32::NAN], &[true, false]);
        assert!(matches!(nan, Err(MetricError::NotFinite { index: 1, .. })));
    }

    proptest! {
        #[test]
        fn it_is_the_share_of_pairs_that_are_won(
            pairs in prop::collection::vec((-4_i8..4, any::<bool>()), 1..40),
        ) {
            let scores: Vec<f32> = pairs.iter().map(|pair| f32::from(pair.0)).collect();
            let labels: Vec<bool> = pairs.iter().map(|pair| pair.1).collect();
            let of_class = |class| pairs.iter().filter(move |pair| pair.1 == class).map(|pair| pair.0);
            let n_pairs = of_class(true).count() * of_class(false).count();
            prop_assume!(n_pairs > 0);
            let duel = |a: i8, b: i8| if a > b { 1.0 } else if a == b { 0.5 } else { 0.0 };
            let won: f64 =
                of_class(true).map(|p| of_class(false).map(|n| duel(p, n)).sum::<f64>()).sum();
            let expected = won / n_pairs as f64;
            prop_assert_eq!(auc(&scores, &labels), Ok(expected));
        }
    }
}

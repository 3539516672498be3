//! How far predicted ratings are from given ones.

use crate::key::{Metric, MetricKey, Parameter};
use crate::row::first_not_finite;
use crate::{MetricError, Metrics};

/// Mean squared error, in squared units of the rating scale.
///
/// All rating metrics sum in `f64` from the first pair to the last, so a result is the same on every
/// run and thread count.
///
/// # Shapes
///
/// - targets, predictions: `[n]`, paired by position
///
/// # Errors
///
/// If the lengths differ, there is no pair, or a value is NaN or infinite.
pub fn mse(targets: &[f32], predictions: &[f32]) -> Result<f64, MetricError> {
    check_pairs(targets, predictions)?;
    Ok(squared_error(targets, predictions) / targets.len() as f64)
}

/// Root of the mean squared error, in units of the rating scale.
///
/// # Errors
///
/// As [`mse`].
pub fn rmse(targets: &[f32], predictions: &[f32]) -> Result<f64, MetricError> {
    mse(targets, predictions).map(f64::sqrt)
}

/// Mean absolute error, in units of the rating scale.
///
/// # Errors
///
/// As [`mse`].
pub fn mae(targets: &[f32], predictions: &[f32]) -> Result<f64, MetricError> {
    check_pairs(targets, predictions)?;
    let total: f64 = errors(targets, predictions).map(f64::abs).sum();
    Ok(total / targets.len() as f64)
}

/// Share of the targets' variance that the predictions explain: 1 is perfect, 0 is as good as the targets'
/// mean, and below 0 is worse than it.
///
/// # Errors
///
/// As [`mse`], and [`MetricError::Undefined`] if all targets are equal: there is no variance to explain.
pub fn r2(targets: &[f32], predictions: &[f32]) -> Result<f64, MetricError> {
    check_pairs(targets, predictions)?;
    // Asked of the values, not of their variance: the rounded mean of equal values may differ from them.
    if targets.iter().all(|&target| target == targets[0]) {
        let reason = format!("all {} targets equal {}, which leaves no variance", targets.len(), targets[0]);
        return Err(MetricError::Undefined { metric: "r2", reason });
    }
    let mean = targets.iter().map(|&target| f64::from(target)).sum::<f64>() / targets.len() as f64;
    let variation: f64 = targets.iter().map(|&target| (f64::from(target) - mean).powi(2)).sum();
    Ok(1.0 - squared_error(targets, predictions) / variation)
}

/// Mean absolute error in percent of the target: `100 mean(|e| / (|target| + 1e-8))`.
///
/// The 1e-8 keeps a target of 0 finite and makes its term huge: on scales that hold 0 prefer [`mae`].
///
/// # Errors
///
/// As [`mse`].
pub fn mape(targets: &[f32], predictions: &[f32]) -> Result<f64, MetricError> {
    mean_percent(targets, predictions, |target, prediction| {
        (prediction - target).abs() / (target.abs() + NOT_ZERO)
    })
}

/// Symmetric mean absolute error in percent: `100 mean(2 |e| / (|target| + |prediction| + 1e-8))`, from 0 to
/// 200.
///
/// # Errors
///
/// As [`mse`].
pub fn smape(targets: &[f32], predictions: &[f32]) -> Result<f64, MetricError> {
    mean_percent(targets, predictions, |target, prediction| {
        2.0 * (prediction - target).abs() / (target.abs() + prediction.abs() + NOT_ZERO)
    })
}

/// Share of the predictions that are within `tolerance` of their target, the tolerance itself included.
///
/// # Errors
///
/// As [`mse`], and if the tolerance is negative, NaN or infinite.
pub fn accuracy_within(targets: &[f32], predictions: &[f32], tolerance: f64) -> Result<f64, MetricError> {
    if !(tolerance.is_finite() && tolerance >= 0.0) {
        return Err(MetricError::BadTolerance { value: tolerance });
    }
    check_pairs(targets, predictions)?;
    let within = errors(targets, predictions).filter(|error| error.abs() <= tolerance).count();
    Ok(within as f64 / targets.len() as f64)
}

/// The rating metrics of `keys` in their order; one that is undefined is null with its reason, and the others
/// stand.
///
/// ```
/// use cresset_metrics::{expand_keys, rating_metrics};
///
/// let keys = expand_keys(&["rmse", "r2", "accuracy@1"], &[])?;
/// let metrics = rating_metrics(&keys, &[4.0, 4.0], &[3.0, 4.0])?;
/// assert_eq!(metrics.get("rmse"), Some(0.5_f64.sqrt()));
/// assert_eq!(metrics.reason("r2"), Some("all 2 targets equal 4, which leaves no variance"));
/// assert_eq!(metrics.get("accuracy@1"), Some(1.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// As [`mse`], and if a key belongs to another family than [`Family::Rating`](crate::Family::Rating).
pub fn rating_metrics(
    keys: &[MetricKey],
    targets: &[f32],
    predictions: &[f32],
) -> Result<Metrics, MetricError> {
    let mut metrics = Metrics::new();
    for key in keys {
        let result = match (key.metric(), key.parameter()) {
            (Metric::Mse, _) => mse(targets, predictions),
            (Metric::Rmse, _) => rmse(targets, predictions),
            (Metric::Mae, _) => mae(targets, predictions),
            (Metric::R2, _) => r2(targets, predictions),
            (Metric::Mape, _) => mape(targets, predictions),
            (Metric::Smape, _) => smape(targets, predictions),
            (Metric::Accuracy, Parameter::Tolerance(t)) => accuracy_within(targets, predictions, t),
            _ => return Err(MetricError::WrongFamily { key: key.to_string(), expected: "of ratings" }),
        };
        metrics.insert_result(key.to_string(), result)?;
    }
    Ok(metrics)
}

/// Added to what percentages divide by, so that a rating of 0 leaves them finite.
const NOT_ZERO: f64 = 1e-8;

fn mean_percent(
    targets: &[f32],
    predictions: &[f32],
    share: impl Fn(f64, f64) -> f64,
) -> Result<f64, MetricError> {
    check_pairs(targets, predictions)?;
    let pairs = targets.iter().zip(predictions);
    let total: f64 = pairs.map(|(&target, &prediction)| share(target.into(), prediction.into())).sum();
    Ok(100.0 * total / targets.len() as f64)
}

fn errors(targets: &[f32], predictions: &[f32]) -> impl Iterator<Item = f64> {
    targets.iter().zip(predictions).map(|(&target, &prediction)| f64::from(prediction) - f64::from(target))
}

fn squared_error(targets: &[f32], predictions: &[f32]) -> f64 {
    errors(targets, predictions).map(|error| error * error).sum()
}

fn check_pairs(targets: &[f32], predictions: &[f32]) -> Result<(), MetricError> {
    if targets.len() != predictions.len() {
        let (targets, predictions) = (targets.len(), predictions.len());
        return Err(MetricError::LengthMismatch { targets, predictions });
    }
    if targets.is_empty() {
        return Err(MetricError::Empty);
    }
    check_finite("target", targets)?;
    check_finite("prediction", predictions)
}

/// The first value that is NaN or infinite, as an error; `what` names the slice.
pub(crate) fn check_finite(what: &'static str, values: &[f32]) -> Result<(), MetricError> {
    match first_not_finite(values) {
        Some(index) => Err(MetricError::NotFinite { what, index, value: values[index] }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::expand_keys;

    const TARGETS: [f32; 4] = [3.0, 5.0, 1.0, 3.0];
    const PREDICTIONS: [f32; 4] = [4.0, 3.0, 1.0, 3.0];

    #[test]
    fn errors_of_one_and_two_over_four_pairs_give_the_metrics_worked_out_by_hand() {
        // Squared errors 1 + 4 over 4 pairs; the targets' mean is 3, their variation 4 + 4.
        assert_eq!(mse(&TARGETS, &PREDICTIONS), Ok(1.25));
        assert_eq!(rmse(&TARGETS, &PREDICTIONS), Ok(1.25_f64.sqrt()));
        assert_eq!(mae(&TARGETS, &PREDICTIONS), Ok(0.75));
        assert_eq!(r2(&TARGETS, &PREDICTIONS), Ok(1.0 - 5.0 / 8.0));
    }

    #[test]
    fn predicting_the_mean_has_an_r2_of_zero() {
        assert_eq!(r2(&TARGETS, &[3.0; 4]), Ok(0.0));
    }

    #[test]
    fn r2_of_equal_targets_is_undefined_even_where_their_rounded_mean_differs_from_them() {
        for n in 1..50 {
            let targets = vec![0.1_f32; n];
            assert!(matches!(
                r2(&targets, &vec![0.5; n]),
                Err(MetricError::Undefined { metric: "r2", reason }) if reason.contains("equal 0.1")
            ));
        }
    }

    #[test]
    fn an_undefined_r2_is_null_and_leaves_the_others_standing() {
        let keys = expand_keys(&["r2", "rmse"], &[]).unwrap();
        let metrics = rating_metrics(&keys, &[2.0, 2.0], &[1.0, 3.0]).unwrap();
        assert_eq!(metrics.get("rmse"), Some(1.0));
        assert_eq!(metrics.get("r2"), None);
        assert!(metrics.reason("r2").unwrap().contains("no variance"));
    }

    #[test]
    fn percentages_of_the_same_pairs_are_those_worked_out_by_hand() {
        // Of the targets 1/3, 2/5, 0 and 0; of the means of both 2/7, 4/8, 0 and 0.
        let close = |value: Result<f64, MetricError>, expected: f64| {
            assert!((value.unwrap() - expected).abs() < 1e-6, "{expected}");
        };
        close(mape(&TARGETS, &PREDICTIONS), 100.0 * (1.0 / 3.0 + 2.0 / 5.0) / 4.0);
        close(smape(&TARGETS, &PREDICTIONS), 100.0 * (2.0 / 7.0 + 4.0 / 8.0) / 4.0);
    }

    #[test]
    fn a_target_of_zero_leaves_the_percentages_finite() {
        assert!(mape(&[0.0], &[1.0]).unwrap().is_finite());
        assert_eq!(smape(&[0.0], &[0.0]), Ok(0.0));
    }

    #[test]
    fn a_prediction_exactly_at_the_tolerance_is_within_it() {
        assert_eq!(accuracy_within(&TARGETS, &PREDICTIONS, 1.0), Ok(0.75));
        assert_eq!(accuracy_within(&TARGETS, &PREDICTIONS, 0.5), Ok(0.5));
        assert_eq!(accuracy_within(&TARGETS, &PREDICTIONS, 2.0), Ok(1.0));
    }

    #[test]
    fn a_tolerance_that_is_no_length_is_an_error() {
        for value in [-0.5, f64::INFINITY] {
            let error = accuracy_within(&TARGETS, &PREDICTIONS, value);
            assert_eq!(error, Err(MetricError::BadTolerance { value }));
        }
        assert!(accuracy_within(&TARGETS, &PREDICTIONS, f64::NAN).is_err());
    }

    #[test]
    fn a_ranking_key_among_rating_keys_is_an_error_that_names_it() {
        let keys = expand_keys(&["rmse", "ndcg@10"], &[]).unwrap();
        let error = rating_metrics(&keys, &TARGETS, &PREDICTIONS).unwrap_err();
        assert!(error.to_string().starts_with("metric \"ndcg@10\" is not one of ratings"), "{error}");
    }

    #[test]
    fn the_error_of_all_pairs_is_not_the_mean_of_the_errors_of_two_workers() {
        // Each worker's rmse is right for its pairs; their mean is no rmse, nor is their mean r2 an r2.
        let (near, far) = (rmse(&[1.0, 1.0], &[1.0, 1.0]).unwrap(), rmse(&[1.0, 1.0], &[3.0, 3.0]).unwrap());
        let all = rmse(&[1.0; 4], &[1.0, 1.0, 3.0, 3.0]).unwrap();
        assert_eq!((near + far) / 2.0, 1.0);
        assert_eq!(all, 2.0_f64.sqrt());
    }

    #[test]
    fn lengths_that_differ_are_an_error_with_both_sides() {
        let error = mae(&[1.0, 2.0], &[1.0]).unwrap_err();
        assert_eq!(error, MetricError::LengthMismatch { targets: 2, predictions: 1 });
        assert!(error.to_string().contains("2 targets but 1 predictions"));
    }

    #[test]
    fn no_pairs_are_an_error() {
        assert_eq!(rmse(&[], &[]), Err(MetricError::Empty));
    }

    #[test]
    fn a_nan_target_and_an_infinite_prediction_are_errors_with_their_index() {
        let nan = mse(&[1.0, f32::NAN], &[1.0, 1.0]).unwrap_err();
        assert_eq!(nan.to_string(), "target 1 is NaN, expected a finite number");
        let infinite = r2(&[1.0, 2.0], &[f32::NEG_INFINITY, 1.0]).unwrap_err();
        assert_eq!(infinite.to_string(), "prediction 0 is -inf, expected a finite number");
    }

    #[test]
    fn the_largest_floats_do_not_overflow() {
        assert!(mse(&[f32::MAX], &[f32::MIN]).unwrap().is_finite());
    }

    proptest! {
        #[test]
        fn mae_never_exceeds_rmse_and_a_common_shift_changes_neither(
            pairs in prop::collection::vec((-80_i16..80, -80_i16..80), 1..40),
        ) {
            // Quarters are exact in f32, so a shift is too.
            let quarters = |value: i16| f32::from(value) * 0.25;
            let targets: Vec<f32> = pairs.iter().map(|pair| quarters(pair.0)).collect();
            let predictions: Vec<f32> = pairs.iter().map(|pair| quarters(pair.1)).collect();
            let shifted = |values: &[f32]| values.iter().map(|value| value + 64.0).collect::<Vec<f32>>();
            prop_assert!(mae(&targets, &predictions).unwrap() <= rmse(&targets, &predictions).unwrap() + 1e-12);
            prop_assert_eq!(mse(&shifted(&targets), &shifted(&predictions)), mse(&targets, &predictions));
            prop_assert_eq!(mae(&shifted(&targets), &shifted(&predictions)), mae(&targets, &predictions));
        }
    }
}

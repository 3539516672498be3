//! How far predicted ratings are from given ones.

use crate::{MetricError, Metrics};

/// Mean squared error, in squared units of the rating scale.
///
/// All four rating metrics sum in `f64` from the first pair to the last, so a result is the same on every
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

/// All four under their keys; one that is undefined is null with its reason, and the others stand.
///
/// # Errors
///
/// As [`mse`].
pub fn rating_metrics(targets: &[f32], predictions: &[f32]) -> Result<Metrics, MetricError> {
    let mut metrics = Metrics::new();
    metrics.insert("mse", mse(targets, predictions)?);
    metrics.insert("rmse", rmse(targets, predictions)?);
    metrics.insert("mae", mae(targets, predictions)?);
    metrics.insert_result("r2", r2(targets, predictions))?;
    Ok(metrics)
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
    // One pass without an early exit: it is the common way, and the compiler can do many values at once.
    let broken = values.iter().fold(false, |broken, value| broken | !value.is_finite());
    if !broken {
        return Ok(());
    }
    match values.iter().position(|value| !value.is_finite()) {
        Some(index) => Err(MetricError::NotFinite { what, index, value: values[index] }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
        let metrics = rating_metrics(&[2.0, 2.0], &[1.0, 3.0]).unwrap();
        assert_eq!(metrics.get("rmse"), Some(1.0));
        assert_eq!(metrics.get("r2"), None);
        assert!(metrics.reason("r2").unwrap().contains("no variance"));
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

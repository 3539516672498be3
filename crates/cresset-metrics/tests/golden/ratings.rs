//! Rating metrics beside scikit-learn's.

use cresset_metrics::{MetricError, mae, mape, mse, r2, rmse};
use serde::Deserialize;

use crate::{ByKey, cases, check_close};

#[derive(Deserialize)]
struct Case {
    name: String,
    targets: Vec<f32>,
    predictions: Vec<f32>,
    expected: ByKey<f64>,
}

fn metric(key: &str, targets: &[f32], predictions: &[f32]) -> Result<f64, MetricError> {
    match key {
        "mse" => mse(targets, predictions),
        "rmse" => rmse(targets, predictions),
        "mae" => mae(targets, predictions),
        "mape" => mape(targets, predictions),
        "r2" => r2(targets, predictions),
        other => panic!("no metric is named {other}"),
    }
}

#[test]
fn rating_metrics_are_those_of_scikit_learn() {
    for Case { name, targets, predictions, expected } in cases(include_str!("ratings.json")) {
        for (key, expected) in &expected {
            check_close(&name, key, metric(key, &targets, &predictions).unwrap(), *expected);
        }
        // Where the targets are equal scikit-learn has a warning and a made-up number; ours is undefined.
        let undefined = matches!(r2(&targets, &predictions), Err(MetricError::Undefined { .. }));
        assert_eq!(undefined, !expected.contains_key("r2"), "{name}");
    }
}

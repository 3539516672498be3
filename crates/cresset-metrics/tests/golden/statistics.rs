//! P-values and intervals beside `SciPy`'s.

use cresset_metrics::statistics::{Bootstrap, PairedTest, UserMetric, UserStatistic};
use serde::Deserialize;

use crate::{cases, check_close};

#[derive(Deserialize)]
struct Permutation {
    name: String,
    differences: Vec<f64>,
    p_value: f64,
}

#[derive(Deserialize)]
struct Resampled {
    name: String,
    level: f64,
    values: Vec<f64>,
    standard_error: f64,
    low: f64,
    high: f64,
}

#[test]
fn exact_p_values_are_those_of_permutation_test() {
    for Permutation { name, differences, p_value } in cases(include_str!("permutations.json")) {
        let users: Vec<u32> = (0..differences.len() as u32).collect();
        let nothing = vec![0.0; differences.len()];
        let metric =
            |values| [UserMetric { key: "m", users: &users, statistic: UserStatistic::Mean(values) }];
        let compared = PairedTest::default().compare(&metric(&nothing), &metric(&differences)).unwrap();
        check_close(&name, "p_value", compared.metrics[0].p_value, p_value);
    }
}

#[test]
fn percentile_intervals_are_those_of_bootstrap_but_for_the_chance_of_their_draws() {
    let settings = Bootstrap { n_resamples: 50_000, ..Bootstrap::default() };
    for Resampled { name, level, values, standard_error, low, high } in cases(include_str!("bootstraps.json"))
    {
        let settings = Bootstrap { level, ..settings };
        let interval = settings.interval(&UserStatistic::Mean(&values)).unwrap();
        // An end is a quantile of 50,000 draws, SciPy's of 200,000: at 95% its own standard error is 0.013 of that
        // of the mean. The means of hits come in steps of 1/40, and an end may fall on either side of one.
        let step =
            if values.iter().all(|value| value.fract() == 0.0) { 1.0 / values.len() as f64 } else { 0.0 };
        for (found, expected) in [(interval.low, low), (interval.high, high)] {
            let error = (found - expected).abs();
            assert!(error <= 0.05 * standard_error + step, "{name}: {found}, expected {expected}");
        }
    }
}

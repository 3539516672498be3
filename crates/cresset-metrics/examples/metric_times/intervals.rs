//! Intervals and comparisons of ten metrics of as many users as MovieLens 20M has.

use cresset_metrics::Metrics;
use cresset_metrics::statistics::{Bootstrap, PairedTest, UserMetric, UserStatistic};

use crate::inputs::hashed;
use crate::{Options, Outcome};

const USERS: u32 = 138_493;
const METRICS: u32 = 10;

pub(crate) fn run(options: &Options) -> Outcome {
    let users: Vec<u32> = (0..USERS).collect();
    let keys: Vec<String> = (0..METRICS).map(|metric| format!("metric_{metric}")).collect();
    let (baseline, candidate) = (columns(0), columns(1_000));
    let statistics: Vec<_> = baseline.iter().map(|values| UserStatistic::Mean(values)).collect();
    options.measure(&format!("bootstrap of {USERS}x{METRICS}"), || {
        let mut ends = Metrics::new();
        for (key, interval) in keys.iter().zip(Bootstrap::default().intervals(&statistics)?) {
            ends.insert(format!("{key}, low"), interval.low);
            ends.insert(format!("{key}, high"), interval.high);
        }
        Ok(ends)
    })?;

    let baseline = with_keys(&keys, &users, &baseline);
    let candidate = with_keys(&keys, &users, &candidate);
    options.measure(&format!("comparison of {USERS}x{METRICS}"), || {
        let mut p_values = Metrics::new();
        for metric in PairedTest::default().compare(&baseline, &candidate)?.metrics {
            p_values.insert(metric.key, metric.p_value);
        }
        Ok(p_values)
    })?;
    options.report_peak_memory();
    Ok(())
}

/// Values between 0 and 1, half of them 0, as metrics of single users are.
fn columns(salt: u32) -> Vec<Vec<f64>> {
    let value = |user: u32, metric: u32| {
        let word = hashed(user ^ (salt + metric) << 20);
        if word & 1 == 0 { 0.0 } else { f64::from(word >> 8) / 16_777_216.0 }
    };
    (0..METRICS).map(|metric| (0..USERS).map(|user| value(user, metric)).collect()).collect()
}

fn with_keys<'a>(keys: &'a [String], users: &'a [u32], columns: &'a [Vec<f64>]) -> Vec<UserMetric<'a>> {
    let metric = |(key, values): (&'a String, &'a Vec<f64>)| UserMetric {
        key,
        users,
        statistic: UserStatistic::Mean(values),
    };
    keys.iter().zip(columns).map(metric).collect()
}

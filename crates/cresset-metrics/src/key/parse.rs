//! Reading keys, with an answer for each way to misspell one.

use super::{Direction, Metric, MetricKey, Parameter, Takes};

/// The tolerance, in stars, of `accuracy` without one.
const USUAL_TOLERANCE: f64 = 0.5;

/// A metric key that nobody computes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetricKeyError {
    /// The name is not known.
    #[error("unknown metric \"{key}\", {}known are {}", did_you_mean(nearest.as_deref()), known_names())]
    Unknown {
        /// The key as written.
        key: String,
        /// The key that is spelt most alike, if one is near.
        nearest: Option<String>,
    },
    /// A metric of the top k without its cut-off.
    #[error("metric \"{key}\" lacks its cut-off, write \"{key}@10\" for the top 10")]
    MissingCutoff {
        /// The key as written.
        key: String,
    },
    /// A metric that takes nothing, with something behind an `@`.
    #[error("metric \"{key}\" takes no cut-off, write \"{name}\"")]
    UnexpectedCutoff {
        /// The key as written.
        key: String,
        /// The metric's name.
        name: &'static str,
    },
    /// A cut-off that is no whole number from 1 up.
    #[error(
        "metric \"{key}\" has the cut-off \"{cutoff}\", expected a whole number from 1 up, as in \"{name}@10\""
    )]
    BadCutoff {
        /// The key as written.
        key: String,
        /// The metric's name.
        name: &'static str,
        /// What stands behind the `@`.
        cutoff: String,
    },
    /// A tolerance that is no number from 0 up.
    #[error(
        "metric \"{key}\" has the tolerance \"{tolerance}\", expected a number of stars from 0 up in its \
         shortest spelling, as in \"{name}@0.5\""
    )]
    BadTolerance {
        /// The key as written.
        key: String,
        /// The metric's name.
        name: &'static str,
        /// What stands behind the `@`.
        tolerance: String,
    },
}

/// Reads a metric key such as `rmse`, `ndcg@10` or `accuracy@0.5`.
///
/// A key prints as it was read, so that a result is found under the key that was asked for. The one
/// exception is `accuracy`, which is short for `accuracy@0.5` and prints so.
///
/// # Errors
///
/// If the name is unknown (the nearest known one is suggested), a cut-off is missing or not wanted, or what
/// stands behind the `@` is not a whole number from 1 up (a cut-off) or a number from 0 up (a tolerance).
pub fn parse_key(key: &str) -> Result<MetricKey, MetricKeyError> {
    let (name, behind) = match key.split_once('@') {
        Some((name, behind)) => (name, Some(behind)),
        None => (key, None),
    };
    let Some(metric) = named(name) else {
        return Err(MetricKeyError::Unknown { key: key.to_owned(), nearest: nearest(name, behind) });
    };
    let parameter = match (metric.takes(), behind) {
        (Takes::Nothing, None) => Parameter::Nothing,
        (Takes::Nothing, Some(_)) => {
            return Err(MetricKeyError::UnexpectedCutoff { key: key.to_owned(), name: metric.name() });
        }
        (Takes::Cutoff, None) => return Err(MetricKeyError::MissingCutoff { key: key.to_owned() }),
        (Takes::Cutoff, Some(cutoff)) => Parameter::Cutoff(parse_cutoff(key, metric.name(), cutoff)?),
        (Takes::Tolerance, None) => Parameter::Tolerance(USUAL_TOLERANCE),
        (Takes::Tolerance, Some(tolerance)) => {
            Parameter::Tolerance(parse_tolerance(key, metric.name(), tolerance)?)
        }
    };
    Ok(MetricKey { metric, parameter })
}

/// Which way the metric of this key improves; none for a key that [`parse_key`] refuses.
pub fn direction(key: &str) -> Option<Direction> {
    parse_key(key).ok().map(|key| key.direction())
}

/// The keys that a config means by `names` and the cut-offs `ks`, in order and each once.
///
/// A bare name that takes a cut-off becomes one key for each of `ks`; whatever is complete stays as it is.
///
/// ```
/// let keys = cresset_metrics::expand_keys(&["rmse", "ndcg", "recall@50"], &[5, 10])?;
/// let spelt: Vec<String> = keys.iter().map(ToString::to_string).collect();
/// assert_eq!(spelt, ["rmse", "ndcg@5", "ndcg@10", "recall@50"]);
/// # Ok::<(), cresset_metrics::MetricKeyError>(())
/// ```
///
/// # Errors
///
/// As [`parse_key`]; a bare name without any cut-off in `ks`, and a cut-off of 0.
pub fn expand_keys<S: AsRef<str>>(names: &[S], ks: &[usize]) -> Result<Vec<MetricKey>, MetricKeyError> {
    let mut keys = Vec::new();
    let mut add = |key: MetricKey| {
        if !keys.contains(&key) {
            keys.push(key);
        }
    };
    for name in names.iter().map(AsRef::as_ref) {
        if named(name).is_some_and(|metric| metric.takes() == Takes::Cutoff) && !ks.is_empty() {
            for k in ks {
                add(parse_key(&format!("{name}@{k}"))?);
            }
        } else {
            add(parse_key(name)?);
        }
    }
    Ok(keys)
}

fn named(name: &str) -> Option<Metric> {
    Metric::ALL.into_iter().find(|metric| metric.name() == name)
}

fn parse_cutoff(key: &str, name: &'static str, cutoff: &str) -> Result<usize, MetricKeyError> {
    match cutoff.parse::<usize>() {
        // Only the spelling that is printed again, or a result could not be found under its key.
        Ok(k) if k > 0 && k.to_string() == cutoff => Ok(k),
        _ => Err(MetricKeyError::BadCutoff { key: key.to_owned(), name, cutoff: cutoff.to_owned() }),
    }
}

fn parse_tolerance(key: &str, name: &'static str, tolerance: &str) -> Result<f64, MetricKeyError> {
    match tolerance.parse::<f64>() {
        // As for a cut-off; a sign keeps out -0, too.
        Ok(value) if value.is_finite() && value.is_sign_positive() && value.to_string() == tolerance => {
            Ok(value)
        }
        _ => {
            let (key, tolerance) = (key.to_owned(), tolerance.to_owned());
            Err(MetricKeyError::BadTolerance { key, name, tolerance })
        }
    }
}

fn nearest(name: &str, behind: Option<&str>) -> Option<String> {
    const ALIKE: f64 = 0.7;
    let name = name.to_lowercase();
    let likeness = |metric: &Metric| strsim::jaro_winkler(&name, metric.name());
    let best = Metric::ALL.into_iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    if likeness(&best) < ALIKE {
        return None;
    }
    let parameter = match best.takes() {
        Takes::Nothing => Parameter::Nothing,
        Takes::Cutoff => {
            let k = behind.and_then(|k| k.parse().ok()).filter(|&k| k > 0);
            Parameter::Cutoff(k.unwrap_or(10))
        }
        Takes::Tolerance => {
            let tolerance = behind.and_then(|tolerance| parse_tolerance("", "", tolerance).ok());
            Parameter::Tolerance(tolerance.unwrap_or(USUAL_TOLERANCE))
        }
    };
    Some(MetricKey { metric: best, parameter }.to_string())
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map(|key| format!("did you mean \"{key}\"? ")).unwrap_or_default()
}

fn known_names() -> String {
    let spelt = |metric: Metric| match metric.takes() {
        Takes::Nothing => metric.name().to_owned(),
        Takes::Cutoff => format!("{}@k", metric.name()),
        Takes::Tolerance => format!("{}@t", metric.name()),
    };
    Metric::ALL.map(spelt).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Family;

    fn message(key: &str) -> String {
        parse_key(key).unwrap_err().to_string()
    }

    #[test]
    fn every_metric_has_a_key_that_prints_as_it_was_read() {
        for metric in Metric::ALL {
            let key = match metric.takes() {
                Takes::Nothing => metric.name().to_owned(),
                Takes::Cutoff => format!("{}@10", metric.name()),
                Takes::Tolerance => format!("{}@0.25", metric.name()),
            };
            let parsed = parse_key(&key).unwrap();
            assert_eq!((parsed.metric(), parsed.to_string()), (metric, key));
        }
    }

    #[test]
    fn accuracy_alone_is_within_half_a_star() {
        assert_eq!(parse_key("accuracy").unwrap().to_string(), "accuracy@0.5");
        assert_eq!(parse_key("accuracy@1").unwrap().parameter(), Parameter::Tolerance(1.0));
    }

    #[test]
    fn errors_and_harms_improve_downwards_and_gains_upwards() {
        for key in ["mse", "rmse", "mae", "mape", "smape", "gini@10", "popularity@5"] {
            assert_eq!(direction(key), Some(Direction::LowerIsBetter), "{key}");
        }
        for key in ["r2", "accuracy", "hit_rate@10", "ndcg@10", "gauc", "coverage@10", "novelty@1"] {
            assert_eq!(direction(key), Some(Direction::HigherIsBetter), "{key}");
        }
        assert_eq!(direction("seconds"), None);
    }

    #[test]
    fn keys_know_what_they_are_computed_from() {
        let family = |key| parse_key(key).unwrap().family();
        assert_eq!(family("accuracy@1"), Family::Rating);
        assert_eq!(family("auc"), Family::Ranking);
        assert_eq!(family("serendipity@10"), Family::List);
    }

    #[test]
    fn better_is_strict_and_a_nan_is_never_better() {
        assert!(Direction::LowerIsBetter.is_better(0.8, 0.9));
        assert!(Direction::HigherIsBetter.is_better(0.9, 0.8));
        for direction in [Direction::LowerIsBetter, Direction::HigherIsBetter] {
            assert!(!direction.is_better(0.9, 0.9));
            assert!(!direction.is_better(f64::NAN, 0.9));
        }
    }

    #[test]
    fn a_misspelt_key_names_the_nearest_known_one() {
        assert_eq!(
            message("ndgc@5"),
            "unknown metric \"ndgc@5\", did you mean \"ndcg@5\"? known are mse, rmse, mae, r2, mape, smape, \
             accuracy@t, hit_rate@k, precision@k, recall@k, recall_by_pair@k, recall_capped@k, f1@k, ndcg@k, \
             ndcg_ideal_k@k, mrr@k, map@k, map_by_relevant@k, auc, gauc, coverage@k, novelty@k, gini@k, popularity@k, \
             serendipity@k, intra_list_diversity@k"
        );
        assert!(message("RMSE").contains("did you mean \"rmse\"?"));
        assert!(message("hitrate@10").contains("did you mean \"hit_rate@10\"?"));
        assert!(message("acuracy@1").contains("did you mean \"accuracy@1\"?"));
        assert!(!message("wxyz").contains("did you mean"));
    }

    #[test]
    fn a_cut_off_that_is_missing_or_not_wanted_is_an_error_with_the_right_spelling() {
        assert!(message("ndcg").contains("write \"ndcg@10\""));
        assert!(message("rmse@10").contains("write \"rmse\""));
        assert!(message("auc@10").contains("write \"auc\""));
    }

    #[test]
    fn a_cut_off_is_a_whole_number_from_1_up_in_its_plain_spelling() {
        for cutoff in ["", "0", "-1", "+10", "010", "2.5", "ten", "99999999999999999999999"] {
            let error = parse_key(&format!("recall@{cutoff}")).unwrap_err();
            assert!(
                matches!(&error, MetricKeyError::BadCutoff { cutoff: named, .. } if named == cutoff),
                "{error}"
            );
        }
    }

    #[test]
    fn a_tolerance_is_a_finite_number_from_0_up_in_its_shortest_spelling() {
        for tolerance in ["", "-1", "-0", "0.50", ".5", "inf", "NaN", "half", "5e-1"] {
            let error = parse_key(&format!("accuracy@{tolerance}")).unwrap_err();
            assert!(matches!(error, MetricKeyError::BadTolerance { .. }), "{tolerance}: {error}");
        }
    }

    #[test]
    fn bare_names_are_spread_over_the_cut_offs_and_no_key_comes_twice() {
        let spelt = |names: &[&str], ks: &[usize]| -> Vec<String> {
            expand_keys(names, ks).unwrap().iter().map(ToString::to_string).collect()
        };
        assert_eq!(spelt(&["ndcg", "auc", "ndcg@5"], &[5, 10]), ["ndcg@5", "ndcg@10", "auc"]);
        assert_eq!(spelt(&["recall@1"], &[]), ["recall@1"]);
        assert!(matches!(expand_keys(&["ndcg"], &[]), Err(MetricKeyError::MissingCutoff { .. })));
        assert!(matches!(expand_keys(&["ndcg"], &[0]), Err(MetricKeyError::BadCutoff { .. })));
    }
}

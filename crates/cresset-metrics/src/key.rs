//! The names of metrics in configs and result files.

use std::fmt;

/// Which way a metric improves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// An error: 0 is perfect.
    LowerIsBetter,
    /// A gain: the more the better.
    HigherIsBetter,
}

impl Direction {
    /// Whether `value` is strictly better than `than`; `NaN` is better than nothing.
    pub fn is_better(self, value: f64, than: f64) -> bool {
        match self {
            Direction::LowerIsBetter => value < than,
            Direction::HigherIsBetter => value > than,
        }
    }
}

/// A metric as configs and results spell it: `rmse`, `ndcg@10`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetricKey {
    /// The name without the cut-off.
    pub name: &'static str,
    /// The cut-off of a ranking metric, at least 1; none for a rating metric.
    pub k: Option<usize>,
    /// Which way it improves.
    pub direction: Direction,
}

impl fmt::Display for MetricKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.k {
            Some(k) => write!(f, "{}@{k}", self.name),
            None => f.write_str(self.name),
        }
    }
}

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
    /// A ranking metric without its cut-off.
    #[error("metric \"{key}\" lacks its cut-off, write \"{key}@10\" for the top 10")]
    MissingCutoff {
        /// The key as written.
        key: String,
    },
    /// A rating metric with a cut-off.
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
}

struct Known {
    name: &'static str,
    direction: Direction,
    takes_k: bool,
}

const KNOWN: [Known; 8] = [
    rating("mse", Direction::LowerIsBetter),
    rating("rmse", Direction::LowerIsBetter),
    rating("mae", Direction::LowerIsBetter),
    rating("r2", Direction::HigherIsBetter),
    ranking("hit_rate"),
    ranking("precision"),
    ranking("recall"),
    ranking("ndcg"),
];

const fn rating(name: &'static str, direction: Direction) -> Known {
    Known { name, direction, takes_k: false }
}

const fn ranking(name: &'static str) -> Known {
    Known { name, direction: Direction::HigherIsBetter, takes_k: true }
}

/// Reads a metric key such as `rmse` or `ndcg@10`.
///
/// # Errors
///
/// If the name is unknown (the nearest known one is suggested), a ranking metric has no cut-off, a rating
/// metric has one, or the cut-off is not a whole number from 1 up.
pub fn parse_key(key: &str) -> Result<MetricKey, MetricKeyError> {
    let (name, cutoff) = match key.split_once('@') {
        Some((name, cutoff)) => (name, Some(cutoff)),
        None => (key, None),
    };
    let Some(known) = KNOWN.iter().find(|known| known.name == name) else {
        return Err(MetricKeyError::Unknown { key: key.to_owned(), nearest: nearest(name, cutoff) });
    };
    let k = match (known.takes_k, cutoff) {
        (false, None) => None,
        (true, Some(cutoff)) => Some(parse_cutoff(key, known.name, cutoff)?),
        (true, None) => return Err(MetricKeyError::MissingCutoff { key: key.to_owned() }),
        (false, Some(_)) => {
            return Err(MetricKeyError::UnexpectedCutoff { key: key.to_owned(), name: known.name });
        }
    };
    Ok(MetricKey { name: known.name, k, direction: known.direction })
}

/// Which way the metric of this key improves; none for a key that [`parse_key`] refuses.
pub fn direction(key: &str) -> Option<Direction> {
    parse_key(key).ok().map(|key| key.direction)
}

fn parse_cutoff(key: &str, name: &'static str, cutoff: &str) -> Result<usize, MetricKeyError> {
    match cutoff.parse::<usize>() {
        // Only the spelling that is printed again, or a result could not be found under its key.
        Ok(k) if k > 0 && k.to_string() == cutoff => Ok(k),
        _ => Err(MetricKeyError::BadCutoff { key: key.to_owned(), name, cutoff: cutoff.to_owned() }),
    }
}

fn nearest(name: &str, cutoff: Option<&str>) -> Option<String> {
    const ALIKE: f64 = 0.7;
    let likeness = |known: &Known| strsim::jaro_winkler(&name.to_lowercase(), known.name);
    let best = KNOWN.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    let k = cutoff.and_then(|cutoff| cutoff.parse().ok()).filter(|&k| k > 0).unwrap_or(10);
    let key = MetricKey { name: best.name, k: best.takes_k.then_some(k), direction: best.direction };
    (likeness(best) >= ALIKE).then(|| key.to_string())
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map(|key| format!("did you mean \"{key}\"? ")).unwrap_or_default()
}

fn known_names() -> String {
    let spelt = |known: &Known| format!("{}{}", known.name, if known.takes_k { "@k" } else { "" });
    KNOWN.iter().map(spelt).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_key_prints_as_it_was_read() {
        for key in
            ["mse", "rmse", "mae", "r2", "hit_rate@1", "precision@5", "recall@20", "ndcg@10", "ndcg@1000"]
        {
            assert_eq!(parse_key(key).unwrap().to_string(), key);
        }
    }

    #[test]
    fn errors_improve_downwards_and_gains_upwards() {
        for key in ["mse", "rmse", "mae"] {
            assert_eq!(direction(key), Some(Direction::LowerIsBetter));
        }
        for key in ["r2", "hit_rate@10", "ndcg@10"] {
            assert_eq!(direction(key), Some(Direction::HigherIsBetter));
        }
        assert_eq!(direction("seconds"), None);
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
        let message = |key| parse_key(key).unwrap_err().to_string();
        assert_eq!(
            message("ndgc@5"),
            "unknown metric \"ndgc@5\", did you mean \"ndcg@5\"? known are mse, rmse, mae, r2, hit_rate@k, \
             precision@k, recall@k, ndcg@k"
        );
        assert!(message("RMSE").contains("did you mean \"rmse\"?"));
        assert!(message("hitrate@10").contains("did you mean \"hit_rate@10\"?"));
        assert!(!message("velocity").contains("did you mean"));
    }

    #[test]
    fn a_cut_off_that_is_missing_or_not_wanted_is_an_error_with_the_right_spelling() {
        let message = |key| parse_key(key).unwrap_err().to_string();
        assert!(message("ndcg").contains("write \"ndcg@10\""));
        assert!(message("rmse@10").contains("write \"rmse\""));
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
}

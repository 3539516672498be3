//! The values that keys of the config may have, and trials drawn from them.

use cresset_data::random::{below, stream};
use cresset_nn::ConfigError;
use serde::{Deserialize, Serialize};
use yaml_serde::{Number, Value};

/// One key of the config and what it may be: a list of values, or a range.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dimension {
    /// The key with its section, such as `training.learning_rate`.
    pub key: String,
    /// The values; none where there is a range.
    #[serde(default)]
    pub values: Vec<Value>,
    /// The lowest value of a range. Where both ends are whole numbers, so is what is drawn.
    #[serde(default)]
    pub min: Option<Number>,
    /// The highest value of a range.
    #[serde(default)]
    pub max: Option<Number>,
    /// How values of a range are spread. Default: `linear`.
    #[serde(default)]
    pub scale: Scale,
}

/// How values of a range are spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// Evenly.
    #[default]
    Linear,
    /// Their logarithms evenly: as many between 0.001 and 0.01 as between 0.01 and 0.1.
    Log,
}

/// One config to try: values over those of the config.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Which, from 1.
    pub number: usize,
    /// Keys and their values, in the order of the space.
    pub values: Vec<(String, Value)>,
}

impl Trial {
    /// The values as `--set` takes them: `training.learning_rate=0.01`.
    pub fn sets(&self) -> Vec<String> {
        self.values.iter().map(|(key, value)| format!("{key}={}", flow(value))).collect()
    }
}

/// A value on one line.
pub(super) fn flow(value: &Value) -> String {
    // JSON is YAML on one line; what it cannot write, a number that is not finite, YAML can.
    serde_json::to_string(value)
        .ok()
        .filter(|text| text != "null" || value.is_null())
        .unwrap_or_else(|| yaml_serde::to_string(value).unwrap_or_default().trim().to_owned())
}

impl Dimension {
    /// Checks that there are values or a range to choose from.
    pub(super) fn validate(&self, place: usize, is_grid: bool) -> Result<(), ConfigError> {
        let wrong = |field: &str, value: String, expected| {
            Err(ConfigError { field: format!("space[{place}].{field}"), value, expected })
        };
        let is_of_run = self.key.starts_with("model.") || self.key.starts_with("training.");
        if !is_of_run || self.key == "training.monitor" {
            let expected = "a key of `model` or `training` that is not what trials are compared by";
            return wrong("key", self.key.clone(), expected);
        }
        match (self.bounds(), self.min.is_some() || self.max.is_some()) {
            (_, false) if self.values.is_empty() => {
                wrong("values", "[]".to_owned(), "a list of values, or min and max")
            }
            (_, true) if !self.values.is_empty() => {
                wrong("values", format!("{} values", self.values.len()), "nothing beside min and max")
            }
            (_, true) if is_grid => {
                wrong("values", "[]".to_owned(), "a list: a grid has no values from a range")
            }
            (None, true) => wrong("min", "one end alone".to_owned(), "min and max, or neither"),
            (Some((low, high)), true) if !(low < high && low.is_finite() && high.is_finite()) => {
                wrong("min", low.to_string(), "a finite number below max")
            }
            (Some((low, _)), true) if self.scale == Scale::Log && low <= 0.0 => {
                wrong("min", low.to_string(), "above 0 on a scale of logarithms")
            }
            _ => Ok(()),
        }
    }

    /// The ends of the range.
    fn bounds(&self) -> Option<(f64, f64)> {
        Some((self.min.as_ref()?.as_f64()?, self.max.as_ref()?.as_f64()?))
    }

    /// A value to check the key and its type with: each of the list, or both ends of the range.
    pub(super) fn extremes(&self) -> Vec<Value> {
        match (&self.min, &self.max) {
            (Some(min), Some(max)) => vec![Value::Number(min.clone()), Value::Number(max.clone())],
            _ => self.values.clone(),
        }
    }

    /// A value by chance; `unit` is from 0 up, below 1.
    fn draw(&self, unit: f64) -> Value {
        let Some((low, high)) = self.bounds() else {
            let place = (unit * self.values.len() as f64) as usize;
            return self.values.get(place).cloned().unwrap_or(Value::Null);
        };
        let is_whole = [&self.min, &self.max].into_iter().flatten().all(|end| !end.is_f64());
        // Whole numbers have equal chances, the ends too, where they are spread evenly.
        let above = if is_whole { high + 1.0 } else { high };
        let value = match self.scale {
            Scale::Linear => low + unit * (above - low),
            Scale::Log => (low.ln() + unit * (above.ln() - low.ln())).exp(),
        };
        if is_whole {
            return Value::from((value.floor() as i64).clamp(low as i64, high as i64));
        }
        // Nobody reads, or needs, sixteen digits of a learning rate.
        let rounded: f64 = format!("{value:.3e}").parse().unwrap_or(value);
        Value::from(rounded.clamp(low, high))
    }
}

/// Every combination of the values, the last key's changing fastest.
pub(super) fn grid(space: &[Dimension]) -> Vec<Trial> {
    let mut combinations: Vec<Vec<(String, Value)>> = vec![vec![]];
    for dimension in space {
        let with = |before: &Vec<(String, Value)>| {
            let each = dimension.values.iter().map(|value| (dimension.key.clone(), value.clone()));
            let before = before.clone();
            each.map(move |pair| [before.clone(), vec![pair]].concat()).collect::<Vec<_>>()
        };
        combinations = combinations.iter().flat_map(with).collect();
    }
    numbered(combinations)
}

/// Combinations by chance, each once; fewer where the space has no more.
pub(super) fn random(space: &[Dimension], n: usize, seed: u64) -> Vec<Trial> {
    let mut found: Vec<Vec<(String, Value)>> = Vec::new();
    // A space that is nearly used up is not searched for its last values for ever.
    for draw in 0..n as u64 * 50 {
        if found.len() == n {
            break;
        }
        let pair =
            |dimension: &Dimension| (dimension.key.clone(), dimension.draw(unit(seed, draw, &dimension.key)));
        let values: Vec<_> = space.iter().map(pair).collect();
        if !found.contains(&values) {
            found.push(values);
        }
    }
    numbered(found)
}

fn numbered(combinations: Vec<Vec<(String, Value)>>) -> Vec<Trial> {
    (1..).zip(combinations).map(|(number, values)| Trial { number, values }).collect()
}

/// A number from 0 up, below 1, by the key: another key in the space changes nobody else's draws.
fn unit(seed: u64, draw: u64, key: &str) -> f64 {
    const STEPS: u64 = 1 << 53;
    below(STEPS, &mut stream(seed, &format!("search {key}"), draw)) as f64 / STEPS as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dimension(text: &str) -> Dimension {
        yaml_serde::from_str(text).unwrap()
    }

    fn sets(trials: &[Trial]) -> Vec<String> {
        trials.iter().map(|trial| trial.sets().join(" ")).collect()
    }

    #[test]
    fn a_grid_has_every_combination_with_the_last_key_fastest() {
        let space = [
            dimension("{key: model.embedding_dim, values: [32, 64]}"),
            dimension("{key: training.optimizer.kind, values: [adam, sgd]}"),
        ];
        let expected = [
            r#"model.embedding_dim=32 training.optimizer.kind="adam""#,
            r#"model.embedding_dim=32 training.optimizer.kind="sgd""#,
            r#"model.embedding_dim=64 training.optimizer.kind="adam""#,
            r#"model.embedding_dim=64 training.optimizer.kind="sgd""#,
        ];
        assert_eq!(sets(&grid(&space)), expected);
    }

    #[test]
    fn values_of_a_range_lie_within_it_and_are_whole_where_its_ends_are() {
        let whole = dimension("{key: model.embedding_dim, min: 8, max: 10}");
        let drawn: Vec<Value> = (0..60).map(|at| whole.draw(f64::from(at) / 60.0)).collect();
        for value in [8, 9, 10] {
            assert_eq!(drawn.iter().filter(|drawn| drawn.as_i64() == Some(value)).count(), 20);
        }
        let rate = dimension("{key: training.learning_rate, min: 0.001, max: 0.1, scale: log}");
        assert_eq!(rate.draw(0.0), Value::from(0.001));
        assert_eq!(rate.draw(0.5), Value::from(0.01));
        assert_eq!(rate.draw(1.0 - f64::EPSILON), Value::from(0.1));
    }

    #[test]
    fn draws_depend_on_seed_and_key_alone_and_no_trial_is_drawn_twice() {
        let rate = dimension("{key: training.learning_rate, min: 0.001, max: 0.1, scale: log}");
        let dim = dimension("{key: model.embedding_dim, values: [16, 32]}");
        let both = random(&[rate.clone(), dim.clone()], 12, 7);
        let alone = random(std::slice::from_ref(&rate), 12, 7);
        for (both, alone) in both.iter().zip(&alone) {
            assert_eq!(both.values[0], alone.values[0]);
        }
        assert_ne!(sets(&alone), sets(&random(&[rate], 12, 8)));
        // Two values make two trials, however many were asked for.
        let mut few = sets(&random(&[dim], 12, 7));
        few.sort();
        assert_eq!(few, ["model.embedding_dim=16", "model.embedding_dim=32"]);
    }

    #[test]
    fn null_and_lists_are_values_too() {
        let patience = dimension("{key: training.patience, values: [null, 3]}");
        assert_eq!(sets(&grid(&[patience])), ["training.patience=null", "training.patience=3"]);
        let groups = dimension("{key: evaluation.k, values: [[5, 10]]}");
        assert_eq!(sets(&grid(&[groups])), ["evaluation.k=[5,10]"]);
    }
}

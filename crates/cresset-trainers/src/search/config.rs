//! The `search` section of a config.

use cresset_nn::ConfigError;
use serde::{Deserialize, Serialize};

use super::space::{Dimension, Trial, grid, random};

/// How hyperparameters are searched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SearchConfig {
    /// Which trials are made of the space, and for how long. Default: `grid`.
    pub method: SearchMethod,
    /// The keys that are searched, and what each may be. Default: none.
    pub space: Vec<Dimension>,
    /// Trials of `random` and `halving`, at least 1. Default: 20.
    pub n_trials: usize,
    /// Seed of what is drawn. Default: 42.
    pub seed: u64,
    /// Trials that are trained side by side, at least 1. Default: 1.
    pub parallel: usize,
    /// Epochs that every trial of `halving` begins with, at least 1. Default: 2.
    pub min_epochs: u64,
    /// After each rung of `halving`, one trial in so many goes on, with so many times the epochs; at least 2. Default: 3.
    pub factor: u64,
}

/// Which trials are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SearchMethod {
    /// Every combination of the values.
    #[default]
    Grid,
    /// Combinations by chance, each once.
    Random,
    /// Combinations by chance, most of them left after a few epochs.
    Halving,
}

impl Default for SearchConfig {
    fn default() -> Self {
        Self {
            method: SearchMethod::Grid,
            space: vec![],
            n_trials: 20,
            seed: 42,
            parallel: 1,
            min_epochs: 2,
            factor: 3,
        }
    }
}

/// One round of trainings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rung {
    /// Epochs that each trial on it has had at its end, those of the rungs before too.
    pub epochs: u64,
    /// The most trials on it.
    pub n_trials: usize,
}

impl SearchConfig {
    /// Checks every number against its documented range, and the space.
    ///
    /// # Errors
    ///
    /// The first that is wrong.
    pub fn validate(&self) -> Result<(), ConfigError> {
        ConfigError::first_of(&[
            ("n_trials", self.n_trials as f64, self.n_trials >= 1, "at least 1"),
            ("parallel", self.parallel as f64, self.parallel >= 1, "at least 1"),
            ("min_epochs", self.min_epochs as f64, self.min_epochs >= 1, "at least 1"),
            ("factor", self.factor as f64, self.factor >= 2, "at least 2"),
        ])?;
        for (place, dimension) in self.space.iter().enumerate() {
            dimension.validate(place, self.method == SearchMethod::Grid)?;
            if self.space[..place].iter().any(|before| before.key == dimension.key) {
                let (field, value) = (format!("space[{place}].key"), dimension.key.clone());
                return Err(ConfigError { field, value, expected: "each key once" });
            }
        }
        Ok(())
    }

    /// Each value of the space by itself, as `--set` takes it; of a range both ends. A config that takes all of them takes
    /// every trial, unless two keys contradict one another.
    pub fn single_values(&self) -> Vec<String> {
        let of = |dimension: &Dimension| {
            let values = dimension.extremes().into_iter();
            let key = dimension.key.clone();
            values
                .flat_map(move |value| Trial { number: 1, values: vec![(key.clone(), value)] }.sets())
                .collect::<Vec<_>>()
        };
        self.space.iter().flat_map(of).collect()
    }

    /// The trials, numbered from 1.
    pub fn trials(&self) -> Vec<Trial> {
        match self.method {
            SearchMethod::Grid => grid(&self.space),
            SearchMethod::Random | SearchMethod::Halving => random(&self.space, self.n_trials, self.seed),
        }
    }

    /// The rungs that `n_trials` trials climb, where none has more than `epochs` epochs.
    pub fn rungs(&self, n_trials: usize, epochs: u64) -> Vec<Rung> {
        let mut rungs = Vec::new();
        if self.method == SearchMethod::Halving {
            let (mut n_trials, mut reached) = (n_trials, self.min_epochs);
            while reached < epochs && n_trials > 1 {
                rungs.push(Rung { epochs: reached, n_trials });
                n_trials = (n_trials / self.factor as usize).max(1);
                reached = reached.saturating_mul(self.factor);
            }
            rungs.push(Rung { epochs, n_trials });
        } else {
            rungs.push(Rung { epochs, n_trials });
        }
        rungs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> SearchConfig {
        yaml_serde::from_str(text).unwrap()
    }

    #[test]
    fn a_third_climbs_from_rung_to_rung_and_the_last_trial_is_trained_to_its_end() {
        let halving = config("{method: halving, min_epochs: 2}");
        let rungs: Vec<_> = halving.rungs(20, 60).iter().map(|rung| (rung.epochs, rung.n_trials)).collect();
        assert_eq!(rungs, [(2, 20), (6, 6), (18, 2), (60, 1)]);
        // With few epochs there are few rungs, and more trials reach the end.
        let rungs: Vec<_> = halving.rungs(9, 5).iter().map(|rung| (rung.epochs, rung.n_trials)).collect();
        assert_eq!(rungs, [(2, 9), (5, 3)]);
        assert_eq!(halving.rungs(1, 60), [Rung { epochs: 60, n_trials: 1 }]);
        assert_eq!(config("{method: random}").rungs(4, 60), [Rung { epochs: 60, n_trials: 4 }]);
    }

    #[test]
    fn what_makes_no_space_is_named_with_its_place() {
        for (text, expected) in [
            ("{space: [{key: model.l2}]}", "space[0].values = [], expected a list of values, or min and max"),
            (
                "{space: [{key: model.l2, min: 0, max: 1}]}",
                "space[0].values = [], expected a list: a grid has no",
            ),
            (
                "{method: random, space: [{key: model.l2, min: 2, max: 1}]}",
                "space[0].min = 2, expected a finite",
            ),
            ("{method: random, space: [{key: model.l2, min: 2}]}", "space[0].min = one end alone"),
            (
                "{method: random, space: [{key: model.b, min: 0, max: 1, scale: log}]}",
                "space[0].min = 0, expected above 0",
            ),
            (
                "{space: [{key: model.b, values: [1]}, {key: model.b, values: [2]}]}",
                "space[1].key = model.b, expected each key once",
            ),
            (
                "{space: [{key: data.split_seed, values: [1]}]}",
                "space[0].key = data.split_seed, expected a key of",
            ),
            ("{space: [{key: evaluation.k, values: [1]}]}", "space[0].key = evaluation.k, expected a key of"),
            (
                "{space: [{key: training.monitor, values: [mae]}]}",
                "space[0].key = training.monitor, expected a key of",
            ),
            ("{space: [{key: data, values: [1]}]}", "space[0].key = data, expected a key of"),
            ("{parallel: 0}", "parallel = 0, expected at least 1"),
            ("{factor: 1}", "factor = 1, expected at least 2"),
        ] {
            let error = config(text).validate().unwrap_err().to_string();
            assert!(error.starts_with(expected), "{text}: {error}");
        }
        assert!(yaml_serde::from_str::<SearchConfig>("{space: [{key: model.b, value: [1]}]}").is_err());
    }
}

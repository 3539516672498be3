//! How item neighbours are counted, compared and kept.

use serde::{Deserialize, Serialize};

use crate::ParameterError;

/// Parameters of [`ItemNeighbours`](crate::ItemNeighbours); by default the cosine of sets.
///
/// The defaults are those of sets and were not tuned; [`for_sequences`](Self::for_sequences) has others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ItemNeighboursConfig {
    /// The most neighbours kept for an item, at least 1. Default: 200.
    pub n_neighbours: usize,
    /// Positions in a history within which two items are neighbours, at least 1; needs data with times. Default: null,
    /// anywhere in the same history: histories are sets.
    pub window: Option<usize>,
    /// Whether an item has as neighbours only those that come after it; needs data with times. Default: false.
    pub directed: bool,
    /// Two items `d` positions apart add `d ^ -distance_exponent`, from 0 up; above 0 it needs data with times.
    /// Default: 0, all alike.
    pub distance_exponent: f64,
    /// The pairs of a history of `n` items weigh `n ^ -user_exponent`, from 0 up: somebody who has everything says
    /// little. Default: 0, all alike.
    pub user_exponent: f64,
    /// Power of the source's count that a similarity is divided by, from 0 up. Default: 0.5, as in the cosine.
    pub source_exponent: f64,
    /// Power of the neighbour's count that a similarity is divided by, from 0 up: the higher, the less popular items
    /// are favoured. Default: 0.5, as in the cosine.
    pub popularity_exponent: f64,
    /// Added to what a similarity is divided by, from 0 up, so that rare items are not neighbours by chance. Default:
    /// 20.
    pub shrinkage: f64,
    /// Power that each similarity is taken to, above 0: above 1 the nearest neighbours count for more. Default: 1.
    pub amplification: f64,
    /// The item `a` places before a history's last weighs `(1 + a) ^ -recency_exponent`, from 0 up; above 0 it needs
    /// data with times. Default: 0, all alike.
    pub recency_exponent: f64,
}

impl Default for ItemNeighboursConfig {
    fn default() -> Self {
        Self {
            n_neighbours: 200,
            window: None,
            directed: false,
            distance_exponent: 0.0,
            user_exponent: 0.0,
            source_exponent: 0.5,
            popularity_exponent: 0.5,
            shrinkage: 20.0,
            amplification: 1.0,
            recency_exponent: 0.0,
        }
    }
}

impl ItemNeighboursConfig {
    /// Parameters for histories with times, chosen on the validation part of leave-one-out on MovieLens 100K; see
    /// `docs/baselines.md`.
    pub fn for_sequences() -> Self {
        Self {
            n_neighbours: 100,
            window: Some(15),
            directed: true,
            distance_exponent: 0.6,
            shrinkage: 10.0,
            amplification: 0.7,
            recency_exponent: 1.0,
            ..Self::default()
        }
    }

    /// Checks every number against its documented range.
    ///
    /// # Errors
    ///
    /// The first number outside its range.
    pub fn validate(&self) -> Result<(), ParameterError> {
        let check = ParameterError::check;
        check("n_neighbours", &self.n_neighbours, self.n_neighbours >= 1, "at least 1")?;
        let window = self.window.unwrap_or(1);
        check("window", &window, window >= 1, "at least 1, or null for the whole history")?;
        for (field, value) in [
            ("distance_exponent", self.distance_exponent),
            ("user_exponent", self.user_exponent),
            ("source_exponent", self.source_exponent),
            ("popularity_exponent", self.popularity_exponent),
            ("shrinkage", self.shrinkage),
            ("recency_exponent", self.recency_exponent),
        ] {
            ParameterError::check_from_0(field, value)?;
        }
        let is_power = self.amplification > 0.0 && self.amplification.is_finite();
        check("amplification", &self.amplification, is_power, "a finite number above 0")
    }

    /// The first parameter that makes the order of a history matter.
    pub(crate) fn needs_order(&self) -> Option<&'static str> {
        [
            ("window", self.window.is_some()),
            ("directed", self.directed),
            ("distance_exponent", self.distance_exponent > 0.0),
            ("recency_exponent", self.recency_exponent > 0.0),
        ]
        .into_iter()
        .find_map(|(field, needs)| needs.then_some(field))
    }
}

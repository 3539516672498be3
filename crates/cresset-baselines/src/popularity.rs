//! What everybody takes.

use cresset_data::NO_TIME;
use cresset_metrics::Scorer;
use serde::{Deserialize, Serialize};

use crate::history_scorer::check_lengths;
use crate::{BaselineError, HistoryScorer, ParameterError, TrainingSet};

/// Which interactions make an item popular; by default all, alike.
///
/// Both parameters look back from the latest time in training and need data with times. They are in the unit of the
/// times: seconds where those are timestamps.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PopularityConfig {
    /// Age at which an interaction counts half, above 0; not beside `window`. Default: null, all count alike.
    pub half_life: Option<f64>,
    /// Age above which an interaction does not count, above 0. Default: null, all count.
    pub window: Option<f64>,
}

/// Ranks items by their number of training interactions, alike for every user.
///
/// An item without one scores 0 and ties with all its like. Counts are exact up to 2^24 interactions an
/// item.
#[derive(Debug, Clone, PartialEq)]
pub struct Popularity {
    pub(crate) counts: Vec<f32>,
}

impl PopularityConfig {
    /// Checks every number against its documented range.
    ///
    /// # Errors
    ///
    /// The first number outside its range.
    pub fn validate(&self) -> Result<(), ParameterError> {
        let is_age = |age: f64| age > 0.0 && age.is_finite();
        for (field, age) in [("half_life", self.half_life), ("window", self.window)] {
            let Some(age) = age else { continue };
            ParameterError::check(field, &age, is_age(age), "a finite number above 0, or null")?;
        }
        let both = self.half_life.is_some() && self.window.is_some();
        ParameterError::check("window", &self.window.unwrap_or(0.0), !both, "null beside half_life")
    }

    /// The weight of each item's interactions, whatever their rating.
    ///
    /// A row whose time is not known is older than all others and counts nothing where age matters.
    ///
    /// # Errors
    ///
    /// If a parameter or the training set fails its check, or age matters and no row has a time.
    pub fn fit(&self, training: &TrainingSet<'_>) -> Result<Popularity, BaselineError> {
        self.validate()?;
        training.check()?;
        let field = if self.half_life.is_some() { "half_life" } else { "window" };
        let weight_of: &dyn Fn(usize) -> f64 = match (self.half_life, self.window) {
            (None, None) => &|_| 1.0,
            (half_life, window) => {
                let ages = Ages::of(training).ok_or(BaselineError::NoTimes { field })?;
                &move |row| ages.weight(row, half_life, window)
            }
        };
        let mut counts = vec![0.0; training.n_items];
        for (row, &item) in training.item_ids.iter().enumerate() {
            counts[item as usize] += weight_of(row);
        }
        Ok(Popularity { counts: counts.into_iter().map(|count| count as f32).collect() })
    }
}

/// How long before the latest row each row lies.
struct Ages<'a> {
    times: &'a [i64],
    latest: i64,
}

impl<'a> Ages<'a> {
    /// None where no row has a time.
    fn of(training: &TrainingSet<'a>) -> Option<Self> {
        let times = training.times?;
        let latest = times.iter().copied().filter(|&time| time != NO_TIME).max()?;
        Some(Self { times, latest })
    }

    fn weight(&self, row: usize, half_life: Option<f64>, window: Option<f64>) -> f64 {
        let time = self.times[row];
        if time == NO_TIME {
            return 0.0;
        }
        let age = (i128::from(self.latest) - i128::from(time)) as f64;
        match (half_life, window) {
            (Some(half_life), _) => (-age / half_life).exp2(),
            (None, Some(window)) if age > window => 0.0,
            _ => 1.0,
        }
    }
}

impl Popularity {
    /// Counts the interactions of each item, whatever their rating and age.
    ///
    /// # Errors
    ///
    /// If the training set fails its [`check`](TrainingSet::check).
    pub fn fit(training: &TrainingSet<'_>) -> Result<Self, BaselineError> {
        PopularityConfig::default().fit(training)
    }

    /// Number of training interactions by item, or their weight where age matters: `[n_items]`.
    pub fn counts(&self) -> &[f32] {
        &self.counts
    }
}

impl Scorer for Popularity {
    fn n_items(&self) -> usize {
        self.counts.len()
    }

    fn score_block(&self, users: &[u32], scores: &mut [f32]) {
        same_for_all(&self.counts, users, scores);
    }
}

impl HistoryScorer for Popularity {
    fn score_history(&self, items: &[u32], ratings: &[f32], scores: &mut [f32]) {
        check_lengths(self.n_items(), items, ratings, scores);
        scores.copy_from_slice(&self.counts);
    }
}

/// Gives every user the same row of scores.
pub(crate) fn same_for_all(row: &[f32], users: &[u32], scores: &mut [f32]) {
    assert_eq!(scores.len(), users.len() * row.len(), "one score for each user and item");
    for scores in scores.chunks_exact_mut(row.len()) {
        scores.copy_from_slice(row);
    }
}

#[cfg(test)]
mod tests {
    use cresset_metrics::{ItemLists, RankingPlan, RankingTask, rank_catalogue};

    use super::*;

    /// Item 1 has three interactions, item 0 one, items 2 and 3 none.
    const TRAINING: TrainingSet<'static> = TrainingSet {
        user_ids: &[0, 1, 2, 2],
        item_ids: &[1, 1, 1, 0],
        ratings: &[1.0, 1.0, 1.0, 5.0],
        times: None,
        n_users: 3,
        n_items: 4,
    };

    #[test]
    fn an_item_scores_its_interactions_whatever_their_rating() {
        let model = Popularity::fit(&TRAINING).unwrap();
        assert_eq!(model.counts(), [1.0, 3.0, 0.0, 0.0]);
        let mut scores = [f32::NAN; 8];
        model.score_block(&[0, 99], &mut scores);
        assert_eq!(scores, [1.0, 3.0, 0.0, 0.0, 1.0, 3.0, 0.0, 0.0]);
    }

    #[test]
    fn an_item_that_nobody_has_is_ranked_by_chance_among_its_like() {
        // User 0 has item 1; item 0 comes first, and then items 2 and 3 in either order.
        let relevant = ItemLists { offsets: &[0, 1], items: &[3] };
        let task = RankingTask { users: &[0], relevant, seen: ItemLists { offsets: &[0, 1], items: &[1] } };
        let plan = RankingPlan::at_cutoffs(&[1, 2, 3]).unwrap();
        let report = rank_catalogue(&Popularity::fit(&TRAINING).unwrap(), &task, &plan).unwrap();
        let hit_rates = ["hit_rate@1", "hit_rate@2", "hit_rate@3"].map(|key| report.metrics.get(key));
        assert_eq!(hit_rates, [Some(0.0), Some(0.5), Some(1.0)]);
        assert_eq!(report.n_tied, 1);
    }

    #[test]
    fn no_interactions_are_an_error() {
        let none = TrainingSet { user_ids: &[], item_ids: &[], ratings: &[], ..TRAINING };
        assert_eq!(Popularity::fit(&none), Err(BaselineError::NoInteractions));
    }

    /// Item 1 at times 0, 5 and 10, item 0 at 9, the time of the row of item 2 is not known.
    const TIMED: TrainingSet<'static> = TrainingSet {
        user_ids: &[0, 1, 2, 2, 1],
        item_ids: &[1, 1, 1, 0, 2],
        ratings: &[1.0; 5],
        times: Some(&[0, 5, 10, 9, NO_TIME]),
        n_users: 3,
        n_items: 4,
    };

    #[test]
    fn at_a_half_life_of_5_an_interaction_10_old_counts_a_quarter() {
        let config = PopularityConfig { half_life: Some(5.0), window: None };
        let counts = config.fit(&TIMED).unwrap().counts;
        assert_eq!(counts, [(-0.2_f64).exp2() as f32, 0.25 + 0.5 + 1.0, 0.0, 0.0]);
    }

    #[test]
    fn a_window_counts_what_is_no_older_than_it() {
        let config = PopularityConfig { half_life: None, window: Some(5.0) };
        assert_eq!(config.fit(&TIMED).unwrap().counts, [1.0, 2.0, 0.0, 0.0]);
    }

    #[test]
    fn age_without_times_and_ages_that_are_none_are_errors() {
        let half_life = |age| PopularityConfig { half_life: Some(age), window: None };
        let error = half_life(5.0).fit(&TRAINING).unwrap_err();
        assert_eq!(error, BaselineError::NoTimes { field: "half_life" });
        let unknown = TrainingSet { times: Some(&[NO_TIME; 5]), ..TIMED };
        assert_eq!(half_life(5.0).fit(&unknown), Err(BaselineError::NoTimes { field: "half_life" }));
        for age in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(half_life(age).validate().is_err(), "{age}");
        }
        let both = PopularityConfig { half_life: Some(1.0), window: Some(2.0) };
        assert_eq!(both.validate().unwrap_err().to_string(), "window = 2, expected null beside half_life");
    }
}

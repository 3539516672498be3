//! What the time of a rating adds to it.

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use cresset_data::features::Calendar;
use cresset_data::{NO_TIME, Ratings, TimeKind, UniqueRows};
use cresset_nn::{ConfigError, EmbeddingTable, Pooling, RecommenderBackend, Selection};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

use crate::config::at_least_0;
use crate::error::KnowledgeError;
use crate::knowledge::Knowledge;

const SECONDS_PER_DAY: i64 = 86_400;
const N_MONTHS: u32 = 12;
const N_SEASONS: u32 = 4;
/// Ages of 0, 1, 2 to 3, 4 to 7 ... days, and all that is older than 2^14.
const N_AGES: u32 = 16;
const FIRST_SEASON: u32 = N_MONTHS;
const FIRST_AGE: u32 = FIRST_SEASON + N_SEASONS;
const FIRST_DAY: u32 = FIRST_AGE + N_AGES;

/// What the model reads in the time of a rating: a bias for each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TimeConfig {
    /// The month, 1 to 12. Default: true.
    pub month: bool,
    /// The season of three months, from December on. Default: true.
    pub season: bool,
    /// The rating's age: days before the last training rating, in powers of two. Default: true.
    pub age: bool,
    /// The day of this user: moods, and several people behind one account. Default: true.
    pub user_day: bool,
    /// Penalty on the square of each of these biases, once for each rating, at least 0. Default: 0.3.
    pub l2: f64,
}

impl Default for TimeConfig {
    fn default() -> Self {
        Self { month: true, season: true, age: true, user_day: true, l2: 0.3 }
    }
}

impl TimeConfig {
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        ConfigError::first_of(&[at_least_0("time.l2", self.l2)])
    }
}

/// When training ratings were given: the days of each user, and the last moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RatingTimes {
    last: i64,
    /// Where the days of each user begin: `[n_users + 1]`.
    offsets: Vec<u32>,
    /// Days since 1970-01-01, ascending for each user.
    days: Vec<i32>,
}

impl RatingTimes {
    /// The times of some ratings; nothing where they are no timestamps, or none is known.
    pub fn of(train: &Ratings) -> Option<Self> {
        let known = || {
            let rows = train.user_id.iter().zip(&train.time);
            rows.filter(|&(_, &time)| time != NO_TIME && train.time_kind == TimeKind::Timestamp)
        };
        let last = known().map(|(_, &time)| time).max()?;
        let mut user_days: Vec<(u32, i32)> = known().map(|(&user, &time)| (user, day_of(time))).collect();
        user_days.par_sort_unstable();
        user_days.dedup();
        let n_users = user_days.last().map_or(0, |&(user, _)| user as usize + 1);
        let mut offsets = vec![0; n_users + 1];
        user_days.iter().for_each(|&(user, _)| offsets[user as usize + 1] += 1);
        (0..n_users).for_each(|user| offsets[user + 1] += offsets[user]);
        Some(Self { last, offsets, days: user_days.into_iter().map(|(_, day)| day).collect() })
    }

    /// Biases in all: months, seasons, ages, and the days of each user.
    pub fn n_rows(&self) -> usize {
        FIRST_DAY as usize + self.days.len()
    }

    /// The biases of one rating; of a day that this user had no training rating on, there is none to add.
    pub(crate) fn rows_of(&self, config: &TimeConfig, user: u32, time: i64) -> impl Iterator<Item = u32> {
        let is_known = time != NO_TIME;
        let moment = Calendar::at(if is_known { time } else { 0 });
        let days = u64::try_from(self.last.saturating_sub(time) / SECONDS_PER_DAY).unwrap_or(0);
        let age = (days + 1).ilog2().min(N_AGES - 1);
        let rows = [
            (config.month, Some(u32::from(moment.month) - 1)),
            (config.season, Some(FIRST_SEASON + u32::from(moment.season) - 1)),
            (config.age, Some(FIRST_AGE + age)),
            (config.user_day, self.user_day(user, time)),
        ];
        rows.into_iter().filter(move |(is_on, _)| *is_on && is_known).filter_map(|(_, row)| row)
    }

    /// The bias of a user's day, if there is one.
    fn user_day(&self, user: u32, time: i64) -> Option<u32> {
        let offsets = self.offsets.get(user as usize..)?.first_chunk::<2>()?;
        let [start, end] = offsets.map(|offset| offset as usize);
        let at = self.days[start..end].binary_search(&day_of(time)).ok()?;
        Some(FIRST_DAY + (start + at) as u32)
    }
}

/// Days since 1970-01-01.
fn day_of(time: i64) -> i32 {
    time.div_euclid(SECONDS_PER_DAY).clamp(i32::MIN.into(), i32::MAX.into()) as i32
}

/// The biases that each rating of a batch adds up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TimeBatch {
    /// Biases of each rating: `[batch + 1]`.
    offsets: Vec<u32>,
    pub(crate) rows: UniqueRows,
}

/// One bias for each month, season, age and day of a user.
#[derive(Module, Debug)]
pub(crate) struct TimePart<B: Backend> {
    pub(crate) bias: EmbeddingTable<B>,
    #[module(skip)]
    pub(crate) config: TimeConfig,
    #[module(skip)]
    pub(crate) times: Arc<RatingTimes>,
}

impl<B: Backend> TimePart<B> {
    pub(crate) fn new(
        config: &TimeConfig,
        knowledge: &Knowledge,
        device: &B::Device,
    ) -> Result<Self, KnowledgeError> {
        let times = knowledge.times.as_ref().ok_or(KnowledgeError::Missing {
            part: "time",
            missing: "timestamp in the ratings",
            remedy: "take data whose times are dates",
        })?;
        let bias = EmbeddingTable::zeros("time_bias", [times.n_rows(), 1], device);
        Ok(Self { bias, config: config.clone(), times: Arc::clone(times) })
    }
}

/// The biases of ratings by users at times.
pub(crate) fn time_batch(config: &TimeConfig, times: &RatingTimes, users: &[u32], at: &[i64]) -> TimeBatch {
    let (mut rows, mut offsets) = (Vec::with_capacity(users.len() * 4), vec![0]);
    for (&user, &time) in users.iter().zip(at) {
        rows.extend(times.rows_of(config, user, time));
        offsets.push(rows.len() as u32);
    }
    TimeBatch { offsets, rows: UniqueRows::of(&rows) }
}

/// The sum of each rating's biases, `[batch, 1]`.
pub(crate) fn time_scores<B: RecommenderBackend>(bias: Tensor<B, 2>, batch: &TimeBatch) -> Tensor<B, 2> {
    let n_rows = batch.rows.len();
    let bags = Selection::bags(&batch.offsets, &batch.rows.positions, n_rows, Pooling::Sum, &bias.device());
    B::select_rows(bias, &bags)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// User 0 on the first of January 1970 and 1971, user 1 on the first alone.
    fn train() -> Ratings {
        Ratings {
            user_id: vec![0, 0, 1],
            item_id: vec![0, 1, 0],
            rating: vec![3.0; 3],
            time: vec![10, 365 * SECONDS_PER_DAY, 20],
            time_kind: TimeKind::Timestamp,
            parts: None,
        }
    }

    fn rows_of(config: &TimeConfig, user: u32, time: i64) -> Vec<u32> {
        RatingTimes::of(&train()).unwrap().rows_of(config, user, time).collect()
    }

    #[test]
    fn a_rating_has_a_month_a_season_an_age_and_a_day_of_its_user() {
        let all = TimeConfig::default();
        // January, winter, 364 days and some before the last, user 0's first day.
        assert_eq!(rows_of(&all, 0, 10), [0, 12, FIRST_AGE + 8, FIRST_DAY]);
        assert_eq!(rows_of(&all, 0, 365 * SECONDS_PER_DAY), [0, 12, FIRST_AGE, FIRST_DAY + 1]);
        assert_eq!(rows_of(&all, 1, 30), [0, 12, FIRST_AGE + 8, FIRST_DAY + 2]);
        let month = TimeConfig { season: false, age: false, user_day: false, ..all };
        assert_eq!(rows_of(&month, 0, 45 * SECONDS_PER_DAY), [1]);
    }

    #[test]
    fn a_day_without_training_ratings_and_a_time_after_the_last_are_no_failure() {
        let all = TimeConfig::default();
        assert_eq!(rows_of(&all, 1, 365 * SECONDS_PER_DAY).len(), 3);
        assert_eq!(rows_of(&all, 7, i64::MAX)[2], FIRST_AGE);
        assert_eq!(rows_of(&all, 7, i64::MIN + 1)[2], FIRST_AGE + N_AGES - 1);
        assert_eq!(rows_of(&all, 0, NO_TIME), [0; 0]);
    }

    #[test]
    fn ratings_without_timestamps_have_no_times() {
        assert_eq!(RatingTimes::of(&Ratings { time_kind: TimeKind::Ordinal, ..train() }), None);
        assert_eq!(RatingTimes::of(&Ratings { time: vec![NO_TIME; 3], ..train() }), None);
    }
}

//! Which rows are fit to learn from, and a count of those that are not.

use std::fmt;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::config::{DataConfig, OnBadRow};
use crate::error::{DataError, Place, RowFault};
use crate::groups::Groups;
use crate::interactions::{IdColumn, Interactions, NO_TIME};
use crate::source::RawData;
use crate::split::Moment;

/// What became of the rows read: `read` is the sum of all the other counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CleaningReport {
    /// Rows read, and lines of which no row was made.
    pub read: u64,
    /// Left out: lines that could not be read, under `on_bad_row: skip`.
    pub unreadable: u64,
    /// What was wrong with the first of them.
    pub first_unreadable: Option<String>,
    /// Left out: negatives that the source drew itself and lists beside the interactions.
    pub sampled_negatives: u64,
    /// Left out: no user, no item, no rating, or NaN.
    pub missing: u64,
    /// Left out: rating outside the scale.
    pub out_of_range: u64,
    /// Left out: the user rated the item again, later in time or, at the same time, further down the file.
    pub duplicates: u64,
    /// Left out: before `min_time`, or at `max_time` or later, or without a time while one of them is set.
    pub outside_time: u64,
    /// Left out: rating below `min_rating`.
    pub below_min_rating: u64,
    /// Left out: user or item below `min_user_ratings` or `min_item_ratings`.
    pub below_core: u64,
    /// Rows kept.
    pub kept: u64,
}

impl CleaningReport {
    /// Each step in the order it was taken, with the rows that it left out.
    pub fn steps(&self) -> [(&'static str, u64); 8] {
        [
            ("unreadable", self.unreadable),
            ("sampled negative", self.sampled_negatives),
            ("missing", self.missing),
            ("out of range", self.out_of_range),
            ("outside the time window", self.outside_time),
            ("duplicate", self.duplicates),
            ("below the minimum rating", self.below_min_rating),
            ("below the minimum count", self.below_core),
        ]
    }
}

impl fmt::Display for CleaningReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} rows kept; left out: ", self.kept, self.read)?;
        let steps = self.steps().into_iter().filter(|&(_, n_rows)| n_rows > 0);
        let steps: Vec<String> = steps.map(|(step, n_rows)| format!("{n_rows} {step}")).collect();
        f.write_str(if steps.is_empty() { "none" } else { "" })?;
        f.write_str(&steps.join(", "))?;
        match &self.first_unreadable {
            Some(error) => write!(f, " (the first unreadable: {error})"),
            None => Ok(()),
        }
    }
}

/// The rows to keep, ascending, and what became of the others.
///
/// # Errors
///
/// [`DataError::BadRow`] at the first row that is missing a value or off the scale under `on_bad_row: error`;
/// [`DataError::NothingLeft`].
pub(crate) fn clean(raw: &RawData, config: &DataConfig) -> Result<(Vec<u32>, CleaningReport), DataError> {
    let rows = &raw.interactions;
    let mut report = CleaningReport {
        read: rows.len() as u64 + raw.unreadable.n_lines + raw.sampled_negatives,
        unreadable: raw.unreadable.n_lines,
        first_unreadable: raw.unreadable.first.clone(),
        sampled_negatives: raw.sampled_negatives,
        ..CleaningReport::default()
    };
    let mut kept = fit_rows(raw, config.on_bad_row, &mut report)?;
    // What lies outside the window has not happened, and supersedes nothing.
    report.outside_time = keep_window(rows, &mut kept, config);
    let duplicates = superseded(rows, &kept);
    report.duplicates = leave_out(&mut kept, &duplicates);
    if let Some(min_rating) = config.min_rating {
        report.below_min_rating = retain(&mut kept, |row| rows.ratings[row] >= min_rating);
    }
    report.below_core = keep_core(rows, &mut kept, config);
    report.kept = kept.len() as u64;
    if kept.is_empty() {
        return Err(DataError::NothingLeft { read: report.read, report: report.to_string() });
    }
    Ok((kept, report))
}

/// Keeps the rows that pass and returns the number of the others.
fn retain(kept: &mut Vec<u32>, passes: impl Fn(usize) -> bool) -> u64 {
    let before = kept.len();
    kept.retain(|&row| passes(row as usize));
    (before - kept.len()) as u64
}

/// Takes rows out of those kept, both ascending, and returns how many they were.
fn leave_out(kept: &mut Vec<u32>, rows: &[u32]) -> u64 {
    let mut rest = rows.iter().peekable();
    if !rows.is_empty() {
        kept.retain(|row| rest.next_if_eq(&row).is_none());
    }
    rows.len() as u64
}

fn keep_window(rows: &Interactions, kept: &mut Vec<u32>, config: &DataConfig) -> u64 {
    let DataConfig { min_time, max_time, .. } = *config;
    if min_time.is_none() && max_time.is_none() {
        return 0;
    }
    let is_in = |time: i64| {
        let is_before = min_time.is_some_and(|Moment(min)| time < min);
        time != NO_TIME && !is_before && max_time.is_none_or(|Moment(max)| time < max)
    };
    retain(kept, |row| is_in(rows.times[row]))
}

fn fit_rows(raw: &RawData, on_bad_row: OnBadRow, report: &mut CleaningReport) -> Result<Vec<u32>, DataError> {
    let rows = &raw.interactions;
    let (low, high) = raw.rating_range;
    let empty = (rows.users.names().code_of(""), rows.items.names().code_of(""));
    let (users, items) = (rows.users.codes(), rows.items.codes());
    let is_fit = |row: usize| {
        let has_ids = Some(users[row]) != empty.0 && Some(items[row]) != empty.1;
        has_ids && (low..=high).contains(&rows.ratings[row])
    };
    if (0..rows.len()).into_par_iter().all(is_fit) {
        return Ok((0..rows.len() as u32).collect());
    }
    let mut kept = Vec::with_capacity(rows.len());
    for row in 0..rows.len() {
        if is_fit(row) {
            kept.push(row as u32);
            continue;
        }
        match fault_of(raw, row) {
            Some(fault) if on_bad_row == OnBadRow::Error => {
                return Err(DataError::BadRow { place: Place::Row(row), fault });
            }
            Some(RowFault::OutOfRange { .. } | RowFault::Infinite { .. }) => report.out_of_range += 1,
            _ => report.missing += 1,
        }
    }
    Ok(kept)
}

fn fault_of(raw: &RawData, row: usize) -> Option<RowFault> {
    let rows = &raw.interactions;
    let range = Some(raw.rating_range);
    RowFault::find(rows.users.name_at(row), rows.items.name_at(row), rows.ratings[row], range)
}

/// Every row but the last of its user and item, ascending: last by time, then by row.
fn superseded(rows: &Interactions, kept: &[u32]) -> Vec<u32> {
    let of_user = Groups::by(rows.users.codes(), rows.users.names().len(), kept.iter().copied());
    let groups: Vec<&[u32]> = of_user.iter().collect();
    let n_items = rows.items.names().len();
    let n_users_at_once = groups.len().div_ceil(4 * rayon::current_num_threads()).max(1);
    let in_users = |users: &[&[u32]]| superseded_in(rows, users, n_items);
    let mut losers: Vec<u32> = groups.par_chunks(n_users_at_once).flat_map_iter(in_users).collect();
    losers.sort_unstable();
    losers
}

/// The same among the rows of some users, one group for each.
fn superseded_in(rows: &Interactions, users: &[&[u32]], n_items: usize) -> Vec<u32> {
    let (items, times) = (rows.items.codes(), &rows.times);
    // For each item its user's row so far, and who that user was: one array for all users, never cleared.
    let mut latest = vec![(u32::MAX, 0_u32); n_items];
    let mut losers = Vec::new();
    for (user, group) in (0..).zip(users) {
        for &row in *group {
            let slot = &mut latest[items[row as usize] as usize];
            if slot.0 != user {
                *slot = (user, row);
                continue;
            }
            let is_later = times[row as usize] >= times[slot.1 as usize];
            losers.push(if is_later { std::mem::replace(&mut slot.1, row) } else { row });
        }
    }
    losers
}

/// Removes users and items with too few rows until all that are left have enough; returns the rows removed.
fn keep_core(rows: &Interactions, kept: &mut Vec<u32>, config: &DataConfig) -> u64 {
    let before = kept.len();
    if config.min_user_ratings.max(config.min_item_ratings) <= 1 {
        // Every row is one of its user and one of its item.
        return 0;
    }
    loop {
        let (users, items) = (counts(&rows.users, kept), counts(&rows.items, kept));
        let len = kept.len();
        kept.retain(|&row| {
            let (user, item) = (rows.users.codes()[row as usize], rows.items.codes()[row as usize]);
            users[user as usize] >= config.min_user_ratings && items[item as usize] >= config.min_item_ratings
        });
        if kept.len() == len {
            return (before - len) as u64;
        }
    }
}

fn counts(column: &IdColumn, rows: &[u32]) -> Vec<u32> {
    let mut counts = vec![0; column.names().len()];
    for &row in rows {
        counts[column.codes()[row as usize] as usize] += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;
    use crate::catalogue::Catalogue;
    use crate::source::Unreadable;

    fn raw(rows: &[(&str, &str, f32, i64)]) -> RawData {
        let mut interactions = Interactions::default();
        for &(user, item, rating, time) in rows {
            interactions.push(user, item, rating, time);
        }
        RawData {
            interactions,
            catalogue: Catalogue::default(),
            rating_range: (1.0, 5.0),
            unreadable: Unreadable::default(),
            sampled_negatives: 0,
            item_files: Vec::new(),
        }
    }

    fn skipping() -> DataConfig {
        DataConfig { on_bad_row: OnBadRow::Skip, ..DataConfig::default() }
    }

    #[test]
    fn every_row_left_out_is_counted_under_its_reason() {
        let raw = raw(&[
            ("a", "x", 3.0, 1),
            ("a", "y", f32::NAN, 1),
            ("", "x", 3.0, 1),
            ("a", "z", 11.0, 1),
            ("a", "x", 4.0, 2),
        ]);
        let (kept, report) = clean(&raw, &skipping()).unwrap();
        assert_eq!(kept, [4]);
        assert_eq!(report.to_string(), "1 of 5 rows kept; left out: 2 missing, 1 out of range, 1 duplicate");
    }

    #[test]
    fn a_bad_row_made_in_memory_is_named_by_its_number() {
        let raw = raw(&[("a", "x", 3.0, 1), ("a", "y", 11.0, 1)]);
        assert_eq!(
            clean(&raw, &DataConfig::default()).unwrap_err().to_string(),
            "row 1 of the interactions: rating \"11\" is outside the scale 1 to 5: correct the row, or set \
             data.on_bad_row: skip to leave such rows out and count them"
        );
    }

    #[test]
    fn of_duplicates_the_latest_stays_and_at_equal_times_the_last_row() {
        let by_time = raw(&[("a", "x", 1.0, 9), ("a", "x", 2.0, 3), ("a", "x", 3.0, NO_TIME)]);
        assert_eq!(clean(&by_time, &DataConfig::default()).unwrap().0, [0]);
        let by_row = raw(&[("a", "x", 1.0, 9), ("a", "x", 2.0, 9)]);
        assert_eq!(clean(&by_row, &DataConfig::default()).unwrap().0, [1]);
    }

    #[test]
    fn a_row_outside_the_window_supersedes_none_inside() {
        let raw = raw(&[("a", "x", 1.0, 5), ("a", "x", 2.0, 20)]);
        let config = DataConfig { max_time: Some(Moment(10)), ..DataConfig::default() };
        assert_eq!(clean(&raw, &config).unwrap().0, [0]);
    }

    #[test]
    fn removing_an_item_may_remove_a_user_in_turn() {
        // c's second item z has one rating only; without it c has one, and then y has one.
        let raw = raw(&[
            ("a", "w", 3.0, 1),
            ("a", "x", 3.0, 1),
            ("b", "w", 3.0, 1),
            ("b", "x", 3.0, 1),
            ("b", "y", 3.0, 1),
            ("c", "y", 3.0, 1),
            ("c", "z", 3.0, 1),
        ]);
        let config = DataConfig { min_user_ratings: 2, min_item_ratings: 2, ..DataConfig::default() };
        let (kept, report) = clean(&raw, &config).unwrap();
        assert_eq!(kept, [0, 1, 2, 3]);
        assert_eq!(report.below_core, 3);
    }

    #[test]
    fn nothing_left_is_an_error_that_says_where_the_rows_went() {
        let config = DataConfig { min_user_ratings: 3, ..DataConfig::default() };
        let message = clean(&raw(&[("a", "x", 3.0, 1)]), &config).unwrap_err().to_string();
        assert!(message.starts_with("no rating is left of 1 read (0 of 1 rows kept;"), "{message}");
        assert!(message.contains("lower data.min_user_ratings"), "{message}");
    }

    proptest! {
        #[test]
        fn the_report_adds_up_and_the_core_holds(
            rows in prop::collection::vec((0u8..6, 0u8..6, 0u8..8, 0i64..4), 1..60),
            min_user_ratings in 0u32..4,
            min_item_ratings in 0u32..4,
        ) {
            let mut interactions = Interactions::default();
            for (user, item, rating, time) in rows {
                interactions.push(&user.to_string(), &item.to_string(), f32::from(rating), time);
            }
            let raw = RawData {
                interactions,
                catalogue: Catalogue::default(),
                rating_range: (1.0, 5.0),
                unreadable: Unreadable::default(),
                sampled_negatives: 0,
            item_files: Vec::new(),
            };
            let config = DataConfig { min_user_ratings, min_item_ratings, ..skipping() };
            let Ok((kept, report)) = clean(&raw, &config) else { return Ok(()) };

            let left_out = report.missing + report.out_of_range + report.duplicates + report.below_core;
            prop_assert_eq!(report.read, left_out + report.kept);
            prop_assert_eq!(kept.len() as u64, report.kept);

            let (mut users, mut items, mut pairs) = (HashMap::new(), HashMap::new(), HashMap::new());
            for &row in &kept {
                let row = row as usize;
                let (user, item) = (raw.interactions.users.codes()[row], raw.interactions.items.codes()[row]);
                *users.entry(user).or_insert(0) += 1;
                *items.entry(item).or_insert(0) += 1;
                *pairs.entry((user, item)).or_insert(0) += 1;
            }
            prop_assert!(users.values().all(|&n| n >= min_user_ratings));
            prop_assert!(items.values().all(|&n| n >= min_item_ratings));
            prop_assert!(pairs.values().all(|&n| n == 1));
        }
    }
}

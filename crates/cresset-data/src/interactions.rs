//! Who rated what, how, and when, under the ids of the file it came from.

use serde::{Deserialize, Serialize};

use crate::names::{Names, SmallNumber};
use crate::split::Part;

/// Time of a row that has none; such rows train and are never tested.
pub const NO_TIME: i64 = i64::MIN;

/// What the time column of [`Interactions`] counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeKind {
    /// Seconds since 1970-01-01 UTC.
    Timestamp,
    /// Position in the user's own history, oldest first; carries no calendar.
    Ordinal,
    /// No row has a time.
    Absent,
}

/// Interactions in columns of equal length, one row each, ids as their source spells them.
#[derive(Debug, Clone, PartialEq)]
pub struct Interactions {
    /// Who, one id a row.
    pub users: IdColumn,
    /// What, one id a row.
    pub items: IdColumn,
    /// Ratings on the source's scale; `NaN` where the source left the field empty.
    pub ratings: Vec<f32>,
    /// When, in the unit that `time_kind` names; [`NO_TIME`] where unknown.
    pub times: Vec<i64>,
    /// What `times` counts.
    pub time_kind: TimeKind,
    /// The part of a split that the source gives each row, one for each; `None` where it gives none.
    pub parts: Option<Vec<Part>>,
}

impl Default for Interactions {
    fn default() -> Self {
        Self {
            users: IdColumn::default(),
            items: IdColumn::default(),
            ratings: Vec::new(),
            times: Vec::new(),
            time_kind: TimeKind::Absent,
            parts: None,
        }
    }
}

impl Interactions {
    /// The number of rows.
    pub fn len(&self) -> usize {
        self.ratings.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.ratings.is_empty()
    }

    /// Appends one row.
    ///
    /// # Panics
    ///
    /// If the rows so far have parts, or a column would hold more than 2^32 distinct ids.
    pub fn push(&mut self, user: &str, item: &str, rating: f32, time: i64) {
        self.push_in_part(user, item, rating, time, None);
    }

    /// Appends one row that belongs to a part of a given split.
    ///
    /// # Panics
    ///
    /// If some of the rows have a part and others none, or a column would hold more than 2^32 distinct ids.
    pub fn push_in_part(&mut self, user: &str, item: &str, rating: f32, time: i64, part: Option<Part>) {
        self.users.push(user);
        self.items.push(item);
        self.push_values(rating, time, part);
    }

    /// As [`push_in_part`](Self::push_in_part), for ids that spell numbers.
    pub(crate) fn push_numbers(
        &mut self,
        [user, item]: [SmallNumber; 2],
        rating: f32,
        time: i64,
        part: Option<Part>,
    ) {
        self.users.push_number(user);
        self.items.push_number(item);
        self.push_values(rating, time, part);
    }

    fn push_values(&mut self, rating: f32, time: i64, part: Option<Part>) {
        if let Some(part) = part {
            self.parts.get_or_insert_default().push(part);
        }
        self.ratings.push(rating);
        self.times.push(time);
        let n_parts = self.parts.as_ref().map_or(self.len(), Vec::len);
        assert_eq!(n_parts, self.len(), "every row has a part, or none has");
    }

    /// Makes room for that many further rows.
    pub(crate) fn reserve(&mut self, n_rows: usize) {
        self.users.codes.reserve(n_rows);
        self.items.codes.reserve(n_rows);
        self.ratings.reserve(n_rows);
        self.times.reserve(n_rows);
    }

    /// Appends the rows of `other`, whose kind of time is taken to be this one's.
    ///
    /// # Panics
    ///
    /// As [`push_in_part`](Self::push_in_part).
    pub fn append(&mut self, other: Self) {
        if let Some(parts) = other.parts {
            self.parts.get_or_insert_default().extend(parts);
        }
        self.users.append(&other.users);
        self.items.append(&other.items);
        self.ratings.extend(other.ratings);
        self.times.extend(other.times);
        let n_parts = self.parts.as_ref().map_or(self.len(), Vec::len);
        assert_eq!(n_parts, self.len(), "every row has a part, or none has");
    }

    /// Keeps the first `n_rows` rows; their ids keep their codes.
    pub(crate) fn truncate(&mut self, n_rows: usize) {
        self.users.codes.truncate(n_rows);
        self.items.codes.truncate(n_rows);
        self.ratings.truncate(n_rows);
        self.times.truncate(n_rows);
        if let Some(parts) = &mut self.parts {
            parts.truncate(n_rows);
        }
    }

    /// The lowest and the highest finite rating; 1 and 1 when there is none.
    pub fn rating_range(&self) -> (f32, f32) {
        crate::ratings::range_of(&self.ratings)
    }
}

/// A column of external ids, each distinct id stored once and rows as codes in order of first sight.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct IdColumn {
    names: Names,
    codes: Vec<u32>,
}

impl IdColumn {
    /// Appends one row.
    ///
    /// # Panics
    ///
    /// If the column would hold more than 2^32 distinct ids.
    pub fn push(&mut self, name: &str) {
        // Files are often sorted by user: the row above may have the same id.
        let code = match self.codes.last() {
            Some(&last) if self.names[last as usize] == *name => last,
            _ => self.names.code_or_add(name),
        };
        self.codes.push(code);
    }

    /// Appends one row whose id spells a number.
    pub(crate) fn push_number(&mut self, number: SmallNumber) {
        let code = self.names.code_or_add_number(number);
        self.codes.push(code);
    }

    /// The code of an id, a new one if it is new; the row itself is for [`push_code`](Self::push_code) to append.
    pub(crate) fn code_for(&mut self, name: &str) -> u32 {
        self.names.code_or_add(name)
    }

    /// Appends one row by a code that [`code_for`](Self::code_for) gave.
    pub(crate) fn push_code(&mut self, code: u32) {
        self.codes.push(code);
    }

    /// Appends the rows of another column.
    ///
    /// # Panics
    ///
    /// As [`push`](Self::push).
    pub fn append(&mut self, other: &Self) {
        let code_of: Vec<u32> = other.names.iter().map(|name| self.names.code_or_add(name)).collect();
        self.codes.extend(other.codes.iter().map(|&code| code_of[code as usize]));
    }

    /// Takes away the blanks around ids, after which some may be the same.
    pub(crate) fn trim(&mut self) {
        let is_trimmed = |name: &str| name.trim_ascii().len() == name.len();
        if self.names.iter().all(is_trimmed) {
            return;
        }
        let names = std::mem::take(&mut self.names);
        let code_of: Vec<u32> = names.iter().map(|name| self.names.code_or_add(name.trim_ascii())).collect();
        self.codes.iter_mut().for_each(|code| *code = code_of[*code as usize]);
    }

    /// The distinct ids, by code.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// The code of each row.
    pub fn codes(&self) -> &[u32] {
        &self.codes
    }

    /// The id of one row.
    pub fn name_at(&self, row: usize) -> &str {
        &self.names[self.codes[row] as usize]
    }

    /// The names and the codes, taken apart.
    pub fn into_parts(self) -> (Names, Vec<u32>) {
        (self.names, self.codes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_id_seen_again_keeps_its_code() {
        let mut rows = Interactions::default();
        rows.push("196", "242", 3.0, 7);
        rows.push("22", "242", 1.0, NO_TIME);
        rows.push("196", "50", 5.0, 9);
        assert_eq!(rows.len(), 3);
        assert_eq!(rows.users.names().iter().collect::<Vec<_>>(), ["196", "22"]);
        assert_eq!(rows.users.codes(), [0, 1, 0]);
        assert_eq!(rows.items.codes(), [0, 0, 1]);
        assert_eq!((rows.users.name_at(2), rows.items.name_at(2)), ("196", "50"));
        assert_eq!(rows.rating_range(), (1.0, 5.0));
    }

    #[test]
    fn ratings_that_are_not_finite_are_on_no_scale() {
        let mut rows = Interactions::default();
        for rating in [2.0, f32::INFINITY, f32::NAN, -1.0, f32::NEG_INFINITY] {
            rows.push("a", "x", rating, 0);
        }
        assert_eq!(rows.rating_range(), (-1.0, 2.0));
        assert_eq!(Interactions::default().rating_range(), (1.0, 1.0));
    }

    #[test]
    #[should_panic(expected = "every row has a part, or none has")]
    fn a_row_without_a_part_among_rows_that_have_one_is_refused() {
        let mut rows = Interactions::default();
        rows.push_in_part("a", "x", 1.0, 0, Some(Part::Train));
        rows.push("a", "y", 1.0, 0);
    }

    proptest! {
        #[test]
        fn columns_appended_are_as_rows_pushed(
            rows in prop::collection::vec(("[a-c]{0,2}", "[x-z]{1,2}"), 0..40),
            cut in 0usize..40,
        ) {
            let build = |rows: &[(String, String)]| {
                let mut columns = Interactions::default();
                rows.iter().for_each(|(user, item)| columns.push(user, item, 1.0, 0));
                columns
            };
            let cut = cut.min(rows.len());
            let mut joined = build(&rows[..cut]);
            joined.append(build(&rows[cut..]));
            prop_assert_eq!(joined, build(&rows));
        }
    }
}

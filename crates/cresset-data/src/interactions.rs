//! Who rated what, how, and when, under the ids of the file it came from.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

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
}

impl Default for Interactions {
    fn default() -> Self {
        Self {
            users: IdColumn::default(),
            items: IdColumn::default(),
            ratings: Vec::new(),
            times: Vec::new(),
            time_kind: TimeKind::Absent,
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
    pub fn push(&mut self, user: &str, item: &str, rating: f32, time: i64) {
        self.users.push(user);
        self.items.push(item);
        self.ratings.push(rating);
        self.times.push(time);
    }
}

/// A column of external ids, each distinct id stored once and rows as codes in order of first sight.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct IdColumn {
    names: Vec<String>,
    codes: Vec<u32>,
    code_of: HashMap<String, u32>,
}

impl IdColumn {
    /// Appends one row.
    ///
    /// # Panics
    ///
    /// If the column would hold more than 2^32 distinct ids.
    pub fn push(&mut self, name: &str) {
        let code = match self.code_of.get(name) {
            Some(&code) => code,
            None => {
                let code = u32::try_from(self.names.len()).expect("at most 2^32 distinct ids");
                self.names.push(name.to_owned());
                self.code_of.insert(name.to_owned(), code);
                code
            }
        };
        self.codes.push(code);
    }

    /// The distinct ids, by code.
    pub fn names(&self) -> &[String] {
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_seen_again_keeps_its_code() {
        let mut rows = Interactions::default();
        rows.push("196", "242", 3.0, 7);
        rows.push("22", "242", 1.0, NO_TIME);
        rows.push("196", "50", 5.0, 9);
        assert_eq!(rows.len(), 3);
        assert_eq!(rows.users.names(), ["196", "22"]);
        assert_eq!(rows.users.codes(), [0, 1, 0]);
        assert_eq!(rows.items.codes(), [0, 0, 1]);
        assert_eq!((rows.users.name_at(2), rows.items.name_at(2)), ("196", "50"));
    }
}

//! What a file that describes items held.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::catalogue::ItemInfo;
use crate::source::Unreadable;

/// What a file that describes items held, and how much of it is of use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ItemFileReport {
    /// The file's name, as the configuration or the format has it.
    pub file: String,
    /// Records read, one item each.
    pub n_records: u64,
    /// Those of items that have no interaction; they are left out.
    pub n_unrated: u64,
    /// Lines left out because they cannot be read, under `on_bad_row: skip`.
    pub n_unreadable: u64,
    /// What was wrong with the first of them.
    pub first_unreadable: Option<String>,
    /// How many of the records have a value, by field.
    pub fields: BTreeMap<String, u64>,
}

impl ItemFileReport {
    pub(crate) fn new(file: &str) -> Self {
        Self { file: file.to_owned(), ..Self::default() }
    }

    /// Counts a record and its values.
    pub(crate) fn count(&mut self, item: &ItemInfo) {
        self.n_records += 1;
        let own = [("title", !item.title.is_empty()), ("genres", !item.genres.is_empty())];
        let attributes = item.attributes.iter().map(|(name, value)| (name.as_str(), !value.is_empty()));
        for (name, _) in own.into_iter().chain(attributes).filter(|&(_, has_value)| has_value) {
            match self.fields.get_mut(name) {
                Some(count) => *count += 1,
                None => drop(self.fields.insert(name.to_owned(), 1)),
            }
        }
    }

    /// Adds the lines that could not be read.
    pub(crate) fn add_unreadable(&mut self, unreadable: Unreadable) {
        self.n_unreadable += unreadable.n_lines;
        self.first_unreadable = self.first_unreadable.take().or(unreadable.first);
    }
}

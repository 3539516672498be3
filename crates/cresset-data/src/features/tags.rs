//! Tags that users wrote: `tags.csv` of the MovieLens CSV editions.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::columns::TimeUnit;
use crate::config::OnBadRow;
use crate::error::DataError;
use crate::interactions::{IdColumn, NO_TIME};
use crate::ragged::Ragged;
use crate::source::{Unreadable, open_required};
use crate::text::{Dialect, for_each_row, time_of};
use crate::vocabulary::Vocabulary;

/// Which tags are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TagsConfig {
    /// Tags that were given less often to all items together are left out. Default: 1, all are kept.
    pub min_uses: u32,
    /// Tags that were given less often to one item are left out for this item. Default: 1, all are kept.
    pub min_item_uses: u32,
}

impl Default for TagsConfig {
    fn default() -> Self {
        Self { min_uses: 1, min_item_uses: 1 }
    }
}

/// Who gave which tag to what and when, in columns of equal length, tags as they were written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UserTags {
    /// Who, one id a row.
    pub users: IdColumn,
    /// What, one id a row.
    pub items: IdColumn,
    /// The tag, without the spaces around it.
    pub tags: IdColumn,
    /// Seconds since 1970-01-01 UTC; [`NO_TIME`] where the file has none.
    pub times: Vec<i64>,
    /// Number of rows that were left out because their tag is empty.
    pub n_empty: usize,
    /// Rows that were left out because they cannot be read, under `on_bad_row: skip`.
    pub unreadable: Unreadable,
}

/// The tags of each item of a vocabulary, in small letters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ItemTags {
    /// The tags that are kept.
    pub names: Vocabulary,
    /// The tags of each item, ascending.
    pub lists: Ragged,
    /// How often each was given to its item: one count for each of [`Ragged::codes`].
    pub counts: Vec<u32>,
    /// Number of tagged items that the vocabulary does not have.
    pub n_unused_items: usize,
}

impl UserTags {
    /// The rows of `tags.csv` (or `tag.csv`) in a folder.
    ///
    /// The columns `userId`, `movieId` and `tag` are needed; `timestamp` may be missing.
    ///
    /// # Errors
    ///
    /// [`DataError`] when the file or a column is missing, there is no row, or a row is not of its format; such rows are
    /// counted instead under [`OnBadRow::Skip`].
    pub fn read(folder: &Path, on_bad_row: OnBadRow) -> Result<Self, DataError> {
        let mut rows = Self::default();
        let unreadable = for_each_row(
            open_required(folder, &["tags.csv", "tag.csv"])?,
            Dialect::CSV,
            on_bad_row,
            |header| {
                let user = header.require(&["userId", "user_id", "user"])?;
                let item = header.require(&["movieId", "movie_id", "itemId", "item_id", "item"])?;
                Ok((user, item, header.require(&["tag"])?, header.find(&["timestamp", "time"])))
            },
            |at, &(user, item, tag, time), row| {
                let tag = at.utf8("tag", &row[tag])?;
                if tag.is_empty() {
                    rows.n_empty += 1;
                    return Ok(());
                }
                let (user, item) = (at.utf8("user id", &row[user])?, at.utf8("item id", &row[item])?);
                let time = time.map_or(Ok(NO_TIME), |column| time_of(at, &row[column], TimeUnit::Seconds))?;
                rows.push(user, item, tag, time);
                Ok(())
            },
        )?;
        Ok(Self { unreadable, ..rows })
    }

    fn push(&mut self, user: &str, item: &str, tag: &str, time: i64) {
        self.users.push(user);
        self.items.push(item);
        self.tags.push(tag);
        self.times.push(time);
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// The tags of each item of `items`: in small letters, counted, those below the minima left out.
    ///
    /// Uses count once for each user, item and tag, however often the row is repeated.
    pub fn of_items(&self, items: &Vocabulary, config: &TagsConfig) -> ItemTags {
        let item_of: Vec<Option<u32>> = self.items.names().iter().map(|id| items.index_of(id)).collect();
        let small: Vec<String> = self.tags.names().iter().map(str::to_lowercase).collect();
        let all_names = Vocabulary::from_ids(small.iter().map(String::as_str));
        let name_of: Vec<u32> = small.iter().filter_map(|tag| all_names.index_of(tag)).collect();
        let uses = self.uses(&item_of, &name_of);
        let kept = kept_names(&all_names, &uses, config.min_uses);
        let mut of_item: Vec<Vec<(u32, u32)>> = vec![Vec::new(); items.len()];
        for (&(item, name), &count) in &uses {
            let code = kept.index_of(all_names.id_of(name)).filter(|_| count >= config.min_item_uses);
            of_item[item as usize].extend(code.map(|code| (code, count)));
        }
        let mut tags = ItemTags { names: kept, ..ItemTags::default() };
        for list in &mut of_item {
            list.sort_unstable();
            tags.lists.push(list.iter().map(|&(code, _)| code));
            tags.counts.extend(list.iter().map(|&(_, count)| count));
        }
        tags.n_unused_items = item_of.iter().filter(|index| index.is_none()).count();
        tags
    }

    /// For each item and tag the number of users who gave it.
    fn uses(&self, item_of: &[Option<u32>], name_of: &[u32]) -> HashMap<(u32, u32), u32> {
        let mut seen = HashSet::with_capacity(self.len());
        let mut uses = HashMap::new();
        let rows = self.users.codes().iter().zip(self.items.codes()).zip(self.tags.codes());
        for ((&user, &item), &tag) in rows {
            let Some(item) = item_of[item as usize] else { continue };
            let name = name_of[tag as usize];
            if seen.insert((user, item, name)) {
                *uses.entry((item, name)).or_insert(0) += 1;
            }
        }
        uses
    }
}

/// The names used often enough by all items together.
fn kept_names(names: &Vocabulary, uses: &HashMap<(u32, u32), u32>, min_uses: u32) -> Vocabulary {
    let mut total = vec![0; names.len()];
    for (&(_, name), &count) in uses {
        total[name as usize] += count;
    }
    let is_kept = |&(_, &total): &(&String, &u32)| total >= min_uses.max(1);
    Vocabulary::from_ids(names.ids().iter().zip(&total).filter(is_kept).map(|(name, _)| name.as_str()))
}

impl ItemTags {
    /// The tags of one item and how often each was given.
    ///
    /// # Panics
    ///
    /// If the vocabulary has no such item.
    pub fn of(&self, item: u32) -> impl Iterator<Item = (u32, u32)> + '_ {
        let range = self.lists.range(item);
        self.lists.of(item).iter().copied().zip(self.counts[range].iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: &str = "userId,movieId,tag,timestamp\r\n\
        1,10, Funny ,100\r\n\
        2,10,funny,200\r\n\
        2,10,FUNNY,300\r\n\
        2,20,\"dark, slow\",\r\n\
        3,20,,400\r\n\
        3,99,funny,500\r\n";

    fn read(text: &str) -> Result<UserTags, String> {
        read_with(text, OnBadRow::Error)
    }

    fn read_with(text: &str, on_bad_row: OnBadRow) -> Result<UserTags, String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("tags.csv"), text).unwrap();
        let shown = format!("{}{}", folder.path().display(), std::path::MAIN_SEPARATOR);
        UserTags::read(folder.path(), on_bad_row).map_err(|error| error.to_string().replace(&shown, ""))
    }

    fn names_of(tags: &ItemTags, item: u32) -> Vec<(&str, u32)> {
        tags.of(item).map(|(code, count)| (tags.names.id_of(code), count)).collect()
    }

    #[test]
    fn tags_are_counted_once_a_user_whatever_their_letters() {
        let rows = read(ROWS).unwrap();
        assert_eq!((rows.len(), rows.n_empty), (5, 1));
        assert!(rows.tags.names().iter().eq(["Funny", "funny", "FUNNY", "dark, slow"]));
        assert_eq!(rows.times, [100, 200, 300, NO_TIME, 500]);
        let tags = rows.of_items(&Vocabulary::from_ids(["10", "15", "20"]), &TagsConfig::default());
        assert_eq!(names_of(&tags, 0), [("funny", 2)]);
        assert_eq!(names_of(&tags, 1), []);
        assert_eq!(names_of(&tags, 2), [("dark, slow", 1)]);
        assert_eq!(tags.n_unused_items, 1);
    }

    #[test]
    fn tags_below_a_minimum_are_left_out() {
        let rows = read(ROWS).unwrap();
        let items = Vocabulary::from_ids(["10", "20", "99"]);
        let config = TagsConfig { min_uses: 2, ..TagsConfig::default() };
        let tags = rows.of_items(&items, &config);
        assert_eq!(tags.names.ids(), ["funny"]);
        assert_eq!([names_of(&tags, 0), names_of(&tags, 1)], [vec![("funny", 2)], vec![]]);
        let config = TagsConfig { min_item_uses: 2, ..config };
        assert_eq!(rows.of_items(&items, &config).counts, [2]);
    }

    #[test]
    fn rows_that_cannot_be_read_are_counted_where_they_may_be_skipped() {
        let text = "userId,movieId,tag,timestamp\n1,2,x,soon\n1,2,7\" single,5\n1,2,y\n1,2,dark,6\n";
        let rows = read_with(text, OnBadRow::Skip).unwrap();
        assert!(rows.tags.names().iter().eq(["dark"]));
        assert_eq!((rows.len(), rows.unreadable.n_lines), (1, 3));
        assert!(rows.unreadable.first.unwrap().contains("tags.csv:2: time \"soon\""));
    }

    #[test]
    fn a_bad_time_and_a_missing_column_are_refused() {
        assert_eq!(
            read("userId,movieId,tag,timestamp\n1,2,x,soon\n").unwrap_err(),
            "tags.csv:2: time \"soon\" is not a whole number or a date like 2005-04-02 23:53:47: correct or delete \
             the line"
        );
        assert_eq!(
            read("userId,movieId\n1,2\n").unwrap_err(),
            "tags.csv:1: no column \"tag\" in the header \"userId,movieId\": name the columns in the first line"
        );
    }
}

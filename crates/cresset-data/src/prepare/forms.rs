//! The sequence form and the lists of the graph form.

use std::path::Path;

use rayon::prelude::*;

use super::lines::write_lines;
use crate::dataset::Dataset;
use crate::error::DataError;
use crate::files::FileError;
use crate::groups::Groups;
use crate::interactions::TimeKind;
use crate::ratings::Ratings;
use crate::split::Split;
use crate::text::push_number;
use crate::user_items::UserItems;
use crate::vocabulary::Vocabulary;

/// What [`write_graph_lists`] writes.
pub(super) const GRAPH_FILES: [&str; 5] =
    ["train.txt", "valid.txt", "test.txt", "user_list.txt", "item_list.txt"];

/// Writes `user item` a line, users ascending and each one's items in order of time, then of item; where no row has a
/// time, in the order of the source. Ids are indices and 1, for 0 is padding in the models that read this.
///
/// # Errors
///
/// [`DataError::File`] when the file cannot be written.
pub fn write_sequences(path: &Path, ratings: &Ratings) -> Result<(), DataError> {
    let rows = in_time_order(ratings);
    let line = |at: usize, text: &mut String| {
        let row = rows[at] as usize;
        push_number(text, u64::from(ratings.user_id[row]) + 1);
        text.push(' ');
        push_number(text, u64::from(ratings.item_id[row]) + 1);
        text.push('\n');
    };
    Ok(write_lines(path, "", rows.len(), line)?)
}

/// Row numbers by user, then time, then item, then row.
fn in_time_order(ratings: &Ratings) -> Vec<u32> {
    let n_users = ratings.user_id.iter().max().map_or(0, |&user| user as usize + 1);
    let mut of_user = Groups::by(&ratings.user_id, n_users, 0..ratings.len() as u32);
    let mut groups: Vec<&mut [u32]> = of_user.each_mut().collect();
    if ratings.time_kind != TimeKind::Absent {
        groups.par_iter_mut().for_each(|group| {
            group.sort_unstable_by_key(|&row| {
                (ratings.time[row as usize], ratings.item_id[row as usize], row)
            });
        });
    }
    groups.into_iter().flat_map(|group| group.iter().copied()).collect()
}

/// Writes the interactions and the ids of the graph form into `folder`, which is made if it is not: `train.txt`,
/// `valid.txt` and `test.txt` (`user item item ...`, items ascending, users without an item left out), `user_list.txt`
/// and `item_list.txt` (`org_id remap_id`, with tabs between the two in all lines where an id of the file holds a blank).
/// Items are the first entities, under the same indices.
///
/// # Errors
///
/// [`DataError::File`] when a file cannot be written, [`DataError::UnlistableId`] for an id with a tab or a line end.
pub fn write_graph_lists(folder: &Path, data: &Dataset, split: &Split) -> Result<(), DataError> {
    std::fs::create_dir_all(folder).map_err(|cause| FileError::write(folder, cause))?;
    let [train, valid, test, users, items] = GRAPH_FILES;
    for (name, rows) in [(train, &split.train), (valid, &split.valid), (test, &split.test)] {
        let of_user = UserItems::from_ratings(&data.ratings.select(rows), data.n_users());
        write_lines(&folder.join(name), "", of_user.n_users(), |user, text| {
            write_user(user as u32, &of_user, text);
        })?;
    }
    for (name, ids) in [(users, &data.users), (items, &data.items)] {
        write_ids(&folder.join(name), ids)?;
    }
    Ok(())
}

fn write_user(user: u32, of_user: &UserItems, text: &mut String) {
    let items = of_user.of(user);
    if items.is_empty() {
        return;
    }
    push_number(text, user.into());
    for &item in items {
        text.push(' ');
        push_number(text, item.into());
    }
    text.push('\n');
}

fn write_ids(path: &Path, ids: &Vocabulary) -> Result<(), DataError> {
    if let Some(id) = ids.ids().iter().find(|id| id.contains(['\t', '\n', '\r'])) {
        return Err(DataError::UnlistableId { file: path.to_owned(), id: id.clone() });
    }
    let has_blanks = ids.ids().iter().any(|id| id.contains(char::is_whitespace));
    let separator = if has_blanks { '\t' } else { ' ' };
    let head = format!("org_id{separator}remap_id\n");
    let written = write_lines(path, &head, ids.len(), |index, text| {
        text.push_str(&ids.ids()[index]);
        text.push(separator);
        push_number(text, index as u64);
        text.push('\n');
    });
    Ok(written?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Catalogue;
    use crate::config::DataConfig;
    use crate::interactions::{Interactions, NO_TIME};
    use crate::source::{RawData, SourceKind, Unreadable};

    fn ratings(time_kind: TimeKind) -> Ratings {
        Ratings {
            user_id: vec![1, 0, 0, 0],
            item_id: vec![4, 9, 3, 5],
            rating: vec![1.0; 4],
            time: match time_kind {
                TimeKind::Absent => vec![NO_TIME; 4],
                _ => vec![1, 7, 7, 2],
            },
            time_kind,
            parts: None,
        }
    }

    fn sequences(time_kind: TimeKind) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sequences.txt");
        write_sequences(&path, &ratings(time_kind)).unwrap();
        std::fs::read_to_string(path).unwrap()
    }

    #[test]
    fn items_follow_one_another_in_time_and_equal_times_by_item() {
        assert_eq!(sequences(TimeKind::Timestamp), "1 6\n1 4\n1 10\n2 5\n");
    }

    #[test]
    fn without_times_items_follow_the_order_of_the_source() {
        assert_eq!(sequences(TimeKind::Absent), "1 10\n1 4\n1 6\n2 5\n");
    }

    /// The graph form of one user and one item, read back as the source `kgat`.
    fn read_back(user: &str, item: &str) -> Result<(Dataset, Dataset), DataError> {
        let folder = tempfile::tempdir().unwrap();
        let mut interactions = Interactions::default();
        for (other, rating) in [(item, 1.0), ("7", 2.0), ("8", 3.0)] {
            interactions.push(user, other, rating, NO_TIME);
        }
        let raw = RawData {
            interactions,
            catalogue: Catalogue::default(),
            rating_range: (1.0, 5.0),
            unreadable: Unreadable::default(),
            sampled_negatives: 0,
            item_files: Vec::new(),
        };
        let config = DataConfig { valid_ratio: 0.0, test_ratio: 0.34, ..DataConfig::default() };
        let data = Dataset::from_raw(raw, &config).unwrap();
        let split = Split::of(&data.ratings, &config, 0).unwrap();
        write_graph_lists(&folder.path().join("kgat"), &data, &split)?;
        let config = DataConfig { source: SourceKind::Kgat, ..config };
        // No row is to validate on, and an empty file is none.
        std::fs::remove_file(folder.path().join("kgat/valid.txt")).unwrap();
        Ok((data, Dataset::load(&config, folder.path()).unwrap()))
    }

    #[test]
    fn lists_are_read_back_whatever_blanks_their_ids_hold() {
        for (user, item) in
            [("ann", "B01"), ("ann lee", "7 single"), ("a", "The 7\u{a0}\" 9"), ("\"a b\"", "\"x")]
        {
            let (data, again) = read_back(user, item).unwrap();
            assert_eq!(again.titles, data.items.ids());
            assert_eq!(again.catalogue.users[0].attributes, [("org_id".to_owned(), user.to_owned())]);
        }
    }

    #[test]
    fn an_id_that_no_line_can_hold_is_refused_with_what_to_do() {
        let message = read_back("ann", "a\tb").unwrap_err().to_string();
        assert!(message.contains("item_list.txt: id \"a\\tb\" holds a tab"), "{message}");
        assert!(message.ends_with("or leave the graph form out (prepare --no-graph)"), "{message}");
    }
}

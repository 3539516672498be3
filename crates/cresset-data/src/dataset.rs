//! A source's rows, cleaned and indexed.

use std::collections::HashMap;
use std::path::Path;

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::catalogue::{Catalogue, ItemInfo, UserInfo};
use crate::cleaning::{CleaningReport, clean};
use crate::config::DataConfig;
use crate::error::DataError;
use crate::interactions::IdColumn;
use crate::item_files::ItemFileReport;
use crate::ratings::Ratings;
use crate::source::RawData;
use crate::vocabulary::Vocabulary;

/// Ratings fit to learn from, under indices from 0, and what is known of their users and items.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// Users who have a rating left.
    pub users: Vocabulary,
    /// Items that have a rating left.
    pub items: Vocabulary,
    /// The rows kept, in the order of their source.
    pub ratings: Ratings,
    /// Title of each item, by index; its external id where the source has none.
    pub titles: Vec<String>,
    /// One entry for each user and item, by index; without attributes or genres where the source has none.
    pub catalogue: Catalogue,
    /// What became of the rows read.
    pub cleaning: CleaningReport,
    /// What each file that describes items held; a source's own lists are there only when lines of them were left out.
    pub item_files: Vec<ItemFileReport>,
    /// Lowest and highest rating of the source's scale.
    pub rating_range: (f32, f32),
    /// SHA-256 of ids and ratings, in hexadecimal: equal exactly when the data trained on are equal.
    pub fingerprint: String,
}

impl Dataset {
    /// Reads the configured source below `data_dir`, cleans it and indexes it.
    ///
    /// # Errors
    ///
    /// [`DataError`] when the configuration is out of range, files are missing or damaged, a row is unfit and
    /// `on_bad_row` is `error`, or nothing is left.
    pub fn load(config: &DataConfig, data_dir: &Path) -> Result<Self, DataError> {
        config.validate()?;
        Self::from_raw(config.source.read(config, data_dir)?, config)
    }

    /// Cleans and indexes what was read elsewhere or made in memory.
    ///
    /// # Errors
    ///
    /// [`DataError::BadRow`] when a row is unfit and `on_bad_row` is `error`; [`DataError::NothingLeft`].
    ///
    /// # Panics
    ///
    /// If there are parts and not one for each row.
    pub fn from_raw(raw: RawData, config: &DataConfig) -> Result<Self, DataError> {
        let (kept, cleaning) = clean(&raw, config)?;
        let RawData { interactions: rows, catalogue, rating_range, item_files, .. } = raw;
        let n_parts = rows.parts.as_ref().map_or(rows.len(), Vec::len);
        assert_eq!(n_parts, rows.len(), "one part for each row");
        let ((users, user_id), (items, item_id)) =
            rayon::join(|| indexed(rows.users, &kept), || indexed(rows.items, &kept));
        let ratings = Ratings {
            user_id,
            item_id,
            rating: kept_of(rows.ratings, &kept),
            time: kept_of(rows.times, &kept),
            time_kind: rows.time_kind,
            parts: rows.parts.map(|parts| kept_of(parts, &kept)),
        };
        let catalogue = aligned(catalogue, &users, &items);
        let titles = catalogue.items.iter().map(|item| item.title.clone()).collect();
        let fingerprint = fingerprint(&ratings, &users, &items, rating_range);
        Ok(Self { users, items, ratings, titles, catalogue, cleaning, item_files, rating_range, fingerprint })
    }

    /// The number of users.
    pub fn n_users(&self) -> usize {
        self.users.len()
    }

    /// The number of items.
    pub fn n_items(&self) -> usize {
        self.items.len()
    }
}

/// The vocabulary of a column's kept rows, and their indices.
fn indexed(column: IdColumn, kept: &[u32]) -> (Vocabulary, Vec<u32>) {
    let (vocabulary, index_of) = Vocabulary::from_column(&column, kept);
    let (_, codes) = column.into_parts();
    let mut indices = kept_of(codes, kept);
    indices.iter_mut().for_each(|code| *code = index_of[*code as usize]);
    (vocabulary, indices)
}

/// The values of the rows in `kept`, which ascend, in the memory of all: no second copy of a long column.
fn kept_of<T: Copy>(mut values: Vec<T>, kept: &[u32]) -> Vec<T> {
    if kept.len() < values.len() {
        for (to, &from) in kept.iter().enumerate() {
            values[to] = values[from as usize];
        }
        values.truncate(kept.len());
    }
    values
}

/// The catalogue with one entry for each index; of entries with the same id the last counts.
fn aligned(catalogue: Catalogue, users: &Vocabulary, items: &Vocabulary) -> Catalogue {
    let mut of_item: HashMap<String, ItemInfo> =
        catalogue.items.into_iter().map(|item| (item.id.clone(), item)).collect();
    let mut of_user: HashMap<String, UserInfo> =
        catalogue.users.into_iter().map(|user| (user.id.clone(), user)).collect();
    let item = |id: &String| {
        let mut info =
            of_item.remove(id).unwrap_or_else(|| ItemInfo { id: id.clone(), ..ItemInfo::default() });
        if info.title.is_empty() {
            info.title.clone_from(id);
        }
        info
    };
    let user = |id: &String| {
        of_user.remove(id).unwrap_or_else(|| UserInfo { id: id.clone(), ..UserInfo::default() })
    };
    Catalogue { items: items.ids().iter().map(item).collect(), users: users.ids().iter().map(user).collect() }
}

fn fingerprint(ratings: &Ratings, users: &Vocabulary, items: &Vocabulary, range: (f32, f32)) -> String {
    let mut hash = Sha256::new();
    hash.update(format!("cresset data 2, {:?}, {range:?}, {} rows", ratings.time_kind, ratings.len()));
    hash_column(&mut hash, &ratings.user_id, u32::to_le_bytes);
    hash_column(&mut hash, &ratings.item_id, u32::to_le_bytes);
    hash_column(&mut hash, &ratings.rating, f32::to_le_bytes);
    hash_column(&mut hash, &ratings.time, i64::to_le_bytes);
    if let Some(parts) = &ratings.parts {
        hash_column(&mut hash, parts, |part| [part as u8]);
    }
    for vocabulary in [users, items] {
        hash.update((vocabulary.len() as u64).to_le_bytes());
        for id in vocabulary.ids() {
            hash.update((id.len() as u64).to_le_bytes());
            hash.update(id);
        }
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Rows hashed by one thread, which is part of what a fingerprint means.
const HASHED_ROWS: usize = 1 << 18;

/// Takes in the hashes of a column's pieces, which all threads make.
fn hash_column<T: Copy + Sync, const BYTES: usize>(
    hash: &mut Sha256,
    column: &[T],
    bytes: impl Fn(T) -> [u8; BYTES] + Sync,
) {
    let hash_piece = |piece: &[T]| {
        let mut hash = Sha256::new();
        let mut buffer = [[0; BYTES]; 1024];
        for chunk in piece.chunks(buffer.len()) {
            let filled = &mut buffer[..chunk.len()];
            filled.iter_mut().zip(chunk).for_each(|(to, &value)| *to = bytes(value));
            hash.update(filled.as_flattened());
        }
        hash.finalize()
    };
    for piece in column.par_chunks(HASHED_ROWS).map(hash_piece).collect::<Vec<_>>() {
        hash.update(piece);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interactions::{Interactions, TimeKind};
    use crate::source::Unreadable;
    use crate::split::Part;

    fn raw(rows: &[(&str, &str, f32, i64)]) -> RawData {
        let mut interactions = Interactions { time_kind: TimeKind::Timestamp, ..Interactions::default() };
        for &(user, item, rating, time) in rows {
            interactions.push(user, item, rating, time);
        }
        let item = |id: &str, title: &str| ItemInfo {
            id: id.to_owned(),
            title: title.to_owned(),
            ..ItemInfo::default()
        };
        let title = ItemInfo { genres: vec!["Drama".to_owned()], ..item("9", "Nine") };
        let unrated = item("8", "Eight");
        let age = UserInfo::new("b".to_owned(), ["age"], ["30".to_owned()]);
        let catalogue = Catalogue { items: vec![unrated, title], users: vec![age] };
        RawData {
            interactions,
            catalogue,
            rating_range: (1.0, 5.0),
            unreadable: Unreadable::default(),
            sampled_negatives: 0,
            item_files: Vec::new(),
        }
    }

    fn load(rows: &[(&str, &str, f32, i64)]) -> Dataset {
        Dataset::from_raw(raw(rows), &DataConfig::default()).unwrap()
    }

    #[test]
    fn rows_are_indexed_in_natural_order_and_keep_their_place() {
        let data = load(&[("b", "10", 3.0, 7), ("a", "9", 4.0, 8)]);
        assert_eq!(data.users.ids(), ["a", "b"]);
        assert_eq!(data.items.ids(), ["9", "10"]);
        assert_eq!(data.ratings.user_id, [1, 0]);
        assert_eq!(data.ratings.item_id, [1, 0]);
        assert_eq!(data.ratings.rating, [3.0, 4.0]);
        assert_eq!(data.ratings.time, [7, 8]);
    }

    #[test]
    fn the_parts_that_a_source_gives_stay_with_their_rows() {
        let mut raw = raw(&[("b", "10", 3.0, 7), ("b", "10", 4.0, 8), ("a", "9", 4.0, 8)]);
        raw.interactions.parts = Some(vec![Part::Train, Part::Valid, Part::Test]);
        let unsplit = raw.clone();
        let data = Dataset::from_raw(raw, &DataConfig::default()).unwrap();
        assert_eq!(data.ratings.parts, Some(vec![Part::Valid, Part::Test]));
        let unsplit =
            RawData { interactions: Interactions { parts: None, ..unsplit.interactions }, ..unsplit };
        assert_ne!(Dataset::from_raw(unsplit, &DataConfig::default()).unwrap().fingerprint, data.fingerprint);
    }

    #[test]
    fn the_catalogue_has_one_entry_for_each_index() {
        let data = load(&[("b", "10", 3.0, 7), ("a", "9", 4.0, 8)]);
        assert_eq!(data.titles, ["Nine", "10"]);
        assert_eq!(data.catalogue.items[0].genres, ["Drama"]);
        assert_eq!(data.catalogue.items[1].id, "10");
        assert!(data.catalogue.users[0].attributes.is_empty());
        assert_eq!(data.catalogue.users[1].attributes, [("age".to_owned(), "30".to_owned())]);
    }

    #[test]
    fn the_fingerprint_changes_with_any_value_and_with_nothing_else() {
        let rows = [("b", "10", 3.0, 7), ("a", "9", 4.0, 8)];
        let fingerprint = load(&rows).fingerprint;
        assert_eq!(fingerprint.len(), 64);
        assert_eq!(load(&rows).fingerprint, fingerprint);
        for (row, changed) in [
            (0, ("c", "10", 3.0, 7)),
            (0, ("b", "11", 3.0, 7)),
            (1, ("a", "9", 5.0, 8)),
            (1, ("a", "9", 4.0, 9)),
        ] {
            let mut rows = rows;
            rows[row] = changed;
            assert_ne!(load(&rows).fingerprint, fingerprint, "{changed:?}");
        }
    }
}

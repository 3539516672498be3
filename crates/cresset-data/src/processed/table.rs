//! `interactions_mapped.parquet` under the names that its columns have elsewhere.

use std::path::Path;

use arrow_array::{Array, RecordBatch};

use super::RATING_RANGE;
use super::index::FolderIndex;
use crate::arrow::column::Column;
use crate::arrow::lists::Lists;
use crate::arrow::times::{named_kind, time_kind_or, to_seconds};
use crate::arrow::{BatchPlace, ColumnError};
use crate::catalogue::ItemInfo;
use crate::error::DataError;
use crate::interactions::{IdColumn, NO_TIME, TimeKind};
use crate::parquet_io::{ParquetTable, PartBatch};
use crate::ratings::Ratings;
use crate::split::Part;

// The first of the names that is there counts: an index before an id.
const USER: &[&str] = &["user_idx", "uid_idx", "user_index", "uidx", "user_id", "userid", "uid", "user"];
const ITEM: &[&str] = &["item_idx", "iid_idx", "item_index", "iidx", "item_id", "itemid", "iid", "item"];
const RATING: &[&str] = &["rating", "score", "label", "stars", "overall"];
const TIME: &[&str] = &["timestamp", "ts", "time", "unix_time", "datetime", "date"];
const SPLIT: &[&str] = &["split", "part", "x_label"];
const CATEGORY: &[&str] = &["category", "categories", "category_id"];
const BRAND: &[&str] = &["brand", "brand_id"];

/// The rows of the table, and what its columns say of items.
pub(super) struct Table {
    pub(super) ratings: Ratings,
    /// From a column of parts.
    pub(super) parts: Option<Vec<Part>>,
    /// From columns of categories and brands; one for each item index.
    pub(super) items: Option<Vec<ItemInfo>>,
    /// The scale that a table of ours names.
    pub(super) rating_range: Option<(f32, f32)>,
}

/// Which column of the table is what.
struct Names<'t> {
    user: &'t str,
    item: &'t str,
    rating: Option<&'t str>,
    time: Option<&'t str>,
    split: Option<&'t str>,
    category: Option<&'t str>,
    brand: Option<&'t str>,
}

impl<'t> Names<'t> {
    fn find(table: &'t ParquetTable, path: &Path) -> Result<Self, ColumnError> {
        let columns = table.columns();
        let find = |names: &[&str]| {
            let named =
                |name: &&str| columns.iter().copied().find(|column| column.eq_ignore_ascii_case(name));
            names.iter().find_map(named)
        };
        let require = |names: &[&str], what| {
            find(names).ok_or_else(|| ColumnError::NoneOf {
                place: BatchPlace::file(path),
                what,
                names: names.join(", "),
                there: columns.join(", "),
            })
        };
        Ok(Self {
            user: require(USER, "users")?,
            item: require(ITEM, "items")?,
            rating: find(RATING),
            time: find(TIME),
            split: find(SPLIT),
            category: find(CATEGORY),
            brand: find(BRAND),
        })
    }

    fn list(&self) -> Vec<&'t str> {
        let optional = [self.rating, self.time, self.split, self.category, self.brand];
        [self.user, self.item].into_iter().chain(optional.into_iter().flatten()).collect()
    }
}

/// Reads the table; indices are checked against the two vocabularies.
pub(super) fn read_table(path: &Path, users: &FolderIndex, items: &FolderIndex) -> Result<Table, DataError> {
    let table = ParquetTable::open(path)?;
    let names = Names::find(&table, path)?;
    let mut import = Import::new(&names, users, items);
    table.for_each(&names.list(), |part| import.append(&part))?;
    let named = named_kind(table.metadata());
    let rating_range = table.metadata().get(RATING_RANGE).and_then(|range| parse_range(range));
    Ok(import.finish(named, rating_range))
}

fn parse_range(text: &str) -> Option<(f32, f32)> {
    let (low, high) = text.split_once(' ')?;
    Some((low.parse().ok()?, high.parse().ok()?))
}

/// Collects the rows of one batch after another.
struct Import<'a> {
    names: &'a Names<'a>,
    users: &'a FolderIndex,
    items: &'a FolderIndex,
    ratings: Ratings,
    parts: Vec<Part>,
    info: Vec<ItemInfo>,
}

impl<'a> Import<'a> {
    fn new(names: &'a Names<'a>, users: &'a FolderIndex, items: &'a FolderIndex) -> Self {
        let ratings = Ratings {
            user_id: Vec::new(),
            item_id: Vec::new(),
            rating: Vec::new(),
            time: Vec::new(),
            time_kind: TimeKind::Absent,
            parts: None,
        };
        let describes = names.category.is_some() || names.brand.is_some();
        let ids = items.vocabulary.ids().iter().filter(|_| describes);
        let info = ids.map(|id| ItemInfo { id: id.clone(), ..ItemInfo::default() }).collect();
        Self { names, users, items, ratings, parts: Vec::new(), info }
    }

    fn append(&mut self, part: &PartBatch) -> Result<(), DataError> {
        let PartBatch { place, batch } = part;
        let names = self.names;
        let column = |name| Column::of(batch, name, place);
        self.ratings.user_id.extend(self.users.indices_of(&column(names.user)?)?);
        let items = self.items.indices_of(&column(names.item)?)?;
        match names.rating {
            Some(name) => self.ratings.rating.extend(column(name)?.into_f32s()?),
            None => self.ratings.rating.extend(std::iter::repeat_n(1.0, batch.num_rows())),
        }
        match names.time {
            Some(name) => self.ratings.time.extend(column(name)?.into_times()?),
            None => self.ratings.time.extend(std::iter::repeat_n(NO_TIME, batch.num_rows())),
        }
        if let Some(name) = names.split {
            self.parts.extend(column(name)?.parts()?);
        }
        self.describe(batch, place, &items)?;
        self.ratings.item_id.extend(items);
        Ok(())
    }

    /// Takes categories and brands of items not described yet.
    fn describe(&mut self, batch: &RecordBatch, place: &BatchPlace, items: &[u32]) -> Result<(), DataError> {
        if let Some(name) = self.names.category {
            let categories = texts(&Column::of(batch, name, place)?)?;
            for (&item, categories) in items.iter().zip(categories) {
                let info = &mut self.info[item as usize];
                if info.genres.is_empty() {
                    info.genres = categories;
                }
            }
        }
        if let Some(name) = self.names.brand {
            let brands = texts(&Column::of(batch, name, place)?)?;
            for (&item, brands) in items.iter().zip(brands) {
                let info = &mut self.info[item as usize];
                if info.attributes.is_empty() && !brands.is_empty() {
                    info.attributes = vec![("brand".to_owned(), brands.join(", "))];
                }
            }
        }
        Ok(())
    }

    fn finish(self, named: Option<TimeKind>, rating_range: Option<(f32, f32)>) -> Table {
        let mut ratings = self.ratings;
        if named.is_none() {
            to_seconds(&mut ratings.time);
        }
        ratings.time_kind = time_kind_or(named, &ratings.time);
        let parts = self.names.split.map(|_| self.parts);
        let items = (!self.info.is_empty()).then_some(self.info);
        Table { ratings, parts, items, rating_range }
    }
}

/// The text or the number of each row, or all of a list's.
fn texts(column: &Column<'_>) -> Result<Vec<Vec<String>>, DataError> {
    let lists = Lists::of(&column.array);
    let values = lists.as_ref().map_or(&column.array, |lists| &lists.values).clone();
    let mut names = IdColumn::default();
    Column { array: values, ..*column }.append_ids(&mut names)?;
    let of_row = |row: usize| {
        let values = lists.as_ref().map_or(row..row + 1, |lists| lists.range(row));
        values.map(|at| names.name_at(at)).filter(|name| !name.is_empty()).map(str::to_owned).collect()
    };
    Ok((0..column.array.len()).map(of_row).collect())
}

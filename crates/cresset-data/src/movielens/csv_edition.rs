//! The CSV editions (20M, 25M, 32M, latest, latest-small): `ratings.csv`, `movies.csv`, columns found by name.

use std::path::Path;

use super::genres;
use super::rows::{RatingRow, RatingSink};
use super::table::for_each_row;
use crate::catalogue::{Catalogue, ItemInfo};
use crate::config::DataConfig;
use crate::error::DataError;
use crate::files::TextFile;
use crate::interactions::TimeKind;
use crate::source::{RawData, open_any, open_required};

const RATING_RANGE: (f32, f32) = (0.5, 5.0);
const USER: [&str; 3] = ["userId", "user_id", "user"];
const ITEM: [&str; 5] = ["movieId", "movie_id", "itemId", "item_id", "item"];

/// Ratings from `ratings.csv` (or `rating.csv`), titles and genres from `movies.csv` (or `movie.csv`).
///
/// The columns `userId`, `movieId`, `rating` are needed (also as `user_id`, `item_id` and the like); `timestamp`
/// gives times, `seq` each user's own order, and with neither the rows have no time.
///
/// # Errors
///
/// [`DataError`] when the ratings or a column of theirs are missing, a file is empty, or a row is not of its
/// format.
pub fn read(folder: &Path, config: &DataConfig) -> Result<RawData, DataError> {
    let mut sink = RatingSink::new(RATING_RANGE, config.on_bad_row);
    push_ratings(open_required(folder, &["ratings.csv", "rating.csv"])?, &mut sink)?;
    let catalogue = Catalogue { items: read_items(folder)?, users: Vec::new() };
    Ok(RawData { interactions: sink.interactions, catalogue, rating_range: RATING_RANGE })
}

/// Where a CSV of ratings has its fields.
struct RatingColumns {
    user: usize,
    item: usize,
    rating: usize,
    time: Option<(usize, TimeKind)>,
}

/// Appends the rows of a CSV of ratings; its kind of time becomes that of all rows unless it has none.
pub(super) fn push_ratings(file: TextFile, sink: &mut RatingSink) -> Result<(), DataError> {
    let mut time_kind = sink.interactions.time_kind;
    for_each_row(
        file,
        |header| {
            let timestamp = header.find(&["timestamp"]).map(|column| (column, TimeKind::Timestamp));
            let time = timestamp.or_else(|| header.find(&["seq"]).map(|column| (column, TimeKind::Ordinal)));
            let (user, item) = (header.require(&USER)?, header.require(&ITEM)?);
            Ok(RatingColumns { user, item, rating: header.require(&["rating"])?, time })
        },
        |at, &RatingColumns { user, item, rating, time }, row| {
            time_kind = time.map_or(time_kind, |(_, kind)| kind);
            let time = time.map(|(column, _)| &row[column]);
            sink.push(at, &RatingRow { user: &row[user], item: &row[item], rating: &row[rating], time })
        },
    )?;
    sink.interactions.time_kind = time_kind;
    Ok(())
}

fn read_items(folder: &Path) -> Result<Vec<ItemInfo>, DataError> {
    let Some(file) = open_any(folder, &["movies.csv", "movie.csv"])? else { return Ok(Vec::new()) };
    let mut items = Vec::new();
    for_each_row(
        file,
        |header| Ok((header.require(&ITEM)?, header.require(&["title"])?, header.find(&["genres"]))),
        |at, &(id, title, genre), row| {
            let list = genre.map_or(Ok(""), |column| at.utf8("genres", &row[column]))?;
            let (id, title) = (at.utf8("item id", &row[id])?, at.utf8("title", &row[title])?);
            items.push(ItemInfo { id: id.to_owned(), title: title.to_owned(), genres: genres(list) });
            Ok(())
        },
    )?;
    Ok(items)
}

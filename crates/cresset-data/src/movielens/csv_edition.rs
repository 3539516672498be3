//! The CSV editions (20M, 25M, 32M, latest, latest-small): `ratings.csv`, `movies.csv`, columns found by name.

use std::path::Path;

use super::genres;
use crate::catalogue::{Catalogue, ItemInfo};
use crate::config::DataConfig;
use crate::error::DataError;
use crate::files::TextFile;
use crate::interactions::TimeKind;
use crate::item_files::{ItemFileReport, ItemMerge, OwnLists};
use crate::source::{RawData, open_any, open_required};
use crate::text::{At, Dialect, Header, RatingRow, RatingSink, Row, for_each_parsed_row};

const RATING_RANGE: (f32, f32) = (0.5, 5.0);
const USER: [&str; 3] = ["userId", "user_id", "user"];
/// Attributes and their columns in `links.csv`.
const LINKS: [(&str, &str); 2] = [("imdb_id", "imdbId"), ("tmdb_id", "tmdbId")];
const ITEM: [&str; 5] = ["movieId", "movie_id", "itemId", "item_id", "item"];

/// Ratings from `ratings.csv` (or `rating.csv`), titles and genres from `movies.csv` (or `movie.csv`), and the ids
/// that other catalogues have for the films from `links.csv` (or `link.csv`), as the attributes `imdb_id`, `tmdb_id`.
///
/// The columns `userId`, `movieId`, `rating` are needed (also as `user_id`, `item_id` and the like); `timestamp`
/// gives times, `seq` each user's own order, and with neither the rows have no time.
///
/// # Errors
///
/// [`DataError`] when the ratings or a column of theirs are missing, a file is empty, or a row is not of its
/// format.
pub fn read(folder: &Path, config: &DataConfig) -> Result<RawData, DataError> {
    let mut sink = RatingSink::new(Some(RATING_RANGE), config);
    push_ratings(open_required(folder, &["ratings.csv", "rating.csv"])?, &mut sink)?;
    let mut lists = OwnLists::new(config);
    let mut raw = sink.finish(Catalogue { items: read_items(folder, &mut lists)?, users: Vec::new() });
    lists.report_to(&mut raw);
    read_links(folder, config, &mut raw)?;
    Ok(raw)
}

/// Where a CSV of ratings has its fields.
struct RatingColumns {
    user: usize,
    item: usize,
    rating: usize,
    time: Option<usize>,
}

/// Appends the rows of a CSV of ratings; its kind of time becomes that of all rows unless it has none.
pub(super) fn push_ratings(file: TextFile, sink: &mut RatingSink) -> Result<(), DataError> {
    let mut time_kind = None;
    let columns = |header: &Header| {
        let timestamp = header.find(&["timestamp"]).map(|column| (column, TimeKind::Timestamp));
        let time = timestamp.or_else(|| header.find(&["seq"]).map(|column| (column, TimeKind::Ordinal)));
        time_kind = time.map(|(_, kind)| kind);
        let (user, item) = (header.require(&USER)?, header.require(&ITEM)?);
        Ok(RatingColumns { user, item, rating: header.require(&["rating"])?, time: time.map(|(at, _)| at) })
    };
    sink.read_table(
        file,
        Dialect::CSV,
        columns,
        |at, &RatingColumns { user, item, rating, time }, row, rows| {
            let (rating, time) = (Some(&row[rating]), time.map(|time| &row[time]));
            rows.push(at, &RatingRow { user: &row[user], item: &row[item], rating, time, part: None })
        },
    )?;
    sink.interactions.time_kind = time_kind.unwrap_or(sink.interactions.time_kind);
    Ok(())
}

fn read_items(folder: &Path, lists: &mut OwnLists) -> Result<Vec<ItemInfo>, DataError> {
    let Some(file) = open_any(folder, &["movies.csv", "movie.csv"])? else { return Ok(Vec::new()) };
    lists.rows(
        file,
        Dialect::CSV,
        |header| Ok((header.require(&ITEM)?, header.require(&["title"])?, header.find(&["genres"]))),
        |at, &(id, title, genre), row| {
            let list = genre.map_or(Ok(""), |column| at.utf8("genres", &row[column]))?;
            let (id, title) = (at.utf8("item id", &row[id])?, at.utf8("title", &row[title])?);
            let (id, title, genres) = (id.to_owned(), title.to_owned(), genres(list));
            Ok(ItemInfo { id, title, genres, ..ItemInfo::default() })
        },
    )
}

/// Adds the ids of `links.csv`, where it is there.
fn read_links(folder: &Path, config: &DataConfig, raw: &mut RawData) -> Result<(), DataError> {
    let names = ["links.csv", "link.csv"];
    let Some(file) = open_any(folder, &names)? else { return Ok(()) };
    let mut merge = ItemMerge::of(raw);
    let mut report = ItemFileReport::new(names[0]);
    let columns =
        |header: &Header| Ok((header.require(&ITEM)?, LINKS.map(|(_, column)| header.find(&[column]))));
    let parse = |at: At<'_>, &(id, links): &(usize, [Option<usize>; 2]), row: &Row| {
        let mut item = ItemInfo { id: at.utf8("item id", &row[id])?.to_owned(), ..ItemInfo::default() };
        for ((name, _), column) in LINKS.iter().zip(links) {
            let value = column.map_or(Ok(""), |column| at.utf8("link", &row[column]))?;
            if !value.is_empty() {
                item.attributes.push(((*name).to_owned(), value.to_owned()));
            }
        }
        Ok(item)
    };
    let each = |item| merge.add(item, &mut report);
    let unreadable = for_each_parsed_row(file, Dialect::CSV, config.on_bad_row, columns, parse, each)?;
    report.add_unreadable(unreadable);
    merge.reports.push(report);
    Ok(())
}

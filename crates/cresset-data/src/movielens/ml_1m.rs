//! MovieLens 1M: `ratings.dat`, `movies.dat`, `users.dat`, or the ratings as CSV with an order instead of times.

use std::path::Path;

use super::csv_edition::push_ratings;
use super::genres;
use crate::catalogue::{Catalogue, ItemInfo, UserInfo};
use crate::config::DataConfig;
use crate::error::DataError;
use crate::files::open_text;
use crate::interactions::TimeKind;
use crate::item_files::OwnLists;
use crate::source::{RawData, open_required};
use crate::text::{RatingRow, RatingSink, fields, latin1};

const RATING_RANGE: (f32, f32) = (1.0, 5.0);

/// Ratings with timestamps from `ratings.dat`, or, where that is missing, in each user's own order from
/// `ratings_ordered.csv` with those of unknown order from `ratings_rare_items.csv`.
///
/// Titles and genres come from `movies.dat`; ages and occupations from `users.dat`, as the codes of its README.
///
/// # Errors
///
/// [`DataError`] when both rating files are missing, a file is empty, or a row is not of its format.
pub fn read(folder: &Path, config: &DataConfig) -> Result<RawData, DataError> {
    let mut sink = RatingSink::new(Some(RATING_RANGE), config);
    match open_text(&folder.join("ratings.dat"))? {
        Some(file) => {
            sink.interactions.time_kind = TimeKind::Timestamp;
            sink.read_lines(file, |at, line, rows| {
                let [user, item, rating, time] = fields(at, line, b"::")?;
                rows.push(at, &RatingRow { user, item, rating: Some(rating), time: Some(time), part: None })
            })?;
        }
        None => push_ordered(folder, &mut sink)?,
    }
    let mut lists = OwnLists::new(config);
    let catalogue =
        Catalogue { items: read_items(folder, &mut lists)?, users: read_users(folder, &mut lists)? };
    let mut raw = sink.finish(catalogue);
    lists.report_to(&mut raw);
    Ok(raw)
}

fn push_ordered(folder: &Path, sink: &mut RatingSink) -> Result<(), DataError> {
    let names = ["ratings.dat", "ratings_ordered.csv"];
    push_ratings(open_required(folder, &names)?, sink)?;
    match open_text(&folder.join("ratings_rare_items.csv"))? {
        Some(file) => push_ratings(file, sink),
        None => Ok(()),
    }
}

fn read_items(folder: &Path, lists: &mut OwnLists) -> Result<Vec<ItemInfo>, DataError> {
    let Some(file) = open_text(&folder.join("movies.dat"))? else { return Ok(Vec::new()) };
    lists.lines(file, |at, line| {
        let [id, title, list] = fields(at, line, b"::")?;
        let genres = genres(&latin1(list));
        Ok(ItemInfo { id: latin1(id), title: latin1(title), genres, ..ItemInfo::default() })
    })
}

fn read_users(folder: &Path, lists: &mut OwnLists) -> Result<Vec<UserInfo>, DataError> {
    let Some(file) = open_text(&folder.join("users.dat"))? else { return Ok(Vec::new()) };
    lists.lines(file, |at, line| {
        let [id, values @ ..]: [&[u8]; 5] = fields(at, line, b"::")?;
        Ok(UserInfo::new(latin1(id), ["gender", "age", "occupation", "zip"], values.map(latin1)))
    })
}

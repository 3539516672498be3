//! The multimodal ML-100K folder: `ratings.dat`, `movies.dat`, `user.dat`, a workbook of texts, a folder of pictures.
//!
//! Rows of the `.dat` files are cut at `::`: user, item, rating, time; id, title, genres; and id, gender, age,
//! occupation, postcode. A line that is no UTF-8 is taken as ISO-8859-1, since nothing says which of them was used. What
//! the folder lacks beside its ratings is left out.

mod images;
mod texts;
mod workbook;

use std::path::Path;

use crate::catalogue::{Catalogue, ItemInfo, UserInfo};
use crate::config::DataConfig;
use crate::error::DataError;
use crate::interactions::TimeKind;
use crate::item_files::{ItemMerge, OwnLists};
use crate::source::{RawData, open_any, open_required};
use crate::text::{At, RatingRow, RatingSink, fields, latin1};

const RATING_RANGE: (f32, f32) = (1.0, 5.0);
const SEPARATOR: &[u8] = b"::";

/// Ratings with timestamps, titles and genres, users, texts and the paths of pictures, all but the ratings where they
/// are there.
///
/// A picture's path below the folder is the attribute `image` of its item, a text the attribute `text`.
///
/// # Errors
///
/// [`DataError`] when `ratings.dat` or a file that the configuration names is missing, a file is empty, or a row is not
/// of its format.
pub fn read(folder: &Path, config: &DataConfig) -> Result<RawData, DataError> {
    let mut sink = RatingSink::new(Some(RATING_RANGE), config);
    sink.interactions.time_kind = TimeKind::Timestamp;
    sink.read_lines(open_required(folder, &["ratings.dat"])?, |at, line, rows| {
        let [user, item, rating, time] = fields(at, line, SEPARATOR)?;
        rows.push(at, &RatingRow { user, item, rating: Some(rating), time: Some(time), part: None })
    })?;
    let mut lists = OwnLists::new(config);
    let catalogue =
        Catalogue { items: read_items(folder, &mut lists)?, users: read_users(folder, &mut lists)? };
    let mut raw = sink.finish(catalogue);
    lists.report_to(&mut raw);
    let mut merge = ItemMerge::of(&mut raw);
    texts::merge(folder, config, &mut merge)?;
    if config.load_images {
        images::merge(folder, &mut merge)?;
    }
    Ok(raw)
}

fn read_items(folder: &Path, lists: &mut OwnLists) -> Result<Vec<ItemInfo>, DataError> {
    let Some(file) = open_any(folder, &["movies.dat"])? else { return Ok(Vec::new()) };
    lists.lines(file, |at, line| {
        let [id, title, list] = fields(at, line, SEPARATOR)?.map(text_of);
        let genres = list.split('|').map(str::trim).filter(|genre| !genre.is_empty()).map(str::to_owned);
        let genres = genres.collect();
        Ok(ItemInfo { id, title, genres, ..ItemInfo::default() })
    })
}

fn read_users(folder: &Path, lists: &mut OwnLists) -> Result<Vec<UserInfo>, DataError> {
    let Some(file) = open_any(folder, &["user.dat", "users.dat"])? else { return Ok(Vec::new()) };
    lists.lines(file, user_of)
}

/// A user, whose age comes before the gender in ML-100K and after it in ML-1M: an age is a number, a gender is none.
fn user_of(at: At<'_>, line: &[u8]) -> Result<UserInfo, DataError> {
    let [id, first, second, occupation, zip] = fields(at, line, SEPARATOR)?.map(text_of);
    let is_age_first = !first.is_empty() && first.bytes().all(|byte| byte.is_ascii_digit());
    let names = if is_age_first { ["age", "gender"] } else { ["gender", "age"] };
    let [one, two] = names;
    Ok(UserInfo::new(id, [one, two, "occupation", "zip"], [first, second, occupation, zip]))
}

/// A field as text, be it UTF-8 or ISO-8859-1.
fn text_of(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| latin1(bytes), |text| text.trim().to_owned())
}

#[cfg(test)]
mod tests;

//! MovieLens 100K: `u.data`, `u.item`, `u.genre`, `u.user`.

use std::path::Path;

use crate::catalogue::{Catalogue, ItemInfo, UserInfo};
use crate::config::DataConfig;
use crate::error::DataError;
use crate::files::open_text;
use crate::interactions::TimeKind;
use crate::item_files::OwnLists;
use crate::source::{RawData, open_required};
use crate::text::{RatingRow, RatingSink, fields, for_each_line, latin1};

const RATING_RANGE: (f32, f32) = (1.0, 5.0);
/// Id, title, two dates and an address, then the flags.
const FIELDS_BEFORE_GENRES: usize = 5;

/// Ratings with timestamps from `u.data`; titles and genres from `u.item` and `u.genre`, users from `u.user`.
///
/// # Errors
///
/// [`DataError`] when `u.data` is missing, a file is empty, or a row is not of its format.
pub fn read(folder: &Path, config: &DataConfig) -> Result<RawData, DataError> {
    let mut sink = RatingSink::new(Some(RATING_RANGE), config);
    sink.interactions.time_kind = TimeKind::Timestamp;
    sink.read_lines(open_required(folder, &["u.data"])?, |at, line, rows| {
        let [user, item, rating, time] = fields(at, line, b"\t")?;
        rows.push(at, &RatingRow { user, item, rating: Some(rating), time: Some(time), part: None })
    })?;
    let mut lists = OwnLists::new(config);
    let catalogue =
        Catalogue { items: read_items(folder, &mut lists)?, users: read_users(folder, &mut lists)? };
    let mut raw = sink.finish(catalogue);
    lists.report_to(&mut raw);
    Ok(raw)
}

fn read_items(folder: &Path, lists: &mut OwnLists) -> Result<Vec<ItemInfo>, DataError> {
    let Some(file) = open_text(&folder.join("u.item"))? else { return Ok(Vec::new()) };
    let genres = read_genres(folder)?;
    lists.lines(file, |at, line| {
        let [id, title, ..]: [&[u8]; FIELDS_BEFORE_GENRES] = fields(at, line, b"|")?;
        let flags: Vec<&[u8]> = line.split(|&byte| byte == b'|').skip(FIELDS_BEFORE_GENRES).collect();
        if flags.len() < genres.len() {
            let (found, expected) = (FIELDS_BEFORE_GENRES + flags.len(), FIELDS_BEFORE_GENRES + genres.len());
            return Err(at.too_few_fields(found, expected, line));
        }
        let flagged = genres.iter().zip(flags).filter(|(_, flag)| flag == b"1");
        let genres = flagged.map(|(genre, _)| genre.clone()).filter(|genre| genre != "unknown").collect();
        Ok(ItemInfo { id: latin1(id), title: latin1(title), genres, ..ItemInfo::default() })
    })
}

/// Genre names in the order of the flags of `u.item`, which cannot be read without them.
fn read_genres(folder: &Path) -> Result<Vec<String>, DataError> {
    let mut genres = Vec::new();
    for_each_line(open_required(folder, &["u.genre"])?, |at, line| {
        let [name, _number] = fields(at, line, b"|")?;
        genres.push(latin1(name));
        Ok(())
    })?;
    Ok(genres)
}

fn read_users(folder: &Path, lists: &mut OwnLists) -> Result<Vec<UserInfo>, DataError> {
    let Some(file) = open_text(&folder.join("u.user"))? else { return Ok(Vec::new()) };
    lists.lines(file, |at, line| {
        let [id, values @ ..]: [&[u8]; 5] = fields(at, line, b"|")?;
        Ok(UserInfo::new(latin1(id), ["age", "gender", "occupation", "zip"], values.map(latin1)))
    })
}

//! Histories in the order of time without times: `user item` lines as SASRec reads them, `user item item ...`
//! lines.

use std::path::Path;

use super::folder::open_only;
use super::ids::{Ids, words, words_of};
use crate::catalogue::Catalogue;
use crate::config::DataConfig;
use crate::error::DataError;
use crate::interactions::{Interactions, TimeKind};
use crate::source::RawData;
use crate::text::{RatingRow, RatingSink};

/// Interactions from `NAME.txt`, one a line: a user and an item, whole numbers from 1, each user's in order of
/// time.
///
/// NAME is the folder's name, or that of its only `.txt`; the folder may also be the file itself. A row's time is
/// its position in the user's own history, from 0, wherever in the file its lines stand.
///
/// # Errors
///
/// [`DataError`] when the file is missing or empty, the folder has several, or a line is not of its format.
///
/// # Source
///
/// Kang and McAuley, ICDM 2018, <https://doi.org/10.1109/ICDM.2018.00035>.
pub fn read_sasrec(folder: &Path, config: &DataConfig) -> Result<RawData, DataError> {
    let mut sink = RatingSink::new(None, config);
    sink.read_lines(open_only(folder, ".txt")?, |at, line, rows| {
        let [user, item] = words_of(at, line, "a user and an item alone")?;
        let user = Ids::From1.check(at, "user id", user)?;
        let item = Ids::From1.check(at, "item id", item)?;
        rows.push(at, &RatingRow { user, item, ..RatingRow::default() })
    })?;
    Ok(in_order(sink))
}

/// Interactions from `NAME.txt`, a history a line: a user and at least one item, oldest first, between spaces or
/// tabs.
///
/// NAME is the folder's name, or that of its only `.txt`; the folder may also be the file itself. A row's time is
/// its position in the user's own history, from 0; a user's second line goes on where the first ended.
///
/// # Errors
///
/// [`DataError`] when the file is missing or empty, the folder has several, a line has no item, or an id holds a
/// comma or semicolon, as it does where words are separated by something else.
pub fn read_sequences(folder: &Path, config: &DataConfig) -> Result<RawData, DataError> {
    let mut sink = RatingSink::new(None, config);
    sink.read_lines(open_only(folder, ".txt")?, |at, line, rows| {
        let mut words = words(line).peekable();
        let user = Ids::Words.check(at, "user id", words.next().unwrap_or_default())?;
        if words.peek().is_none() {
            return Err(at.too_few_fields(1, 2, line));
        }
        for item in words {
            let item = Ids::Words.check(at, "item id", item)?;
            rows.push(at, &RatingRow { user, item, ..RatingRow::default() })?;
        }
        Ok(())
    })?;
    Ok(in_order(sink))
}

fn in_order(mut sink: RatingSink) -> RawData {
    number_histories(&mut sink.interactions);
    sink.finish(Catalogue::default())
}

/// Gives each row the number of its user's rows above it as its time.
fn number_histories(rows: &mut Interactions) {
    let mut n_rows = vec![0; rows.users.names().len()];
    for (time, &user) in rows.times.iter_mut().zip(rows.users.codes()) {
        let n_rows: &mut i64 = &mut n_rows[user as usize];
        *time = *n_rows;
        *n_rows += 1;
    }
    rows.time_kind = TimeKind::Ordinal;
}

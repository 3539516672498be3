//! Files of interactions with a typed header, RecBole's and those of the libraries that took the format over.

use super::header::{FieldType, TypedHeader};
use crate::columns::part_of;
use crate::error::DataError;
use crate::files::TextFile;
use crate::interactions::TimeKind;
use crate::sources::SourceError;
use crate::sources::ids::Ids;
use crate::split::Part;
use crate::text::{Dialect, Header, RatingRow, RatingSink};

const RATING: [&str; 2] = ["rating", "label"];
const TIME: [&str; 2] = ["timestamp", "time"];

/// What the columns of an `.inter` file are called and hold, the preferred name first.
pub(in crate::sources) struct InterFormat {
    pub(in crate::sources) user: &'static [&'static str],
    pub(in crate::sources) item: &'static [&'static str],
    /// The part of a split: 0, 1 or 2.
    pub(in crate::sources) part: &'static [&'static str],
    /// What the ids are.
    pub(in crate::sources) ids: Ids,
}

/// Where a file has its fields.
struct InterColumns {
    user: usize,
    item: usize,
    rating: Option<usize>,
    time: Option<usize>,
    part: Option<usize>,
}

/// Appends the rows of a file, all of them in `part` unless a column says otherwise.
///
/// # Errors
///
/// [`DataError`] when a column of ids is missing, the file is empty, or a row is not of its format.
pub(in crate::sources) fn push_inter(
    file: TextFile,
    format: &InterFormat,
    part: Option<Part>,
    sink: &mut RatingSink,
) -> Result<(), DataError> {
    let mut has_times = false;
    let columns = |header: &Header| {
        let columns = format.columns(&TypedHeader::of(header)?)?;
        has_times = columns.time.is_some();
        Ok(columns)
    };
    sink.read_table(file, Dialect::TSV, columns, |at, columns, row, rows| {
        let user = format.ids.check(at, "user id", &row[columns.user])?;
        let item = format.ids.check(at, "item id", &row[columns.item])?;
        let rating = columns.rating.map(|column| &row[column]);
        let time = columns.time.map(|column| &row[column]);
        let part = columns.part.map_or(Ok(part), |column| part_of(at, "x_label", &row[column]).map(Some))?;
        rows.push(at, &RatingRow { user, item, rating, time, part })
    })?;
    if has_times {
        sink.interactions.time_kind = TimeKind::Timestamp;
    }
    Ok(())
}

impl InterFormat {
    fn columns(&self, header: &TypedHeader<'_>) -> Result<InterColumns, DataError> {
        let columns = InterColumns {
            user: header.require(self.user)?,
            item: header.require(self.item)?,
            rating: header.find(&RATING),
            time: header.find(&TIME),
            part: header.find(self.part),
        };
        self.refuse_histories(header, &columns)?;
        Ok(columns)
    }

    /// Refuses files of histories, as they repeat most interactions and lack each user's first.
    fn refuse_histories(&self, header: &TypedHeader<'_>, columns: &InterColumns) -> Result<(), SourceError> {
        let is_item = |name: &str| self.item.iter().any(|item| name.eq_ignore_ascii_case(item));
        let is_list = |column: usize| header.name(column).strip_suffix("_list").is_some_and(is_item);
        let is_sequence = |column: usize| header.field_type(column) == FieldType::Sequence;
        let is_id = |column: usize| column == columns.user || column == columns.item;
        let is_history = |&column: &usize| is_sequence(column) && (is_id(column) || is_list(column));
        match (0..header.len()).find(is_history) {
            Some(column) => Err(header.histories(column)),
            None => Ok(()),
        }
    }
}

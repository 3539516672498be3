//! Ratings alone, as CSV: with a header since 2023, without one before.

use crate::columns::{IdOrder, TimeUnit};
use crate::config::DataConfig;
use crate::error::DataError;
use crate::sources::listing::DataFile;
use crate::split::Part;
use crate::text::{At, Dialect, Header, RatingRow, RatingSink, Row, Rows, first_row};

const USER: &[&str] = &["user_id", "reviewerID"];
const ITEM: &[&str] = &["parent_asin", "asin"];
const RATING: &[&str] = &["rating", "overall"];
/// In milliseconds, and in seconds.
const TIMESTAMP: &str = "timestamp";
const UNIX_TIME: &str = "unixReviewTime";

/// Where a row has its fields.
#[derive(Clone, Copy)]
struct Columns {
    user: usize,
    item: usize,
    rating: usize,
    time: Option<usize>,
    part: Option<Part>,
}

impl Columns {
    fn push(self, at: At<'_>, row: &Row, rows: &mut Rows) -> Result<(), DataError> {
        let Self { user, item, rating, time, part } = self;
        let (rating, time) = (Some(&row[rating]), time.map(|time| &row[time]));
        rows.push(at, &RatingRow { user: &row[user], item: &row[item], rating, time, part })
    }
}

/// Appends the rows of one file.
pub(super) fn push_file(
    file: &DataFile,
    part: Option<Part>,
    sink: &mut RatingSink,
    config: &DataConfig,
) -> Result<(), DataError> {
    let names = first_row(file.open()?, Dialect::CSV)?;
    let is_header = names.find(USER).is_some() || names.find(ITEM).is_some() || names.find(RATING).is_some();
    if !is_header {
        return push_headless(file, part, sink, config);
    }
    let is_in_seconds = names.find(&[TIMESTAMP]).is_none();
    sink.set_time_unit(if is_in_seconds { TimeUnit::Seconds } else { TimeUnit::Milliseconds }, config);
    let columns = |header: &Header| {
        Ok(Columns {
            user: header.require(USER)?,
            item: header.require(ITEM)?,
            rating: header.require(RATING)?,
            time: header.find(&[TIMESTAMP, UNIX_TIME]),
            part,
        })
    };
    sink.read_table(file.open()?, Dialect::CSV, columns, |at, columns, row, rows| columns.push(at, row, rows))
}

fn push_headless(
    file: &DataFile,
    part: Option<Part>,
    sink: &mut RatingSink,
    config: &DataConfig,
) -> Result<(), DataError> {
    let Some(order) = config.id_order else {
        return Err(DataError::Config {
            key: "data.id_order",
            value: "null".to_owned(),
            expected: format!(
                "user_first (ratings of 2014) or item_first (of 2018), since {} has no header",
                file.path.display()
            ),
        });
    };
    let (user, item) = if order == IdOrder::UserFirst { (0, 1) } else { (1, 0) };
    let columns = Columns { user, item, rating: 2, time: Some(3), part };
    sink.set_time_unit(TimeUnit::Seconds, config);
    sink.read_headless(file.open()?, Dialect::CSV, 4, |at, row, rows| columns.push(at, row, rows))
}

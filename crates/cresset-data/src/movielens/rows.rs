//! Rating rows as bytes, checked one by one on their way into columns.

use std::path::Path;

use crate::config::OnBadRow;
use crate::error::{DataError, Place, RowFault};
use crate::interactions::{Interactions, NO_TIME};

/// A line of a file, counted from 1.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    pub(super) file: &'a Path,
    pub(super) line: u64,
}

impl At<'_> {
    fn place(self) -> Place {
        Place::Line { file: self.file.to_owned(), line: self.line }
    }

    pub(super) fn too_few_fields(self, found: usize, expected: usize, row: &[u8]) -> DataError {
        let row = String::from_utf8_lossy(row).chars().take(80).collect();
        DataError::TooFewFields { place: self.place(), found, expected, row }
    }

    pub(super) fn bad_field(self, field: &'static str, value: &[u8], expected: &'static str) -> DataError {
        let value = String::from_utf8_lossy(value).into_owned();
        DataError::BadField { place: self.place(), field, value, expected }
    }

    /// The field as text, without the spaces around it.
    pub(super) fn utf8<'f>(self, field: &'static str, bytes: &'f [u8]) -> Result<&'f str, DataError> {
        std::str::from_utf8(bytes.trim_ascii()).map_err(|_| self.bad_field(field, bytes, "UTF-8 text"))
    }
}

/// The fields of one rating row.
pub(super) struct RatingRow<'a> {
    pub(super) user: &'a [u8],
    pub(super) item: &'a [u8],
    pub(super) rating: &'a [u8],
    pub(super) time: Option<&'a [u8]>,
}

/// Collects rating rows, refusing those unfit to learn from where the configuration says so.
pub(super) struct RatingSink {
    pub(super) interactions: Interactions,
    range: (f32, f32),
    on_bad_row: OnBadRow,
}

impl RatingSink {
    pub(super) fn new(range: (f32, f32), on_bad_row: OnBadRow) -> Self {
        Self { interactions: Interactions::default(), range, on_bad_row }
    }

    /// Appends a row; under [`OnBadRow::Skip`] unfit rows too, for the cleaning to count.
    pub(super) fn push(&mut self, at: At<'_>, row: &RatingRow<'_>) -> Result<(), DataError> {
        let user = at.utf8("user id", row.user)?;
        let item = at.utf8("item id", row.item)?;
        let rating = rating_of(at, row.rating)?;
        let time = row.time.map_or(Ok(NO_TIME), |time| time_of(at, time))?;
        if self.on_bad_row == OnBadRow::Error
            && let Some(fault) = RowFault::find(user, item, rating, self.range)
        {
            return Err(DataError::BadRow { place: at.place(), fault: fault.spelt(row.rating) });
        }
        self.interactions.push(user, item, rating, time);
        Ok(())
    }
}

/// The rating, NaN when the field is empty.
fn rating_of(at: At<'_>, bytes: &[u8]) -> Result<f32, DataError> {
    let text = at.utf8("rating", bytes)?;
    if text.is_empty() {
        return Ok(f32::NAN);
    }
    text.parse().map_err(|_| at.bad_field("rating", bytes, "a number"))
}

/// The time as a whole number, or as the Kaggle copies of 20M spell it (`2005-04-02 23:53:47`, taken as UTC).
fn time_of(at: At<'_>, bytes: &[u8]) -> Result<i64, DataError> {
    let text = at.utf8("time", bytes)?;
    if text.is_empty() {
        return Ok(NO_TIME);
    }
    let number = text.parse().ok().or_else(|| seconds_of_date(text));
    number.ok_or_else(|| at.bad_field("time", bytes, "a whole number or a date like 2005-04-02 23:53:47"))
}

fn seconds_of_date(text: &str) -> Option<i64> {
    let (date, clock) = text.split_once(' ')?;
    let [year, month, day] = three_numbers(date, '-')?;
    let [hour, minute, second] = three_numbers(clock, ':')?;
    let fits = (1..=12).contains(&month) && (1..=31).contains(&day) && (0..24).contains(&hour);
    let fits = fits && (0..60).contains(&minute) && (0..=60).contains(&second) && (0..10_000).contains(&year);
    fits.then(|| days_since_1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second)
}

fn three_numbers(text: &str, separator: char) -> Option<[i64; 3]> {
    let mut parts = text.split(separator).map(|part| part.parse().ok());
    let numbers = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(numbers)
}

/// Days from 1970-01-01 in the Gregorian calendar, counting years from March so that a leap day comes last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month < 3 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_become_seconds_since_1970() {
        assert_eq!(seconds_of_date("1970-01-01 00:00:00"), Some(0));
        // `date -u -d '2005-04-02 23:53:47' +%s`, and the last second before and the first after a leap day.
        assert_eq!(seconds_of_date("2005-04-02 23:53:47"), Some(1_112_486_027));
        assert_eq!(seconds_of_date("2000-02-29 23:59:59"), Some(951_868_799));
        assert_eq!(seconds_of_date("2000-03-01 00:00:00"), Some(951_868_800));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in
            ["2005-04-02", "2005-13-02 00:00:00", "2005-04-02 24:00:00", "2005-04-02-01 00:00:00", "x y"]
        {
            assert_eq!(seconds_of_date(text), None, "{text}");
        }
    }
}

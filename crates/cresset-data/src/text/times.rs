//! Times from text: whole numbers of a unit, or dates.

use super::at::At;
use super::numbers::{parse_whole, short_whole};
use crate::columns::TimeUnit;
use crate::error::DataError;
use crate::interactions::NO_TIME;

const DAY: i64 = 86_400;
const EXPECTED: &str = "a whole number or a date like 2005-04-02 23:53:47";

/// The time that a field spells, [`NO_TIME`] when it is empty.
///
/// Numbers count `unit`s; data frames write whole numbers with a point (`881250949.0`) where a column lacks some.
/// Dates are days of the Gregorian calendar, with a clock or without, in UTC unless they name another offset.
pub(crate) fn time_of(at: At<'_>, bytes: &[u8], unit: TimeUnit) -> Result<i64, DataError> {
    if let Some(number) = short_whole(bytes) {
        return Ok(unit.seconds(number));
    }
    let text = at.utf8("time", bytes)?;
    if text.is_empty() {
        return Ok(NO_TIME);
    }
    let number = parse_whole(text).filter(|&number| number != NO_TIME);
    let time = number.map(|number| unit.seconds(number)).or_else(|| seconds_of_date(text));
    time.ok_or_else(|| at.bad_field("time", bytes, EXPECTED))
}

/// Seconds since 1970 of `2005-04-02`, `2005-04-02 23:53:47`, `2005-04-02T23:53:47.5Z` or `...+02:00`.
pub(crate) fn seconds_of_date(text: &str) -> Option<i64> {
    let Some((date, clock)) = text.split_once([' ', 'T']) else { return seconds_of_day(text) };
    let (clock, offset) = without_offset(clock)?;
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let is_fraction = fraction.bytes().all(|byte| byte.is_ascii_digit());
    let [hour, minute, second] = numbers(clock, ':')?;
    let fits = is_fraction && hour < 24 && minute < 60 && second <= 60;
    let day = seconds_of_day(date)?;
    fits.then(|| day + hour * 3600 + minute * 60 + second - offset)
}

/// A clock without what follows it, and the seconds that it is ahead of UTC.
fn without_offset(clock: &str) -> Option<(&str, i64)> {
    if let Some(clock) = clock.strip_suffix('Z').or_else(|| clock.strip_suffix(" UTC")) {
        return Some((clock, 0));
    }
    let Some(sign) = clock.find(['+', '-']) else { return Some((clock, 0)) };
    let [hours, minutes] = numbers(&clock[sign + 1..], ':')?;
    let ahead = hours * 3600 + minutes * 60;
    let fits = hours < 24 && minutes < 60;
    fits.then_some((&clock[..sign], if clock[sign..].starts_with('-') { -ahead } else { ahead }))
}

fn seconds_of_day(date: &str) -> Option<i64> {
    let [year, month, day] = numbers(date, '-')?;
    let fits = year < 10_000 && (1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day);
    fits.then(|| days_since_1970(year, month, day) * DAY)
}

/// Exactly `N` numbers of at most four digits each.
fn numbers<const N: usize>(text: &str, separator: char) -> Option<[i64; N]> {
    let mut numbers = [0; N];
    let mut parts = text.split(separator);
    for number in &mut numbers {
        let part = parts.next()?;
        let is_number = (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        *number = part.parse().ok().filter(|_| is_number)?;
    }
    parts.next().is_none().then_some(numbers)
}

fn days_in(year: i64, month: i64) -> i64 {
    let (next_year, next) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    days_since_1970(next_year, next, 1) - days_since_1970(year, month, 1)
}

/// Days from 1970-01-01 in the Gregorian calendar, counting years from March so that a leap day comes last.
pub(crate) fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month < 3 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;

    fn read(text: &str, unit: TimeUnit) -> Result<i64, String> {
        let at = At { file: Path::new("r.csv"), line: 2 };
        time_of(at, text.as_bytes(), unit).map_err(|error| error.to_string())
    }

    #[test]
    fn dates_become_seconds_since_1970() {
        assert_eq!(seconds_of_date("1970-01-01 00:00:00"), Some(0));
        // `date -u -d '2005-04-02 23:53:47' +%s`, and the last second before and the first after a leap day.
        assert_eq!(seconds_of_date("2005-04-02 23:53:47"), Some(1_112_486_027));
        assert_eq!(seconds_of_date("2000-02-29 23:59:59"), Some(951_868_799));
        assert_eq!(seconds_of_date("2000-03-01 00:00:00"), Some(951_868_800));
    }

    #[test]
    fn a_date_may_lack_its_clock_or_name_its_offset() {
        assert_eq!(seconds_of_date("2005-04-02"), Some(1_112_400_000));
        assert_eq!(seconds_of_date("2005-04-02T23:53:47Z"), Some(1_112_486_027));
        assert_eq!(seconds_of_date("2005-04-02T23:53:47.250Z"), Some(1_112_486_027));
        assert_eq!(seconds_of_date("2005-04-03 01:53:47+02:00"), Some(1_112_486_027));
        assert_eq!(seconds_of_date("2005-04-02T18:23:47-05:30"), Some(1_112_486_027));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        let wrong =
            ["2005-13-02 00:00:00", "2005-02-29", "2005-04-02 24:00:00", "2005-04-02-01 00:00:00", "x y"];
        for text in wrong.into_iter().chain(["2005-04-02 23:53", "2005-04-+2", "2005-04-02T10:00:00+2"]) {
            assert_eq!(seconds_of_date(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_are_brought_to_seconds_and_positions_are_left() {
        assert_eq!(read("881250949", TimeUnit::Seconds), Ok(881_250_949));
        assert_eq!(read("881250949.0", TimeUnit::Seconds), Ok(881_250_949));
        assert_eq!(read("1588615855070", TimeUnit::Milliseconds), Ok(1_588_615_855));
        assert_eq!(read("-1", TimeUnit::Milliseconds), Ok(-1));
        assert_eq!(read("7", TimeUnit::Position), Ok(7));
        assert_eq!(read("", TimeUnit::Seconds), Ok(NO_TIME));
        for text in ["yesterday", "inf", "NaN", "-9223372036854775808"] {
            let message = format!("r.csv:2: time \"{text}\" is not {EXPECTED}: correct or delete the line");
            assert_eq!(read(text, TimeUnit::Seconds), Err(message));
        }
    }

    proptest! {
        #[test]
        fn the_days_of_a_month_follow_each_other(year in 1600i64..2400, month in 1i64..=12) {
            let days = days_in(year, month);
            prop_assert!((28..=31).contains(&days));
            let first = days_since_1970(year, month, 1);
            prop_assert!((1..=days).all(|day| days_since_1970(year, month, day) == first + day - 1));
        }
    }
}

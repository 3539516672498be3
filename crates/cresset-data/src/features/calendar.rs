//! What the calendar says of a timestamp.

use crate::interactions::{NO_TIME, TimeKind};

const SECONDS_PER_HOUR: i64 = 3600;
const SECONDS_PER_DAY: i64 = 24 * SECONDS_PER_HOUR;
/// Days of 400 years of the Gregorian calendar, after which it repeats.
const DAYS_PER_ERA: i64 = 146_097;
/// Days from the 1st of March of year 0 to 1970-01-01.
const EPOCH: i64 = 719_468;

/// Month, season, weekday and hour of a moment, in UTC.
///
/// ```
/// use cresset_data::features::Calendar;
///
/// // 1998-03-13 03:03:30, a Friday.
/// let moment = Calendar::at(889_758_210);
/// assert_eq!(moment, Calendar { month: 3, season: 2, weekday: 4, hour: 3 });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Calendar {
    /// 1 (January) to 12.
    pub month: u8,
    /// 1 (December to February) to 4 (September to November): `((month mod 12) + 3) div 3`.
    pub season: u8,
    /// 0 (Monday) to 6.
    pub weekday: u8,
    /// 0 to 23.
    pub hour: u8,
}

impl Calendar {
    /// The calendar of a moment in seconds since 1970-01-01 UTC, which may be negative.
    pub fn at(seconds: i64) -> Self {
        let day = seconds.div_euclid(SECONDS_PER_DAY);
        let month = month_of_day(day);
        Self {
            month,
            season: (month % 12 + 3) / 3,
            // 1970-01-01 was a Thursday.
            weekday: (day + 3).rem_euclid(7) as u8,
            hour: (seconds.rem_euclid(SECONDS_PER_DAY) / SECONDS_PER_HOUR) as u8,
        }
    }

    /// The calendar of each row; `None` for rows without a time, and for all where times are not timestamps.
    pub fn of_rows(times: &[i64], time_kind: TimeKind) -> Vec<Option<Self>> {
        let is_calendar = time_kind == TimeKind::Timestamp;
        times.iter().map(|&time| (is_calendar && time != NO_TIME).then(|| Self::at(time))).collect()
    }
}

/// A moment in seconds since 1970-01-01 UTC as a date and a time of day.
///
/// ```
/// assert_eq!(cresset_data::features::utc_date_time(889_758_210), "1998-03-13 03:03:30");
/// ```
pub fn utc_date_time(seconds: i64) -> String {
    let (year, month, day) = date_of_day(seconds.div_euclid(SECONDS_PER_DAY));
    let of_day = seconds.rem_euclid(SECONDS_PER_DAY);
    let (hour, minute, second) = (of_day / SECONDS_PER_HOUR, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

/// The month, 1 to 12, of a day counted from 1970-01-01.
fn month_of_day(day: i64) -> u8 {
    date_of_day(day).1
}

/// Year, month and day of a day counted from 1970-01-01.
///
/// Years are counted from March, so that a leap day comes last; the inverse of `days_since_1970`.
fn date_of_day(day: i64) -> (i64, u8, u8) {
    let era = (day + EPOCH).div_euclid(DAYS_PER_ERA);
    let day_of_era = (day + EPOCH).rem_euclid(DAYS_PER_ERA);
    let leap_days = day_of_era / 1460 - day_of_era / 36_524 + day_of_era / (DAYS_PER_ERA - 1);
    let year = (day_of_era - leap_days) / 365;
    let day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
    let months_from_march = (5 * day_of_year + 2) / 153;
    let month = ((months_from_march + 2) % 12 + 1) as u8;
    let day = (day_of_year - (153 * months_from_march + 2) / 5 + 1) as u8;
    (400 * era + year + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::days_since_1970;

    proptest! {
        #[test]
        fn a_date_is_the_inverse_of_counting_days(day in -1_000_000_i64..1_000_000) {
            let (year, month, of_month) = date_of_day(day);
            prop_assert_eq!(days_since_1970(year, month.into(), of_month.into()), day);
        }
    }

    fn check(seconds: i64, month: u8, season: u8, weekday: u8, hour: u8) {
        assert_eq!(Calendar::at(seconds), Calendar { month, season, weekday, hour }, "{seconds}");
    }

    #[test]
    fn moments_have_the_calendar_that_the_date_command_gives() {
        // 1970-01-01 00:00:00, a Thursday, and the second before it.
        check(0, 1, 1, 3, 0);
        check(-1, 12, 1, 2, 23);
        // 2000-02-29 23:59:59, a Tuesday, and the second after it.
        check(951_868_799, 2, 1, 1, 23);
        check(951_868_800, 3, 2, 2, 0);
        // 1900-02-28 12:00:00, a Wednesday; 1900 had no leap day.
        check(-2_203_934_400, 2, 1, 2, 12);
        check(-2_203_934_400 + SECONDS_PER_DAY, 3, 2, 3, 12);
        // 2018-09-24, a Monday: autumn.
        check(1_537_799_250, 9, 4, 0, 14);
    }

    #[test]
    fn the_ends_of_time_have_a_calendar() {
        Calendar::at(i64::MIN);
        Calendar::at(i64::MAX);
    }

    #[test]
    fn rows_without_a_time_and_orders_have_no_calendar() {
        let rows = Calendar::of_rows(&[0, NO_TIME], TimeKind::Timestamp);
        assert_eq!(rows, [Some(Calendar::at(0)), None]);
        assert_eq!(Calendar::of_rows(&[0, 1], TimeKind::Ordinal), [None, None]);
    }

    proptest! {
        #[test]
        fn each_day_of_a_month_is_in_that_month(year in -4000i64..8000, month in 1i64..=12, day in 1i64..=28) {
            let first = days_since_1970(year, month, day);
            prop_assert_eq!(i64::from(month_of_day(first)), month);
            // The last day of the month, whatever its length.
            let (next_year, next_month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
            prop_assert_eq!(i64::from(month_of_day(days_since_1970(next_year, next_month, 1) - 1)), month);
        }

        #[test]
        fn weekdays_follow_each_other(seconds in -200_000_000_000i64..200_000_000_000) {
            let (today, tomorrow) = (Calendar::at(seconds), Calendar::at(seconds + SECONDS_PER_DAY));
            prop_assert_eq!((today.weekday + 1) % 7, tomorrow.weekday);
            prop_assert_eq!(today.hour, tomorrow.hour);
        }
    }
}

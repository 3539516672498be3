//! What a column of times counts, kept in the schema beside it, and times in other units than seconds.

use arrow_schema::Metadata;

use crate::interactions::{NO_TIME, TimeKind};

/// The key of the schema's metadata that holds the kind of time.
const KEY: &str = "cresset.time_kind";

/// The metadata of a schema whose times are of that kind.
pub(crate) fn time_metadata(kind: TimeKind) -> Metadata {
    let name = match kind {
        TimeKind::Timestamp => "timestamp",
        TimeKind::Ordinal => "ordinal",
        TimeKind::Absent => "absent",
    };
    Metadata::from([(KEY, name)])
}

/// The kind of time that a schema names; without a name, timestamps where any row has a time.
pub(crate) fn time_kind(metadata: &Metadata, times: &[i64]) -> TimeKind {
    time_kind_or(named_kind(metadata), times)
}

/// The kind named; without a name, timestamps where any row has a time.
pub(crate) fn time_kind_or(named: Option<TimeKind>, times: &[i64]) -> TimeKind {
    named.unwrap_or(match times.iter().all(|&time| time == NO_TIME) {
        true => TimeKind::Absent,
        false => TimeKind::Timestamp,
    })
}

/// The kind of time that a schema of ours names.
pub(crate) fn named_kind(metadata: &Metadata) -> Option<TimeKind> {
    match metadata.get(KEY)?.as_str() {
        "timestamp" => Some(TimeKind::Timestamp),
        "ordinal" => Some(TimeKind::Ordinal),
        "absent" => Some(TimeKind::Absent),
        _ => None,
    }
}

/// Brings times in milli-, micro- or nanoseconds down to seconds.
///
/// The unit is told by the smallest time of all: from 10^11 up they are no seconds, for those would lie after the
/// year 5138, and in milliseconds 10^11 is March 1973; a thousand times as much is the next unit each.
pub(crate) fn to_seconds(times: &mut [i64]) {
    let known = |time: &&mut i64| **time != NO_TIME;
    let smallest = times.iter().copied().filter(|&time| time != NO_TIME).min().unwrap_or(0);
    let per_second = match () {
        () if smallest < 100_000_000_000 => return,
        () if smallest < 100_000_000_000_000 => 1_000,
        () if smallest < 100_000_000_000_000_000 => 1_000_000,
        () => 1_000_000_000,
    };
    times.iter_mut().filter(known).for_each(|time| *time = time.div_euclid(per_second));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_of_times_is_told_by_their_size() {
        for per_second in [1, 1_000, 1_000_000, 1_000_000_000] {
            let mut times = [881_250_949 * per_second, NO_TIME, 878_887_116 * per_second + per_second / 2];
            to_seconds(&mut times);
            assert_eq!(times, [881_250_949, NO_TIME, 878_887_116], "{per_second}");
        }
    }

    #[test]
    fn times_before_1970_and_no_times_are_left_alone() {
        let mut times = [-5, NO_TIME, 4_000_000_000];
        to_seconds(&mut times);
        assert_eq!(times, [-5, NO_TIME, 4_000_000_000]);
        to_seconds(&mut []);
    }

    #[test]
    fn every_kind_of_time_is_read_back() {
        for kind in [TimeKind::Timestamp, TimeKind::Ordinal, TimeKind::Absent] {
            assert_eq!(time_kind(&time_metadata(kind), &[]), kind);
        }
        assert_eq!(time_kind(&Metadata::default(), &[NO_TIME, 3]), TimeKind::Timestamp);
        assert_eq!(time_kind(&Metadata::default(), &[NO_TIME]), TimeKind::Absent);
    }
}

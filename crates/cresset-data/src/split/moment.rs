//! A moment as a configuration spells it.

use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::text::seconds_of_date;

/// Seconds since 1970-01-01 UTC, written as that number or as a date.
///
/// A date is `2015-03-31`, `2015-03-31 23:15:00` or `2015-03-31T23:15:00Z`, always UTC; without a clock it is the
/// first second of the day.
///
/// ```
/// use cresset_data::Moment;
///
/// assert_eq!(serde_json::from_str::<Moment>("86400")?, Moment(86_400));
/// assert_eq!(serde_json::from_str::<Moment>(r#""1970-01-02""#)?, Moment(86_400));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Moment(pub i64);

impl Moment {
    /// The moment that a text spells, if it does.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        text.parse().ok().or_else(|| seconds_of_date(text)).map(Self)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MomentVisitor)
    }
}

struct MomentVisitor;

impl Visitor<'_> for MomentVisitor {
    type Value = Moment;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("whole seconds since 1970 or a date like 2015-03-31 or 2015-03-31 23:15:00 (UTC)")
    }

    fn visit_i64<E: Error>(self, seconds: i64) -> Result<Moment, E> {
        Ok(Moment(seconds))
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<Moment, E> {
        i64::try_from(seconds)
            .map(Moment)
            .map_err(|_| E::invalid_value(serde::de::Unexpected::Unsigned(seconds), &self))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Moment, E> {
        Moment::parse(text).ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_one_moment_is_that_moment() {
        for text in ["951868800", "2000-03-01", "2000-03-01 00:00:00", "2000-03-01T00:00:00Z"] {
            assert_eq!(Moment::parse(text), Some(Moment(951_868_800)), "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_refused_with_what_would_be() {
        let message = serde_json::from_str::<Moment>(r#""last spring""#).unwrap_err().to_string();
        assert!(message.contains("last spring") && message.contains("2015-03-31"), "{message}");
        assert!(serde_json::from_str::<Moment>("18446744073709551615").is_err());
        assert!(serde_json::from_str::<Moment>("1.5").is_err());
    }

    #[test]
    fn a_moment_is_saved_as_seconds() {
        let saved = serde_json::to_string(&Moment(-5)).unwrap();
        assert_eq!((saved.as_str(), serde_json::from_str(&saved).unwrap()), ("-5", Moment(-5)));
    }
}

//! Which files a plot becomes.

use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Whether plots are drawn, and as what: `true` is PNG and SVG, `false` nothing, `png` and `svg` one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PlotFormats {
    /// Both.
    #[default]
    All,
    /// PNG alone.
    Png,
    /// SVG alone.
    Svg,
    /// No plot.
    Nothing,
}

impl PlotFormats {
    /// The endings of the files, without a dot.
    pub fn endings(self) -> &'static [&'static str] {
        match self {
            Self::All => &["png", "svg"],
            Self::Png => &["png"],
            Self::Svg => &["svg"],
            Self::Nothing => &[],
        }
    }
}

impl Serialize for PlotFormats {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => to.serialize_bool(true),
            Self::Nothing => to.serialize_bool(false),
            Self::Png => to.serialize_str("png"),
            Self::Svg => to.serialize_str("svg"),
        }
    }
}

impl<'de> Deserialize<'de> for PlotFormats {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Word)
    }
}

/// A truth value or the name of a format.
struct Word;

impl Visitor<'_> for Word {
    type Value = PlotFormats;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("true, false, png or svg")
    }

    fn visit_bool<E: Error>(self, is_drawn: bool) -> Result<PlotFormats, E> {
        Ok(if is_drawn { PlotFormats::All } else { PlotFormats::Nothing })
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<PlotFormats, E> {
        match name {
            "png" => Ok(PlotFormats::Png),
            "svg" => Ok(PlotFormats::Svg),
            _ => Err(E::invalid_value(serde::de::Unexpected::Str(name), &self)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_is_a_choice_that_survives_being_written() {
        for (word, choice) in [
            ("true", PlotFormats::All),
            ("false", PlotFormats::Nothing),
            ("png", PlotFormats::Png),
            ("svg", PlotFormats::Svg),
        ] {
            assert_eq!(yaml_serde::from_str::<PlotFormats>(word).unwrap(), choice);
            assert_eq!(yaml_serde::to_string(&choice).unwrap().trim(), word);
        }
        for wrong in ["jpg", "3", "[png]", "null"] {
            let error = yaml_serde::from_str::<PlotFormats>(wrong).unwrap_err().to_string();
            assert!(error.contains("true, false, png or svg"), "{wrong}: {error}");
        }
    }
}

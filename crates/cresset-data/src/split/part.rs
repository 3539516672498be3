//! The name of a part of a split.

use serde::{Deserialize, Serialize};

/// What a row is for.
///
/// ```
/// use cresset_data::Part;
///
/// assert_eq!(Part::try_from(2), Ok(Part::Test));
/// assert_eq!(Part::Valid as u8, 1);
/// assert!(Part::try_from(3).is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Part {
    /// To learn from.
    #[default]
    Train = 0,
    /// To select a model by.
    Valid = 1,
    /// To report on.
    Test = 2,
}

impl Part {
    /// What errors say is expected of [`named`](Self::named).
    pub(crate) const EXPECTED: &str = "train, valid or test, or 0, 1 or 2";

    /// The part of a name that data sets use, in any case, or of its number, also as `1.0`; none for any other text.
    ///
    /// ```
    /// use cresset_data::Part;
    ///
    /// assert_eq!(Part::named("Validation"), Some(Part::Valid));
    /// assert_eq!(Part::named("2"), Some(Part::Test));
    /// assert_eq!(Part::named("rest"), None);
    /// ```
    pub fn named(name: &str) -> Option<Self> {
        let is_any = |names: &[&str]| names.iter().any(|it| it.eq_ignore_ascii_case(name));
        match () {
            () if is_any(&["train", "training", "0", "0.0"]) => Some(Self::Train),
            () if is_any(&["valid", "validation", "val", "dev", "1", "1.0"]) => Some(Self::Valid),
            () if is_any(&["test", "testing", "2", "2.0"]) => Some(Self::Test),
            () => None,
        }
    }

    /// `train`, `valid` or `test`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Valid => "valid",
            Self::Test => "test",
        }
    }
}

impl TryFrom<u8> for Part {
    type Error = &'static str;

    fn try_from(code: u8) -> Result<Self, Self::Error> {
        match code {
            0 => Ok(Self::Train),
            1 => Ok(Self::Valid),
            2 => Ok(Self::Test),
            _ => Err("a part is 0 (train), 1 (valid) or 2 (test)"),
        }
    }
}

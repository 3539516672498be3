//! Which items compete when a user is tested.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::NegativesError;

/// Against what a user's relevant items are ranked.
///
/// ```
/// use cresset_data::negatives::Protocol;
///
/// assert_eq!("uni100".parse::<Protocol>()?, Protocol::Uniform(100));
/// assert_eq!(Protocol::Popularity(99).to_string(), "pop99");
/// assert!("uni0".parse::<Protocol>().is_err());
/// # Ok::<(), cresset_data::negatives::NegativesError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Protocol {
    /// `full`: all items of the catalogue.
    #[default]
    Full,
    /// `uniN`: N items that the user never touched, all equally likely.
    Uniform(u32),
    /// `popN`: N items that the user never touched, drawn in proportion to their training rows.
    Popularity(u32),
}

impl Protocol {
    /// The number of candidates beside the relevant items; `None` where all items are.
    pub fn n_candidates(self) -> Option<usize> {
        match self {
            Self::Full => None,
            Self::Uniform(n) | Self::Popularity(n) => Some(n as usize),
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("full"),
            Self::Uniform(n) => write!(f, "uni{n}"),
            Self::Popularity(n) => write!(f, "pop{n}"),
        }
    }
}

impl FromStr for Protocol {
    type Err = NegativesError;

    fn from_str(name: &str) -> Result<Self, NegativesError> {
        let count = |digits: &str| {
            let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit());
            digits.parse().ok().filter(|&n: &u32| is_plain && n > 0)
        };
        let sampled = || {
            let (kind, digits) = name.split_at_checked(3)?;
            match kind {
                "uni" => count(digits).map(Self::Uniform),
                "pop" => count(digits).map(Self::Popularity),
                _ => None,
            }
        };
        let known = if name == "full" { Some(Self::Full) } else { sampled() };
        known.ok_or_else(|| NegativesError::Protocol { value: name.to_owned() })
    }
}

impl TryFrom<String> for Protocol {
    type Error = NegativesError;

    fn try_from(name: String) -> Result<Self, NegativesError> {
        name.parse()
    }
}

impl From<Protocol> for String {
    fn from(protocol: Protocol) -> Self {
        protocol.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back_as_its_protocol() {
        for protocol in [Protocol::Full, Protocol::Uniform(100), Protocol::Popularity(1)] {
            assert_eq!(protocol.to_string().parse::<Protocol>().unwrap(), protocol);
        }
    }

    #[test]
    fn what_is_no_protocol_is_refused_with_what_would_be() {
        for name in ["", "uni", "uni-1", "pop+5", "full100", "ünü", "uni99999999999", "Uni100"] {
            let message = name.parse::<Protocol>().unwrap_err().to_string();
            assert!(
                message.starts_with(&format!("\"{name}\" is no protocol: expected full, uniN")),
                "{message}"
            );
        }
    }
}

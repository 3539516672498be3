//! Choosing a device at run time, among the backends that this program was built with.
//!
//! A job is generic over the backend; [`on_device`] runs it on the one that a [`DeviceSpec`] names.
//!
//! ```
//! use cresset::device::{DeviceSpec, OnBackend, on_device};
//! use cresset::nn::AutodiffRecommender;
//!
//! struct Name;
//! impl OnBackend for Name {
//!     type Out = String;
//!     fn run<B: AutodiffRecommender>(self, device: B::Device) -> String {
//!         B::name(&device)
//!     }
//! }
//!
//! let cpu: DeviceSpec = "cpu".parse()?;
//! assert!(on_device(&cpu, Name)?.contains("flex"));
//! # Ok::<(), cresset::device::DeviceError>(())
//! ```

use std::fmt;
use std::str::FromStr;

use cresset_nn::AutodiffRecommender;

/// The CPU, ready to train: Burn's pure-Rust backend Flex under autodiff.
#[cfg(feature = "flex")]
pub type Cpu = burn::backend::Autodiff<burn::backend::Flex>;

/// What `--device` names: a kind of device, and which one of that kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceSpec {
    kind: DeviceKind,
    index: usize,
}

/// Kinds of device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceKind {
    /// The processor, through Burn's pure-Rust backend Flex.
    Cpu,
}

/// Why a device cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// There is no such name.
    #[error("--device {given}: no such device, expected {}", DeviceKind::names())]
    Unknown {
        /// What was given.
        given: String,
    },
    /// The number behind the colon is none, or the kind takes none.
    #[error("--device {given}: `{index}` is not a device number, expected {expected}")]
    Index {
        /// What was given.
        given: String,
        /// The part behind the colon.
        index: String,
        /// What it may be.
        expected: &'static str,
    },
    /// The program was built without this backend.
    #[error("--device {device}: this program was built without it; build with --features {feature}")]
    NotCompiled {
        /// The device.
        device: String,
        /// The feature to add.
        feature: &'static str,
    },
}

impl DeviceKind {
    /// Every kind, in the order of the documentation.
    pub const ALL: [DeviceKind; 1] = [DeviceKind::Cpu];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            DeviceKind::Cpu => "cpu",
        }
    }

    /// The Cargo feature that brings it.
    pub fn feature(self) -> &'static str {
        match self {
            DeviceKind::Cpu => "flex",
        }
    }

    /// Whether this program was built with it.
    pub fn is_compiled(self) -> bool {
        match self {
            DeviceKind::Cpu => cfg!(feature = "flex"),
        }
    }

    fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }
}

impl FromStr for DeviceSpec {
    type Err = DeviceError;

    fn from_str(given: &str) -> Result<Self, DeviceError> {
        let (name, index) = given.split_once(':').map_or((given, None), |(name, index)| (name, Some(index)));
        let kind = DeviceKind::ALL.into_iter().find(|kind| kind.name() == name);
        let kind = kind.ok_or_else(|| DeviceError::Unknown { given: given.to_owned() })?;
        match index {
            None => Ok(Self { kind, index: 0 }),
            Some(index) => Err(DeviceError::Index {
                given: given.to_owned(),
                index: index.to_owned(),
                expected: "no number: there is one cpu",
            }),
        }
    }
}

impl fmt::Display for DeviceSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.index {
            0 => f.write_str(self.kind.name()),
            index => write!(f, "{}:{index}", self.kind.name()),
        }
    }
}

/// Work that runs on whichever backend is chosen.
pub trait OnBackend {
    /// What comes back.
    type Out;

    /// Does the work on `device`.
    fn run<B: AutodiffRecommender>(self, device: B::Device) -> Self::Out;
}

/// Runs `job` on the device that `spec` names.
///
/// # Errors
///
/// If the program was built without that backend.
pub fn on_device<J: OnBackend>(spec: &DeviceSpec, job: J) -> Result<J::Out, DeviceError> {
    match spec.kind {
        #[cfg(feature = "flex")]
        DeviceKind::Cpu => Ok(job.run::<Cpu>(Default::default())),
        #[allow(unreachable_patterns, reason = "reached only where a backend is not compiled in")]
        kind => {
            drop(job);
            Err(DeviceError::NotCompiled { device: spec.to_string(), feature: kind.feature() })
        }
    }
}

impl DeviceSpec {
    /// The first device of each kind that this program was built with.
    pub fn compiled() -> Vec<Self> {
        let first = |kind: DeviceKind| Self { kind, index: 0 };
        DeviceKind::ALL.into_iter().filter(|kind| kind.is_compiled()).map(first).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(given: &str, expected: &[&str]) {
        let message = given.parse::<DeviceSpec>().unwrap_err().to_string();
        for part in expected {
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn a_device_prints_as_it_was_read() {
        assert_eq!("cpu".parse::<DeviceSpec>().unwrap().to_string(), "cpu");
    }

    #[test]
    fn an_unknown_device_is_named_beside_the_known_ones() {
        check("toaster", &["--device toaster", "expected cpu"]);
        check("", &["--device ", "expected cpu"]);
    }

    #[test]
    fn a_number_where_there_is_only_one_device_is_refused() {
        check("cpu:1", &["--device cpu:1", "`1`", "there is one cpu"]);
    }
}

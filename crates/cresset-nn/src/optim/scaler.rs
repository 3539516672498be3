//! The scale of the loss in half precision.

use serde::{Deserialize, Serialize};

use crate::ConfigError;

/// How the scale of the loss changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LossScalerConfig {
    /// The first scale, at least 1. Default: 65536.
    pub initial: f64,
    /// Good steps in a row before the scale is doubled, at least 1. Default: 2000.
    pub double_after: u64,
}

impl Default for LossScalerConfig {
    fn default() -> Self {
        Self { initial: 65_536.0, double_after: 2_000 }
    }
}

impl LossScalerConfig {
    /// Checks every number against its documented range.
    ///
    /// # Errors
    ///
    /// The first number outside its range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let (initial, after) = (self.initial, self.double_after as f64);
        ConfigError::first_of(&[
            ("initial", initial, (1.0..=LARGEST).contains(&initial), "1 to 1e30"),
            ("double_after", after, self.double_after >= 1, "at least 1"),
        ])
    }
}

/// A scale that f32 holds, with a gradient beside it.
const LARGEST: f64 = 1e30;

/// What the loss is multiplied by before its gradients are taken in half precision.
///
/// The smallest gradients of f16 vanish where those of f32 do not; times the scale, they survive. The scale is
/// doubled after some good steps and halved when a gradient overflows: that step is not taken.
///
/// ```
/// use cresset_nn::optim::{LossScaler, LossScalerConfig};
///
/// let config = LossScalerConfig { initial: 1024.0, double_after: 2 };
/// let mut scaler = LossScaler::new(&config);
/// scaler.observe(&config, false); // an overflow
/// assert_eq!((scaler.scale, scaler.skipped), (512.0, 1));
/// scaler.observe(&config, true);
/// scaler.observe(&config, true);
/// assert_eq!(scaler.scale, 1024.0);
/// ```
///
/// # Source
///
/// Micikevicius et al., ICLR 2018, section 3.2; the numbers are those of PyTorch's `GradScaler`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LossScaler {
    /// What the loss is multiplied by.
    pub scale: f32,
    /// Steps since the scale last changed.
    pub good_steps: u64,
    /// Steps that were not taken.
    pub skipped: u64,
}

impl LossScaler {
    /// A scaler that has seen no step.
    pub fn new(config: &LossScalerConfig) -> Self {
        Self { scale: config.initial as f32, good_steps: 0, skipped: 0 }
    }

    /// Takes note of a step: whether its gradients were finite.
    pub fn observe(&mut self, config: &LossScalerConfig, is_finite: bool) {
        if !is_finite {
            (self.scale, self.good_steps) = (self.scale * 0.5, 0);
            self.skipped += 1;
            return;
        }
        self.good_steps += 1;
        if self.good_steps >= config.double_after {
            self.scale = (self.scale * 2.0).min(LARGEST as f32);
            self.good_steps = 0;
        }
    }

    /// Whether the scale has come down to where an overflow is no longer the scale's fault.
    pub fn is_exhausted(&self) -> bool {
        self.scale < 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_doubles_after_good_steps_in_a_row_and_halves_at_every_overflow() {
        let config = LossScalerConfig { initial: 8.0, double_after: 3 };
        let mut scaler = LossScaler::new(&config);
        let scales = [true, true, false, true, true, true, true, false, false].map(|is_finite| {
            scaler.observe(&config, is_finite);
            scaler.scale
        });
        assert_eq!(scales, [8.0, 8.0, 4.0, 4.0, 4.0, 8.0, 8.0, 4.0, 2.0]);
        assert_eq!((scaler.skipped, scaler.good_steps), (3, 0));
    }

    #[test]
    fn a_scale_below_one_is_exhausted_and_one_of_one_is_not() {
        let config = LossScalerConfig { initial: 2.0, ..LossScalerConfig::default() };
        let mut scaler = LossScaler::new(&config);
        scaler.observe(&config, false);
        assert!(!scaler.is_exhausted());
        scaler.observe(&config, false);
        assert!(scaler.is_exhausted());
    }

    #[test]
    fn the_scale_never_grows_beyond_what_f32_holds() {
        let config = LossScalerConfig { initial: 1e30, double_after: 1 };
        let mut scaler = LossScaler::new(&config);
        scaler.observe(&config, true);
        assert!(scaler.scale <= 1e30);
    }

    #[test]
    fn numbers_outside_their_ranges_are_named() {
        let check = |config: LossScalerConfig, expected: &str| {
            assert_eq!(config.validate().unwrap_err().to_string(), expected);
        };
        let default = LossScalerConfig::default;
        assert_eq!(default().validate(), Ok(()));
        check(LossScalerConfig { initial: 0.5, ..default() }, "initial = 0.5, expected 1 to 1e30");
        check(LossScalerConfig { double_after: 0, ..default() }, "double_after = 0, expected at least 1");
    }
}

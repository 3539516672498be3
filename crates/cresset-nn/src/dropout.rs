//! Dropout whose mask is a function of a key and a position, so that nothing is drawn, stored or restored.
//!
//! The backward pass computes the mask again, a resumed run continues with the masks it would have had, and
//! every backend drops the same elements: the hash uses additions, multiplications, shifts and exclusive
//! ors of 32-bit words, which every device has.

use cresset_data::random::{below, stream};

use crate::ConfigError;

/// What makes the mask of one place in the model at one step differ from every other mask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct DropoutKey([u32; 2]);

impl DropoutKey {
    /// The key of a `site`, the path of a layer for instance, at a `step` of the run that `seed` names.
    pub fn new(seed: u64, step: u64, site: &str) -> Self {
        let mut words = stream(seed, &format!("dropout/{site}"), step);
        Self([(); 2].map(|()| below(1 << 32, &mut words) as u32))
    }

    /// A word that looks random, the same on every backend for the same key and index.
    ///
    /// The mixing steps are those of a published 32-bit finaliser; the second half of the key enters
    /// between them, so that the masks of two keys are not shifted copies of each other. The finaliser's
    /// last step is left out: it touches only the low half of the word, and the word is compared with a
    /// threshold.
    ///
    /// # Source
    ///
    /// Wellons, "Prospecting for Hash Functions", 2018, function `lowbias32`,
    /// <https://nullprogram.com/blog/2018/07/31/>.
    #[inline(always)]
    pub(crate) fn word(self, index: u32) -> u32 {
        let Self([first, second]) = self;
        let mut word = index.wrapping_add(first);
        word ^= word >> 16;
        word = word.wrapping_mul(0x7feb_352d) ^ second;
        word ^= word >> 15;
        word.wrapping_mul(0x846c_a68b)
    }
}

/// Dropout of one tensor at one step: element `index` is multiplied by [`factor(index)`](Self::factor).
///
/// ```
/// use cresset_nn::Dropout;
///
/// let dropout = Dropout::new(0.5, 42, 0, "encoder.0.ffn")?;
/// let mask = dropout.mask(1000);
/// assert!(mask.iter().all(|&factor| factor == 0.0 || factor == 2.0));
/// assert_eq!(mask[7], dropout.factor(7));
/// # Ok::<(), cresset_nn::ConfigError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dropout {
    key: DropoutKey,
    threshold: u32,
    scale: f32,
}

impl Dropout {
    /// Dropout that zeroes an element with probability `p`, for the key of `seed`, `step` and `site`.
    ///
    /// The probability is met to within 2^-32.
    ///
    /// # Errors
    ///
    /// If `p` is not in `[0, 1)`.
    pub fn new(p: f64, seed: u64, step: u64, site: &str) -> Result<Self, ConfigError> {
        ConfigError::first_of(&[("dropout", p, (0.0..1.0).contains(&p), "a probability in [0, 1)")])?;
        // The cast saturates: a probability just below 1 does not wrap round to 0.
        let threshold = (p * 4_294_967_296.0).round() as u32;
        Ok(Self { key: DropoutKey::new(seed, step, site), threshold, scale: (1.0 / (1.0 - p)) as f32 })
    }

    /// Zero if the element is dropped, else `1 / (1 - p)`, which keeps the expected value.
    ///
    /// The index is that of the element in its tensor, row by row, modulo 2^32.
    #[inline(always)]
    pub fn factor(&self, index: u32) -> f32 {
        if self.key.word(index) >= self.threshold { self.scale } else { 0.0 }
    }

    /// The factors of the first `n` elements, for a backend that multiplies by a tensor.
    pub fn mask(&self, n: usize) -> Vec<f32> {
        (0..n).map(|index| self.factor(index as u32)).collect()
    }

    /// The two words that a device kernel mixes into the index.
    pub fn keys(&self) -> [u32; 2] {
        self.key.0
    }

    /// An element is kept if its word is at least this.
    pub fn threshold(&self) -> u32 {
        self.threshold
    }

    /// The factor of a kept element.
    pub fn scale(&self) -> f32 {
        self.scale
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const N: usize = 1 << 20;
    /// Five standard deviations of a mean of `N` independent terms of variance 1.
    const CHANCE: f64 = 5.0 / 1024.0;

    fn mask(p: f64, seed: u64, step: u64, site: &str) -> Vec<f32> {
        Dropout::new(p, seed, step, site).unwrap().mask(N)
    }

    /// Of two masks with the same probability: 1 if they are equal, about 0 if they are independent.
    fn correlation(a: &[f32], b: &[f32], p: f64) -> f64 {
        let variance = p / (1.0 - p);
        let sum: f64 = a.iter().zip(b).map(|(&a, &b)| (f64::from(a) - 1.0) * (f64::from(b) - 1.0)).sum();
        sum / (variance * a.len().min(b.len()) as f64)
    }

    #[test]
    fn the_mask_never_changes_between_releases_and_backends() {
        // Frozen: a change here changes every training run ever made.
        let dropout = Dropout::new(0.25, 42, 7, "encoder.0.attention").unwrap();
        assert_eq!(dropout.keys(), [1_829_252_030, 1_722_347_335]);
        assert_eq!((dropout.threshold(), dropout.scale()), (1 << 30, 4.0 / 3.0));
        let words = [0, 1, 2, 1 << 16, u32::MAX].map(|index| dropout.key.word(index));
        assert_eq!(words, [4_017_064_212, 956_981_117, 3_470_487_635, 394_102_131, 41_297_150]);
        let kept: String = (0..64).map(|i| if dropout.factor(i) > 0.0 { '1' } else { '0' }).collect();
        assert_eq!(kept, "1010001010111101110110111111111111111111111111100101110111011011");
    }

    #[test]
    fn an_element_is_dropped_with_the_probability_asked_for() {
        for p in [0.0, 0.01, 0.1, 0.2, 0.5, 0.9] {
            let dropped = mask(p, 1, 2, "site").iter().filter(|&&factor| factor == 0.0).count();
            let deviation = (dropped as f64 / N as f64 - p).abs();
            assert!(deviation <= CHANCE * (p * (1.0 - p)).sqrt(), "p = {p}: off by {deviation}");
        }
    }

    #[test]
    fn the_numbers_dropped_in_rows_of_64_spread_as_a_binomial_does() {
        let p = 0.2;
        let variance = mask(p, 3, 0, "site")
            .chunks_exact(64)
            .map(|row| row.iter().filter(|&&factor| factor == 0.0).count() as f64 - 64.0 * p)
            .map(|surplus| surplus * surplus / (64.0 * p * (1.0 - p)))
            .sum::<f64>()
            / (N / 64) as f64;
        // The mean of 16,384 terms of variance 2: one standard deviation is 0.011.
        assert!((variance - 1.0).abs() < 0.05, "{variance} times the variance of a binomial");
    }

    #[test]
    fn neighbouring_elements_are_dropped_independently() {
        for p in [0.1, 0.5] {
            let mask = mask(p, 4, 9, "site");
            for lag in [1, 2, 3, 4, 7, 8, 16, 50, 64, 256, 2500, 3200, 1 << 16] {
                let found = correlation(&mask[..N - lag], &mask[lag..], p);
                assert!(found.abs() < CHANCE * 1.1, "p = {p}, {lag} apart: correlation {found}");
            }
        }
    }

    #[test]
    fn masks_of_other_seeds_steps_and_sites_are_independent() {
        let base = mask(0.2, 5, 100, "encoder.0.ffn");
        assert!(correlation(&base, &mask(0.2, 5, 100, "encoder.0.ffn"), 0.2) > 0.99);
        let others = [
            (5, 101, "encoder.0.ffn"),
            (5, 99, "encoder.0.ffn"),
            (6, 100, "encoder.0.ffn"),
            (5, 100, "encoder.1.ffn"),
            (5, 100, "encoder.0.attention"),
        ];
        for (seed, step, site) in others {
            let found = correlation(&base, &mask(0.2, seed, step, site), 0.2);
            assert!(found.abs() < CHANCE, "seed {seed}, step {step}, site {site}: correlation {found}");
        }
    }

    #[test]
    fn masks_of_keys_that_share_their_first_word_are_not_shifted_copies_of_each_other() {
        let of = |first, second| {
            let key = DropoutKey([first, second]);
            Dropout { key, threshold: 1 << 31, scale: 2.0 }.mask(N)
        };
        let mut words = stream(8, "test", 0);
        for shift in [0, 1, 2, 64, 1 << 15] {
            let [first, a, b] = [(); 3].map(|()| below(1 << 32, &mut words) as u32);
            let found = correlation(&of(first, a)[shift..], &of(first.wrapping_add(shift as u32), b), 0.5);
            assert!(found.abs() < 0.02, "{a:#x} and {b:#x}, shifted by {shift}: correlation {found}");
        }
    }

    #[test]
    fn a_probability_outside_its_range_is_an_error_that_names_it() {
        for p in [-0.1, 1.0, f64::NAN] {
            let error = Dropout::new(p, 0, 0, "site").unwrap_err();
            assert_eq!((error.field.as_str(), error.value), ("dropout", p.to_string()));
        }
        let nearly_one = Dropout::new(1.0 - 1e-12, 0, 0, "site").unwrap();
        assert_eq!(nearly_one.threshold(), u32::MAX);
    }
}

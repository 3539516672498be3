//! Randomness as a function of a seed, a place and a count, so that nothing need be saved to repeat it.

use std::convert::Infallible;

use rand::{Rng, SeedableRng, TryRng};
use rand_chacha::ChaCha8Rng;

/// A portable random stream that depends on `seed`, the name of the `site` that draws, and `index` alone.
///
/// Two sites, or two indices of one site (epochs, folds, rows), draw independently of each other and of the
/// order in which they draw.
///
/// ```
/// use cresset_data::random::stream;
/// use rand::Rng;
///
/// assert_eq!(stream(7, "shuffle", 3).next_u64(), stream(7, "shuffle", 3).next_u64());
/// assert_ne!(stream(7, "shuffle", 3).next_u64(), stream(7, "shuffle", 4).next_u64());
/// ```
pub fn stream(seed: u64, site: &str, index: u64) -> ChaCha8Rng {
    let mut key = [0u8; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&fnv1a(site.as_bytes()).to_le_bytes());
    let mut rng = ChaCha8Rng::from_seed(key);
    rng.set_stream(index);
    rng
}

/// What all draws of one site in one epoch share: [`at`](Self::at) gives a generator for each index at once.
///
/// [`stream`] takes about a hundred nanoseconds to begin, which is nothing for a shuffle and too much for a draw of
/// one negative item; this takes two.
///
/// ```
/// use cresset_data::random::DrawKey;
/// use rand::Rng;
///
/// let key = DrawKey::new(42, "negatives", 3);
/// assert_eq!(key.at(7).next_u64(), DrawKey::new(42, "negatives", 3).at(7).next_u64());
/// assert_ne!(key.at(7).next_u64(), key.at(8).next_u64());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DrawKey(u64);

impl DrawKey {
    /// The key of a seed, the name of the site that draws, and a count (an epoch, a step).
    pub fn new(seed: u64, site: &str, count: u64) -> Self {
        let keyed = |key: u64, part: u64| mix(key.wrapping_add(GOLDEN_GAMMA) ^ part);
        Self([fnv1a(site.as_bytes()), count].into_iter().fold(mix(seed), keyed))
    }

    /// The generator of one index (an example, a user): it depends on key and index alone.
    #[inline]
    pub fn at(self, index: u64) -> SplitMix {
        let state = mix(self.0.wrapping_add(index.wrapping_mul(GOLDEN_GAMMA)));
        SplitMix { state, gamma: mix_gamma(state.wrapping_add(GOLDEN_GAMMA)) }
    }
}

/// A small fast generator for draws by the million, made by [`DrawKey::at`]; not for secrets.
///
/// # Source
///
/// Steele, Lea and Flood, OOPSLA 2014, <https://doi.org/10.1145/2660193.2660195>: `SplittableRandom`, with variant 13 of
/// Stafford's constants as its mixer.
#[derive(Debug, Clone)]
pub struct SplitMix {
    state: u64,
    /// What the state advances by: odd, and another for each generator, so that no two run along one sequence.
    gamma: u64,
}

/// The odd number nearest to 2^64 divided by the golden ratio.
const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

impl TryRng for SplitMix {
    type Error = Infallible;

    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.try_next_u64().map(|word| (word >> 32) as u32)
    }

    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.state = self.state.wrapping_add(self.gamma);
        Ok(mix(self.state))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            let word = self.try_next_u64()?.to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        Ok(())
    }
}

/// Turns any difference of two words into one of about half of their bits; no two words give the same.
#[inline]
fn mix(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// An odd number whose bits change often enough that adding it over and over changes all bits of a state.
#[inline]
fn mix_gamma(word: u64) -> u64 {
    let gamma = mix(word) | 1;
    if (gamma ^ (gamma >> 1)).count_ones() < 24 { gamma ^ 0xaaaa_aaaa_aaaa_aaaa } else { gamma }
}

/// The 64-bit FNV-1a hash: the same on every platform and in every release.
pub fn fnv1a(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The numbers `0..n` in an order that `rng` alone decides.
///
/// ```
/// use cresset_data::random::{permutation, stream};
///
/// let mut order = permutation(5, &mut stream(7, "shuffle", 0));
/// assert_eq!(order, permutation(5, &mut stream(7, "shuffle", 0)));
/// order.sort();
/// assert_eq!(order, [0, 1, 2, 3, 4]);
/// ```
pub fn permutation(n: u32, rng: &mut impl Rng) -> Vec<u32> {
    let mut order: Vec<u32> = (0..n).collect();
    shuffle(&mut order, rng);
    order
}

/// Shuffles in place, every order equally likely.
///
/// Written out here, not taken from `rand`, whose shuffle may change with a release and with it every split.
///
/// # Source
///
/// Durstenfeld, CACM 7(7):420, 1964, <https://doi.org/10.1145/364520.364540>.
pub fn shuffle<T>(items: &mut [T], rng: &mut impl Rng) {
    for last in (1..items.len()).rev() {
        items.swap(last, below(last as u64 + 1, rng) as usize);
    }
}

/// A number from `0..bound`; the bias is under `bound / 2^64`.
pub fn below(bound: u64, rng: &mut impl Rng) -> u64 {
    ((u128::from(rng.next_u64()) * u128::from(bound)) >> 64) as u64
}

/// A draw from the standard normal distribution, bounded by 6: the sum of twelve uniform draws, less its mean.
///
/// It needs no transcendental function, so that it is the same to the last bit on every platform.
pub fn standard_normal(rng: &mut impl Rng) -> f32 {
    let sum: u64 = (0..3).map(|_| sum_of_quarters(rng.next_u64())).sum();
    (sum as f32 + 6.0) / 65_536.0 - 6.0
}

/// The sum of four 16-bit integers packed in one word.
fn sum_of_quarters(word: u64) -> u64 {
    (word & 0xffff) + ((word >> 16) & 0xffff) + ((word >> 32) & 0xffff) + (word >> 48)
}

/// A uniform draw from the open interval (0, 1).
pub fn open_unit(rng: &mut impl Rng) -> f32 {
    ((rng.next_u32() >> 9) as f32 + 0.5) / 8_388_608.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_nothing_and_of_foobar_are_the_published_ones() {
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn a_permutation_never_changes_between_releases() {
        // Frozen: a change here changes every split and every epoch ever made.
        assert_eq!(permutation(8, &mut stream(42, "test", 0)), [5, 3, 2, 0, 1, 4, 7, 6]);
    }

    #[test]
    fn every_order_of_three_is_drawn_about_equally_often() {
        let mut counts = std::collections::HashMap::new();
        for index in 0..6000 {
            *counts.entry(permutation(3, &mut stream(1, "test", index))).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 6);
        // 1000 expected, standard deviation 29.
        assert!(counts.values().all(|&n| (850..1150).contains(&n)), "{counts:?}");
    }

    #[test]
    fn the_mixer_is_the_published_one() {
        // The first outputs of splitmix64 from the state 1234567, whose gamma is the golden one.
        let mut rng = SplitMix { state: 1_234_567, gamma: GOLDEN_GAMMA };
        let drawn: Vec<u64> = (0..3).map(|_| rng.next_u64()).collect();
        assert_eq!(drawn, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    /// The chi-square statistic of `draws` over 256 bins: 255 expected, standard deviation 22.6.
    fn chi_square(draws: impl Iterator<Item = u64>) -> f64 {
        let mut counts = [0.0f64; 256];
        draws.for_each(|bin| counts[bin as usize] += 1.0);
        let expected = counts.iter().sum::<f64>() / 256.0;
        counts.iter().map(|count| (count - expected).powi(2) / expected).sum()
    }

    #[test]
    fn draws_are_uniform_over_indices_over_counts_and_along_one_generator() {
        let n = 200_000;
        let key = DrawKey::new(42, "test", 0);
        let mut rng = key.at(0);
        let by_index = |shift: u32| (0..n).map(move |index| key.at(index).next_u64() >> shift & 0xff);
        let by_count = (0..n).map(|count| DrawKey::new(42, "test", count).at(5).next_u64() >> 56);
        let between = (0..n).map(|index| (key.at(index).next_u64() ^ key.at(index + 1).next_u64()) >> 56);
        let found = [
            chi_square(by_index(56)),
            chi_square(by_index(0)),
            chi_square(by_count),
            chi_square(between),
            chi_square((0..n).map(|_| rng.next_u64() >> 56)),
        ];
        // Five standard deviations; the draws are fixed, so the test never fails by chance.
        assert!(found.iter().all(|statistic| (142.0..368.0).contains(statistic)), "{found:?}");
    }

    #[test]
    fn generators_of_neighbouring_indices_share_no_draw() {
        let key = DrawKey::new(1, "test", 0);
        let mut seen = std::collections::HashSet::new();
        for index in 0..2_000 {
            let mut rng = key.at(index);
            assert!((0..50).all(|_| seen.insert(rng.next_u64())));
        }
    }

    #[test]
    fn below_stays_below() {
        let mut rng = stream(3, "test", 0);
        assert!((0..1000).all(|_| below(7, &mut rng) < 7));
        assert_eq!(below(1, &mut rng), 0);
    }
}

//! Randomness as a function of a seed, a place and a count, so that nothing need be saved to repeat it.

use rand::{Rng, SeedableRng};
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
    fn below_stays_below() {
        let mut rng = stream(3, "test", 0);
        assert!((0..1000).all(|_| below(7, &mut rng) < 7));
        assert_eq!(below(1, &mut rng), 0);
    }
}

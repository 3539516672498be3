//! Randomness as a function of a seed, a place and a count, so that nothing need be saved to repeat it.

use rand::SeedableRng;
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
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

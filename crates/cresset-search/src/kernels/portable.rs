//! Plain loops, for processors without a kernel of their own.

use std::array::from_fn;

use super::{Kernel, PanelQuad};
use crate::codes::{OFFSET, PANEL, QUAD};

/// Pairs of columns of a panel's items.
const PAIRS: usize = PANEL * QUAD / 2;

/// Loops over neighbouring numbers of one width, which compilers turn into the vectors of any processor.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Portable;

impl Kernel for Portable {
    /// The first and the second column of each pair.
    type Codes = [[i16; PAIRS]; 2];
    type Sums = [i32; PANEL];

    #[inline(always)]
    fn vectorize<R>(self, job: impl FnOnce() -> R) -> R {
        job()
    }

    #[inline(always)]
    fn codes(self, quad: &PanelQuad) -> Self::Codes {
        let (pairs, _) = quad.as_chunks::<2>();
        // Without the offset; a shift to the right keeps the sign.
        let codes: [i16; PAIRS] =
            from_fn(|pair| i16::from_le_bytes(pairs[pair]) ^ i16::from_le_bytes([OFFSET; 2]));
        [codes.map(|pair| (pair << 8) >> 8), codes.map(|pair| pair >> 8)]
    }

    #[inline(always)]
    fn start(self, _: i32) -> Self::Sums {
        [0; PANEL]
    }

    #[inline(always)]
    fn add_products(self, mut sums: Self::Sums, items: Self::Codes, query: [i8; QUAD]) -> Self::Sums {
        let [first, second, third, fourth] = query.map(i16::from);
        // Two products of codes are at most 2 · 127 · 127, which fits into 16 bits.
        let pairs: [i16; PAIRS] = from_fn(|pair| {
            let (a, b) = if pair % 2 == 0 { (first, second) } else { (third, fourth) };
            items[0][pair] * a + items[1][pair] * b
        });
        for (sum, pairs) in sums.iter_mut().zip(pairs.as_chunks::<2>().0) {
            *sum += i32::from(pairs[0]) + i32::from(pairs[1]);
        }
        sums
    }

    #[inline(always)]
    fn reaching(self, sums: Self::Sums, scales: &[f32; PANEL], floor: f32) -> u16 {
        let mut reaching = 0;
        for (lane, (sum, scale)) in sums.into_iter().zip(scales).enumerate() {
            let is_below = sum as f32 * scale < floor;
            reaching |= u16::from(!is_below) << lane;
        }
        reaching
    }

    #[inline(always)]
    fn prefetch(self, _: &[f32]) {}

    #[inline(always)]
    fn to_array(self, sums: Self::Sums) -> [i32; PANEL] {
        sums
    }
}

//! Plain loops, for processors without a kernel of their own.

use std::array::from_fn;

use super::{Kernel, PanelQuad};
use crate::codes::{OFFSET, PANEL, QUAD};

#[derive(Debug, Clone, Copy)]
pub(crate) struct Portable;

impl Kernel for Portable {
    type Codes = [[i16; QUAD]; PANEL];
    type Sums = [i32; PANEL];

    #[inline(always)]
    fn vectorize<R>(self, job: impl FnOnce() -> R) -> R {
        job()
    }

    #[inline(always)]
    fn codes(self, quad: &PanelQuad) -> Self::Codes {
        let (items, _) = quad.as_chunks::<QUAD>();
        from_fn(|lane| items[lane].map(|byte| i16::from(byte) - i16::from(OFFSET)))
    }

    #[inline(always)]
    fn start(self, _: i32) -> Self::Sums {
        [0; PANEL]
    }

    #[inline(always)]
    fn add_products(self, mut sums: Self::Sums, items: Self::Codes, query: [i8; QUAD]) -> Self::Sums {
        for (sum, codes) in sums.iter_mut().zip(items) {
            for (item, query) in codes.into_iter().zip(query) {
                *sum += i32::from(item) * i32::from(query);
            }
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

//! AVX2: four columns of eight items in three instructions.
#![expect(
    unsafe_code,
    reason = "intrinsics may be called only where the processor has them, which a token says"
)]

use std::arch::x86_64::{
    __m256, __m256i, _CMP_NLT_UQ, _mm256_abs_epi8, _mm256_add_epi32, _mm256_cmp_ps, _mm256_cvtepi32_ps,
    _mm256_madd_epi16, _mm256_maddubs_epi16, _mm256_movemask_ps, _mm256_mul_ps, _mm256_set1_epi8,
    _mm256_set1_epi16, _mm256_set1_epi32, _mm256_set1_ps, _mm256_setzero_si256, _mm256_sign_epi8,
    _mm256_xor_si256,
};

use super::prefetch::prefetch;
use super::{Kernel, PanelQuad};
use crate::codes::{OFFSET, PANEL, QUAD};

pulp::simd_type! {
    /// Shows that the processor has the instructions: there is none elsewhere.
    pub(crate) struct Avx2 {
        avx: "avx",
        avx2: "avx2",
        fma: "fma",
    }
}

impl Kernel for Avx2 {
    /// The codes of eight items, twice: their magnitudes, and as they are.
    type Codes = [[__m256i; 2]; 2];
    type Sums = [__m256i; 2];

    #[inline(always)]
    fn vectorize<R>(self, job: impl FnOnce() -> R) -> R {
        Self::vectorize(self, job)
    }

    #[inline(always)]
    fn codes(self, quad: &PanelQuad) -> Self::Codes {
        let halves: [__m256i; 2] = pulp::cast(*quad);
        // SAFETY: `self` exists only where the processor has AVX2.
        halves.map(|bytes| unsafe {
            let codes = _mm256_xor_si256(bytes, _mm256_set1_epi8(OFFSET as i8));
            [_mm256_abs_epi8(codes), codes]
        })
    }

    #[inline(always)]
    fn start(self, _: i32) -> Self::Sums {
        // SAFETY: `self` exists only where the processor has AVX.
        unsafe { [_mm256_setzero_si256(); 2] }
    }

    #[inline(always)]
    fn add_products(self, sums: Self::Sums, items: Self::Codes, query: [i8; QUAD]) -> Self::Sums {
        let [first, second] = items;
        [self.add_half(sums[0], first, query), self.add_half(sums[1], second, query)]
    }

    #[inline(always)]
    fn reaching(self, sums: Self::Sums, scales: &[f32; PANEL], floor: f32) -> u16 {
        let scales: [__m256; 2] = pulp::cast(*scales);
        let reaching = |half: usize| {
            // SAFETY: `self` exists only where the processor has AVX.
            unsafe {
                let products = _mm256_mul_ps(_mm256_cvtepi32_ps(sums[half]), scales[half]);
                _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_NLT_UQ>(products, _mm256_set1_ps(floor))) as u16
            }
        };
        reaching(0) | reaching(1) << 8
    }

    #[inline(always)]
    fn prefetch(self, vector: &[f32]) {
        prefetch(vector);
    }

    #[inline(always)]
    fn to_array(self, sums: Self::Sums) -> [i32; PANEL] {
        pulp::cast(sums)
    }
}

impl Avx2 {
    /// Adds the products of eight items. Their magnitudes are multiplied by the query's codes with the items'
    /// signs: two such products are at most 2 · 127 · 127, so that their sum fits into the 16 bits that it is
    /// given.
    #[inline(always)]
    fn add_half(self, sums: __m256i, [magnitudes, codes]: [__m256i; 2], query: [i8; QUAD]) -> __m256i {
        // SAFETY: `self` exists only where the processor has AVX2.
        unsafe {
            let query = _mm256_sign_epi8(_mm256_set1_epi32(pulp::cast(query)), codes);
            let pairs = _mm256_maddubs_epi16(magnitudes, query);
            _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)))
        }
    }
}

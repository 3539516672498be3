//! AVX-512 with VNNI: one instruction for four columns of sixteen items.
#![expect(
    unsafe_code,
    reason = "intrinsics may be called only where the processor has them, which a token says"
)]

use std::arch::x86_64::{
    __m512i, _CMP_NLT_UQ, _mm512_cmp_ps_mask, _mm512_cvtepi32_ps, _mm512_dpbusd_epi32, _mm512_mul_ps,
    _mm512_set1_epi32, _mm512_set1_ps,
};

use super::prefetch::prefetch;
use super::{Kernel, PanelQuad};
use crate::codes::{OFFSET, PANEL, QUAD};

pulp::simd_type! {
    /// Shows that the processor has the instructions: there is none elsewhere.
    pub(crate) struct Vnni {
        avx512f: "avx512f",
        avx512bw: "avx512bw",
        avx512dq: "avx512dq",
        avx512vl: "avx512vl",
        avx512vnni: "avx512vnni",
    }
}

impl Kernel for Vnni {
    type Codes = __m512i;
    type Sums = __m512i;

    #[inline(always)]
    fn vectorize<R>(self, job: impl FnOnce() -> R) -> R {
        Self::vectorize(self, job)
    }

    #[inline(always)]
    fn codes(self, quad: &PanelQuad) -> __m512i {
        pulp::cast(*quad)
    }

    #[inline(always)]
    fn start(self, code_sum: i32) -> __m512i {
        // The instruction takes the items' bytes with their offset, so the sums begin lower by what that
        // adds. SAFETY: `self` exists only where the processor has AVX-512.
        unsafe { _mm512_set1_epi32(-i32::from(OFFSET) * code_sum) }
    }

    #[inline(always)]
    fn add_products(self, sums: __m512i, items: __m512i, query: [i8; QUAD]) -> __m512i {
        // SAFETY: `self` exists only where the processor has AVX-512 and VNNI.
        unsafe { _mm512_dpbusd_epi32(sums, items, _mm512_set1_epi32(pulp::cast(query))) }
    }

    #[inline(always)]
    fn reaching(self, sums: __m512i, scales: &[f32; PANEL], floor: f32) -> u16 {
        // SAFETY: `self` exists only where the processor has AVX-512.
        unsafe {
            let products = _mm512_mul_ps(_mm512_cvtepi32_ps(sums), pulp::cast(*scales));
            _mm512_cmp_ps_mask::<_CMP_NLT_UQ>(products, _mm512_set1_ps(floor))
        }
    }

    #[inline(always)]
    fn prefetch(self, vector: &[f32]) {
        prefetch(vector);
    }

    #[inline(always)]
    fn to_array(self, sums: __m512i) -> [i32; PANEL] {
        pulp::cast(sums)
    }
}

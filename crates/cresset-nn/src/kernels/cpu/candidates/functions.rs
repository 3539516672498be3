//! Exponential, sigmoid and softplus on registers, free of denormals.

use pulp::Simd;

/// Below this an exponential is taken to be 0: 4e-18 of the largest, far under the rounding of any sum it
/// joins, and large enough that its products with gradients stay normal numbers.
pub(super) const LOWEST_EXPONENT: f32 = -40.0;

/// Returns `e^x` for `x` of at most 0, within 2 units in the last place; 0 below [`LOWEST_EXPONENT`], NaN for
/// NaN.
#[inline(always)]
pub(super) fn exp_of_negative<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    // Adding 1.5 * 2^23 rounds to an integer, which is then in the low bits of the sum.
    const ROUNDER: f32 = 12_582_912.0;
    // ln 2 in two parts, the first with few bits, so that its products with small integers are exact.
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let rounded = simd.mul_add_f32s(x, simd.splat_f32s(std::f32::consts::LOG2_E), simd.splat_f32s(ROUNDER));
    let n = simd.sub_f32s(rounded, simd.splat_f32s(ROUNDER));
    let r = simd.mul_add_f32s(n, simd.splat_f32s(-LN_2_HIGH), x);
    let r = simd.mul_add_f32s(n, simd.splat_f32s(-LN_2_LOW), r);
    // Taylor's coefficients to the sixth power: |r| is at most ln 2 / 2, so the rest is under 1.2e-7 of the
    // value.
    let mut p = simd.splat_f32s(1.0 / 720.0);
    for coefficient in [1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        p = simd.mul_add_f32s(p, r, simd.splat_f32s(coefficient));
    }
    let exponent = simd.wrapping_dyn_shl_u32s(simd.transmute_u32s_f32s(rounded), simd.splat_u32s(23));
    let power = simd.transmute_f32s_u32s(simd.add_u32s(exponent, simd.splat_u32s(127 << 23)));
    let too_low = simd.less_than_f32s(x, simd.splat_f32s(LOWEST_EXPONENT));
    simd.select_f32s(too_low, simd.splat_f32s(0.0), simd.mul_f32s(p, power))
}

/// Returns `sigmoid(x)` and `softplus(x) = log(1 + e^x)`; both 0 at minus infinity, both NaN for NaN.
#[inline(always)]
pub(super) fn sigmoid_and_softplus<S: Simd>(simd: S, x: S::f32s) -> (S::f32s, S::f32s) {
    let (zero, one) = (simd.splat_f32s(0.0), simd.splat_f32s(1.0));
    let e = exp_of_negative(simd, simd.neg_f32s(simd.abs_f32s(x)));
    let numerator = simd.select_f32s(simd.less_than_f32s(x, zero), e, one);
    let sigmoid = simd.div_f32s(numerator, simd.add_f32s(one, e));
    (sigmoid, simd.add_f32s(simd.max_f32s(x, zero), log_1p(simd, e)))
}

/// Returns `log(1 + e)` for `e` in 0..=1.
///
/// `log(1 + e) = 2 atanh(z)` with `z = e / (2 + e)`, at most a third, so eight terms of atanh's series are
/// enough.
#[inline(always)]
fn log_1p<S: Simd>(simd: S, e: S::f32s) -> S::f32s {
    let z = simd.div_f32s(e, simd.add_f32s(simd.splat_f32s(2.0), e));
    let square = simd.mul_f32s(z, z);
    let mut p = simd.splat_f32s(2.0 / 15.0);
    for coefficient in [2.0 / 13.0, 2.0 / 11.0, 2.0 / 9.0, 2.0 / 7.0, 2.0 / 5.0, 2.0 / 3.0, 2.0] {
        p = simd.mul_add_f32s(p, square, simd.splat_f32s(coefficient));
    }
    simd.mul_f32s(p, z)
}

#[cfg(test)]
mod tests {
    use pulp::{Arch, Scalar, WithSimd};

    use super::*;

    /// Exponential, sigmoid and softplus of one number, in all lanes alike.
    struct At(f32);

    impl WithSimd for At {
        type Output = [f32; 3];

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> [f32; 3] {
            let x = simd.splat_f32s(self.0);
            let (sigmoid, softplus) = sigmoid_and_softplus(simd, x);
            [exp_of_negative(simd, x), sigmoid, softplus].map(|y| simd.reduce_max_f32s(y))
        }
    }

    #[test]
    fn functions_are_within_a_few_units_of_the_exact_ones() {
        for step in -40_000..=40_000 {
            let x = step as f32 * 1e-3;
            let exact = f64::from(x);
            for [exp, sigmoid, softplus] in [Arch::new().dispatch(At(x)), Scalar::new().vectorize(At(x))] {
                let is_near = |got: f32, exact: f64| (f64::from(got) / exact - 1.0).abs() < 4e-7;
                assert!(x > 0.0 || is_near(exp, exact.exp()), "exp({x}) = {exp}");
                assert!(is_near(sigmoid, 1.0 / (1.0 + (-exact).exp())), "sigmoid({x}) = {sigmoid}");
                let exact = exact.max(0.0) + (-exact.abs()).exp().ln_1p();
                assert!(is_near(softplus, exact), "softplus({x}) = {softplus}");
            }
        }
    }

    #[test]
    fn far_from_0_values_are_0_or_their_limit_and_never_denormal() {
        for x in [-40.1, -87.5, -1e4, -1e30, f32::MIN, f32::NEG_INFINITY] {
            assert_eq!(Arch::new().dispatch(At(x)), [0.0, 0.0, 0.0], "{x}");
            let [_, sigmoid, softplus] = Arch::new().dispatch(At(-x));
            assert_eq!((sigmoid, softplus), (1.0, -x), "{}", -x);
        }
        assert!(Arch::new().dispatch(At(f32::NAN))[2].is_nan());
    }
}

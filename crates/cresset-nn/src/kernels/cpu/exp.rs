//! The exponential and the normal distribution as plain arithmetic, which compiles to vector instructions.

/// Below this an exponential is taken to be 0: 4e-18, far under the rounding of what it is added to, and
/// large enough that its products with gradients stay normal numbers.
pub(super) const LOWEST_EXPONENT: f32 = -40.0;

/// Returns `e^x` for `x` of at most 0, within 2 units in the last place; 0 below [`LOWEST_EXPONENT`], NaN
/// for NaN.
#[inline(always)]
pub(super) fn exp_of_negative(x: f32) -> f32 {
    // Adding 1.5 * 2^23 rounds to an integer, which is then in the low bits of the sum.
    const ROUNDER: f32 = 12_582_912.0;
    // ln 2 in two parts, the first with few bits, so that its products with small integers are exact.
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let rounded = x.mul_add(std::f32::consts::LOG2_E, ROUNDER);
    let n = rounded - ROUNDER;
    let r = n.mul_add(-LN_2_LOW, n.mul_add(-LN_2_HIGH, x));
    // Fitted to |r| <= ln 2 / 2 with the first two coefficients held at 1: within 3.1e-9 of the value.
    let p = 0.001_381_46_f32;
    let p = p.mul_add(r, 0.008_368_718);
    let p = p.mul_add(r, 0.041_668_39);
    let p = p.mul_add(r, 0.166_665_21);
    let p = p.mul_add(r, 0.499_999_94);
    let p = p.mul_add(r, 1.0).mul_add(r, 1.0);
    let power = f32::from_bits((rounded.to_bits() << 23).wrapping_add(127 << 23));
    if x < LOWEST_EXPONENT { 0.0 } else { p * power }
}

/// Returns the standard normal distribution function and its density at `x`, both within 2e-7; NaN for NaN.
///
/// The tail is `exp(-x^2 / 2)` times a polynomial of `1 / (1 + 0.28 |x|)`, the form of Hastings'
/// approximations, with coefficients fitted to 1.2e-8 of `max(1, |x|)` times the distribution.
#[inline(always)]
pub(super) fn normal_distribution_and_density(x: f32) -> (f32, f32) {
    const INVERSE_ROOT_2_PI: f32 = 0.398_942_3;
    let size = x.abs();
    let bell = exp_of_negative(-0.5 * x * x);
    let t = 1.0 / size.mul_add(0.28, 1.0);
    let p = -0.106_327_675_f32;
    let p = p.mul_add(t, 0.392_063_53);
    let p = p.mul_add(t, -0.240_663_95);
    let p = p.mul_add(t, 0.271_968_04);
    let p = p.mul_add(t, 0.066_231_18);
    let p = p.mul_add(t, 0.116_728_87);
    let tail = bell * (p * t);
    let distribution = if x > 0.0 { 1.0 - tail } else { tail };
    (distribution, bell * INVERSE_ROOT_2_PI)
}

#[cfg(test)]
pub(super) mod reference {
    //! The same functions in double precision.

    /// The error function by its series for small arguments and its continued fraction for large ones.
    fn erf(x: f64) -> f64 {
        if x < 0.0 {
            return -erf(-x);
        }
        if x > 3.0 {
            let fraction = (1..=60).rev().fold(x, |below, k| x + 0.5 * f64::from(k) / below);
            return 1.0 - (-x * x).exp() / (fraction * std::f64::consts::PI.sqrt());
        }
        let (mut term, mut sum) = (x, x);
        for n in 1..200 {
            term *= 2.0 * x * x / f64::from(2 * n + 1);
            sum += term;
        }
        std::f64::consts::FRAC_2_SQRT_PI * (-x * x).exp() * sum
    }

    pub(in super::super) fn normal_distribution(x: f64) -> f64 {
        0.5 * (1.0 + erf(x * std::f64::consts::FRAC_1_SQRT_2))
    }

    pub(in super::super) fn normal_density(x: f64) -> f64 {
        (-0.5 * x * x).exp() * 0.5 * std::f64::consts::FRAC_2_SQRT_PI * std::f64::consts::FRAC_1_SQRT_2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_within_two_units_in_the_last_place() {
        for step in 0..=400_000 {
            let x = -1e-4 * step as f32;
            let (found, expected) = (f64::from(exp_of_negative(x)), f64::from(x).exp());
            assert!((found - expected).abs() < 2.4e-7 * expected, "exp({x}) = {found}, not {expected}");
        }
    }

    #[test]
    fn the_exponential_is_zero_below_its_bound_and_nan_for_nan() {
        assert_eq!([0.0, -40.1, -1e4, f32::NEG_INFINITY].map(exp_of_negative), [1.0, 0.0, 0.0, 0.0]);
        assert!(exp_of_negative(f32::NAN).is_nan());
    }

    #[test]
    fn the_normal_distribution_and_its_density_are_close() {
        // Published to ten places.
        assert!((reference::normal_distribution(1.0) - 0.841_344_746_1).abs() < 1e-10);
        assert!((reference::normal_distribution(-4.5) - 3.397_673_12e-6).abs() < 1e-13);
        for step in -100_000..=100_000 {
            let x = 1.2e-4 * step as f32;
            let (distribution, density) = normal_distribution_and_density(x);
            let error = f64::from(distribution) - reference::normal_distribution(f64::from(x));
            assert!(error.abs() < 2e-7, "distribution at {x}: off by {error}");
            let error = f64::from(density) - reference::normal_density(f64::from(x));
            assert!(error.abs() < 2e-7, "density at {x}: off by {error}");
        }
        assert!(normal_distribution_and_density(f32::NAN).0.is_nan());
    }
}

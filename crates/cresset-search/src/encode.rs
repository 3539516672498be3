//! A row as whole numbers of eight bits.

use pulp::Arch;

use crate::codes::MAX_CODE;

/// Columns that are encoded side by side.
const LANES: usize = 16;

/// Added to a number of a few bits, it leaves the nearest whole number, halves to even, in the lowest bits:
/// it is so large that no other fits.
const ROUNDER: f64 = 6_755_399_441_055_744.0; // 1.5 * 2^52

/// Three lengths of an encoded row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Encoded {
    /// Of the row.
    pub(crate) length: f64,
    /// Of the codes times the scale.
    pub(crate) code_length: f64,
    /// Of what lies between.
    pub(crate) error_length: f64,
}

/// Writes the codes of a finite row into `codes`, which is filled up with zeros to a multiple of [`LANES`].
///
/// A code is the whole number nearest to the value over the scale, as far as codes go; what that misses is
/// measured, not assumed. At a scale of 0 all codes are 0.
pub(crate) fn encode(row: &[f64], scale: f64, codes: &mut Vec<i8>) -> Encoded {
    codes.clear();
    codes.resize(row.len().next_multiple_of(LANES), 0);
    Arch::new().dispatch(
        #[inline(always)]
        || {
            let mut squares = Squares::default();
            let (chunks, rest) = row.as_chunks::<LANES>();
            let (codes, _) = codes.as_chunks_mut::<LANES>();
            for (values, codes) in chunks.iter().zip(codes.iter_mut()) {
                squares.add(values, scale, codes);
            }
            if let Some(codes) = codes.get_mut(chunks.len()) {
                let mut values = [0.0; LANES];
                values[..rest.len()].copy_from_slice(rest);
                squares.add(&values, scale, codes);
            }
            squares.lengths()
        },
    )
}

/// The largest magnitude in a row.
pub(crate) fn greatest_magnitude(row: &[f64]) -> f64 {
    row.iter().fold(0.0, |greatest, value| value.abs().max(greatest))
}

/// Sums of squares, lane by lane.
#[derive(Default)]
struct Squares {
    values: [f64; LANES],
    codes: [f64; LANES],
    errors: [f64; LANES],
}

impl Squares {
    #[inline(always)]
    fn add(&mut self, values: &[f64; LANES], scale: f64, codes: &mut [i8; LANES]) {
        let per_scale = if scale > 0.0 { 1.0 / scale } else { 0.0 };
        for lane in 0..LANES {
            let value = values[lane];
            let rounded = (value * per_scale).clamp(-MAX_CODE, MAX_CODE) + ROUNDER;
            let coded = (rounded - ROUNDER) * scale;
            codes[lane] = rounded.to_bits() as i8;
            self.values[lane] += value * value;
            self.codes[lane] += coded * coded;
            self.errors[lane] += (value - coded) * (value - coded);
        }
    }

    fn lengths(&self) -> Encoded {
        let length = |squares: &[f64; LANES]| squares.iter().sum::<f64>().sqrt();
        Encoded {
            length: length(&self.values),
            code_length: length(&self.codes),
            error_length: length(&self.errors),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(row: &[f64], scale: f64, expected: &[i8]) {
        let mut codes = vec![9; 3];
        let encoded = encode(row, scale, &mut codes);
        assert_eq!(codes.len(), row.len().next_multiple_of(LANES));
        assert_eq!(
            (&codes[..row.len()], codes[row.len()..].iter().any(|&code| code != 0)),
            (expected, false)
        );
        let length = |number: &dyn Fn(usize) -> f64| {
            (0..row.len()).map(number).map(|number| number * number).sum::<f64>().sqrt()
        };
        let (value, coded) = (|at: usize| row[at], |at: usize| f64::from(expected[at]) * scale);
        let is_near = |found: f64, expected: f64| (found - expected).abs() <= 1e-12 * expected;
        assert!(is_near(encoded.length, length(&value)), "{encoded:?}");
        assert!(is_near(encoded.code_length, length(&coded)), "{encoded:?}");
        assert!(is_near(encoded.error_length, length(&|at| value(at) - coded(at))), "{encoded:?}");
    }

    #[test]
    fn a_code_is_the_nearest_whole_number_of_scales() {
        check(&[0.0, 1.0, -1.0, 2.4, -2.6, 127.0, -127.0], 1.0, &[0, 1, -1, 2, -3, 127, -127]);
        check(&[0.25, -0.5, 31.75], 0.25, &[1, -2, 127]);
    }

    #[test]
    fn halves_are_rounded_to_even() {
        check(&[0.5, 1.5, 2.5, -0.5, -1.5], 1.0, &[0, 2, 2, 0, -2]);
    }

    #[test]
    fn what_is_beyond_all_codes_has_the_largest() {
        check(&[128.0, -1e30, 6.8e38], 1.0, &[127, -127, 127]);
        check(&[6.8e38], f64::from(f32::MIN_POSITIVE), &[127]);
    }

    #[test]
    fn a_scale_of_zero_has_no_codes() {
        check(&[1e-45, 0.0], 0.0, &[0, 0]);
    }

    #[test]
    fn every_column_is_encoded_at_any_width() {
        for dim in 0..40 {
            let expected: Vec<i8> = (0..dim).map(|column| (column * 37 % 255 - 127) as i8).collect();
            let row: Vec<f64> = expected.iter().map(|&code| f64::from(code) * 0.5).collect();
            check(&row, 0.5, &expected);
        }
    }
}

//! The one definition of a score.

use std::array::from_fn;

/// Partial sums of a score: as many as fill two of the widest registers.
const LANES: usize = 16;

/// The inner product of two vectors of one length.
///
/// The product of two `f32` is exact in `f64`. Column `c` is added to partial sum `c % 16`, in order of the
/// columns; the 16 sums are joined halves with halves, and the total is rounded to `f32` once. So the bits
/// depend on nothing but the two vectors: neither on the processor, nor on what else was asked for in the
/// same call.
#[inline(always)]
pub(crate) fn score(a: &[f32], b: &[f32]) -> f32 {
    product(a, b) as f32
}

/// A score before it is rounded.
#[inline(always)]
pub(crate) fn product(a: &[f32], b: &[f32]) -> f64 {
    let (a_chunks, a_rest) = a.as_chunks();
    let (b_chunks, b_rest) = b.as_chunks();
    let mut sums = [0.0; LANES];
    for (a, b) in a_chunks.iter().zip(b_chunks) {
        add_products(&mut sums, a, b);
    }
    if !a_rest.is_empty() {
        // Zeros add nothing.
        add_products(&mut sums, &filled_up(a_rest), &filled_up(b_rest));
    }
    fold(sums)
}

#[inline(always)]
fn add_products(sums: &mut [f64; LANES], a: &[f32; LANES], b: &[f32; LANES]) {
    for lane in 0..LANES {
        sums[lane] += f64::from(a[lane]) * f64::from(b[lane]);
    }
}

fn filled_up(rest: &[f32]) -> [f32; LANES] {
    let mut lanes = [0.0; LANES];
    lanes[..rest.len()].copy_from_slice(rest);
    lanes
}

#[inline(always)]
fn fold(sums: [f64; LANES]) -> f64 {
    // Written out, so that all of it stays in registers.
    let eight: [f64; 8] = from_fn(|lane| sums[lane] + sums[lane + 8]);
    let four: [f64; 4] = from_fn(|lane| eight[lane] + eight[lane + 4]);
    let two: [f64; 2] = from_fn(|lane| four[lane] + four[lane + 2]);
    two[0] + two[1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_is_the_inner_product() {
        assert_eq!(score(&[1.0, 2.0, -3.0], &[4.0, 0.5, 1.0]), 2.0);
        assert_eq!(score(&[], &[]), 0.0);
    }

    #[test]
    fn every_column_counts_once_at_any_width() {
        for dim in 0..70 {
            let a: Vec<f32> = (0..dim).map(|column| (column % 7) as f32 - 3.0).collect();
            let b: Vec<f32> = (0..dim).map(|column| (column % 5) as f32 - 1.0).collect();
            let expected: f32 = a.iter().zip(&b).map(|(a, b)| a * b).sum();
            assert_eq!(score(&a, &b), expected, "width {dim}");
        }
    }

    #[test]
    fn what_cancels_in_f32_is_kept() {
        // 1e8 + 1 is no f32: the 1 would be lost.
        assert_eq!(score(&[1e8, 1.0, -1e8], &[1.0, 1.0, 1.0]), 1.0);
    }

    #[test]
    fn a_product_beyond_all_f32_is_infinite() {
        assert_eq!(score(&[f32::MAX], &[-2.0]), f32::NEG_INFINITY);
    }
}

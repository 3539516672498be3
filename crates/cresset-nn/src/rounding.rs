//! Stochastic rounding of f32 to bf16, as a function of a key and the value's place.

use burn::tensor::backend::Backend;
use burn::tensor::{DType, Int, Tensor, TensorData};
use half::bf16;

use crate::DropoutKey;

/// Sixteen random bits, a function of a key and of the place of an element in its table.
///
/// A key serves one step of one table, which keeps the errors of different steps independent.
#[inline(always)]
pub(crate) fn noise(key: DropoutKey, element: u64) -> u32 {
    let (low, high) = (element as u32, (element >> 32) as u32);
    // The upper half of the word is the better mixed one.
    key.word(low ^ high.wrapping_mul(0x9e37_79b9)) >> 16
}

/// `value` rounded up or down to a neighbouring bf16, by 16 random bits, so that the mean is kept.
///
/// Rounding to the nearest would lose for good every update smaller than half a step, a 512th of the value. Infinities
/// and NaN stay what they are.
///
/// # Source
///
/// Gupta et al., ICML 2015, section 2, <https://arxiv.org/abs/1502.02551>.
#[inline(always)]
pub(crate) fn to_bf16(value: f32, noise: u32) -> bf16 {
    let bits = value.to_bits();
    // Infinity keeps its bits under any noise; the carry of a NaN's bits could reach its sign.
    let rounded = if value.is_nan() { bits | 1 << 22 } else { bits.wrapping_add(noise) };
    bf16::from_bits((rounded >> 16) as u16)
}

/// f32 rows of a table as bf16, each value by [`to_bf16`] and its [`noise`], on the host: the slow body of a rare case.
///
/// # Shapes
///
/// - rows, output: `[n, dim]`
/// - ids: `[n]`, the rows' places in their table; `None` stands for every row
pub(crate) fn rows_to_bf16<B: Backend>(
    rows: Tensor<B, 2>,
    ids: Option<&Tensor<B, 1, Int>>,
    key: DropoutKey,
) -> Tensor<B, 2> {
    let [n, dim] = rows.dims();
    let device = rows.device();
    let ids: Vec<i64> = match ids {
        Some(ids) => ids.clone().into_data().convert::<i64>().to_vec().expect("converted just before"),
        None => (0..n as i64).collect(),
    };
    let mut values: Vec<f32> = rows.into_data().to_vec().expect("rows are f32");
    for (row, id) in values.chunks_exact_mut(dim.max(1)).zip(ids) {
        for (column, value) in row.iter_mut().enumerate() {
            let noise = noise(key, id as u64 * dim as u64 + column as u64);
            *value = to_bf16(*value, noise).to_f32();
        }
    }
    Tensor::<B, 2>::from_data(TensorData::new(values, [n, dim]), &device).cast(DType::BF16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stochastic_rounding_keeps_the_mean() {
        // A quarter of the way from 1 to the next bf16, 1 + 1/128.
        let value = 1.0 + 0.25 / 128.0;
        let n: u64 = 1 << 16;
        let rounded = |element| to_bf16(value, noise(DropoutKey::new(5, 6, "rounding"), element)).to_f32();
        let n_up = (0..n).filter(|&element| rounded(element) > 1.0).count() as f64;
        // Standard deviation of a share: 0.0017.
        assert!((n_up / n as f64 - 0.25).abs() < 0.007, "{n_up} of {n} went up");
        assert!((0..n).all(|element| [1.0, 1.0 + 1.0 / 128.0].contains(&rounded(element))));
    }

    #[test]
    fn what_bf16_holds_is_never_rounded() {
        for value in [0.0, -0.0, 1.0, -3.5, f32::INFINITY, f32::NEG_INFINITY, 2.0_f32.powi(-126)] {
            for noise in [0, 1, 0x8000, 0xffff] {
                assert_eq!(to_bf16(value, noise).to_f32().to_bits(), value.to_bits(), "{value}");
            }
        }
        assert!(to_bf16(f32::from_bits(0x7fff_ffff), 0xffff).is_nan());
        assert!(to_bf16(f32::from_bits(0xff80_0001), 0).is_nan());
    }

    #[test]
    fn noise_differs_by_key_and_by_both_halves_of_the_index() {
        let noise = |seed, step, offset: u64| {
            let key = DropoutKey::new(seed, step, "rounding");
            (0_u64..64).map(|i| noise(key, i + offset)).collect::<Vec<_>>()
        };
        let base = noise(1, 2, 0);
        for other in [noise(2, 2, 0), noise(1, 3, 0), noise(1, 2, 1 << 32), noise(2, 1, 0)] {
            let n_equal = base.iter().zip(&other).filter(|(a, b)| a == b).count();
            assert!(n_equal < 3, "{n_equal} of 64 are equal");
        }
    }
}

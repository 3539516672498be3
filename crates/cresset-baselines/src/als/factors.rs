//! Vectors of users or items, padded to whole registers.

use cresset_data::random::{standard_normal, stream};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::kernels::{BAND, bands, combine, rows_at};

/// Floats that a row's width is a multiple of: one AVX-512 register, and whole registers of any narrower instruction
/// set.
const LANES: usize = 16;

/// Parts that a sum over rows is cut into, at most; fixed, so that threads do not decide the order of sums.
const PARTS: usize = 64;

/// Standard deviation of the first values.
const FIRST_SCALE: f32 = 0.01;

/// One vector for each id; beyond `dim` a row is zero.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Factors {
    /// `[n, stride]`.
    pub(crate) values: Vec<f32>,
    pub(crate) dim: usize,
}

impl Factors {
    pub(crate) fn zeros(n: usize, dim: usize) -> Self {
        Self { values: vec![0.0; n * dim.next_multiple_of(LANES)], dim }
    }

    /// Small values that depend on the seed, the site and the row alone.
    pub(crate) fn drawn(n: usize, dim: usize, seed: u64, site: &str) -> Self {
        let mut factors = Self::zeros(n, dim);
        let stride = factors.stride();
        for (index, row) in (0..).zip(factors.values.chunks_exact_mut(stride)) {
            let mut rng = stream(seed, site, index);
            row[..dim].fill_with(|| FIRST_SCALE * standard_normal(&mut rng));
        }
        factors
    }

    /// The rows without their padding, `[n, dim]`.
    pub(crate) fn packed(&self) -> Vec<f32> {
        self.values.chunks_exact(self.stride()).flat_map(|row| &row[..self.dim]).copied().collect()
    }

    /// From rows without padding.
    pub(crate) fn from_packed(packed: &[f32], dim: usize) -> Self {
        let mut factors = Self::zeros(packed.len() / dim, dim);
        let stride = factors.stride();
        for (row, packed) in factors.values.chunks_exact_mut(stride).zip(packed.chunks_exact(dim)) {
            row[..dim].copy_from_slice(packed);
        }
        factors
    }

    /// The distance between rows.
    pub(crate) fn stride(&self) -> usize {
        self.dim.next_multiple_of(LANES)
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len() / self.stride()
    }

    /// A vector with its padding.
    pub(crate) fn row(&self, id: u32) -> &[f32] {
        let stride = self.stride();
        &self.values[id as usize * stride..][..stride]
    }

    /// The sum of `y y^T` over all rows, with `l2` added to the diagonal: `[stride, stride]`, zero beyond `dim`.
    pub(crate) fn gram(&self, l2: f32) -> Vec<f32> {
        let stride = self.stride();
        let rows_a_part = self.len().div_ceil(PARTS).max(1);
        let parts: Vec<Vec<f32>> = self
            .values
            .par_chunks(rows_a_part * stride)
            .map(|rows| Arch::new().dispatch(Gram { rows, stride }))
            .collect();
        let mut total = vec![0.0; stride * stride];
        for part in parts {
            total.iter_mut().zip(part).for_each(|(sum, value)| *sum += value);
        }
        (0..self.dim).for_each(|at| total[at * stride + at] += l2);
        total
    }
}

/// The sum of `y y^T` over some rows.
struct Gram<'a> {
    rows: &'a [f32],
    stride: usize,
}

impl WithSimd for Gram<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<f32> {
        let Self { rows, stride } = self;
        let mut sum = vec![0.0; stride * stride];
        let (bands, rest) = bands(rows.len() / stride);
        for at in bands {
            add_products::<S, BAND>(simd, rows, stride, at, &mut sum);
        }
        for at in rest {
            add_products::<S, 1>(simd, rows, stride, at, &mut sum);
        }
        sum
    }
}

/// Adds `y y^T` of `N` rows.
#[inline(always)]
fn add_products<S: Simd, const N: usize>(simd: S, rows: &[f32], stride: usize, at: usize, sum: &mut [f32]) {
    let vectors = rows_at::<S, N>(rows, stride, at);
    for (column, out) in sum.chunks_exact_mut(stride).enumerate() {
        let mut coefficients = [0.0; N];
        for (offset, coefficient) in coefficients.iter_mut().enumerate() {
            *coefficient = rows[(at + offset) * stride + column];
        }
        combine(simd, coefficients, vectors, S::as_mut_simd_f32s(out).0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gram_matrix_of_two_vectors_is_worked_out_by_hand() {
        // [1 2; 3 4]^T [1 2; 3 4] = [10 14; 14 20], with 0.5 on the diagonal.
        let factors = Factors::from_packed(&[1.0, 2.0, 3.0, 4.0], 2);
        let gram = factors.gram(0.5);
        assert_eq!([gram[0], gram[1], gram[LANES], gram[LANES + 1]], [10.5, 14.0, 14.0, 20.5]);
        assert_eq!(gram.iter().filter(|&&value| value != 0.0).count(), 4);
    }

    #[test]
    fn rows_survive_packing() {
        let factors = Factors::drawn(7, 19, 3, "test");
        assert_eq!(Factors::from_packed(&factors.packed(), 19), factors);
        assert_eq!(factors.len(), 7);
    }
}

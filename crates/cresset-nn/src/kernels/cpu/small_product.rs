//! Products of matrices of a few dozen rows, where a general routine spends its time on packing.

use pulp::{Simd, WithSimd};

/// Rows that a tile of the result holds in registers.
const TILE_ROWS: usize = 4;

/// The product `a b` of small matrices, written to or added to `c`, none of which need be contiguous.
///
/// Run it by [`Simd::vectorize`]. The terms of an element are added from the first to the last.
#[derive(Debug)]
pub(super) struct SmallProduct<'a> {
    /// `[rows, terms]`, or `[terms, rows]` where transposed, with the distance between rows.
    pub(super) a: (&'a [f32], usize),
    /// Whether `a` is stored by columns.
    pub(super) a_transposed: bool,
    /// `[terms, width]`, with the distance between rows.
    pub(super) b: (&'a [f32], usize),
    /// `[rows, width]`, with the distance between rows.
    pub(super) c: (&'a mut [f32], usize),
    /// Whether `c` is added to.
    pub(super) accumulate: bool,
    /// `[rows, terms, width]`, with at least one term.
    pub(super) shape: [usize; 3],
}

impl WithSimd for SmallProduct<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _simd: S) {
        let mut column = 0;
        let width = self.shape[2];
        while width - column >= 32 {
            self.columns::<32>(column);
            column += 32;
        }
        while width - column >= 8 {
            self.columns::<8>(column);
            column += 8;
        }
        for column in column..width {
            self.columns::<1>(column);
        }
    }
}

impl SmallProduct<'_> {
    #[inline(always)]
    fn columns<const WIDTH: usize>(&mut self, column: usize) {
        let rows = self.shape[0];
        let whole = rows - rows % TILE_ROWS;
        for row in (0..whole).step_by(TILE_ROWS) {
            self.tile::<TILE_ROWS, WIDTH>(row, column);
        }
        for row in whole..rows {
            self.tile::<1, WIDTH>(row, column);
        }
    }

    #[inline(always)]
    fn tile<const ROWS: usize, const WIDTH: usize>(&mut self, row: usize, column: usize) {
        let sums = if self.a_transposed {
            self.sums_of_columns::<ROWS, WIDTH>(row, column)
        } else {
            self.sums_of_rows::<ROWS, WIDTH>(row, column)
        };
        let (c, stride) = &mut self.c;
        for (offset, sums) in sums.iter().enumerate() {
            let to = &mut c[(row + offset) * *stride + column..][..WIDTH];
            if self.accumulate {
                to.iter_mut().zip(sums).for_each(|(to, sum)| *to += sum);
            } else {
                to.copy_from_slice(sums);
            }
        }
    }

    #[inline(always)]
    fn sums_of_rows<const ROWS: usize, const WIDTH: usize>(
        &self,
        row: usize,
        column: usize,
    ) -> [[f32; WIDTH]; ROWS] {
        let terms = self.shape[1];
        // Cut to one length, so that the loop checks no bounds.
        let a: [&[f32]; ROWS] = std::array::from_fn(|offset| &self.a.0[(row + offset) * self.a.1..][..terms]);
        let mut sums = [[0.0; WIDTH]; ROWS];
        for (term, b) in self.b_rows::<WIDTH>(column).enumerate() {
            add_term(&mut sums, a.map(|row| row[term]), b);
        }
        sums
    }

    #[inline(always)]
    fn sums_of_columns<const ROWS: usize, const WIDTH: usize>(
        &self,
        row: usize,
        column: usize,
    ) -> [[f32; WIDTH]; ROWS] {
        let mut sums = [[0.0; WIDTH]; ROWS];
        for (a, b) in self.a.0[row..].chunks(self.a.1).zip(self.b_rows::<WIDTH>(column)) {
            add_term(&mut sums, *a.first_chunk().expect("a holds a column for each row of c"), b);
        }
        sums
    }

    #[inline(always)]
    fn b_rows<const WIDTH: usize>(&self, column: usize) -> impl Iterator<Item = &[f32; WIDTH]> {
        let (b, stride) = self.b;
        let rows = b[column..].chunks(stride).take(self.shape[1]);
        rows.map(|row| row.first_chunk().expect("b holds a row of this width for each term"))
    }
}

#[inline(always)]
fn add_term<const ROWS: usize, const WIDTH: usize>(
    sums: &mut [[f32; WIDTH]; ROWS],
    a: [f32; ROWS],
    b: &[f32; WIDTH],
) {
    for (sums, a) in sums.iter_mut().zip(a) {
        for (sum, b) in sums.iter_mut().zip(b) {
            *sum = a.mul_add(*b, *sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Small integers, whose products are exact in any order; distances between rows exceed their lengths.
    fn check([rows, terms, width]: [usize; 3], a_transposed: bool, accumulate: bool) {
        let numbers = |n: usize, factor: usize| -> Vec<f32> {
            (0..n).map(|i| (i * factor % 13) as f32 - 6.0).collect()
        };
        let a_stride = if a_transposed { rows } else { terms } + 3;
        let (b_stride, c_stride) = (width + 1, width + 2);
        let (a, b) = (numbers(rows.max(terms) * a_stride, 5), numbers(terms * b_stride, 7));
        let before = numbers(rows * c_stride, 11);
        let mut c = before.clone();
        let shape = [rows, terms, width];
        let (a_rows, b_rows, c_rows) = ((&a[..], a_stride), (&b[..], b_stride), (&mut c[..], c_stride));
        let product = SmallProduct { a: a_rows, a_transposed, b: b_rows, c: c_rows, accumulate, shape };
        pulp::Arch::new().dispatch(product);
        for (place, (&found, &before)) in c.iter().zip(&before).enumerate() {
            let (row, column) = (place / c_stride, place % c_stride);
            let a = |term: usize| a[if a_transposed { term * a_stride + row } else { row * a_stride + term }];
            let sum: f32 = (0..terms)
                .map(|term| a(term) * b.get(term * b_stride + column).copied().unwrap_or(0.0))
                .sum();
            let expected = if column >= width {
                before
            } else if accumulate {
                before + sum
            } else {
                sum
            };
            assert_eq!(found, expected, "{shape:?} at {row}, {column}");
        }
    }

    #[test]
    fn products_of_every_shape_are_exact_and_leave_the_rest_alone() {
        for shape in [[0, 3, 4], [3, 4, 0], [1, 1, 1], [4, 2, 32], [5, 7, 41], [9, 16, 77], [16, 50, 64]] {
            for (a_transposed, accumulate) in [(false, false), (false, true), (true, false), (true, true)] {
                check(shape, a_transposed, accumulate);
            }
        }
    }
}

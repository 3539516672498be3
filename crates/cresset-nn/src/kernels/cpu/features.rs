//! Products of a table's rows with a weight, a few rows at a time.
//!
//! Features such as tags or text are wide, and the rows of a batch do not fit any cache: copied out for the batch they
//! would go to memory and come back for each of the two products that a training step needs. Here a few rows at a time
//! are copied to the second-level cache, and multiplied there.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::product::{LANES, Left, Start, multiply};
use super::rows::Element;

/// Rows that one task of the product takes.
const TASK_ROWS: usize = 128;

/// Rows whose part of a weight's gradient is summed in one go; the parts are then added in order.
const PART_ROWS: usize = 1 << 15;

/// Columns of the rows, and so rows of a weight's gradient, that one task takes.
const TASK_COLUMNS: usize = 192;

/// Values of the rows that are copied at a time: half a second-level cache of a mebibyte.
const BLOCK_VALUES: usize = 1 << 17;

/// Some rows of a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FeatureRows<'a, T> {
    /// `[n_rows, dim]`
    pub(crate) table: &'a [T],
    /// At least 1.
    pub(crate) dim: usize,
    /// `[n]`
    pub(crate) ids: &'a [i32],
}

impl<T: Element> FeatureRows<'_, T> {
    /// The rows times a weight.
    ///
    /// # Shapes
    ///
    /// - weight: `[dim, outputs]`
    /// - output: `[n, outputs]`
    ///
    /// # Panics
    ///
    /// If an id names no row, or the weight has another number of rows.
    pub(crate) fn times(self, weight: &[f32], outputs: usize) -> Vec<f32> {
        self.check();
        assert_eq!(weight.len(), self.dim * outputs, "a weight has a row for each value of a feature");
        let width = outputs.max(1).next_multiple_of(LANES);
        let weight = padded(weight, outputs, width);
        let mut out = vec![0.0; self.ids.len() * width];
        let tasks = out.par_chunks_mut(TASK_ROWS * width).zip(self.ids.par_chunks(TASK_ROWS));
        tasks.for_each_init(Vec::new, |rows, (out, ids)| {
            for (out, ids) in out.chunks_mut(self.block_rows() * width).zip(ids.chunks(self.block_rows())) {
                self.copy(ids, 0..self.dim, rows);
                let left = Left::Rows(rows, self.dim);
                Arch::new().dispatch(Multiply { left, right: &weight, width, start: Start::Zero, out });
            }
        });
        trimmed(out, width, outputs)
    }

    /// The transposed rows times `grad`: the gradient of the weight in [`times`](Self::times).
    ///
    /// The order of the sums depends on the shape alone.
    ///
    /// # Shapes
    ///
    /// - grad: `[n, outputs]`
    /// - output: `[dim, outputs]`
    ///
    /// # Panics
    ///
    /// If an id names no row, or there is not one gradient for each row.
    pub(crate) fn transposed_times(self, grad: &[f32], outputs: usize) -> Vec<f32> {
        self.check();
        assert_eq!(grad.len(), self.ids.len() * outputs, "one gradient for each row");
        let width = outputs.max(1).next_multiple_of(LANES);
        let grad = padded(grad, outputs, width);
        let columns: Vec<usize> = (0..self.dim).step_by(TASK_COLUMNS).collect();
        let part = |(ids, grad): (&[i32], &[f32])| -> Vec<f32> {
            let slices = columns.par_iter().map(|&first| self.slice(first, ids, grad, width));
            slices.flatten_iter().collect()
        };
        let mut parts = self.ids.chunks(PART_ROWS).zip(grad.chunks(PART_ROWS * width)).map(part);
        let mut sum = parts.next().unwrap_or_else(|| vec![0.0; self.dim * width]);
        for part in parts {
            sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        }
        trimmed(sum, width, outputs)
    }

    /// The columns from `first` on, transposed, times `grad`.
    fn slice(self, first: usize, ids: &[i32], grad: &[f32], width: usize) -> Vec<f32> {
        let n_columns = TASK_COLUMNS.min(self.dim - first);
        let block_rows = BLOCK_VALUES / TASK_COLUMNS;
        let mut out = vec![0.0; n_columns * width];
        let mut rows = Vec::with_capacity(block_rows * n_columns);
        for (ids, grad) in ids.chunks(block_rows).zip(grad.chunks(block_rows * width)) {
            self.copy(ids, first..first + n_columns, &mut rows);
            let (left, out) = (Left::Columns(&rows, n_columns), &mut out);
            Arch::new().dispatch(Multiply { left, right: grad, width, start: Start::Previous, out });
        }
        out
    }

    fn block_rows(self) -> usize {
        (BLOCK_VALUES / self.dim).max(1)
    }

    fn copy(self, ids: &[i32], columns: Range<usize>, rows: &mut Vec<f32>) {
        rows.clear();
        for &id in ids {
            let row = &self.table[id as usize * self.dim..][..self.dim];
            rows.extend(row[columns.clone()].iter().map(|value| value.widen()));
        }
    }

    fn check(self) {
        assert!(self.dim > 0, "features have at least one value");
        let n_rows = self.table.len() / self.dim;
        let beyond = self.ids.iter().find(|&&id| usize::try_from(id).map_or(true, |id| id >= n_rows));
        if let Some(id) = beyond {
            panic!("row {id} is beyond the {n_rows} rows of the table");
        }
    }
}

/// Rows of whole registers.
fn padded(rows: &[f32], from: usize, to: usize) -> std::borrow::Cow<'_, [f32]> {
    if from == to {
        return rows.into();
    }
    let mut out = vec![0.0; rows.len() / from.max(1) * to];
    for (out, row) in out.chunks_exact_mut(to).zip(rows.chunks_exact(from.max(1))) {
        out[..from].copy_from_slice(row);
    }
    out.into()
}

fn trimmed(rows: Vec<f32>, from: usize, to: usize) -> Vec<f32> {
    if from == to {
        return rows;
    }
    rows.chunks_exact(from).flat_map(|row| &row[..to]).copied().collect()
}

struct Multiply<'a> {
    left: Left<'a>,
    right: &'a [f32],
    width: usize,
    start: Start<'a>,
    out: &'a mut [f32],
}

impl WithSimd for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        multiply(simd, self.left, self.right, self.width, self.start, self.out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Small whole numbers, so that sums are exact whatever their order.
    fn numbers(n: usize, seed: usize) -> Vec<f32> {
        (0..n).map(|i| ((i * 7 + seed) % 11) as f32 - 5.0).collect()
    }

    #[test]
    fn both_products_are_those_of_rows_copied_out() {
        for (n, dim, outputs) in
            [(0, 3, 2), (1, 1, 1), (5, 17, 16), (200, 40, 33), (2500, 9, 32), (97, 128, 1)]
        {
            let (table, weight, grad) =
                (numbers(31 * dim, 1), numbers(dim * outputs, 2), numbers(n * outputs, 3));
            let ids: Vec<i32> = (0..n).map(|i| (i * 13 % 31) as i32).collect();
            let rows = FeatureRows { table: &table, dim, ids: &ids };
            let x = |i: usize, k: usize| table[ids[i] as usize * dim + k];
            let product: Vec<f32> = (0..n * outputs)
                .map(|at| (0..dim).map(|k| x(at / outputs, k) * weight[k * outputs + at % outputs]).sum())
                .collect();
            assert_eq!(rows.times(&weight, outputs), product, "{n} x {dim} x {outputs}");
            let by_weight: Vec<f32> = (0..dim * outputs)
                .map(|at| (0..n).map(|i| x(i, at / outputs) * grad[i * outputs + at % outputs]).sum())
                .collect();
            assert_eq!(rows.transposed_times(&grad, outputs), by_weight, "{n} x {dim} x {outputs}");
        }
    }

    #[test]
    fn rows_of_half_the_bits_give_the_same_products() {
        use half::bf16;

        // Whole numbers this small lose nothing.
        let (table, ids) = (numbers(31 * 40, 1), [3, 30, 0, 3]);
        let short: Vec<bf16> = table.iter().map(|&value| bf16::from_f32(value)).collect();
        let (weight, grad) = (numbers(40 * 5, 2), numbers(4 * 5, 3));
        let (long, short) = (
            FeatureRows { table: &table, dim: 40, ids: &ids },
            FeatureRows { table: &short, dim: 40, ids: &ids },
        );
        assert_eq!(short.times(&weight, 5), long.times(&weight, 5));
        assert_eq!(short.transposed_times(&grad, 5), long.transposed_times(&grad, 5));
    }

    #[test]
    #[should_panic(expected = "row 31 is beyond the 31 rows of the table")]
    fn a_row_beyond_the_table_is_named() {
        FeatureRows { table: &[0.0f32; 31], dim: 1, ids: &[0, 31] }.times(&[1.0], 1);
    }
}

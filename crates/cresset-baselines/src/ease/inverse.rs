//! The inverse of a positive definite matrix, on all threads and with the same bits on any number of them.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt::factor::{cholesky_in_place, cholesky_in_place_scratch};
use faer::linalg::triangular_solve::{solve_lower_triangular_in_place, solve_upper_triangular_in_place};
use faer::{Mat, MatMut, MatRef, Par};
use rayon::prelude::*;

/// Columns of the inverse that are solved for together.
const BLOCK: usize = 128;

/// The inverse of the matrix whose lower half is given, by Cholesky's factors; or the first row that depends on those
/// before it.
///
/// Factors and solutions are in double precision, only what comes back is rounded. With `L L^T` the factors, the rows
/// from `j` on of column `j` of the inverse are a matter of the rows and columns from `j` on of `L` alone, so that a
/// block of columns costs two triangular solves of that size; the upper half is the lower's mirror.
///
/// # Shapes
///
/// - matrix: `[n, n]`, destroyed: it is where the factors are put
/// - output: `[n, n]`, and its diagonal in double precision
pub(super) fn inverse(matrix: &mut [f64], n: usize) -> Result<(Vec<f32>, Vec<f64>), usize> {
    factorise(matrix, n)?;
    let factor = MatRef::from_column_major_slice(&*matrix, n, n);
    let mut inverse = vec![0.0_f32; n * n];
    let blocks = inverse.par_chunks_mut(n * BLOCK).enumerate();
    let diagonals: Vec<Vec<f64>> =
        blocks.map(|(block, columns)| solve_columns(factor, block * BLOCK, columns)).collect();
    mirror(&mut inverse, n);
    Ok((inverse, diagonals.concat()))
}

/// Puts the lower factor in the place of the lower half.
fn factorise(matrix: &mut [f64], n: usize) -> Result<(), usize> {
    let diagonal: Vec<f64> = (0..n).map(|at| matrix[at * n + at]).collect();
    let mut memory = MemBuffer::new(cholesky_in_place_scratch::<f64>(n, Par::Seq, Default::default()));
    let view = MatMut::from_column_major_slice_mut(&mut *matrix, n, n);
    let stack = MemStack::new(&mut memory);
    // One thread: how many there are would decide the order of sums.
    let done = cholesky_in_place(view, Default::default(), Par::Seq, stack, Default::default());
    done.map_err(|faer::linalg::cholesky::llt::factor::LltError::NonPositivePivot { index }| index)?;
    // What is left of a dependent row is rounding, and may be above zero.
    let is_rounding = |at: &usize| {
        let pivot = matrix[at * n + at].powi(2);
        let is_whole = pivot > diagonal[*at] * f64::EPSILON * 16.0 * n as f64;
        // NaN is not.
        !is_whole
    };
    match (0..n).find(is_rounding) {
        Some(at) => Err(at),
        None => Ok(()),
    }
}

/// The rows from `first` on of some columns of the inverse from `first` on, and their elements on the diagonal.
fn solve_columns(factor: MatRef<'_, f64>, first: usize, columns: &mut [f32]) -> Vec<f64> {
    let n = factor.nrows();
    let width = columns.len() / n;
    let rest = factor.submatrix(first, first, n - first, n - first);
    let mut solution = Mat::<f64>::identity(n - first, width);
    solve_lower_triangular_in_place(rest, solution.as_mut(), Par::Seq);
    solve_upper_triangular_in_place(rest.transpose(), solution.as_mut(), Par::Seq);
    for (at, column) in columns.chunks_exact_mut(n).enumerate() {
        for (row, value) in column[first..].iter_mut().enumerate() {
            *value = solution[(row, at)] as f32;
        }
    }
    (0..width).map(|at| solution[(at, at)]).collect()
}

/// Copies the lower half, in order of columns, to the upper.
fn mirror(matrix: &mut [f32], n: usize) {
    // Tiles, so that neither side jumps about in memory.
    for column in (0..n).step_by(BLOCK) {
        for row in (column..n).step_by(BLOCK) {
            mirror_tile(matrix, n, row..n.min(row + BLOCK), column..n.min(column + BLOCK));
        }
    }
}

fn mirror_tile(matrix: &mut [f32], n: usize, rows: std::ops::Range<usize>, columns: std::ops::Range<usize>) {
    for column in columns {
        for row in rows.start.max(column + 1)..rows.end {
            matrix[row * n + column] = matrix[column * n + row];
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_matrix_of_two_rows_is_inverted_by_hand() {
        // [4 2; 2 3] has the determinant 8 and the inverse [3 -2; -2 4] / 8.
        let (found, diagonal) = inverse(&mut [4.0, 2.0, 2.0, 3.0], 2).unwrap();
        let expected = [0.375, -0.25, -0.25, 0.5];
        assert!(
            found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-7),
            "{found:?}"
        );
        assert!((diagonal[0] - 0.375).abs() < 1e-15 && (diagonal[1] - 0.5).abs() < 1e-15);
    }

    #[test]
    fn the_first_row_that_depends_on_others_is_named() {
        // Rows 0 and 2 are one.
        let mut twice = [2.0, 1.0, 2.0, 1.0, 3.0, 1.0, 2.0, 1.0, 2.0];
        assert_eq!(inverse(&mut twice, 3), Err(2));
        assert_eq!(inverse(&mut [0.0], 1), Err(0));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn matrix_times_inverse_is_the_identity(
            n in 1_usize..150,
            seed in any::<u64>(),
        ) {
            let mut rng = cresset_data::random::stream(seed, "inverse test", 0);
            let mut draw = || f64::from(cresset_data::random::standard_normal(&mut rng));
            let half: Vec<f64> = (0..n * n).map(|_| draw()).collect();
            let mut matrix = vec![0.0; n * n];
            for row in 0..n {
                for column in 0..n {
                    let product: f64 = (0..n).map(|at| half[at * n + row] * half[at * n + column]).sum();
                    matrix[row * n + column] = product + if row == column { n as f64 } else { 0.0 };
                }
            }
            let (inverse, _) = inverse(&mut matrix.clone(), n).unwrap();
            for row in 0..n {
                for column in 0..n {
                    let product: f64 =
                        (0..n).map(|at| matrix[row * n + at] * f64::from(inverse[at * n + column])).sum();
                    let expected = f64::from(u8::from(row == column));
                    prop_assert!((product - expected).abs() < 1e-3, "{product} at {row}, {column}");
                }
            }
        }
    }
}

//! A user whom training never saw, from a few ratings, without training again.

/// The bias and vector of a user, given the items they rated: what training would settle on if nothing else
/// moved.
///
/// Minimises `sum (residual - b - p . q)^2 + n (l2 |p|^2 + l2_bias b^2)` over the `n` ratings, the training
/// loss with the items held still. Without ratings both are zero.
///
/// # Shapes
///
/// - `item_vectors`: `[n, dim]`, row-major
/// - residuals: `[n]`, each rating less the mean and the item's bias
/// - output: the bias, and the vector `[dim]`
pub(crate) fn fold_in(item_vectors: &[f32], residuals: &[f32], l2: f64, l2_bias: f64) -> (f32, Vec<f32>) {
    let n = residuals.len();
    let dim = item_vectors.len().checked_div(n).unwrap_or(0);
    // The bias is one more feature that every item has in full.
    let feature =
        |row: usize, at: usize| if at == dim { 1.0 } else { f64::from(item_vectors[row * dim + at]) };
    let width = dim + 1;
    let mut normal = vec![0.0; width * width];
    let mut target = vec![0.0; width];
    for (row, &residual) in residuals.iter().enumerate() {
        for a in 0..width {
            target[a] += f64::from(residual) * feature(row, a);
            for b in 0..=a {
                normal[a * width + b] += feature(row, a) * feature(row, b);
            }
        }
    }
    for at in 0..width {
        let penalty = if at == dim { l2_bias } else { l2 };
        // The least penalty that keeps the system solvable where the config has none.
        normal[at * width + at] += n as f64 * penalty.max(1e-6);
    }
    let solution = solve_symmetric(normal, target);
    let vector = solution[..dim].iter().map(|&value| value as f32).collect();
    (solution[dim] as f32, vector)
}

/// The mean of the rows `[n, dim]`; nothing where there is none.
pub(crate) fn mean_row(rows: &[f32], dim: usize) -> Vec<f32> {
    let n = (rows.len() / dim) as f32;
    let mut rows = rows.chunks_exact(dim);
    let Some(first) = rows.next() else { return vec![] };
    let sum = rows.fold(first.to_vec(), |mut sum, row| {
        sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        sum
    });
    sum.into_iter().map(|value| value / n).collect()
}

/// The solution of `A x = y` for a positive definite `A` whose lower half is given, by Cholesky's factors.
fn solve_symmetric(mut a: Vec<f64>, mut y: Vec<f64>) -> Vec<f64> {
    let n = y.len();
    if a.iter().all(|&value| value == 0.0) {
        return y;
    }
    for row in 0..n {
        for column in 0..=row {
            let known: f64 = (0..column).map(|at| a[row * n + at] * a[column * n + at]).sum();
            let rest = a[row * n + column] - known;
            a[row * n + column] = if row == column { rest.sqrt() } else { rest / a[column * n + column] };
        }
    }
    for row in 0..n {
        let known: f64 = (0..row).map(|at| a[row * n + at] * y[at]).sum();
        y[row] = (y[row] - known) / a[row * n + row];
    }
    for row in (0..n).rev() {
        let known: f64 = (row + 1..n).map(|at| a[at * n + row] * y[at]).sum();
        y[row] = (y[row] - known) / a[row * n + row];
    }
    y
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_rating_of_a_one_dimensional_item_is_solved_by_hand() {
        // Normal equations at q = 2, residual 1, l2 = 1, l2_bias = 1: [5 2; 2 2] [p; b] = [2; 1].
        let (bias, vector) = fold_in(&[2.0], &[1.0], 1.0, 1.0);
        assert!((vector[0] - 1.0 / 3.0).abs() < 1e-6, "{vector:?}");
        assert!((bias - 1.0 / 6.0).abs() < 1e-6, "{bias}");
    }

    #[test]
    fn the_mean_of_rows_is_taken_place_by_place() {
        assert_eq!(mean_row(&[1.0, 2.0, 3.0, 6.0], 2), [2.0, 4.0]);
        assert_eq!(mean_row(&[], 2), Vec::<f32>::new());
    }

    #[test]
    fn no_ratings_leave_a_user_at_the_mean() {
        assert_eq!(fold_in(&[], &[], 0.1, 0.1), (0.0, vec![]));
    }

    #[test]
    fn the_solution_has_no_gradient() {
        let items = [0.3f32, -0.2, 0.5, 0.9, -0.4, 0.1];
        let residuals = [1.0f32, -0.5, 0.25];
        let (l2, l2_bias) = (0.1, 0.05);
        let (bias, vector) = fold_in(&items, &residuals, l2, l2_bias);
        let error = |row: usize| {
            let product: f32 = (0..2).map(|at| vector[at] * items[row * 2 + at]).sum();
            f64::from(residuals[row] - bias - product)
        };
        let of_bias: f64 = -(0..3).map(error).sum::<f64>() + 3.0 * l2_bias * f64::from(bias);
        assert!(of_bias.abs() < 1e-6, "{of_bias}");
        for at in 0..2 {
            let fit: f64 = (0..3).map(|row| error(row) * f64::from(items[row * 2 + at])).sum();
            let gradient = 3.0 * l2 * f64::from(vector[at]) - fit;
            assert!(gradient.abs() < 1e-6, "{gradient}");
        }
    }
}

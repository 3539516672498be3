//! What the vectors of a catalogue have in common.

/// Rows of the sample that the centre is taken of.
const SAMPLE: usize = 1_024;

/// A vector such that most of `vectors` are shorter without it; all 0 if there is none.
///
/// Trained vectors often lie on one side of the origin. The common part adds the same to every score of a
/// query, and what distinguishes the items is shorter than they are, so that codes of the same eight bits are
/// nearer to it.
pub(crate) fn centre(vectors: &[f32], dim: usize) -> Vec<f32> {
    let step = (vectors.len() / dim).div_ceil(SAMPLE).max(1);
    let sample = || vectors.chunks_exact(dim).step_by(step);
    let mut sums = vec![0.0; dim];
    for row in sample() {
        sums.iter_mut().zip(row).for_each(|(sum, &value)| *sum += f64::from(value));
    }
    let n_rows = sample().len() as f64;
    let mean: Vec<f32> = sums.iter().map(|sum| (sum / n_rows) as f32).collect();
    let zeros = vec![0.0; dim];
    // Not squared: one huge vector would decide.
    let lengths = |centre: &[f32]| sample().map(|row| distance(row, centre)).sum::<f64>();
    if lengths(&mean) < lengths(&zeros) { mean } else { zeros }
}

fn distance(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_on_one_side_have_their_mean_as_centre() {
        assert_eq!(centre(&[10.0, 1.0, 12.0, -1.0], 2), [11.0, 0.0]);
    }

    #[test]
    fn vectors_on_both_sides_have_none() {
        assert_eq!(centre(&[1.0, 2.0, -1.0, -2.0], 2), [0.0, 0.0]);
        assert_eq!(centre(&[], 2), [0.0, 0.0]);
    }

    #[test]
    fn one_huge_vector_moves_nothing() {
        assert_eq!(centre(&[1.0, -1.0, 2.0, -2.0, 0.5, 1e30], 1), [0.0]);
    }

    #[test]
    fn the_largest_numbers_have_a_finite_centre() {
        assert_eq!(centre(&[f32::MAX; 4_000], 1), [f32::MAX]);
    }
}

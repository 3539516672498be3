//! How unlike one another the items of a list are.

use super::ItemVectors;

impl ItemVectors<'_> {
    /// Mean of `1 - cosine` over all pairs of the listed items that have a vector; none if fewer than two do.
    ///
    /// The cosines of all pairs are had from one sum: of unit vectors u, the sum over ordered pairs is
    /// `|sum u|^2 - n`. So the cost grows with the list, not with its square.
    pub(super) fn mean_distance(&self, list: &[u32]) -> Option<f64> {
        let known = |item: &&u32| self.scales.get(**item as usize).is_some_and(|&scale| scale > 0.0);
        let n = list.iter().filter(known).count();
        if n < 2 {
            return None;
        }
        let mut sum = vec![0.0; self.dim];
        for &item in list.iter().filter(known) {
            let item = item as usize;
            let (vector, scale) = (&self.values[item * self.dim..][..self.dim], self.scales[item]);
            for (sum, &value) in sum.iter_mut().zip(vector) {
                *sum += f64::from(value) * scale;
            }
        }
        let squares = sum.iter().fold(0.0, |total, value| total + value * value);
        let n = n as f64;
        let mean_cosine = (squares - n) / (n * (n - 1.0));
        // Rounding may lift the cosine of equal vectors a little above 1.
        Some((1.0 - mean_cosine).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::{ItemFacts, NO_ITEM};

    fn distance(dim: usize, values: &[f32], list: &[u32]) -> Option<f64> {
        let interactions = vec![0; values.len() / dim];
        let facts = ItemFacts::new(&interactions, 1).unwrap().with_vectors(dim, values).unwrap();
        facts.vectors().unwrap().mean_distance(list)
    }

    #[test]
    fn right_angles_are_1_apart_opposites_2_and_equals_0() {
        let vectors = [1.0, 0.0, 0.0, 2.0, -3.0, 0.0, 0.5, 0.0];
        assert_eq!(distance(2, &vectors, &[0, 1]), Some(1.0));
        assert_eq!(distance(2, &vectors, &[0, 2]), Some(2.0));
        assert_eq!(distance(2, &vectors, &[0, 3]), Some(0.0));
        // Pairs 1, 2 and 1: their mean.
        assert!((distance(2, &vectors, &[0, 1, 2]).unwrap() - 4.0 / 3.0).abs() < 1e-15);
    }

    #[test]
    fn items_without_a_vector_are_left_out_and_one_alone_has_no_distance() {
        let vectors = [1.0, 0.0, 0.0, 0.0, 0.0, 1.0];
        assert_eq!(distance(2, &vectors, &[0, 1, 2, NO_ITEM]), Some(1.0));
        assert_eq!(distance(2, &vectors, &[0, 1]), None);
        assert_eq!(distance(2, &vectors, &[]), None);
    }

    proptest! {
        #[test]
        fn it_is_the_mean_over_all_pairs(
            values in prop::collection::vec(-4_i8..5, 3 * 6),
            n_listed in 2_u32..7,
        ) {
            let values: Vec<f32> = values.into_iter().map(f32::from).collect();
            let row = |item: u32| &values[item as usize * 3..][..3];
            let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
            let list: Vec<u32> = (0..n_listed).collect();
            let mut known = list.clone();
            known.retain(|&item| dot(row(item), row(item)) > 0.0);
            let mut distances = Vec::new();
            for (place, &a) in known.iter().enumerate() {
                for &b in &known[..place] {
                    let lengths = (dot(row(a), row(a)) * dot(row(b), row(b))).sqrt();
                    distances.push(1.0 - dot(row(a), row(b)) / lengths);
                }
            }
            match distance(3, &values, &list) {
                None => prop_assert!(distances.is_empty()),
                Some(value) => {
                    let expected = distances.iter().sum::<f64>() / distances.len() as f64;
                    prop_assert!((value - expected).abs() < 1e-12, "{value} {expected}");
                }
            }
        }
    }
}

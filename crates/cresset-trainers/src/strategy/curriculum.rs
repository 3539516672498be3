//! Weights of terms of the loss that change from epoch to epoch.

use cresset_nn::ConfigError;
use serde::{Deserialize, Serialize};

/// A weight by epoch: points `[epoch, weight]` with straight lines between them, level before the first and after the
/// last.
///
/// ```
/// use cresset_trainers::config::Curriculum;
///
/// let rising = Curriculum(vec![(1.0, 0.0), (5.0, 1.0)]);
/// assert_eq!([1, 2, 3, 5, 9].map(|epoch| rising.weight(epoch)), [0.0, 0.25, 0.5, 1.0, 1.0]);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Curriculum(pub Vec<(f64, f64)>);

impl Curriculum {
    /// Checks that there are points, in the order of their epochs, and that weights are not negative.
    ///
    /// # Errors
    ///
    /// The first point that is not so.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let refused = |place: usize, value: String, expected| {
            Err(ConfigError { field: format!("[{place}]"), value, expected })
        };
        if self.0.is_empty() {
            return refused(0, "nothing".to_owned(), "one or more points [epoch, weight]");
        }
        for (place, &(epoch, weight)) in self.0.iter().enumerate() {
            let after = place.checked_sub(1).map_or(0.0, |before| self.0[before].0);
            if !(epoch > after && epoch.is_finite()) {
                return refused(
                    place,
                    format!("[{epoch}, {weight}]"),
                    "epochs that rise, the first at least 1",
                );
            }
            if !(0.0..f64::INFINITY).contains(&weight) {
                return refused(place, format!("[{epoch}, {weight}]"), "a finite weight of at least 0");
            }
        }
        Ok(())
    }

    /// The weight in an epoch, counted from 1 as in the history.
    ///
    /// # Panics
    ///
    /// If there is no point.
    pub fn weight(&self, epoch: u64) -> f64 {
        let (epoch, points) = (epoch as f64, &self.0);
        let next = points.partition_point(|point| point.0 < epoch);
        let (Some(&(left, low)), Some(&(right, high))) = (points[..next].last(), points.get(next)) else {
            let nearest = if next == 0 { points.first() } else { points.last() };
            return nearest.expect("a curriculum has a point").1;
        };
        low + (high - low) * (epoch - left) / (right - left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn between_two_points_the_weight_lies_on_a_line_and_beyond_them_it_is_level() {
        let bend = Curriculum(vec![(2.0, 1.0), (4.0, 0.0), (8.0, 2.0)]);
        let found: Vec<f64> = (1..=10).map(|epoch| bend.weight(epoch)).collect();
        assert_eq!(found, [1.0, 1.0, 0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 2.0, 2.0]);
        assert_eq!(Curriculum(vec![(3.0, 0.3)]).weight(1), 0.3);
        assert_eq!(Curriculum(vec![(3.0, 0.3)]).weight(7), 0.3);
    }

    #[test]
    fn points_out_of_order_or_with_impossible_weights_are_named() {
        let check = |points: &[(f64, f64)], expected: &str| {
            assert_eq!(Curriculum(points.to_vec()).validate().unwrap_err().to_string(), expected);
        };
        check(&[], "[0] = nothing, expected one or more points [epoch, weight]");
        check(&[(0.0, 1.0)], "[0] = [0, 1], expected epochs that rise, the first at least 1");
        check(&[(2.0, 1.0), (2.0, 0.5)], "[1] = [2, 0.5], expected epochs that rise, the first at least 1");
        check(&[(1.0, 1.0), (2.0, -0.5)], "[1] = [2, -0.5], expected a finite weight of at least 0");
        assert_eq!(Curriculum(vec![(1.0, 0.0), (2.5, 1.0)]).validate(), Ok(()));
    }
}

//! Errors of predicted ratings by how often their item was rated in training.

use std::fmt;

use cresset_data::Ratings;
use cresset_metrics::{MetricError, mae, rmse};
use serde::{Deserialize, Serialize};

/// How many training ratings the items of each band have at least; a band ends below where the next one begins.
const STARTS: [u32; 5] = [0, 1, 10, 50, 200];

/// The errors of the ratings whose items have about as many ratings in the training part.
///
/// Prints as its range: `0`, `1 to 9`, `200 and more`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RatingBand {
    /// Fewest training ratings of an item.
    pub from: u32,
    /// Most training ratings of an item, itself included; null where there is no limit.
    pub to: Option<u32>,
    /// Distinct items with a rating here; none over folds, since an item is in another band in another fold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_items: Option<usize>,
    /// Ratings that were predicted.
    pub n_ratings: usize,
    /// Root of their mean squared error.
    pub rmse: f64,
    /// Their mean absolute error.
    pub mae: f64,
}

impl RatingBand {
    /// The bands of predicted ratings, rising; those without a rating are left out.
    ///
    /// An item that `train_counts` does not reach has no training rating.
    ///
    /// # Shapes
    ///
    /// - `train_counts`: `[n_items]`, training ratings of each item
    /// - predictions: `[n_ratings]`, paired with `ratings` by position
    ///
    /// # Errors
    ///
    /// If the lengths differ, or a rating or prediction is NaN or infinite.
    pub(super) fn of_predictions(
        train_counts: &[u32],
        ratings: &Ratings,
        predictions: &[f32],
    ) -> Result<Vec<Self>, MetricError> {
        if ratings.len() != predictions.len() {
            let (targets, predictions) = (ratings.len(), predictions.len());
            return Err(MetricError::LengthMismatch { targets, predictions });
        }
        let mut members: [Members; STARTS.len()] = Default::default();
        let pairs = ratings.rating.iter().zip(predictions);
        for (&item, (&target, &prediction)) in ratings.item_id.iter().zip(pairs) {
            let count = train_counts.get(item as usize).copied().unwrap_or(0);
            let band = &mut members[STARTS.partition_point(|&start| start <= count) - 1];
            band.items.push(item);
            band.targets.push(target);
            band.predictions.push(prediction);
        }
        let bands = members.into_iter().enumerate().filter(|(_, band)| !band.items.is_empty());
        bands.map(|(place, band)| band.measured(place)).collect()
    }

    /// The bands of all folds together: each rating counts once, in the band that its item has in its fold.
    ///
    /// They are exact, not means over folds: squared and absolute errors are sums again by the number of ratings.
    /// The order of the folds is that of the sums.
    pub fn pooled(folds: &[&[Self]]) -> Vec<Self> {
        let mut bands: Vec<Self> = Vec::new();
        for band in folds.iter().copied().flatten() {
            match bands.iter_mut().find(|sum| sum.is_range_of(band)) {
                Some(sum) => sum.add(band),
                None => bands.push(Self { n_items: None, ..band.clone() }),
            }
        }
        bands.sort_by_key(|band| band.from);
        bands
    }

    /// Whether both are of items with as many training ratings.
    pub fn is_range_of(&self, other: &Self) -> bool {
        (self.from, self.to) == (other.from, other.to)
    }

    fn add(&mut self, other: &Self) {
        let (own, others) = (self.n_ratings as f64, other.n_ratings as f64);
        let mean = |mine: f64, theirs: f64| (own * mine + others * theirs) / (own + others);
        self.rmse = mean(self.rmse.powi(2), other.rmse.powi(2)).sqrt();
        self.mae = mean(self.mae, other.mae);
        self.n_ratings += other.n_ratings;
    }
}

impl fmt::Display for RatingBand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.from, self.to) {
            (from, None) => write!(f, "{from} and more"),
            (from, Some(to)) if from == to => write!(f, "{from}"),
            (from, Some(to)) => write!(f, "{from} to {to}"),
        }
    }
}

/// The ratings of a band, column by column.
#[derive(Default)]
struct Members {
    items: Vec<u32>,
    targets: Vec<f32>,
    predictions: Vec<f32>,
}

impl Members {
    /// Their errors, as those of the band at a place of [`STARTS`].
    fn measured(mut self, place: usize) -> Result<RatingBand, MetricError> {
        self.items.sort_unstable();
        self.items.dedup();
        Ok(RatingBand {
            from: STARTS[place],
            to: STARTS.get(place + 1).map(|next| next - 1),
            n_items: Some(self.items.len()),
            n_ratings: self.targets.len(),
            rmse: rmse(&self.targets, &self.predictions)?,
            mae: mae(&self.targets, &self.predictions)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use cresset_data::TimeKind;
    use proptest::prelude::*;

    use super::*;

    fn ratings(item_id: &[u32], rating: &[f32]) -> Ratings {
        Ratings {
            user_id: vec![0; item_id.len()],
            item_id: item_id.to_vec(),
            rating: rating.to_vec(),
            time: vec![0; item_id.len()],
            time_kind: TimeKind::Absent,
            parts: None,
        }
    }

    fn names(bands: &[RatingBand]) -> Vec<String> {
        bands.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn five_ratings_in_three_bands_have_the_errors_worked_out_by_hand() {
        // Item 0 was never rated, items 1 and 2 are at both ends of the second band, item 3 opens the third.
        let counts = [0, 1, 9, 10];
        let tested = ratings(&[3, 1, 2, 1, 0], &[4.0, 3.0, 5.0, 2.0, 1.0]);
        let bands = RatingBand::of_predictions(&counts, &tested, &[4.5, 4.0, 3.0, 2.0, 4.0]).unwrap();
        let band = |from, to, n_items, n_ratings, rmse: f64, mae| RatingBand {
            from,
            to: Some(to),
            n_items: Some(n_items),
            n_ratings,
            rmse,
            mae,
        };
        // Of the second band the errors are 1, -2 and 0.
        let expected = [
            band(0, 0, 1, 1, 3.0, 3.0),
            band(1, 9, 2, 3, (5.0_f64 / 3.0).sqrt(), 1.0),
            band(10, 49, 1, 1, 0.5, 0.5),
        ];
        assert_eq!(bands, expected);
        assert_eq!(names(&bands), ["0", "1 to 9", "10 to 49"]);
    }

    #[test]
    fn every_count_is_in_the_one_band_that_its_range_says() {
        let counts = [0, 1, 9, 10, 49, 50, 199, 200, u32::MAX];
        let tested = |item: u32| ratings(&[item], &[3.0]);
        let name = |item: u32| names(&RatingBand::of_predictions(&counts, &tested(item), &[3.0]).unwrap());
        let found: Vec<String> = (0..9).flat_map(name).collect();
        let expected = ["0", "1 to 9", "1 to 9", "10 to 49", "10 to 49"];
        assert_eq!(found[..5], expected);
        assert_eq!(found[5..], ["50 to 199", "50 to 199", "200 and more", "200 and more"]);
    }

    #[test]
    fn an_item_that_training_did_not_know_has_no_training_rating() {
        let bands = RatingBand::of_predictions(&[5], &ratings(&[7], &[3.0]), &[4.0]).unwrap();
        assert_eq!(names(&bands), ["0"]);
    }

    #[test]
    fn predictions_that_are_no_numbers_or_too_few_are_errors() {
        let tested = ratings(&[0, 0], &[3.0, 4.0]);
        let nan = RatingBand::of_predictions(&[1], &tested, &[3.0, f32::NAN]).unwrap_err();
        assert!(matches!(nan, MetricError::NotFinite { .. }), "{nan}");
        let short = RatingBand::of_predictions(&[1], &tested, &[3.0]).unwrap_err();
        assert_eq!(short, MetricError::LengthMismatch { targets: 2, predictions: 1 });
    }

    #[test]
    fn no_folds_and_no_bands_pool_to_none() {
        assert_eq!(RatingBand::pooled(&[]), []);
        assert_eq!(RatingBand::pooled(&[&[], &[]]), []);
    }

    proptest! {
        #[test]
        fn folds_pool_to_what_is_computed_on_all_ratings_at_once(
            rows in prop::collection::vec((0_u32..6, 1_u8..6, -20_i8..20), 1..80),
            n_folds in 1_usize..5,
        ) {
            let counts = [0, 3, 9, 10, 70, 300];
            let measured = |rows: &[(u32, u8, i8)]| {
                let items: Vec<u32> = rows.iter().map(|row| row.0).collect();
                let targets: Vec<f32> = rows.iter().map(|row| f32::from(row.1)).collect();
                let predictions: Vec<f32> =
                    rows.iter().map(|row| f32::from(row.1) + f32::from(row.2) / 8.0).collect();
                RatingBand::of_predictions(&counts, &ratings(&items, &targets), &predictions).unwrap()
            };
            let whole = measured(&rows);
            prop_assert_eq!(whole.iter().map(|band| band.n_ratings).sum::<usize>(), rows.len());
            let folds: Vec<Vec<RatingBand>> =
                rows.chunks(rows.len().div_ceil(n_folds)).map(measured).collect();
            let pooled = RatingBand::pooled(&folds.iter().map(Vec::as_slice).collect::<Vec<_>>());
            prop_assert_eq!(names(&pooled), names(&whole));
            for (pooled, whole) in pooled.iter().zip(&whole) {
                prop_assert_eq!((pooled.n_ratings, pooled.n_items), (whole.n_ratings, None));
                prop_assert!((pooled.rmse - whole.rmse).abs() < 1e-12);
                prop_assert!((pooled.mae - whole.mae).abs() < 1e-12);
            }
        }
    }
}

//! What a user liked, and how much.

use std::collections::BTreeMap;

/// An item that a user rated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatedItem {
    /// The item's index.
    pub item: u32,
    /// What the user gave it.
    pub rating: f32,
}

/// A rated item and how far it stands above the user's mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Liked {
    pub(super) rated: RatedItem,
    pub(super) weight: f64,
}

/// The items rated above the user's mean, by index; where all ratings are equal, all of them with weight 1.
/// `except` is left out, and of an item rated twice the later rating counts.
pub(super) fn liked(history: &[RatedItem], except: u32) -> Vec<Liked> {
    let rated = history.iter().filter(|rated| rated.item != except && rated.rating.is_finite());
    let ratings: BTreeMap<u32, f32> = rated.map(|rated| (rated.item, rated.rating)).collect();
    let (low, high) =
        ratings.values().fold((f32::MAX, f32::MIN), |(low, high), &r| (low.min(r), high.max(r)));
    let mean = ratings.values().map(|&rating| f64::from(rating)).sum::<f64>() / ratings.len().max(1) as f64;
    let weight = |rating: f32| if low == high { 1.0 } else { f64::from(rating) - mean };
    let all = ratings
        .into_iter()
        .map(|(item, rating)| Liked { rated: RatedItem { item, rating }, weight: weight(rating) });
    all.filter(|liked| liked.weight > 0.0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weights(history: &[(u32, f32)], except: u32) -> Vec<(u32, f64)> {
        let history: Vec<_> = history.iter().map(|&(item, rating)| RatedItem { item, rating }).collect();
        liked(&history, except).into_iter().map(|liked| (liked.rated.item, liked.weight)).collect()
    }

    #[test]
    fn what_stands_above_the_mean_is_liked_by_as_much() {
        // The mean is 3.
        assert_eq!(weights(&[(7, 5.0), (2, 4.0), (1, 3.0), (0, 0.0)], 9), [(2, 1.0), (7, 2.0)]);
    }

    #[test]
    fn where_all_ratings_are_equal_all_are_liked() {
        assert_eq!(weights(&[(7, 4.1), (2, 4.1), (1, 4.1)], 1), [(2, 1.0), (7, 1.0)]);
        assert_eq!(weights(&[(7, 1.0)], 1), [(7, 1.0)]);
        assert_eq!(weights(&[(7, 1.0)], 7), []);
        assert_eq!(weights(&[], 7), []);
    }

    #[test]
    fn of_an_item_rated_twice_the_later_rating_counts() {
        assert_eq!(weights(&[(7, 5.0), (2, 3.0), (7, 1.0)], 9), [(2, 1.0)]);
    }
}

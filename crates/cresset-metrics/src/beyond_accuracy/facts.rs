//! What is known of the items beside their scores.

use crate::MetricError;
use crate::row::first_not_finite;

/// What beyond-accuracy metrics need to know of the items.
///
/// ```
/// use cresset_metrics::ItemFacts;
///
/// // Of four users, all have item 0, one has item 1, nobody has item 2.
/// let facts = ItemFacts::new(&[4, 1, 0], 4)?.with_vectors(2, &[1.0, 0.0, 0.0, 1.0, 1.0, 1.0])?;
/// assert_eq!(facts.n_items(), 3);
/// # Ok::<(), cresset_metrics::MetricError>(())
/// ```
#[derive(Debug, Clone)]
pub struct ItemFacts<'a> {
    pub(super) interactions: &'a [u32],
    /// -log2 of the share of users who have each item.
    pub(super) surprise: Vec<f64>,
    /// The place of each item in the order of falling popularity, ties by item id.
    pub(super) popularity_place: Vec<u32>,
    pub(super) vectors: Option<ItemVectors<'a>>,
}

/// A vector for each item, such as its text's embedding or its genres.
#[derive(Debug, Clone)]
pub struct ItemVectors<'a> {
    pub(super) dim: usize,
    pub(super) values: &'a [f32],
    /// One divided by each vector's length; 0 of a vector of zeros, which means that there is none.
    pub(super) scales: Vec<f64>,
}

impl<'a> ItemFacts<'a> {
    /// Facts from the training data: how many of the `n_users` users have each item, a user counted once.
    ///
    /// # Errors
    ///
    /// If more users have an item than there are; so, too, if there are no users but interactions.
    pub fn new(interactions: &'a [u32], n_users: usize) -> Result<Self, MetricError> {
        if let Some(item) = interactions.iter().position(|&count| count as usize > n_users) {
            let (count, item) = (interactions[item], item as u32);
            return Err(MetricError::TooManyInteractions { item, count, n_users });
        }
        let share = |count: u32| f64::from(count.max(1)) / n_users.max(1) as f64;
        let surprise = interactions.iter().map(|&count| -share(count).log2() + 0.0).collect();
        let popularity_place = places_by_popularity(interactions);
        Ok(Self { interactions, surprise, popularity_place, vectors: None })
    }

    /// The same facts with a vector for each item; a vector of zeros means that an item has none.
    ///
    /// # Shapes
    ///
    /// - values: `[n_items, dim]`, row-major
    ///
    /// # Errors
    ///
    /// If there are not `n_items` times `dim` values, or one is NaN or infinite.
    pub fn with_vectors(mut self, dim: usize, values: &'a [f32]) -> Result<Self, MetricError> {
        let expected = self.n_items() * dim;
        if values.len() != expected {
            let (what, found) = ("item vectors", values.len());
            return Err(MetricError::WrongLength { what, found, expected });
        }
        if let Some(index) = first_not_finite(values) {
            let (item, value) = ((index / dim) as u32, values[index]);
            return Err(MetricError::VectorNotFinite { item, value });
        }
        let scales = match dim {
            0 => vec![0.0; self.n_items()],
            _ => values.chunks_exact(dim).map(scale).collect(),
        };
        self.vectors = Some(ItemVectors { dim, values, scales });
        Ok(self)
    }

    /// Number of items that facts are known of.
    pub fn n_items(&self) -> usize {
        self.interactions.len()
    }

    /// The vectors, if there are any.
    pub fn vectors(&self) -> Option<&ItemVectors<'a>> {
        self.vectors.as_ref()
    }
}

fn scale(vector: &[f32]) -> f64 {
    let squares = vector.iter().fold(0.0, |sum, &value| sum + f64::from(value).powi(2));
    if squares > 0.0 { squares.sqrt().recip() } else { 0.0 }
}

fn places_by_popularity(interactions: &[u32]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..interactions.len() as u32).collect();
    // Stable, so equal items stay in the order of their ids.
    order.sort_by_key(|&item| std::cmp::Reverse(interactions[item as usize]));
    let mut places = vec![0; order.len()];
    for (place, &item) in (0..).zip(&order) {
        places[item as usize] = place;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_that_half_of_the_users_have_is_a_surprise_of_one_bit() {
        let facts = ItemFacts::new(&[4, 2, 1, 0], 4).unwrap();
        // What nobody has counts as had by one user.
        assert_eq!(facts.surprise, [0.0, 1.0, 2.0, 2.0]);
        assert!(facts.surprise[0].is_sign_positive());
    }

    #[test]
    fn equally_popular_items_come_by_id() {
        let facts = ItemFacts::new(&[1, 5, 1, 7], 9).unwrap();
        assert_eq!(facts.popularity_place, [2, 1, 3, 0]);
    }

    #[test]
    fn more_users_with_an_item_than_there_are_is_an_error_that_names_the_item() {
        let error = ItemFacts::new(&[1, 5], 4).unwrap_err();
        assert_eq!(error, MetricError::TooManyInteractions { item: 1, count: 5, n_users: 4 });
        assert!(ItemFacts::new(&[1], 0).is_err());
        assert!(ItemFacts::new(&[0], 0).is_ok());
    }

    #[test]
    fn vectors_that_do_not_fit_or_are_not_finite_are_errors() {
        let facts = || ItemFacts::new(&[1, 1], 1).unwrap();
        let short = facts().with_vectors(2, &[1.0; 3]).unwrap_err();
        assert_eq!(short, MetricError::WrongLength { what: "item vectors", found: 3, expected: 4 });
        let nan = facts().with_vectors(2, &[1.0, 1.0, f32::NAN, 1.0]).unwrap_err();
        assert!(matches!(nan, MetricError::VectorNotFinite { item: 1, .. }));
        assert!(facts().with_vectors(0, &[]).is_ok());
    }
}

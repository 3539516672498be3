//! What the training part says of the items, for metrics that look beyond accuracy.

use cresset_data::Ratings;
use cresset_metrics::{ItemFacts, MetricError};

/// How many users have each item in training, and a vector of each item where there are some.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainingFacts {
    counts: Vec<u32>,
    n_users: usize,
    vectors: Option<(usize, Vec<f32>)>,
}

impl TrainingFacts {
    /// Facts of the ratings that a model learns from.
    ///
    /// # Panics
    ///
    /// If an item index is not below `n_items`.
    pub fn new(train: &Ratings, n_users: usize, n_items: usize) -> Self {
        Self { counts: train.item_counts(n_items), n_users, vectors: None }
    }

    /// The same facts with items told apart by their genres, which is what `intra_list_diversity` measures: one
    /// place for each genre, 1 where an item has it.
    ///
    /// Where no item has a genre there are no vectors, and the metric is undefined.
    #[must_use]
    pub fn with_genres(self, genres: &[Vec<String>]) -> Self {
        let mut names: Vec<&String> = genres.iter().flatten().collect();
        names.sort_unstable();
        names.dedup();
        if names.is_empty() {
            return self;
        }
        let mut values = vec![0.0; genres.len() * names.len()];
        for (row, own) in values.chunks_exact_mut(names.len()).zip(genres) {
            for place in own.iter().filter_map(|genre| names.binary_search(&genre).ok()) {
                row[place] = 1.0;
            }
        }
        Self { vectors: Some((names.len(), values)), ..self }
    }

    /// Training ratings of each item.
    pub(super) fn counts(&self) -> &[u32] {
        &self.counts
    }

    pub(super) fn items(&self) -> Result<ItemFacts<'_>, MetricError> {
        let facts = ItemFacts::new(&self.counts, self.n_users)?;
        match &self.vectors {
            Some((dim, values)) => facts.with_vectors(*dim, values),
            None => Ok(facts),
        }
    }
}

#[cfg(test)]
mod tests {
    use cresset_data::TimeKind;

    use super::*;

    #[test]
    fn genres_become_a_place_each_and_items_without_one_a_row_of_zeros() {
        let train = Ratings {
            user_id: vec![0, 1, 1],
            item_id: vec![0, 0, 2],
            rating: vec![1.0; 3],
            time: vec![0; 3],
            time_kind: TimeKind::Absent,
            parts: None,
        };
        let genres = [vec!["Drama".to_owned(), "Comedy".to_owned()], vec![], vec!["Drama".to_owned()]];
        let facts = TrainingFacts::new(&train, 2, 3).with_genres(&genres);
        assert_eq!(facts.counts, [2, 0, 1]);
        assert_eq!(facts.vectors, Some((2, vec![1.0, 1.0, 0.0, 0.0, 0.0, 1.0])));
        assert!(facts.items().unwrap().vectors().is_some());
        assert_eq!(TrainingFacts::new(&train, 2, 3).with_genres(&[vec![], vec![], vec![]]).vectors, None);
    }
}

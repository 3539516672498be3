//! The genres of items.

use super::column::codes_of;
use crate::catalogue::{Catalogue, ItemInfo};
use crate::ragged::Ragged;
use crate::vocabulary::Vocabulary;

/// The genres of each item of a catalogue.
///
/// ```
/// use cresset_data::features::Genres;
/// use cresset_data::{Catalogue, ItemInfo};
///
/// let film = |id: &str, genres: &[&str]| ItemInfo {
///     id: id.to_owned(),
///     genres: genres.iter().map(|&genre| genre.to_owned()).collect(),
///     ..ItemInfo::default()
/// };
/// let catalogue =
///     Catalogue { items: vec![film("1", &["Drama", "Comedy"]), film("2", &[])], users: Vec::new() };
/// let genres = Genres::of(&catalogue);
/// assert_eq!(genres.names.ids(), ["Comedy", "Drama"]);
/// assert_eq!(genres.lists.of(0), [0, 1]);
/// assert_eq!(genres.multi_hot(), [1.0, 1.0, 0.0, 0.0]);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Genres {
    /// The genres that occur.
    pub names: Vocabulary,
    /// The genres of each item, ascending, each once.
    pub lists: Ragged,
}

impl Genres {
    /// The genres of a catalogue's items, in their order.
    pub fn of(catalogue: &Catalogue) -> Self {
        let all = catalogue.items.iter().flat_map(|item| &item.genres);
        let names = Vocabulary::from_ids(all.map(String::as_str));
        let list =
            |item: &ItemInfo| codes_of(item.genres.iter().map(String::as_str), |genre| names.index_of(genre));
        let lists = Ragged::from_lists(catalogue.items.iter().map(list));
        Self { names, lists }
    }

    /// A matrix with 1 where an item has a genre, else 0.
    ///
    /// # Shapes
    ///
    /// - output: `[items, genres]`
    pub fn multi_hot(&self) -> Vec<f32> {
        self.lists.multi_hot(self.names.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_genre_named_twice_counts_once() {
        let genres = ["Drama", "Drama", "Action"].map(str::to_owned).to_vec();
        let item = ItemInfo { id: "1".to_owned(), genres, ..ItemInfo::default() };
        let genres = Genres::of(&Catalogue { items: vec![item], users: Vec::new() });
        assert_eq!(genres.lists.of(0), [0, 1]);
        assert_eq!(genres.multi_hot(), [1.0, 1.0]);
    }

    #[test]
    fn a_catalogue_without_items_has_no_genres() {
        let genres = Genres::of(&Catalogue::default());
        assert!(genres.names.is_empty() && genres.lists.is_empty() && genres.multi_hot().is_empty());
    }
}

//! Users, items and entities under names that people know.

use cresset_data::Vocabulary;
use cresset_data::graph::{ITEM, KnowledgeGraph};

/// External ids and titles of what a graph and a model know by index.
#[derive(Debug, Clone, Copy)]
pub struct Labels<'a> {
    /// User ids.
    pub users: &'a Vocabulary,
    /// Item ids.
    pub items: &'a Vocabulary,
    /// Titles by item index; an item without one is called by its id.
    pub titles: &'a [String],
}

impl<'a> Labels<'a> {
    /// The title of an item, or its id where it has none.
    ///
    /// # Panics
    ///
    /// If the item is not of the vocabulary.
    pub fn title(&self, item: u32) -> &'a str {
        let title = self.titles.get(item as usize).filter(|title| !title.trim().is_empty());
        title.map_or_else(|| self.items.id_of(item), String::as_str)
    }

    /// The name of an entity; an item's is its title.
    pub(super) fn entity(&self, graph: &'a KnowledgeGraph, entity: u32) -> &'a str {
        if (entity as usize) < graph.n_items() {
            self.title(entity)
        } else {
            graph.entities().name_of(entity)
        }
    }
}

/// Whether an entity is an item of the data set or one that only the graph's sources know.
pub(super) fn is_item(graph: &KnowledgeGraph, entity: u32) -> bool {
    graph.entities().kind_of(entity) == ITEM
}

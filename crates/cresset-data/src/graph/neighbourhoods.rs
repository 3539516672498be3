//! What each item is linked to, relation by relation: what a model looks at when it scores the item.

use std::ops::Range;

use super::knowledge::KnowledgeGraph;
use super::sampling::{SampleKey, draw_distinct};
use crate::unique::UniqueRows;

/// Which links of an item a model looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NeighbourhoodBounds {
    /// The most neighbours of one relation that an item keeps, at least 1; of more, a sample that `seed` decides.
    pub max_neighbours: usize,
    /// The fewest items that an entity must be linked to: what only one item has says nothing of another.
    pub min_items: usize,
    /// Decides the samples.
    pub seed: u64,
}

/// The neighbours of every item in compressed rows. A slot is an item and one of its relations.
///
/// # Shapes
///
/// - `item_offsets`: `[n_items + 1]`, the slots of each item, ascending by relation
/// - `relations`: `[n_slots]`
/// - `slot_offsets`: `[n_slots + 1]`, the links of each slot
/// - `entities`: `[n_links]`, ascending within a slot
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemNeighbourhoods {
    n_entities: usize,
    n_relations: usize,
    item_offsets: Vec<u32>,
    relations: Vec<u32>,
    slot_offsets: Vec<u32>,
    entities: Vec<u32>,
}

/// The neighbourhoods of some items, their entities by place among the distinct ones.
///
/// # Shapes
///
/// As [`ItemNeighbourhoods`], with `links` for its entities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeighbourhoodBatch {
    /// The slots of each item.
    pub item_offsets: Vec<u32>,
    /// Relation of each slot.
    pub relations: Vec<u32>,
    /// The links of each slot.
    pub slot_offsets: Vec<u32>,
    /// The distinct entities, ascending: `[n_entities]`.
    pub entities: Vec<u32>,
    /// Which of them each link leads to: `[n_links]`.
    pub links: Vec<u32>,
    /// Which of them are the others that were asked for.
    pub others: Vec<u32>,
}

impl KnowledgeGraph {
    /// What each item is linked to within `bounds`, by relation.
    ///
    /// ```
    /// use cresset_data::graph::{KnowledgeGraph, NeighbourhoodBounds, Triples};
    /// use cresset_data::{Catalogue, ItemInfo, Vocabulary};
    ///
    /// let film = |id: &str, genres: &[&str]| ItemInfo {
    ///     id: id.to_owned(),
    ///     genres: genres.iter().map(|&genre| genre.to_owned()).collect(),
    ///     ..ItemInfo::default()
    /// };
    /// let items = vec![film("7", &["Drama", "War"]), film("8", &["Drama"])];
    /// let triples = Triples::from_genres(&Catalogue { items, users: vec![] });
    /// let graph = KnowledgeGraph::new(triples, &Vocabulary::from_ids(["7", "8"]), false)?;
    ///
    /// let bounds = NeighbourhoodBounds { max_neighbours: 8, min_items: 2, seed: 42 };
    /// let shared = graph.item_neighbourhoods(bounds);
    /// let drama = graph.entities().find("genre", "Drama").unwrap();
    /// assert_eq!(shared.of_item(0).collect::<Vec<_>>(), [(0, &[drama][..])]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    ///
    /// If `max_neighbours` is 0, or there are 2^32 links.
    pub fn item_neighbourhoods(&self, bounds: NeighbourhoodBounds) -> ItemNeighbourhoods {
        assert!(bounds.max_neighbours > 0, "at least one neighbour is kept");
        let n_items_of = self.items_of_entities();
        let mut all = ItemNeighbourhoods {
            n_entities: self.n_entities(),
            n_relations: self.n_relations(),
            item_offsets: vec![0],
            relations: Vec::new(),
            slot_offsets: vec![0],
            entities: Vec::new(),
        };
        for item in 0..self.n_items() as u32 {
            let links = self.neighbours(item);
            let is_shared = |&(_, tail): &(u32, u32)| n_items_of[tail as usize] as usize >= bounds.min_items;
            let links: Vec<(u32, u32)> = links.iter().filter(is_shared).collect();
            for slot in links.chunk_by(|a, b| a.0 == b.0) {
                all.relations.push(slot[0].0);
                all.push_links(item, slot, bounds);
            }
            all.item_offsets.push(all.relations.len() as u32);
        }
        all
    }

    /// How many items each entity is a neighbour of.
    fn items_of_entities(&self) -> Vec<u32> {
        let mut counts = vec![0; self.n_entities()];
        let mut last = vec![u32::MAX; self.n_entities()];
        for item in 0..self.n_items() as u32 {
            for &tail in self.neighbours(item).tails {
                counts[tail as usize] += u32::from(last[tail as usize] != item);
                last[tail as usize] = item;
            }
        }
        counts
    }
}

impl ItemNeighbourhoods {
    /// Adds the links of one slot, or a sample of them.
    fn push_links(&mut self, item: u32, slot: &[(u32, u32)], bounds: NeighbourhoodBounds) {
        let first = self.entities.len();
        if slot.len() <= bounds.max_neighbours {
            self.entities.extend(slot.iter().map(|link| link.1));
        } else {
            let mut drawn = vec![0; bounds.max_neighbours];
            let key = u64::from(item) << 32 | u64::from(slot[0].0);
            draw_distinct(slot.len(), &mut drawn, &mut SampleKey::slot_stream(bounds.seed, key));
            self.entities.extend(drawn.iter().map(|&at| slot[at as usize].1));
            self.entities[first..].sort_unstable();
        }
        let end = u32::try_from(self.entities.len()).expect("fewer than 2^32 links");
        self.slot_offsets.push(end);
    }

    /// The number of items.
    pub fn n_items(&self) -> usize {
        self.item_offsets.len() - 1
    }

    /// The number of entities of the graph, items included.
    pub fn n_entities(&self) -> usize {
        self.n_entities
    }

    /// The number of relations of the graph.
    pub fn n_relations(&self) -> usize {
        self.n_relations
    }

    /// The number of links that are left within the bounds.
    pub fn n_links(&self) -> usize {
        self.entities.len()
    }

    /// Relation and entities of each slot of an item.
    ///
    /// # Panics
    ///
    /// If `item` is not below [`n_items`](Self::n_items).
    pub fn of_item(&self, item: u32) -> impl ExactSizeIterator<Item = (u32, &[u32])> {
        self.slots_of(item).map(|slot| (self.relations[slot], self.links_of(slot)))
    }

    /// The slots of an item.
    ///
    /// # Panics
    ///
    /// If `item` is not below [`n_items`](Self::n_items).
    pub fn slots_of(&self, item: u32) -> Range<usize> {
        let item = item as usize;
        self.item_offsets[item] as usize..self.item_offsets[item + 1] as usize
    }

    /// Relation of each of some slots.
    ///
    /// # Panics
    ///
    /// If there are no such slots.
    pub fn relations_of_slots(&self, slots: Range<usize>) -> &[u32] {
        &self.relations[slots]
    }

    /// The links of a slot.
    ///
    /// # Panics
    ///
    /// If there is no such slot.
    pub fn link_range(&self, slot: usize) -> Range<usize> {
        self.slot_offsets[slot] as usize..self.slot_offsets[slot + 1] as usize
    }

    /// Where some links lead.
    ///
    /// # Panics
    ///
    /// If there are no such links.
    pub fn entities_at(&self, links: Range<usize>) -> &[u32] {
        &self.entities[links]
    }

    fn links_of(&self, slot: usize) -> &[u32] {
        self.entities_at(self.link_range(slot))
    }

    /// Every entity that an item among `items` is linked to, ascending.
    ///
    /// # Panics
    ///
    /// If an item is not below [`n_items`](Self::n_items).
    pub fn entities_of(&self, items: &[u32]) -> Vec<u32> {
        let mut is_met = vec![false; self.n_entities];
        for slot in items.iter().flat_map(|&item| self.slots_of(item)) {
            self.links_of(slot).iter().for_each(|&entity| is_met[entity as usize] = true);
        }
        (0..self.n_entities as u32).filter(|&entity| is_met[entity as usize]).collect()
    }

    /// The neighbourhoods of some items, and places for `others` among their entities; items beyond those of the graph
    /// have none.
    ///
    /// # Panics
    ///
    /// If one of `others` is not below [`n_entities`](Self::n_entities).
    pub fn batch(&self, items: &[u32], others: &[u32]) -> NeighbourhoodBatch {
        let (mut item_offsets, mut slot_offsets) = (vec![0], vec![0]);
        let (mut relations, mut entities) = (Vec::new(), Vec::new());
        for &item in items {
            let is_known = (item as usize) < self.n_items();
            for slot in if is_known { self.slots_of(item) } else { 0..0 } {
                relations.push(self.relations[slot]);
                entities.extend_from_slice(self.links_of(slot));
                slot_offsets.push(entities.len() as u32);
            }
            item_offsets.push(relations.len() as u32);
        }
        let n_links = entities.len();
        entities.extend_from_slice(others);
        let mut rows = UniqueRows::among(&entities, self.n_entities);
        let others = rows.positions.split_off(n_links);
        NeighbourhoodBatch {
            item_offsets,
            relations,
            slot_offsets,
            links: rows.positions,
            others,
            entities: rows.ids,
        }
    }
}

impl NeighbourhoodBatch {
    /// The number of items.
    pub fn n_items(&self) -> usize {
        self.item_offsets.len() - 1
    }

    /// The number of slots.
    pub fn n_slots(&self) -> usize {
        self.relations.len()
    }

    /// The item of each slot, by place, `[n_slots]`.
    pub fn item_of_slot(&self) -> Vec<u32> {
        let spans = self.item_offsets.windows(2).zip(0u32..);
        spans.flat_map(|(span, item)| (span[0]..span[1]).map(move |_| item)).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::graph::Triples;
    use crate::world::{World, WorldConfig};
    use crate::{DataConfig, Dataset};

    fn world_graph() -> KnowledgeGraph {
        let world = WorldConfig { n_users: 20, n_items: 30, n_ratings: 200, ..WorldConfig::default() };
        let config = DataConfig { synthetic: world.clone(), ..DataConfig::default() };
        let data = Dataset::load(&config, std::path::Path::new("none")).unwrap();
        let triples = Triples::from_world(&World::generate(&world).unwrap().graph);
        KnowledgeGraph::new(triples, &data.items, false).unwrap()
    }

    fn bounds(max_neighbours: usize, min_items: usize) -> NeighbourhoodBounds {
        NeighbourhoodBounds { max_neighbours, min_items, seed: 7 }
    }

    #[test]
    fn without_bounds_an_item_keeps_all_its_links() {
        let graph = world_graph();
        let all = graph.item_neighbourhoods(bounds(1_000, 1));
        for item in 0..graph.n_items() as u32 {
            let kept: Vec<(u32, u32)> =
                all.of_item(item).flat_map(|(r, tails)| tails.iter().map(move |&tail| (r, tail))).collect();
            assert_eq!(kept, graph.neighbours(item).iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn an_item_beyond_the_graph_has_no_neighbours() {
        let batch = world_graph().item_neighbourhoods(bounds(4, 1)).batch(&[1_000], &[3]);
        assert_eq!((batch.n_items(), batch.n_slots(), batch.entities), (1, 0, vec![3]));
    }

    proptest! {
        #[test]
        fn samples_are_bounded_parts_of_the_links_and_the_same_each_time(most in 1usize..6, least in 0usize..4) {
            let graph = world_graph();
            let kept = graph.item_neighbourhoods(bounds(most, least));
            prop_assert_eq!(&kept, &graph.item_neighbourhoods(bounds(most, least)));
            for item in 0..graph.n_items() as u32 {
                for (relation, tails) in kept.of_item(item) {
                    prop_assert!(!tails.is_empty() && tails.len() <= most && tails.is_sorted_by(|a, b| a < b));
                    let of_graph = graph.neighbours_by_relation(item, relation);
                    prop_assert!(tails.iter().all(|tail| of_graph.contains(tail)));
                }
            }
        }

        #[test]
        fn a_batch_has_the_neighbourhoods_of_its_items(items in prop::collection::vec(0u32..28, 0..20)) {
            let all = world_graph().item_neighbourhoods(bounds(3, 2));
            let items: Vec<u32> = items.into_iter().filter(|&item| (item as usize) < all.n_items()).collect();
            let batch = all.batch(&items, &[5]);
            prop_assert_eq!(batch.entities[batch.others[0] as usize], 5);
            let item_of_slot = batch.item_of_slot();
            let mut found = vec![Vec::new(); items.len()];
            for slot in 0..batch.n_slots() {
                let links = batch.slot_offsets[slot] as usize..batch.slot_offsets[slot + 1] as usize;
                let places = &batch.links[links];
                let tails: Vec<u32> = places.iter().map(|&at| batch.entities[at as usize]).collect();
                found[item_of_slot[slot] as usize].push((batch.relations[slot], tails));
            }
            for (found, &item) in found.iter().zip(&items) {
                let expected: Vec<(u32, Vec<u32>)> = all.of_item(item).map(|(r, tails)| (r, tails.to_vec())).collect();
                prop_assert_eq!(found, &expected);
            }
        }
    }
}

//! Neighbours of items in a knowledge graph, grouped by relation: what the attention over a graph goes along.

use std::sync::Arc;

use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{Int, Tensor};

use crate::lists::{Grouped, check_offsets, grouped, rows_of_entries};
use crate::{RecommenderBackend, id_tensor};

/// The neighbours that the items of a batch have in a knowledge graph, grouped by relation.
///
/// A slot is an item with one of its relations; a link is a neighbour in a slot. The slots of an item lie together, by
/// ascending relation, and so do the links of a slot. What stands in a link is the place of the neighbour among the
/// entities' rows that were gathered for the batch.
///
/// [`attend_neighbours`](RecommenderBackend::attend_neighbours) makes a row of each slot from its links, and
/// [`attend_relations`](RecommenderBackend::attend_relations) sets a taste against the slots of an item.
///
/// Clones share their lists.
#[derive(Debug, Clone)]
pub struct Neighbourhoods<B: Backend> {
    pub(crate) lists: Arc<NeighbourLists>,
    /// The lists on the device, where that is not the host.
    tensors: Option<NeighbourTensors<B>>,
}

/// The lists of a [`Neighbourhoods`].
#[derive(Debug)]
pub(crate) struct NeighbourLists {
    /// Where the slots of each item begin, `[n_items + 1]`.
    pub(crate) item_offsets: Vec<u32>,
    /// The relation of each slot, `[n_slots]`.
    pub(crate) relations: Vec<u32>,
    /// Where the links of each slot begin, `[n_slots + 1]`.
    pub(crate) slot_offsets: Vec<u32>,
    /// The row of each link, `[n_links]`.
    pub(crate) entities: Vec<u32>,
    /// The slot of each link, `[n_links]`.
    pub(crate) slots: Vec<u32>,
    /// The links of each entity.
    pub(crate) links: Grouped,
    pub(crate) n_relations: usize,
    /// Slots of the item that has most of them.
    pub(crate) most_slots: usize,
}

/// The same lists as tensors, for the bodies of ordinary operations.
#[derive(Debug, Clone)]
pub(crate) struct NeighbourTensors<B: Backend> {
    pub(crate) item_offsets: Tensor<B, 1, Int>,
    /// The item of each slot, `[n_slots]`.
    pub(crate) items: Tensor<B, 1, Int>,
    pub(crate) relations: Tensor<B, 1, Int>,
    pub(crate) slot_offsets: Tensor<B, 1, Int>,
    pub(crate) entities: Tensor<B, 1, Int>,
    pub(crate) slots: Tensor<B, 1, Int>,
    /// Where the links of each entity begin, `[n_entities + 1]`.
    pub(crate) entity_offsets: Tensor<B, 1, Int>,
    /// Links by entity, `[n_links]`.
    pub(crate) links: Tensor<B, 1, Int>,
}

impl<B: RecommenderBackend> Neighbourhoods<B> {
    /// The neighbours in lists that lie one after the other.
    ///
    /// ```
    /// use burn::backend::Flex;
    /// use burn::tensor::Tensor;
    /// use cresset_nn::{Neighbourhoods, RecommenderBackend};
    ///
    /// // Film 0 has the actors 0 and 1 (relation 0) and the director 2 (relation 1); film 1 has the actor 1.
    /// let device = Default::default();
    /// let graph = Neighbourhoods::<Flex>::new(&[0, 2, 3], &[0, 1, 0], &[0, 2, 3, 4], &[0, 1, 2, 1], 3, 2, &device);
    /// let entities = Tensor::from_data([[1.0], [3.0], [5.0]], &device);
    /// let logits = Tensor::zeros([3, 2], &device);
    /// let pooled = Flex::attend_neighbours(entities, logits, &graph);
    /// pooled.into_data().assert_eq(&burn::tensor::TensorData::from([[2.0f32], [5.0], [3.0]]), true);
    /// ```
    ///
    /// # Shapes
    ///
    /// - `item_offsets`: `[n_items + 1]`, where the slots of each item begin; an item may have none
    /// - relations: `[n_slots]`, below `n_relations`
    /// - `slot_offsets`: `[n_slots + 1]`, where the links of each slot begin
    /// - entities: `[n_links]`, each the place of a row, below `n_entities`
    ///
    /// # Panics
    ///
    /// If offsets do not ascend from 0 to the number of what they divide, relations of an item do not ascend strictly,
    /// or a relation or an entity is beyond their number.
    pub fn new(
        item_offsets: &[u32],
        relations: &[u32],
        slot_offsets: &[u32],
        entities: &[u32],
        n_entities: usize,
        n_relations: usize,
        device: &B::Device,
    ) -> Self {
        check_offsets(item_offsets, relations.len());
        check_offsets(slot_offsets, entities.len());
        assert_eq!(slot_offsets.len(), relations.len() + 1, "one relation for each slot");
        check_relations(item_offsets, relations, n_relations);
        let sizes = item_offsets.windows(2).map(|item| item[1] - item[0]);
        let lists = NeighbourLists {
            item_offsets: item_offsets.to_vec(),
            relations: relations.to_vec(),
            slot_offsets: slot_offsets.to_vec(),
            entities: entities.to_vec(),
            slots: rows_of_entries(slot_offsets),
            links: grouped(entities, n_entities),
            n_relations,
            most_slots: sizes.max().unwrap_or(0) as usize,
        };
        let tensors = (!B::ON_HOST).then(|| lists.tensors(device));
        Self { lists: Arc::new(lists), tensors }
    }
}

fn check_relations(item_offsets: &[u32], relations: &[u32], n_relations: usize) {
    if let Some(relation) = relations.iter().find(|&&relation| relation as usize >= n_relations) {
        panic!("relation {relation} is beyond the {n_relations} relations");
    }
    for (item, slots) in item_offsets.windows(2).enumerate() {
        let relations = &relations[slots[0] as usize..slots[1] as usize];
        let ascend = relations.is_sorted_by(|a, b| a < b);
        assert!(ascend, "the relations of an item ascend strictly, and those of item {item} do not");
    }
}

impl<B: Backend> Neighbourhoods<B> {
    /// Items, with or without slots.
    pub fn n_items(&self) -> usize {
        self.lists.item_offsets.len() - 1
    }

    /// Slots: pairs of an item and a relation that it has.
    pub fn n_slots(&self) -> usize {
        self.lists.relations.len()
    }

    /// Links: neighbours, counted once for each slot that they are in.
    pub fn n_links(&self) -> usize {
        self.lists.entities.len()
    }

    /// Rows of entities that the links choose from.
    pub fn n_entities(&self) -> usize {
        self.lists.links.offsets.len() - 1
    }

    /// Relations, whether or not an item has them.
    pub fn n_relations(&self) -> usize {
        self.lists.n_relations
    }

    /// The lists on the device.
    pub(crate) fn tensors(&self, device: &B::Device) -> NeighbourTensors<B> {
        self.tensors.clone().unwrap_or_else(|| self.lists.tensors(device))
    }

    /// What every body of the attention over links asks of its inputs.
    ///
    /// # Panics
    ///
    /// If there is not one row and one row of logits for each entity, or not one logit for each relation.
    pub(crate) fn check_entities(&self, entities: [usize; 2], logits: [usize; 2]) {
        assert_eq!(entities[0], self.n_entities(), "one row for each entity of the neighbourhoods");
        let expected = [self.n_entities(), self.n_relations()];
        assert_eq!(logits, expected, "one logit for each entity and relation of the neighbourhoods");
    }
}

impl<A: AutodiffBackend> Neighbourhoods<A> {
    /// The same beneath the graph.
    pub(crate) fn inner(&self) -> Neighbourhoods<A::InnerBackend> {
        let inner = |at: &NeighbourTensors<A>| NeighbourTensors {
            item_offsets: at.item_offsets.clone().inner(),
            items: at.items.clone().inner(),
            relations: at.relations.clone().inner(),
            slot_offsets: at.slot_offsets.clone().inner(),
            entities: at.entities.clone().inner(),
            slots: at.slots.clone().inner(),
            entity_offsets: at.entity_offsets.clone().inner(),
            links: at.links.clone().inner(),
        };
        Neighbourhoods { lists: self.lists.clone(), tensors: self.tensors.as_ref().map(inner) }
    }
}

impl NeighbourLists {
    fn tensors<B: Backend>(&self, device: &B::Device) -> NeighbourTensors<B> {
        NeighbourTensors {
            item_offsets: id_tensor(&self.item_offsets, device),
            items: id_tensor(&rows_of_entries(&self.item_offsets), device),
            relations: id_tensor(&self.relations, device),
            slot_offsets: id_tensor(&self.slot_offsets, device),
            entities: id_tensor(&self.entities, device),
            slots: id_tensor(&self.slots, device),
            entity_offsets: id_tensor(&self.links.offsets, device),
            links: id_tensor(&self.links.entries, device),
        }
    }

    /// The slots of an item.
    #[cfg(feature = "flex")]
    #[inline(always)]
    pub(crate) fn slots_of(&self, item: usize) -> std::ops::Range<usize> {
        self.item_offsets[item] as usize..self.item_offsets[item + 1] as usize
    }

    /// The links of a slot.
    #[cfg(feature = "flex")]
    #[inline(always)]
    pub(crate) fn links_of(&self, slot: usize) -> std::ops::Range<usize> {
        self.slot_offsets[slot] as usize..self.slot_offsets[slot + 1] as usize
    }
}

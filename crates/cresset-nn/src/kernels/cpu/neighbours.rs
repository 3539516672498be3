//! Attention over the links of a knowledge graph: forward slot by slot, back entity by entity.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::candidates::{add_scaled, dot};
use super::exp::exp_of_negative;
use super::groups;
use crate::neighbourhoods::NeighbourLists;

/// Links of one task.
const TASK_LINKS: usize = 2048;

/// Links of an entity that are summed in one go; of a larger entity, pieces are summed and then added in their order.
const PIECE_LINKS: usize = 1024;

/// The rows of entities and who links to them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Links<'a> {
    pub(crate) lists: &'a NeighbourLists,
    /// `[n_entities, dim]`
    pub(crate) entities: &'a [f32],
    pub(crate) dim: usize,
}

impl<'a> Links<'a> {
    /// Writes each slot's row and each link's weight.
    ///
    /// # Shapes
    ///
    /// - logits: `[n_entities, n_relations]`
    /// - out: `[n_slots, dim]`
    /// - weights: `[n_links]`
    pub(crate) fn forward(self, logits: &[f32], out: &mut [f32], weights: &mut [f32]) {
        let lists = self.lists;
        let ranges = groups::ranges(lists.relations.len(), |slot| lists.links_of(slot).len(), TASK_LINKS);
        let out = groups::cut(&ranges, |slot| slot * self.dim, out);
        let weights = groups::cut(&ranges, |slot| lists.slot_offsets[slot] as usize, weights);
        let parts = ranges.into_iter().zip(out).zip(weights);
        let tasks = parts
            .map(|((slots, out), weights)| SlotTask { links: self, logits, slots, out, weights })
            .collect();
        groups::run(tasks, lists.entities.len() * self.dim, |task: SlotTask| Arch::new().dispatch(task));
    }

    /// Gradients by entities, `[n_entities, dim]`, and by logits, `[n_entities, n_relations]`.
    ///
    /// # Shapes
    ///
    /// - grad, output: `[n_slots, dim]`
    /// - weights: `[n_links]`
    pub(crate) fn backward(self, grad: &[f32], output: &[f32], weights: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let along = along(grad, output, self.lists.relations.len(), self.dim);
        let back = Back { links: self, grad, along: &along, weights };
        let mut by_entities = vec![0.0; self.entities.len()];
        let mut by_logits = vec![0.0; back.n_entities() * self.lists.n_relations];
        back.small_entities(&mut by_entities, &mut by_logits);
        back.large_entities(&mut by_entities, &mut by_logits);
        (by_entities, by_logits)
    }

    #[inline(always)]
    fn row(&self, dim: usize, entity: u32) -> &'a [f32] {
        &self.entities[entity as usize * dim..][..dim]
    }
}

/// Some slots on their way forward, with what is written of them.
struct SlotTask<'a> {
    links: Links<'a>,
    logits: &'a [f32],
    slots: Range<usize>,
    out: &'a mut [f32],
    weights: &'a mut [f32],
}

impl WithSimd for SlotTask<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        self.shares();
        // A width that the compiler knows needs no loop for a row.
        match self.links.dim {
            16 => self.pool(simd, 16),
            32 => self.pool(simd, 32),
            64 => self.pool(simd, 64),
            dim => self.pool(simd, dim),
        }
    }
}

impl SlotTask<'_> {
    /// The exponential of each logit less the largest of its slot.
    #[inline(always)]
    fn shares(&mut self) {
        let lists = self.links.lists;
        let first = lists.slot_offsets[self.slots.start] as usize;
        for slot in self.slots.clone() {
            let (links, relation) = (lists.links_of(slot), lists.relations[slot] as usize);
            let scores = &mut self.weights[links.start - first..links.end - first];
            let mut largest = f32::NEG_INFINITY;
            for (score, &entity) in scores.iter_mut().zip(&lists.entities[links]) {
                *score = self.logits[entity as usize * lists.n_relations + relation];
                largest = if *score > largest { *score } else { largest };
            }
            scores.iter_mut().for_each(|score| *score -= largest);
        }
        // Of all slots at once, since most have fewer links than a register has places.
        self.weights.iter_mut().for_each(|weight| *weight = exp_of_negative(*weight));
    }

    /// Makes the shares of each slot weights, and its row from them.
    #[inline(always)]
    fn pool<S: Simd>(self, simd: S, dim: usize) {
        let lists = self.links.lists;
        let (first_slot, first_link) = (self.slots.start, lists.slot_offsets[self.slots.start] as usize);
        for slot in self.slots {
            let links = lists.links_of(slot);
            let weights = &mut self.weights[links.start - first_link..links.end - first_link];
            let share = 1.0 / weights.iter().sum::<f32>();
            let out = &mut self.out[(slot - first_slot) * dim..][..dim];
            for (weight, &entity) in weights.iter_mut().zip(&lists.entities[links]) {
                *weight *= share;
                add_scaled(simd, *weight, self.links.row(dim, entity), out);
            }
        }
    }
}

/// The inner product of each slot's gradient and its row: what the gradients of its weights are on average.
fn along(grad: &[f32], output: &[f32], n_slots: usize, dim: usize) -> Vec<f32> {
    let mut along = vec![0.0; n_slots];
    let part = |(task, out): (usize, &mut [f32])| {
        let rows = task * TASK_LINKS * dim..(task * TASK_LINKS + out.len()) * dim;
        Arch::new().dispatch(Dots { left: &grad[rows.clone()], right: &output[rows], dim, out });
    };
    groups::run(along.chunks_mut(TASK_LINKS).enumerate().collect(), n_slots * dim, part);
    along
}

/// Inner products of rows with those opposite.
struct Dots<'a> {
    left: &'a [f32],
    right: &'a [f32],
    dim: usize,
    out: &'a mut [f32],
}

impl WithSimd for Dots<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { left, right, dim, out } = self;
        for (at, out) in out.iter_mut().enumerate() {
            *out = dot(simd, &left[at * dim..][..dim], &right[at * dim..][..dim]);
        }
    }
}

/// What the way back reads.
#[derive(Clone, Copy)]
struct Back<'a> {
    links: Links<'a>,
    grad: &'a [f32],
    along: &'a [f32],
    weights: &'a [f32],
}

impl<'a> Back<'a> {
    fn n_entities(self) -> usize {
        self.links.lists.links.offsets.len() - 1
    }

    #[inline(always)]
    fn links_of(&self, entity: usize) -> &'a [u32] {
        let links = &self.links.lists.links;
        &links.entries[links.offsets[entity] as usize..links.offsets[entity + 1] as usize]
    }

    fn small_entities(self, by_entities: &mut [f32], by_logits: &mut [f32]) {
        let (dim, n_relations) = (self.links.dim, self.links.lists.n_relations);
        let size = |entity| {
            let n_links = self.links_of(entity).len();
            if n_links > PIECE_LINKS { 0 } else { n_links }
        };
        let ranges = groups::ranges(self.n_entities(), size, TASK_LINKS);
        let by_entities = groups::cut(&ranges, |entity| entity * dim, by_entities);
        let by_logits = groups::cut(&ranges, |entity| entity * n_relations, by_logits);
        let parts = ranges.into_iter().zip(by_entities).zip(by_logits);
        let task = |((entities, by_entities), by_logits)| EntityTask {
            back: self,
            entities,
            by_entities,
            by_logits,
        };
        let n_elements = self.weights.len() * dim;
        groups::run(parts.map(task).collect(), n_elements, |task| Arch::new().dispatch(task));
    }

    /// Such as a genre or a country, to which thousands of items link.
    fn large_entities(self, by_entities: &mut [f32], by_logits: &mut [f32]) {
        let (dim, n_relations) = (self.links.dim, self.links.lists.n_relations);
        for entity in 0..self.n_entities() {
            let links = self.links_of(entity);
            if links.len() <= PIECE_LINKS {
                continue;
            }
            let piece = |links| Arch::new().dispatch(Piece { back: self, entity: entity as u32, links });
            let pieces: Vec<_> = links.par_chunks(PIECE_LINKS).map(piece).collect();
            let by_entity = &mut by_entities[entity * dim..][..dim];
            let by_logits = &mut by_logits[entity * n_relations..][..n_relations];
            for (of_entity, of_logits) in pieces {
                by_entity.iter_mut().zip(of_entity).for_each(|(sum, piece)| *sum += piece);
                by_logits.iter_mut().zip(of_logits).for_each(|(sum, piece)| *sum += piece);
            }
        }
    }

    /// Adds what some links of an entity give it.
    #[inline(always)]
    fn add<S: Simd>(
        self,
        simd: S,
        (entity, links): (u32, &[u32]),
        by_entity: &mut [f32],
        by_logits: &mut [f32],
    ) {
        match self.links.dim {
            16 => self.add_links(simd, 16, (entity, links), by_entity, by_logits),
            32 => self.add_links(simd, 32, (entity, links), by_entity, by_logits),
            64 => self.add_links(simd, 64, (entity, links), by_entity, by_logits),
            dim => self.add_links(simd, dim, (entity, links), by_entity, by_logits),
        }
    }

    #[inline(always)]
    fn add_links<S: Simd>(
        self,
        simd: S,
        dim: usize,
        (entity, links): (u32, &[u32]),
        by_entity: &mut [f32],
        by_logits: &mut [f32],
    ) {
        let (row, by_entity) = (self.links.row(dim, entity), &mut by_entity[..dim]);
        for &link in links {
            let (weight, slot) =
                (self.weights[link as usize], self.links.lists.slots[link as usize] as usize);
            let grad = &self.grad[slot * dim..][..dim];
            let relation = self.links.lists.relations[slot] as usize;
            by_logits[relation] += weight * (dot(simd, grad, row) - self.along[slot]);
            add_scaled(simd, weight, grad, by_entity);
        }
    }
}

/// Some entities on their way back, with what is written of them.
struct EntityTask<'a> {
    back: Back<'a>,
    entities: Range<usize>,
    by_entities: &'a mut [f32],
    by_logits: &'a mut [f32],
}

impl WithSimd for EntityTask<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (dim, n_relations) = (self.back.links.dim, self.back.links.lists.n_relations);
        for (at, entity) in self.entities.enumerate() {
            let links = self.back.links_of(entity);
            if links.len() > PIECE_LINKS {
                continue;
            }
            let by_entity = &mut self.by_entities[at * dim..][..dim];
            let by_logits = &mut self.by_logits[at * n_relations..][..n_relations];
            self.back.add(simd, (entity as u32, links), by_entity, by_logits);
        }
    }
}

/// Some links of an entity that has many.
struct Piece<'a> {
    back: Back<'a>,
    entity: u32,
    links: &'a [u32],
}

impl WithSimd for Piece<'_> {
    type Output = (Vec<f32>, Vec<f32>);

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let (dim, n_relations) = (self.back.links.dim, self.back.links.lists.n_relations);
        let (mut by_entity, mut by_logits) = (vec![0.0; dim], vec![0.0; n_relations]);
        self.back.add(simd, (self.entity, self.links), &mut by_entity, &mut by_logits);
        (by_entity, by_logits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DropoutKey;
    use crate::Neighbourhoods;

    type Lists = Neighbourhoods<burn_flex::Flex>;

    fn numbers(n: usize, seed: u64) -> Vec<f32> {
        let key = DropoutKey::new(seed, 0, "numbers");
        (0..n as u32).map(|i| (key.word(i) >> 8) as f32 / (1 << 23) as f32 - 1.0).collect()
    }

    /// `n_slots` slots of two relations in turn, whose links are drawn among the entities; every fourth link is to
    /// entity 0.
    fn lists(n_slots: usize, links_each: usize, n_entities: usize) -> Lists {
        let item_offsets: Vec<u32> = (0..=n_slots as u32 / 2).map(|item| 2 * item).collect();
        let relations: Vec<u32> = (0..n_slots as u32).map(|slot| slot % 2).collect();
        let slot_offsets: Vec<u32> = (0..=n_slots).map(|slot| (slot * links_each) as u32).collect();
        let key = DropoutKey::new(3, 0, "entities");
        let entity = |link| if link % 4 == 0 { 0 } else { (key.word(link) >> 4) % n_entities as u32 };
        let entities: Vec<u32> = (0..(n_slots * links_each) as u32).map(entity).collect();
        let device = Default::default();
        Lists::new(&item_offsets, &relations, &slot_offsets, &entities, n_entities, 2, &device)
    }

    /// Output, weights and both gradients.
    fn both_ways(lists: &Lists, dim: usize) -> [Vec<f32>; 4] {
        let (n_slots, n_entities) = (lists.n_slots(), lists.n_entities());
        let entities = numbers(n_entities * dim, 1);
        let links = Links { lists: &lists.lists, entities: &entities, dim };
        let (mut out, mut weights) = (vec![0.0; n_slots * dim], vec![0.0; lists.n_links()]);
        links.forward(&numbers(n_entities * 2, 2), &mut out, &mut weights);
        let (by_entities, by_logits) = links.backward(&numbers(n_slots * dim, 4), &out, &weights);
        [out, weights, by_entities, by_logits]
    }

    #[test]
    fn both_ways_have_the_same_bits_on_any_number_of_threads() {
        let lists = lists(8_000, 3, 500);
        let on = |n_threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
            pool.install(|| both_ways(&lists, 16))
        };
        assert_eq!(on(1), on(3));
    }

    #[test]
    fn an_entity_of_many_links_has_the_sum_over_all_of_them() {
        let (lists, dim) = (lists(2_000, 4, 50), 3);
        assert!(lists.lists.links.offsets[1] as usize > PIECE_LINKS);
        let [_, weights, by_entities, _] = both_ways(&lists, dim);
        let grad = numbers(2_000 * dim, 4);
        for column in 0..dim {
            let links = (0..8_000).filter(|&link| lists.lists.entities[link] == 0);
            let terms = links.map(|link| f64::from(weights[link]) * f64::from(grad[link / 4 * dim + column]));
            let expected: f64 = terms.sum();
            assert!((f64::from(by_entities[column]) - expected).abs() < 1e-4, "{expected}");
        }
    }
}

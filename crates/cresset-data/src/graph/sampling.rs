//! A bounded number of neighbours for each entity, drawn by seed.

use rand::Rng;
use rayon::prelude::*;

use super::knowledge::KnowledgeGraph;
use crate::random::{below, stream};

/// How many entities one task of the thread pool draws for.
const CHUNK: usize = 256;

/// What a draw of neighbours depends on, beside the entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleKey {
    seed: u64,
    step: Option<u32>,
}

impl SampleKey {
    /// Neighbours drawn anew at each step of training.
    pub fn at_step(seed: u64, step: u32) -> Self {
        Self { seed, step: Some(step) }
    }

    /// Neighbours drawn once, the same at every step and at evaluation.
    pub fn frozen(seed: u64) -> Self {
        Self { seed, step: None }
    }

    /// What decides which links of one relation an item keeps.
    pub(super) fn slot_stream(seed: u64, slot: u64) -> impl Rng {
        stream(seed, "graph neighbourhoods", slot)
    }

    fn stream(self, entity: u32) -> impl Rng {
        match self.step {
            Some(step) => stream(self.seed, "graph neighbours", u64::from(step) << 32 | u64::from(entity)),
            None => stream(self.seed, "frozen graph neighbours", u64::from(entity)),
        }
    }
}

/// The same number of neighbours for each of some entities.
///
/// # Shapes
///
/// - relations, tails: `[entities, n]`; an entity without neighbours has itself as tails and 0 as relations, so that
///   every value is a valid index
/// - `has_neighbours`: `[entities]`, false for those
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeighbourSample {
    /// Neighbours per entity.
    pub n: usize,
    /// Relation of each drawn link.
    pub relations: Vec<u32>,
    /// Entity at the other end of each drawn link.
    pub tails: Vec<u32>,
    /// Whether the entity has any neighbour.
    pub has_neighbours: Vec<bool>,
}

impl KnowledgeGraph {
    /// Exactly `n` neighbours of each entity: distinct links where it has that many, else with repeats.
    ///
    /// What is drawn for an entity depends on the key and the entity alone: not on its place in `entities`, the
    /// others there, the step before, or the number of threads.
    ///
    /// # Panics
    ///
    /// If `n` is 0 or an entity is not below [`n_entities`](Self::n_entities).
    ///
    /// # Source
    ///
    /// Wang et al., WWW 2019 (KGCN), <https://doi.org/10.1145/3308558.3313417>: repeats where there are too few.
    pub fn sample_neighbours(&self, entities: &[u32], n: usize, key: SampleKey) -> NeighbourSample {
        assert!(n > 0, "at least one neighbour is drawn");
        let mut sample = NeighbourSample {
            n,
            relations: vec![0; entities.len() * n],
            tails: vec![0; entities.len() * n],
            has_neighbours: vec![false; entities.len()],
        };
        let relations = sample.relations.par_chunks_mut(CHUNK * n);
        let tails = sample.tails.par_chunks_mut(CHUNK * n);
        let has_neighbours = sample.has_neighbours.par_chunks_mut(CHUNK);
        relations.zip(tails).zip(has_neighbours).zip(entities.par_chunks(CHUNK)).for_each(
            |(((relations, tails), has_neighbours), entities)| {
                let rows = relations.chunks_mut(n).zip(tails.chunks_mut(n)).zip(has_neighbours);
                for (((relations, tails), has_neighbours), &entity) in rows.zip(entities) {
                    *has_neighbours = self.draw(entity, key, relations, tails);
                }
            },
        );
        sample
    }

    /// Fills one row; false when there is nothing to draw from.
    fn draw(&self, entity: u32, key: SampleKey, relations: &mut [u32], tails: &mut [u32]) -> bool {
        let all = self.neighbours(entity);
        if all.is_empty() {
            tails.fill(entity);
            return false;
        }
        let mut rng = key.stream(entity);
        if tails.len() <= all.len() {
            draw_distinct(all.len(), tails, &mut rng);
        } else {
            tails.iter_mut().for_each(|slot| *slot = below(all.len() as u64, &mut rng) as u32);
        }
        for (relation, tail) in relations.iter_mut().zip(tails) {
            let link = *tail as usize;
            (*relation, *tail) = (all.relations[link], all.tails[link]);
        }
        true
    }
}

/// Distinct numbers below `bound`, every set of them equally likely.
///
/// # Source
///
/// Floyd, in Bentley and Floyd, CACM 30(9):754, 1987, <https://doi.org/10.1145/30401.315746>.
pub(super) fn draw_distinct(bound: usize, slots: &mut [u32], rng: &mut impl Rng) {
    let first = bound - slots.len();
    for drawn in 0..slots.len() {
        let last = (first + drawn) as u32;
        let number = below(u64::from(last) + 1, rng) as u32;
        slots[drawn] = if slots[..drawn].contains(&number) { last } else { number };
    }
}

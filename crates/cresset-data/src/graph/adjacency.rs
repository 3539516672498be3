//! Who is linked to whom, in compressed sparse rows.

use rayon::prelude::*;

use super::triples::Columns;

/// The neighbours of every entity, one entity after another, each by relation and then by tail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Adjacency {
    offsets: Vec<usize>,
    relations: Vec<u32>,
    tails: Vec<u32>,
}

/// What one entity is linked to: pairs of relation and tail, ascending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Neighbours<'g> {
    /// Relation of each link.
    pub relations: &'g [u32],
    /// Entity at the other end of each link.
    pub tails: &'g [u32],
}

impl<'g> Neighbours<'g> {
    /// The number of links.
    pub fn len(&self) -> usize {
        self.tails.len()
    }

    /// Whether there is no link.
    pub fn is_empty(&self) -> bool {
        self.tails.is_empty()
    }

    /// Relation and tail of each link.
    pub fn iter(&self) -> impl Iterator<Item = (u32, u32)> + use<'g> {
        self.relations.iter().copied().zip(self.tails.iter().copied())
    }

    /// The tails of one relation, ascending.
    pub(super) fn of_relation(self, relation: u32) -> &'g [u32] {
        let start = self.relations.partition_point(|&other| other < relation);
        let end = self.relations.partition_point(|&other| other <= relation);
        &self.tails[start..end]
    }
}

impl Adjacency {
    /// The links of distinct facts among `n_entities`; with `inverse_from`, each fact is a link of its tail too, by
    /// the relation `inverse_from + relation`.
    pub(super) fn new(n_entities: usize, facts: &Columns, inverse_from: Option<u32>) -> Self {
        let links = || {
            let Columns { heads, relations, tails } = facts;
            let rows = heads.iter().zip(relations).zip(tails);
            rows.flat_map(move |((&head, &relation), &tail)| {
                let turned = inverse_from.map(|first| (tail, first + relation, head));
                std::iter::once((head, relation, tail)).chain(turned)
            })
        };
        let mut offsets = vec![0usize; n_entities + 1];
        links().for_each(|(head, ..)| offsets[head as usize + 1] += 1);
        for entity in 0..n_entities {
            offsets[entity + 1] += offsets[entity];
        }
        let mut next = offsets.clone();
        // Relation and tail in one word, which sorts as the pair does.
        let mut packed = vec![0u64; offsets[n_entities]];
        for (head, relation, tail) in links() {
            let slot = &mut next[head as usize];
            packed[*slot] = u64::from(relation) << 32 | u64::from(tail);
            *slot += 1;
        }
        groups(&offsets, &mut packed).into_par_iter().for_each(<[u64]>::sort_unstable);
        let relations = packed.iter().map(|&link| (link >> 32) as u32).collect();
        let tails = packed.iter().map(|&link| link as u32).collect();
        Self { offsets, relations, tails }
    }

    /// The number of links.
    pub(super) fn n_links(&self) -> usize {
        self.tails.len()
    }

    /// The links of an entity.
    pub(super) fn of(&self, entity: u32) -> Neighbours<'_> {
        let entity = entity as usize;
        let span = self.offsets[entity]..self.offsets[entity + 1];
        Neighbours { relations: &self.relations[span.clone()], tails: &self.tails[span] }
    }

    /// Where the links of each entity begin, and last the end: `[entities + 1]`.
    pub(super) fn offsets(&self) -> &[usize] {
        &self.offsets
    }

    /// Relations and tails of all links.
    pub(super) fn all(&self) -> Neighbours<'_> {
        Neighbours { relations: &self.relations, tails: &self.tails }
    }
}

/// The links of each entity that has several.
fn groups<'p>(offsets: &[usize], packed: &'p mut [u64]) -> Vec<&'p mut [u64]> {
    let mut rest = packed;
    let mut groups = Vec::new();
    for span in offsets.windows(2) {
        let (group, tail) = std::mem::take(&mut rest).split_at_mut(span[1] - span[0]);
        rest = tail;
        if group.len() > 1 {
            groups.push(group);
        }
    }
    groups
}

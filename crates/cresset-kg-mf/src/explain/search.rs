//! The walk from liked items to the entities that a score rests on.

use std::collections::{BTreeMap, HashMap};

use cresset_data::graph::KnowledgeGraph;

use super::liking::{Liked, RatedItem};
use super::paths::{Hop, RelationPath};
use super::reasons::{EntityContribution, Reasons};

/// An entity that speaks for the item.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cause {
    entity: u32,
    /// In stars, above 0.
    pub(super) contribution: f64,
    /// Relation of the item's link to it; of several, that which adds most.
    relation: u32,
}

impl Cause {
    /// The entities whose links add to the score together, what adds most first, equals by index.
    pub(super) fn of_links(links: &[EntityContribution]) -> Vec<Self> {
        let mut of_entity: BTreeMap<u32, Vec<&EntityContribution>> = BTreeMap::new();
        links.iter().for_each(|link| of_entity.entry(link.entity).or_default().push(link));
        let cause = |(entity, links): (u32, Vec<&EntityContribution>)| Self {
            entity,
            contribution: links.iter().map(|link| f64::from(link.contribution)).sum(),
            relation: largest(links.iter().map(|link| (link.relation, link.contribution))),
        };
        let mut causes: Vec<Self> = of_entity.into_iter().map(cause).collect();
        causes.retain(|cause| cause.contribution > 0.0 && cause.contribution.is_finite());
        causes.sort_by(|a, b| b.contribution.total_cmp(&a.contribution));
        causes
    }
}

/// The relation of the largest value, of equals the smaller one.
fn largest(values: impl Iterator<Item = (u32, f32)>) -> u32 {
    let best = values.reduce(|best, next| {
        let is_better = next.1 > best.1 || (next.1 == best.1 && next.0 < best.0);
        if is_better { next } else { best }
    });
    best.map_or(0, |(relation, _)| relation)
}

/// A path that was found.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    /// Which of the causes it ends in.
    pub(super) cause: usize,
    /// Its weight, and once all are found its share of the cause's contribution.
    pub(super) share: f64,
    liked: RatedItem,
    /// The links before the last one.
    before: Vec<Hop>,
}

impl Found {
    /// What orders paths of equal share.
    pub(super) fn key(&self) -> (usize, u32, Option<u32>) {
        (self.before.len(), self.liked.item, self.before.first().map(|hop| hop.to))
    }
}

/// How much attention of a liked item goes to an entity, and along which relation.
#[derive(Debug, Clone, Copy)]
struct Step {
    /// Place among the liked items.
    from: usize,
    attention: f64,
    relation: u32,
}

/// What is searched for.
pub(super) struct Search<'a> {
    reasons: &'a dyn Reasons,
    graph: &'a KnowledgeGraph,
    user: u32,
    item: u32,
    causes: &'a [Cause],
    /// The place of each cause by its entity.
    cause_of: HashMap<u32, usize>,
}

impl<'a> Search<'a> {
    /// Paths of a user to an item that end in its causes.
    pub(super) fn new(
        reasons: &'a dyn Reasons,
        graph: &'a KnowledgeGraph,
        (user, item): (u32, u32),
        causes: &'a [Cause],
    ) -> Self {
        let cause_of = causes.iter().enumerate().map(|(place, cause)| (cause.entity, place)).collect();
        Self { reasons, graph, user, item, causes, cause_of }
    }

    /// Every path from a liked item to a cause, with its share of what the cause adds.
    pub(super) fn run(&self, liked: &[Liked]) -> Vec<Found> {
        if self.causes.is_empty() {
            return vec![];
        }
        let steps = self.steps(liked);
        let mut found = self.direct(liked);
        found.extend(self.through_one(liked, &steps));
        found.extend(self.through_two(liked, &steps));
        found.retain(|path| path.share > 0.0 && path.share.is_finite());
        let mut totals = vec![0.0; self.causes.len()];
        found.iter().for_each(|path| totals[path.cause] += path.share);
        found.iter_mut().for_each(|path| path.share /= totals[path.cause]);
        found
    }

    /// A path as it is told.
    pub(super) fn path(&self, found: &Found) -> RelationPath {
        let cause = self.causes[found.cause];
        let last = Hop { relation: cause.relation, is_turned: true, to: self.item };
        RelationPath {
            score: (cause.contribution * found.share) as f32,
            contribution: cause.contribution as f32,
            liked: found.liked,
            hops: found.before.iter().copied().chain([last]).collect(),
        }
    }

    /// The entities that liked items attend to, but for the item itself, and from which of them.
    fn steps(&self, liked: &[Liked]) -> BTreeMap<u32, Vec<Step>> {
        let mut steps: BTreeMap<u32, Vec<Step>> = BTreeMap::new();
        for (from, liked) in liked.iter().enumerate() {
            for (entity, links) in self.attended(liked.rated.item) {
                let attention = links.iter().map(|&(_, attention)| f64::from(attention)).sum();
                steps.entry(entity).or_default().push(Step {
                    from,
                    attention,
                    relation: self.shown(entity, &links),
                });
            }
        }
        steps
    }

    /// Relation and attention of the links of a liked item, by entity.
    fn attended(&self, item: u32) -> BTreeMap<u32, Vec<(u32, f32)>> {
        let mut of_entity: BTreeMap<u32, Vec<(u32, f32)>> = BTreeMap::new();
        for link in self.reasons.contributions(self.user, item) {
            if link.entity != item && link.entity != self.item && link.attention() > 0.0 {
                of_entity.entry(link.entity).or_default().push((link.relation, link.attention()));
            }
        }
        of_entity
    }

    /// Of several relations between a liked item and an entity, the one that the item has to it too, else the
    /// one most attended to.
    fn shown(&self, entity: u32, links: &[(u32, f32)]) -> u32 {
        let of_item = self.cause_of.get(&entity).map(|&cause| self.causes[cause].relation);
        let common = of_item.filter(|relation| links.iter().any(|link| link.0 == *relation));
        common.unwrap_or_else(|| largest(links.iter().copied()))
    }

    /// Liked item - item.
    fn direct(&self, liked: &[Liked]) -> Vec<Found> {
        let found = liked.iter().filter_map(|liked| {
            let cause = *self.cause_of.get(&liked.rated.item)?;
            Some(Found { cause, share: liked.weight, liked: liked.rated, before: vec![] })
        });
        found.collect()
    }

    /// Liked item - entity - item.
    fn through_one(&self, liked: &[Liked], steps: &BTreeMap<u32, Vec<Step>>) -> Vec<Found> {
        let mut found = vec![];
        for (cause, Cause { entity, .. }) in self.causes.iter().enumerate() {
            for step in steps.get(entity).into_iter().flatten() {
                let from = liked[step.from];
                found.push(Found {
                    cause,
                    share: from.weight * step.attention,
                    liked: from.rated,
                    before: vec![Hop { relation: step.relation, is_turned: false, to: *entity }],
                });
            }
        }
        found
    }

    /// Liked item - middle - entity - item.
    fn through_two(&self, liked: &[Liked], steps: &BTreeMap<u32, Vec<Step>>) -> Vec<Found> {
        let mut found = vec![];
        for (&middle, steps) in steps {
            // A graph without inverses does not count what leads to an entity; these at least are known to.
            let uncounted = if self.graph.has_inverses() { 0 } else { steps.len() };
            let degree = (self.graph.degree(middle) + uncounted) as f64;
            for (cause, Cause { entity, .. }) in self.causes.iter().enumerate() {
                let Some(hop) = hop_between(self.graph, middle, *entity) else { continue };
                let from = steps.iter().filter(|step| liked[step.from].rated.item != *entity);
                found.extend(from.map(|step| Found {
                    cause,
                    share: liked[step.from].weight * step.attention / degree,
                    liked: liked[step.from].rated,
                    before: vec![Hop { relation: step.relation, is_turned: false, to: middle }, hop],
                }));
            }
        }
        found
    }
}

/// A link from one entity to another, walked either way.
fn hop_between(graph: &KnowledgeGraph, from: u32, to: u32) -> Option<Hop> {
    if from == to {
        return None;
    }
    let along = |from, to| relation_between(graph, from, to);
    let forth = || along(from, to).map(|relation| Hop { relation, is_turned: false, to });
    let back = || along(to, from).map(|relation| Hop { relation, is_turned: true, to });
    if !graph.has_inverses() {
        return forth().or_else(back);
    }
    // Each end knows of the link, and the one with fewer links is asked.
    if graph.degree(from) <= graph.degree(to) { forth() } else { back() }
}

/// The smallest relation that links `from` to `to`, found by halving within each relation.
fn relation_between(graph: &KnowledgeGraph, from: u32, to: u32) -> Option<u32> {
    let neighbours = graph.neighbours(from);
    let mut start = 0;
    while let Some(&relation) = neighbours.relations.get(start) {
        let end = start + neighbours.relations[start..].partition_point(|&other| other == relation);
        if neighbours.tails[start..end].binary_search(&to).is_ok() {
            return Some(relation);
        }
        start = end;
    }
    None
}

//! Paths from what a user liked to an item.

use std::cmp::Ordering;

use cresset_data::graph::KnowledgeGraph;

use super::liking::{RatedItem, liked};
use super::reasons::{EntityContribution, Reasons};
use super::search::{Cause, Found, Search};

/// Why a user gets an item: the paths that speak for it, and what each relation of the item brings.
#[derive(Debug, Clone, PartialEq)]
pub struct RelationPaths {
    /// The user.
    pub user: u32,
    /// The item.
    pub item: u32,
    /// The model's score, in stars and not held to the scale.
    pub score: f32,
    /// The graph's part of the score, in stars.
    pub contribution: f32,
    /// The paths, each entity's best one first.
    pub paths: Vec<RelationPath>,
    /// How many paths there are, those beyond the best included.
    pub n_found: usize,
    /// The relations of the item's links, what adds most first.
    pub relations: Vec<RelationShare>,
}

/// A path from an item that the user liked through the graph to the item.
#[derive(Debug, Clone, PartialEq)]
pub struct RelationPath {
    /// This path's share of `contribution`, in stars; the shares of all paths that end in one entity sum to
    /// it.
    pub score: f32,
    /// What the last entity before the item adds to the score, in stars.
    pub contribution: f32,
    /// The item that the user liked, where the path begins.
    pub liked: RatedItem,
    /// The links it goes along, one to three; the last leads to the item.
    pub hops: Vec<Hop>,
}

/// A link that a path goes along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hop {
    /// Relation of the link, by its index in the graph.
    pub relation: u32,
    /// Whether it is walked against its direction: then it leads, in the graph, from `to` to where the path
    /// comes from.
    pub is_turned: bool,
    /// Entity that the path goes to.
    pub to: u32,
}

/// What the links of one relation bring.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RelationShare {
    /// The relation, by its index in the graph.
    pub relation: u32,
    /// The user's attention to it.
    pub attention: f32,
    /// What its links add to the score, in stars.
    pub contribution: f32,
}

impl RelationPath {
    /// The last entity before the item: the one that adds `contribution`.
    pub fn entity(&self) -> u32 {
        match self.hops.len() {
            0 | 1 => self.liked.item,
            n => self.hops[n - 2].to,
        }
    }
}

/// The `top_k` best paths from what a user liked to an item, one to three links long, and the item's
/// relations.
///
/// A path ends in an entity whose contribution to the score is positive, and what the user liked says how
/// much of that contribution is its own:
///
/// ```text
/// weight(path) = (rating - mean of the user's ratings) * chance
/// chance       = 1                                    liked item - item
///              = attention(entity)                    liked item - entity - item
///              = attention(middle) / degree(middle)   liked item - middle - entity - item
/// score(path)  = contribution(entity) * weight(path) / sum of weight over the paths that end in that entity
/// ```
///
/// The chance is that of a walk which leaves the liked item by the model's attention to its links and goes on
/// at random. A product without the division would compare weights of items that have few links with those of
/// items that have many; with it, scores are stars, and flow along the paths sums to what the model adds.
/// Paths to different entities come first, in the order of the entities' contributions, since that is what
/// the score rests on; then the others by score. Equals come by index.
///
/// Only items rated above the mean begin a path; where all ratings are equal, all of them do alike. The item
/// itself begins none. The search asks for the contributions of each liked item once, so that its cost
/// follows the history: entities that most of a catalogue shares are never walked.
///
/// # Panics
///
/// If an item is not of the graph.
pub fn relation_paths(
    reasons: &dyn Reasons,
    graph: &KnowledgeGraph,
    history: &[RatedItem],
    user: u32,
    item: u32,
    top_k: usize,
) -> RelationPaths {
    let links = reasons.contributions(user, item);
    let causes = Cause::of_links(&links);
    let search = Search::new(reasons, graph, (user, item), &causes);
    let found = search.run(&liked(history, item));
    RelationPaths {
        user,
        item,
        score: reasons.score(user, item),
        contribution: links.iter().map(|link| link.contribution).sum(),
        n_found: found.len(),
        paths: best(found, &causes, top_k).iter().map(|found| search.path(found)).collect(),
        relations: relation_shares(&links, &reasons.relation_attention(user)),
    }
}

/// The best path of each cause, then the others by score.
fn best(mut found: Vec<Found>, causes: &[Cause], top_k: usize) -> Vec<Found> {
    let score = |found: &Found| causes[found.cause].contribution * found.share;
    // Within a cause the longest share comes first; of equals the shorter path, then the smaller index.
    let within = |a: &Found, b: &Found| {
        a.cause.cmp(&b.cause).then(descending(a.share, b.share)).then(a.key().cmp(&b.key()))
    };
    found.sort_by(within);
    let mut firsts = vec![];
    let mut others = vec![];
    let mut last_cause = None;
    for found in found {
        let is_first = last_cause != Some(found.cause);
        last_cause = Some(found.cause);
        if is_first { firsts.push(found) } else { others.push(found) }
    }
    others.sort_by(|a, b| descending(score(a), score(b)).then_with(|| within(a, b)));
    firsts.extend(others);
    firsts.truncate(top_k);
    firsts
}

fn descending(a: f64, b: f64) -> Ordering {
    b.total_cmp(&a)
}

/// The relations of links, by what they add and then by index.
fn relation_shares(links: &[EntityContribution], attention: &[f32]) -> Vec<RelationShare> {
    let mut by_relation: Vec<RelationShare> = vec![];
    for link in links {
        match by_relation.iter_mut().find(|share| share.relation == link.relation) {
            Some(share) => share.contribution += link.contribution,
            None => by_relation.push(RelationShare {
                relation: link.relation,
                attention: attention.get(link.relation as usize).copied().unwrap_or(0.0),
                contribution: link.contribution,
            }),
        }
    }
    by_relation.sort_by(|a, b| b.contribution.total_cmp(&a.contribution).then(a.relation.cmp(&b.relation)));
    by_relation
}

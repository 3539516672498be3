//! Whether explanations name what the scores rest on.

use cresset_data::graph::KnowledgeGraph;
use cresset_data::random::{DrawKey, shuffle};
use serde::Serialize;

use super::liking::RatedItem;
use super::paths::{RelationPath, relation_paths};
use super::reasons::Reasons;

/// How fidelity is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FidelityConfig {
    /// With how many of an item's other entities the named one is compared, at least 1: all of them where
    /// there are no more. Default: 16.
    pub n_draws: usize,
    /// Seed of the draws. Default: 42.
    pub seed: u64,
}

impl Default for FidelityConfig {
    fn default() -> Self {
        Self { n_draws: 16, seed: 42 }
    }
}

/// How often an explanation names what counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Fidelity {
    /// The chance that removing the entity of the top path lowers the score more than removing a random other
    /// one of the item; equal drops are a failure. Undefined where no pair was measured.
    pub share: Option<f64>,
    /// What removing the named entity takes from the score on average, in stars.
    pub mean_drop_named: Option<f64>,
    /// What removing a random other one takes.
    pub mean_drop_random: Option<f64>,
    /// Pairs that were measured.
    pub n_measured: usize,
    /// Pairs without an explanation, which are left out.
    pub n_unexplained: usize,
    /// Pairs whose item has no other entity, which are left out.
    pub n_alone: usize,
}

/// Whether the entity that the top path names counts for the score more than others of the item, over pairs
/// of user and item.
///
/// Each pair weighs the same: its win is the share of the drawn entities whose removal takes less. The draws
/// of a pair depend on the seed, the user and the item alone, and `history` gives what a user rated.
///
/// # Panics
///
/// If an item is not of the graph.
pub fn fidelity(
    reasons: &dyn Reasons,
    graph: &KnowledgeGraph,
    pairs: &[(u32, u32)],
    history: impl Fn(u32) -> Vec<RatedItem>,
    config: &FidelityConfig,
) -> Fidelity {
    let mut found = Fidelity::default();
    let mut sums = Drops::default();
    for &(user, item) in pairs {
        let top = relation_paths(reasons, graph, &history(user), user, item, 1);
        let Some(named) = top.paths.first().map(RelationPath::entity) else {
            found.n_unexplained += 1;
            continue;
        };
        let others = drawn(others(reasons, user, item, named), (user, item), config);
        if others.is_empty() {
            found.n_alone += 1;
            continue;
        }
        let drop = |entity| f64::from(top.score) - f64::from(reasons.score_without(user, item, entity));
        sums.add(drop(named), &others.into_iter().map(drop).collect::<Vec<f64>>());
        found.n_measured += 1;
    }
    let mean = |sum: f64| (found.n_measured > 0).then(|| sum / found.n_measured as f64);
    Fidelity {
        share: mean(sums.wins),
        mean_drop_named: mean(sums.named),
        mean_drop_random: mean(sums.random),
        ..found
    }
}

/// Sums over pairs.
#[derive(Debug, Default)]
struct Drops {
    wins: f64,
    named: f64,
    random: f64,
}

impl Drops {
    fn add(&mut self, named: f64, others: &[f64]) {
        let n = others.len() as f64;
        self.wins += others.iter().filter(|&&other| named > other).count() as f64 / n;
        self.named += named;
        self.random += others.iter().sum::<f64>() / n;
    }
}

/// The item's other entities, ascending.
fn others(reasons: &dyn Reasons, user: u32, item: u32, named: u32) -> Vec<u32> {
    let links = reasons.contributions(user, item);
    let mut entities: Vec<u32> =
        links.iter().map(|link| link.entity).filter(|&entity| entity != named).collect();
    entities.sort_unstable();
    entities.dedup();
    entities
}

/// As many of the entities as are to be drawn, each at most once.
fn drawn(mut entities: Vec<u32>, (user, item): (u32, u32), config: &FidelityConfig) -> Vec<u32> {
    let n_draws = config.n_draws.max(1);
    if entities.len() > n_draws {
        shuffle(&mut entities, &mut DrawKey::new(config.seed, "fidelity", user.into()).at(item.into()));
        entities.truncate(n_draws);
    }
    entities
}

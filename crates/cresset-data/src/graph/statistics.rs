//! What a knowledge graph holds, and how much of the data set it reaches.

use std::fmt;

use serde::Serialize;

use super::knowledge::KnowledgeGraph;
use super::skipped::SkippedRows;

/// Counts of a knowledge graph; facts count once, whether inverses were added or not.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GraphStatistics {
    /// Items of the data set.
    pub n_items: usize,
    /// Items with at least one fact.
    pub items_with_facts: usize,
    /// Entities, items included.
    pub n_entities: usize,
    /// Entities of each kind, in order of first sight.
    pub entities_of_kind: Vec<(String, u64)>,
    /// Distinct facts.
    pub n_facts: usize,
    /// Facts of each relation, in order of first sight.
    pub facts_of_relation: Vec<(String, u64)>,
    /// Facts per item, as head or tail.
    pub item_degree: Distribution,
    /// Facts per entity, as head or tail.
    pub entity_degree: Distribution,
    /// Facts that were given again.
    pub n_repeats: u64,
    /// Rows that `on_bad_row: skip` left out.
    pub skipped: SkippedRows,
}

/// Where the values of a distribution lie.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Distribution {
    /// The smallest.
    pub min: u32,
    /// The lower median.
    pub median: u32,
    /// The mean.
    pub mean: f64,
    /// That which 9 of 10 do not exceed.
    pub percentile_90: u32,
    /// The largest.
    pub max: u32,
}

/// How much of a data set's interactions is with items that have facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// Interactions.
    pub n_interactions: usize,
    /// Those whose item has a fact.
    pub covered_interactions: usize,
    /// Items with an interaction.
    pub n_items: usize,
    /// Those with a fact.
    pub covered_items: usize,
}

impl GraphStatistics {
    /// Items without a fact.
    pub fn isolated_items(&self) -> usize {
        self.n_items - self.items_with_facts
    }
}

impl KnowledgeGraph {
    /// Counts of entities, relations, facts and degrees.
    pub fn statistics(&self) -> GraphStatistics {
        let degrees = self.fact_counts();
        let items = &degrees[..self.n_items()];
        GraphStatistics {
            n_items: self.n_items(),
            items_with_facts: items.iter().filter(|&&degree| degree > 0).count(),
            n_entities: self.n_entities(),
            entities_of_kind: self.count_kinds(),
            n_facts: self.n_facts(),
            facts_of_relation: self.count_relations(),
            item_degree: Distribution::of(items.to_vec()),
            entity_degree: Distribution::of(degrees),
            n_repeats: self.n_repeats,
            skipped: self.skipped,
        }
    }

    /// The share of interactions, given by their item, that the graph says something of.
    ///
    /// # Panics
    ///
    /// If an item is not below [`n_items`](Self::n_items).
    pub fn coverage(&self, item_id: &[u32]) -> Coverage {
        let degrees = self.fact_counts();
        let mut is_seen = vec![false; self.n_items()];
        let mut covered_interactions = 0;
        for &item in item_id {
            is_seen[item as usize] = true;
            covered_interactions += usize::from(degrees[item as usize] > 0);
        }
        let seen = is_seen.iter().zip(&degrees).filter(|(is_seen, _)| **is_seen);
        Coverage {
            n_interactions: item_id.len(),
            covered_interactions,
            n_items: seen.clone().count(),
            covered_items: seen.filter(|(_, degree)| **degree > 0).count(),
        }
    }

    /// The number of facts of each entity, as head or tail.
    pub fn fact_counts(&self) -> Vec<u32> {
        let mut counts = vec![0; self.n_entities()];
        for [head, _, tail] in self.facts() {
            counts[head as usize] += 1;
            counts[tail as usize] += 1;
        }
        counts
    }

    fn count_kinds(&self) -> Vec<(String, u64)> {
        let mut counts: Vec<(String, u64)> =
            self.entities().kinds().iter().map(|kind| (kind.to_owned(), 0)).collect();
        for entity in 0..self.n_entities() as u32 {
            counts[self.entities.kind_code(entity) as usize].1 += 1;
        }
        counts.retain(|(_, count)| *count > 0);
        counts
    }

    fn count_relations(&self) -> Vec<(String, u64)> {
        let mut counts: Vec<(String, u64)> =
            self.stated_relations().map(|name| (name.to_owned(), 0)).collect();
        self.facts().for_each(|[_, relation, _]| counts[relation as usize].1 += 1);
        counts
    }
}

impl Distribution {
    fn of(mut values: Vec<u32>) -> Self {
        if values.is_empty() {
            return Self::default();
        }
        values.sort_unstable();
        let last = values.len() - 1;
        Self {
            min: values[0],
            median: values[last / 2],
            mean: values.iter().map(|&value| f64::from(value)).sum::<f64>() / values.len() as f64,
            percentile_90: values[(values.len() * 9).div_ceil(10) - 1],
            max: values[last],
        }
    }
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { min, median, mean, percentile_90, max } = self;
        write!(f, "{min} to {max}, median {median}, mean {mean:.1}, 90% at most {percentile_90}")
    }
}

impl fmt::Display for GraphStatistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |counts: &[(String, u64)]| {
            counts.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
        };
        let (n_items, with_facts) = (self.n_items, self.items_with_facts);
        writeln!(f, "items: {n_items}, {with_facts} with facts, {} without", self.isolated_items())?;
        writeln!(f, "entities: {} ({})", self.n_entities, list(&self.entities_of_kind))?;
        writeln!(
            f,
            "facts: {}, {} given again ({})",
            self.n_facts,
            self.n_repeats,
            list(&self.facts_of_relation)
        )?;
        writeln!(f, "facts per item: {}", self.item_degree)?;
        write!(f, "facts per entity: {}", self.entity_degree)?;
        if self.skipped.total() > 0 {
            write!(f, "\n{}", self.skipped)?;
        }
        Ok(())
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { n_interactions, covered_interactions, n_items, covered_items } = self;
        write!(
            f,
            "{covered_items} of {n_items} items and {covered_interactions} of {n_interactions} interactions have facts"
        )
    }
}

//! Which relations count: for a user, for an item, for a population.

use std::path::Path;

use cresset_data::FileError;
use cresset_data::graph::KnowledgeGraph;
use serde::Serialize;

use super::document::save_json;
use super::reasons::Reasons;

/// Values per relation, one row for each user, item or population; a drawing and JSON show it as it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct RelationHeatmap {
    /// What each row is of.
    pub rows: Vec<String>,
    /// The relations as the graph names them.
    pub columns: Vec<String>,
    /// `[rows][columns]`.
    pub values: Vec<Vec<f32>>,
}

impl RelationHeatmap {
    /// A table of the graph's relations, without rows yet.
    pub fn new(graph: &KnowledgeGraph) -> Self {
        let columns = graph.relations().iter().map(str::to_owned).collect();
        Self { columns, ..Self::default() }
    }

    /// Adds a row.
    ///
    /// # Panics
    ///
    /// If there is not a value for each relation.
    pub fn push(&mut self, row: impl Into<String>, values: Vec<f32>) {
        assert_eq!(values.len(), self.columns.len(), "a value for each relation");
        self.rows.push(row.into());
        self.values.push(values);
    }

    /// At most `n` relations, those of the largest values over all rows, in the order in which they were; a
    /// relation without a value but 0 is left out.
    #[must_use]
    pub fn strongest(&self, n: usize) -> Self {
        let size = |column: usize| self.values.iter().map(|row| row[column].abs()).sum::<f32>();
        let sizes: Vec<f32> = (0..self.columns.len()).map(size).collect();
        let mut used: Vec<usize> = (0..self.columns.len()).filter(|&column| sizes[column] > 0.0).collect();
        used.sort_by(|&a, &b| sizes[b].total_cmp(&sizes[a]));
        used.truncate(n);
        used.sort_unstable();
        Self {
            rows: self.rows.clone(),
            columns: used.iter().map(|&column| self.columns[column].clone()).collect(),
            values: self.values.iter().map(|row| used.iter().map(|&column| row[column]).collect()).collect(),
        }
    }

    /// Writes the table as JSON.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn save(&self, file: &Path) -> Result<(), FileError> {
        save_json(self, file)
    }
}

/// The mean attention of users to each relation, `[n_relations]`; zeros where there is no user.
pub fn mean_attention(
    reasons: &dyn Reasons,
    graph: &KnowledgeGraph,
    users: impl Iterator<Item = u32>,
) -> Vec<f32> {
    let mut sums = vec![0.0f64; graph.n_relations()];
    let mut n_users = 0usize;
    for user in users {
        n_users += 1;
        let attention = reasons.relation_attention(user);
        sums.iter_mut().zip(attention).for_each(|(sum, attention)| *sum += f64::from(attention));
    }
    sums.into_iter().map(|sum| (sum / n_users.max(1) as f64) as f32).collect()
}

/// How much each relation moves a user's scores, in stars: the mean over items of the size of what the item's
/// links of that relation add, `[n_relations]`.
///
/// Attention alone cannot be compared across relations, since a small weight may stand before large vectors;
/// attention times what it is paid to can.
///
/// # Panics
///
/// If the model names a relation that the graph has not.
pub fn relation_effect(reasons: &dyn Reasons, graph: &KnowledgeGraph, user: u32, items: &[u32]) -> Vec<f32> {
    let mut sizes = vec![0.0f64; graph.n_relations()];
    let mut of_item = vec![0.0f64; graph.n_relations()];
    for &item in items {
        of_item.fill(0.0);
        for link in reasons.contributions(user, item) {
            of_item[link.relation as usize] += f64::from(link.contribution);
        }
        sizes.iter_mut().zip(&of_item).for_each(|(size, sum)| *size += sum.abs());
    }
    sizes.into_iter().map(|size| (size / items.len().max(1) as f64) as f32).collect()
}

/// What share each relation has in the graph's part of one score, by the size of what it adds,
/// `[n_relations]`; zeros where the graph adds nothing.
///
/// # Panics
///
/// As [`relation_effect`].
pub fn item_attention(reasons: &dyn Reasons, graph: &KnowledgeGraph, user: u32, item: u32) -> Vec<f32> {
    let effect = relation_effect(reasons, graph, user, &[item]);
    let total: f32 = effect.iter().sum();
    if total > 0.0 { effect.into_iter().map(|size| size / total).collect() } else { effect }
}

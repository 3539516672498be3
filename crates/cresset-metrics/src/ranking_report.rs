//! What a ranking of the catalogue came to, user by user and on average.

use crate::{Metrics, RelevantRanks};

/// The ranking metrics, in the order of the report.
const METRICS: [(&str, MetricAtK); 4] = [
    ("hit_rate", RelevantRanks::hit_rate_at_k),
    ("precision", RelevantRanks::precision_at_k),
    ("recall", RelevantRanks::recall_at_k),
    ("ndcg", RelevantRanks::ndcg_at_k),
];

type MetricAtK = fn(&RelevantRanks, usize) -> f64;

/// Ranking metrics on average and of each user, and what was counted on the way.
#[derive(Debug, Clone, PartialEq)]
pub struct RankingReport {
    /// Means over the evaluated users, under keys such as `ndcg@10`; undefined if there is no such user.
    pub metrics: Metrics,
    /// Number of users evaluated.
    pub n_users: usize,
    /// Number of users left out because no item is relevant to them.
    pub n_users_left_out: usize,
    /// Number of relevant items of all evaluated users, masked ones too.
    pub n_relevant: usize,
    /// Number of relevant items that were masked because their user has seen them: misses by protocol.
    pub n_masked: usize,
    /// Number of relevant items that tie with another candidate, whose metrics are expected values.
    pub n_tied: usize,
    table: Table,
}

impl RankingReport {
    /// The evaluated users, in the order of the task.
    pub fn users(&self) -> &[u32] {
        &self.table.users
    }

    /// One metric of each evaluated user, in the order of [`RankingReport::users`]; none for a key that was
    /// not asked for.
    pub fn per_user(&self, key: &str) -> Option<Vec<f64>> {
        let column = self.table.keys.iter().position(|name| name == key)?;
        Some(self.table.column(column).collect())
    }
}

/// Takes in one user after the other; their order is the order of all sums.
#[derive(Debug)]
pub(crate) struct RankingAccumulator {
    ks: Vec<usize>,
    n_relevant: usize,
    n_masked: usize,
    n_tied: usize,
    table: Table,
}

impl RankingAccumulator {
    /// No user yet; the cut-offs are at least 1.
    pub(crate) fn new(ks: Vec<usize>) -> Self {
        let names = METRICS.iter().flat_map(|(name, _)| ks.iter().map(move |k| format!("{name}@{k}")));
        let table = Table { keys: names.collect(), users: Vec::new(), values: Vec::new() };
        Self { ks, n_relevant: 0, n_masked: 0, n_tied: 0, table }
    }

    /// One user's row of the table; apart from [`RankingAccumulator::push`] so that threads may share it.
    pub(crate) fn values_of(&self, ranks: &RelevantRanks) -> Vec<f64> {
        METRICS.iter().flat_map(|(_, metric)| self.ks.iter().map(|&k| metric(ranks, k))).collect()
    }

    /// Adds a user with the row that [`RankingAccumulator::values_of`] gave.
    pub(crate) fn push(&mut self, user: u32, ranks: &RelevantRanks, values: &[f64]) {
        self.table.users.push(user);
        self.table.values.extend_from_slice(values);
        self.n_relevant += ranks.n_relevant();
        self.n_masked += ranks.n_masked();
        self.n_tied += ranks.n_tied();
    }

    pub(crate) fn finish(self, n_users_left_out: usize) -> RankingReport {
        RankingReport {
            metrics: self.table.means(),
            n_users: self.table.users.len(),
            n_users_left_out,
            n_relevant: self.n_relevant,
            n_masked: self.n_masked,
            n_tied: self.n_tied,
            table: self.table,
        }
    }
}

/// Values by user and key.
#[derive(Debug, Clone, PartialEq)]
struct Table {
    keys: Vec<String>,
    users: Vec<u32>,
    /// `[users, keys]`, row-major.
    values: Vec<f64>,
}

impl Table {
    fn means(&self) -> Metrics {
        let mut metrics = Metrics::new();
        for (column, key) in self.keys.iter().enumerate() {
            if self.users.is_empty() {
                metrics.insert_undefined(key, "no user has a relevant item");
            } else {
                metrics.insert(key, self.column(column).sum::<f64>() / self.users.len() as f64);
            }
        }
        metrics
    }

    fn column(&self, column: usize) -> impl Iterator<Item = f64> {
        self.values.iter().skip(column).step_by(self.keys.len()).copied()
    }
}

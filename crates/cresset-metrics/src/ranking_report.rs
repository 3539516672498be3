//! What a ranking came to, user by user and on average.

use crate::Metrics;
use crate::accumulator::{Layout, Source, Tally};
use crate::beyond_accuracy::Exposure;

/// Ranking metrics on average and of each user, and what was counted on the way.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RankingReport {
    /// The metrics of all evaluated users, under keys such as `ndcg@10`, in the order of the plan; undefined
    /// with the reason where the users leave one without a value.
    pub metrics: Metrics,
    /// Number of users evaluated.
    pub n_users: usize,
    /// Number of users left out because no item is relevant to them.
    pub n_users_left_out: usize,
    /// Number of relevant items of all evaluated users, masked ones too.
    pub n_relevant: usize,
    /// Number of relevant items that no place holds: masked because their user has seen them, or not in the
    /// user's given list. Misses by protocol.
    pub n_masked: usize,
    /// Number of relevant items that tie with another candidate, whose metrics are expected values; ties that lie
    /// below every cut-off, where they concern no metric, are not counted.
    pub n_tied: usize,
    /// Number of items taken out of given lists because their user has seen them.
    pub n_seen_removed: usize,
    /// Number of evaluated users whose given list holds no item.
    pub n_empty_lists: usize,
    columns: Vec<KeyColumns>,
    table: Table,
}

/// One metric of each user who has a value in it, as statistics over users need it.
#[derive(Debug, Clone, PartialEq)]
pub struct UserValues {
    /// Dense user ids, in the order of the task.
    pub users: Vec<u32>,
    /// The values: `[users]`, all finite.
    pub values: Vec<f64>,
    /// What each value counts in the mean: `[users]`; none if all count the same.
    pub weights: Option<Vec<f64>>,
}

impl UserValues {
    /// The values that count in the mean: those of weight 0 are left out.
    #[must_use]
    pub fn that_count(self) -> Self {
        let Some(weights) = &self.weights else { return self };
        let kept: Vec<usize> = (0..weights.len()).filter(|&at| weights[at] > 0.0).collect();
        Self {
            users: kept.iter().map(|&at| self.users[at]).collect(),
            values: kept.iter().map(|&at| self.values[at]).collect(),
            weights: Some(kept.iter().map(|&at| weights[at]).collect()),
        }
    }
}

/// Which columns of the table a key is the mean of.
#[derive(Debug, Clone, PartialEq)]
struct KeyColumns {
    key: String,
    column: usize,
    weight: Option<usize>,
}

impl RankingReport {
    pub(crate) fn new(
        layout: &Layout,
        table: Table,
        exposures: &[Exposure],
        tally: Tally,
        n_users_of_task: usize,
    ) -> Self {
        let mut report = Self {
            metrics: Metrics::new(),
            n_users: table.users.len(),
            n_users_left_out: n_users_of_task - table.users.len(),
            n_relevant: tally.relevant,
            n_masked: tally.unreachable,
            n_tied: tally.tied,
            n_seen_removed: tally.removed,
            n_empty_lists: tally.empty_lists,
            columns: Vec::new(),
            table,
        };
        for &(key, source) in layout.sources() {
            let key = key.to_string();
            match report.value(&key, source, exposures) {
                Ok(value) if report.n_users > 0 => report.metrics.insert(key, value),
                Err(reason) if report.n_users > 0 => report.metrics.insert_undefined(key, reason),
                _ => report.metrics.insert_undefined(key, "no user has a relevant item"),
            }
        }
        report
    }

    /// The evaluated users, in the order of the task.
    pub fn users(&self) -> &[u32] {
        &self.table.users
    }

    /// One metric of each evaluated user, in the order of [`RankingReport::users`].
    ///
    /// NaN of a user who has no value in it, such as the AUC of one to whom all candidates are relevant. None
    /// for a key that was not asked for, or that is no mean over users, such as `coverage@10`.
    pub fn per_user(&self, key: &str) -> Option<Vec<f64>> {
        self.columns_of(key).map(|columns| self.table.column(columns.column).collect())
    }

    /// One metric of each evaluated user who has a value in it, with weights where its mean has some.
    ///
    /// None for a key that was not asked for, or that is no mean over users.
    pub fn user_values(&self, key: &str) -> Option<UserValues> {
        let columns = self.columns_of(key)?;
        let mut of =
            UserValues { users: Vec::new(), values: Vec::new(), weights: columns.weight.map(|_| Vec::new()) };
        for (row, value) in self.table.column(columns.column).enumerate().filter(|(_, value)| !value.is_nan())
        {
            of.users.push(self.table.users[row]);
            of.values.push(value);
            if let (Some(weights), Some(weight)) = (&mut of.weights, columns.weight) {
                weights.push(self.table.row(row)[weight]);
            }
        }
        Some(of)
    }

    /// Number of evaluated users who have no value in a metric and are left out of its mean; none for a key
    /// that was not asked for, or that is no mean over users.
    pub fn n_without_value(&self, key: &str) -> Option<usize> {
        let columns = self.columns_of(key)?;
        Some(self.table.column(columns.column).filter(|value| value.is_nan()).count())
    }

    fn columns_of(&self, key: &str) -> Option<&KeyColumns> {
        self.columns.iter().find(|columns| columns.key == key)
    }

    fn value(&mut self, key: &str, source: Source, exposures: &[Exposure]) -> Result<f64, &'static str> {
        match source {
            Source::Missing { reason } => Err(reason),
            Source::Coverage { exposure } => Ok(exposures[exposure].coverage()),
            Source::Gini { exposure } => exposures[exposure].gini().ok_or("no list shows an item"),
            Source::Mean { column, none } => {
                self.columns.push(KeyColumns { key: key.to_owned(), column, weight: None });
                self.table.mean(column, None).ok_or(none)
            }
            Source::WeightedMean { column, weight, none } => {
                self.columns.push(KeyColumns { key: key.to_owned(), column, weight: Some(weight) });
                self.table.mean(column, Some(weight)).ok_or(none)
            }
        }
    }
}

/// Numbers by user.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    users: Vec<u32>,
    n_columns: usize,
    /// `[users, columns]`, row-major.
    values: Vec<f64>,
}

/// To the bit: a user without a value equals another one.
impl PartialEq for Table {
    fn eq(&self, other: &Self) -> bool {
        let bits = |table: &Self| table.values.iter().map(|value| value.to_bits()).collect::<Vec<u64>>();
        (&self.users, self.n_columns) == (&other.users, other.n_columns) && bits(self) == bits(other)
    }
}

impl Table {
    /// The rows of the evaluated users, whose positions rise.
    ///
    /// # Shapes
    ///
    /// - users: `[all]`
    /// - values: `[all, columns]`, row-major
    pub(crate) fn new(users: &[u32], evaluated: &[usize], n_columns: usize, values: Vec<f64>) -> Self {
        let mut values = values;
        if evaluated.len() < users.len() {
            for (row, &position) in evaluated.iter().enumerate() {
                values.copy_within(position * n_columns..(position + 1) * n_columns, row * n_columns);
            }
            values.truncate(evaluated.len() * n_columns);
        }
        let users = evaluated.iter().map(|&position| users[position]).collect();
        Self { users, n_columns, values }
    }

    /// Mean over the users who have a value, in their order; none if nobody has, or the weights are all 0.
    fn mean(&self, column: usize, weight: Option<usize>) -> Option<f64> {
        let (mut sum, mut total) = (0.0, 0.0);
        for row in (0..self.users.len()).map(|row| self.row(row)) {
            let (value, weight) = (row[column], weight.map_or(1.0, |weight| row[weight]));
            if !value.is_nan() {
                sum += value * weight;
                total += weight;
            }
        }
        (total > 0.0).then(|| sum / total)
    }

    fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.n_columns..][..self.n_columns]
    }

    fn column(&self, column: usize) -> impl Iterator<Item = f64> {
        self.values.iter().skip(column).step_by(self.n_columns.max(1)).copied()
    }
}

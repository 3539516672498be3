//! What each user adds to a metric: for intervals, for comparing runs, and for a file.

use std::collections::BTreeMap;
use std::path::Path;

use cresset_data::files::{FileError, atomic_write, read_bytes};
use cresset_data::{Ratings, Vocabulary};
use cresset_metrics::statistics::{
    Bootstrap, Comparison, Interval, LeftOut, PairedTest, StatisticsError, UserMetric, UserStatistic,
    UserSums,
};
use cresset_metrics::{Metric, MetricError, MetricKey, Parameter, RankingReport, UserValues};
use cresset_metrics::{accuracy_within, mae, mape, mse, parse_key, smape};

/// The metrics of a measurement that are made of what single users add.
///
/// As a file it is a table: a row for each user, a column for each metric; a metric that is no plain mean over users
/// has the two columns that it is made of.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PerUser {
    columns: Vec<Column>,
}

/// One metric.
#[derive(Debug, Clone, PartialEq)]
struct Column {
    key: String,
    values: Values,
}

#[derive(Debug, Clone, PartialEq)]
enum Values {
    /// The mean of one value of each user, by weight where there are weights.
    Mean(UserValues),
    /// A sum over users by another; of `rmse`, its root.
    Ratio(UserSums),
}

/// Why what single users add could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum PerUserError {
    /// The file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file holds something else than was written to it.
    #[error("{file} is damaged ({cause}): restore it from a copy, or train again")]
    Damaged {
        /// The file.
        file: String,
        /// What is wrong.
        cause: String,
    },
}

impl PerUser {
    /// The errors of each user, for the metrics that are means over ratings.
    pub(super) fn of_ratings(keys: &[MetricKey], ratings: &Ratings, predictions: &[f32]) -> Self {
        let column = |key: &MetricKey| {
            let term = term_of(key)?;
            let terms = ratings.rating.iter().zip(predictions).map(|(&target, &found)| term(target, found));
            // Means were taken of the same numbers before: none of them is an error.
            let rows = ratings.user_id.iter().copied().zip(terms.map(|term| term.unwrap_or(f64::NAN)));
            Some(Column { key: key.to_string(), values: Values::Ratio(UserSums::of_rows(rows)) })
        };
        Self { columns: keys.iter().filter_map(column).collect() }
    }

    pub(super) fn add_ranking(&mut self, report: &RankingReport) {
        for (key, _) in report.metrics.iter().filter(|(_, value)| value.is_some()) {
            if let Some(values) = report.user_values(key).map(UserValues::that_count) {
                self.columns.push(Column { key: key.to_owned(), values: Values::Mean(values) });
            }
        }
    }

    /// What each user adds over all folds together: of each metric that is a ratio of sums over ratings in every fold,
    /// such as `rmse`, the sums of the user's sums.
    ///
    /// Each rating is tested in one fold, so the sums are those of all ratings, and the metric is that of all
    /// predictions together, not the mean over folds. Metrics that are means over users, such as `ndcg@10`, are left
    /// out: a user has a value in every fold, and these do not add up to one. The order of the folds is that of the
    /// sums; all must speak of the users by the same dense ids.
    pub fn pooled(folds: &[Self]) -> Self {
        let Some(first) = folds.first() else { return Self::default() };
        let column = |key: &str| {
            let sums: Option<Vec<&UserSums>> = folds.iter().map(|fold| fold.sums(key)).collect();
            Some(Column { key: key.to_owned(), values: Values::Ratio(added(&sums?)) })
        };
        Self { columns: first.keys().filter_map(column).collect() }
    }

    /// The metrics, in their order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.key.as_str())
    }

    /// Both sums of each user; none where the metric is not there or no ratio.
    fn sums(&self, key: &str) -> Option<&UserSums> {
        match &self.columns.iter().find(|column| column.key == key)?.values {
            Values::Ratio(sums) => Some(sums),
            Values::Mean(_) => None,
        }
    }

    /// Whether there is no metric.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// The bootstrap interval of each metric, in their order.
    ///
    /// # Errors
    ///
    /// If a setting of the bootstrap is out of its range.
    pub fn intervals(&self, bootstrap: &Bootstrap) -> Result<Vec<(String, Interval)>, StatisticsError> {
        let mut found = Vec::new();
        // Neighbours of the same users share their draws.
        for group in self.columns.chunk_by(|a, b| a.users() == b.users()) {
            let statistics: Vec<UserStatistic<'_>> = group.iter().map(Column::statistic).collect();
            let keys = group.iter().map(|column| column.key.clone());
            found.extend(keys.zip(bootstrap.intervals(&statistics)?));
        }
        Ok(found)
    }

    /// The metrics of `baseline`, compared on the same users; those that cannot be are left out with the reason.
    ///
    /// # Errors
    ///
    /// If a setting is out of its range.
    pub fn against(&self, baseline: &Self, test: &PairedTest) -> Result<Comparison, StatisticsError> {
        let (mut before, mut after, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
        for column in &baseline.columns {
            let own = self.columns.iter().find(|own| own.key == column.key);
            match own.ok_or("only the first run has it").and_then(|own| own.beside(column)) {
                Ok(own) => {
                    before.push(column.metric());
                    after.push(own.metric());
                }
                Err(reason) => left_out.push(LeftOut { key: column.key.clone(), reason: reason.to_owned() }),
            }
        }
        let is_new = |own: &&Column| baseline.columns.iter().all(|column| column.key != own.key);
        left_out.extend(
            self.columns
                .iter()
                .filter(is_new)
                .map(|own| LeftOut { key: own.key.clone(), reason: "only the second run has it".to_owned() }),
        );
        Ok(Comparison { left_out, ..test.compare(&before, &after)? })
    }

    /// Writes a CSV file with the external ids of the users.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn save(&self, path: &Path, users: &Vocabulary) -> Result<(), PerUserError> {
        let mut table = csv::Writer::from_writer(Vec::new());
        let fail = |cause: csv::Error| FileError::write(path, cause);
        let cells: Vec<Cells> = self.columns.iter().flat_map(Column::cells).collect();
        let header = std::iter::once(USER_ID).chain(cells.iter().map(|cells| cells.name.as_str()));
        table.write_record(header).map_err(fail)?;
        let mut mentioned: Vec<u32> = self.columns.iter().flat_map(Column::users).copied().collect();
        mentioned.sort_unstable();
        mentioned.dedup();
        let mut row = Vec::new();
        let mut places = vec![0; cells.len()];
        for &user in &mentioned {
            row.clear();
            row.push(users.id_of(user).to_owned());
            row.extend(cells.iter().zip(&mut places).map(|(cells, place)| cells.at(user, place)));
            table.write_record(&row).map_err(fail)?;
        }
        let bytes = table.into_inner().map_err(|cause| FileError::write(path, cause.into_error()))?;
        Ok(atomic_write(path, &bytes)?)
    }

    /// Reads what [`save`](Self::save) wrote.
    ///
    /// # Errors
    ///
    /// If the file is missing or damaged, or names a user that `users` does not have.
    pub fn load(path: &Path, users: &Vocabulary) -> Result<Self, PerUserError> {
        let bytes = read_bytes(path)?;
        let damaged = |cause: String| PerUserError::Damaged { file: path.display().to_string(), cause };
        let mut table = csv::Reader::from_reader(bytes.as_slice());
        let header = table.headers().map_err(|cause| damaged(cause.to_string()))?.clone();
        let names: Vec<&str> = header.iter().skip(1).collect();
        let mut cells = vec![(Vec::new(), Vec::new()); names.len()];
        for record in table.records() {
            let record = record.map_err(|cause| damaged(cause.to_string()))?;
            let id = record.get(0).unwrap_or_default();
            let user =
                users.index_of(id).ok_or_else(|| damaged(format!("it names the unknown user {id}")))?;
            for (text, (users, values)) in record.iter().skip(1).zip(&mut cells) {
                if !text.is_empty() {
                    users.push(user);
                    values.push(
                        text.parse().map_err(|_| damaged(format!("\"{text}\" of user {id} is no number")))?,
                    );
                }
            }
        }
        let mut columns = Vec::new();
        let mut rest = names.into_iter().zip(cells).peekable();
        while let Some((name, (users, values))) = rest.next() {
            let (key, is_ratio) = match name.strip_suffix(SUM) {
                Some(key) => (key, true),
                None => (name, false),
            };
            parse_key(key).map_err(|error| damaged(error.to_string()))?;
            let beside = if is_ratio { COUNT } else { WEIGHT };
            let beside = rest.next_if(|(name, _)| name.strip_suffix(beside) == Some(key));
            let values = match (is_ratio, beside) {
                (false, beside) => Values::Mean(UserValues {
                    users,
                    values,
                    weights: beside.map(|(_, (_, weights))| weights),
                }),
                (true, Some((_, (_, denominators)))) => {
                    Values::Ratio(UserSums { users, numerators: values, denominators })
                }
                (true, None) => return Err(damaged(format!("column \"{key}{COUNT}\" is missing"))),
            };
            columns.push(Column { key: key.to_owned(), values });
        }
        Ok(Self { columns })
    }
}

const USER_ID: &str = "user_id";
/// Behind a key: what its values count in the mean, and the two sums of a ratio.
const WEIGHT: &str = ":weight";
const SUM: &str = ":sum";
const COUNT: &str = ":n";

/// A column of the file.
struct Cells<'a> {
    name: String,
    users: &'a [u32],
    values: &'a [f64],
}

impl Cells<'_> {
    /// The text for a user, where users rise from call to call and `place` keeps where the last one was.
    fn at(&self, user: u32, place: &mut usize) -> String {
        if self.users.get(*place) != Some(&user) {
            return String::new();
        }
        *place += 1;
        self.values[*place - 1].to_string()
    }
}

impl Column {
    /// It, where its users and what they weigh are those of `other`; else why the two cannot be compared.
    fn beside(&self, other: &Self) -> Result<&Self, &'static str> {
        match self {
            _ if self.users() != other.users() => Err("it has a value for other users in each run"),
            _ if self.weights() != other.weights() => Err("each run weighs users in its own way"),
            _ => Ok(self),
        }
    }

    fn users(&self) -> &[u32] {
        match &self.values {
            Values::Mean(values) => &values.users,
            Values::Ratio(sums) => &sums.users,
        }
    }

    fn weights(&self) -> Option<&[f64]> {
        match &self.values {
            Values::Mean(values) => values.weights.as_deref(),
            Values::Ratio(sums) => Some(&sums.denominators),
        }
    }

    fn statistic(&self) -> UserStatistic<'_> {
        match &self.values {
            Values::Mean(UserValues { values, weights: Some(weights), .. }) => {
                UserStatistic::WeightedMean { values, weights }
            }
            Values::Mean(UserValues { values, .. }) => UserStatistic::Mean(values),
            Values::Ratio(sums) if self.key == Metric::Rmse.name() => UserStatistic::RootRatio(sums),
            Values::Ratio(sums) => UserStatistic::Ratio(sums),
        }
    }

    fn metric(&self) -> UserMetric<'_> {
        UserMetric { key: &self.key, users: self.users(), statistic: self.statistic() }
    }

    fn cells(&self) -> Vec<Cells<'_>> {
        let cells =
            |end: &str, values| Cells { name: format!("{}{end}", self.key), users: self.users(), values };
        match &self.values {
            Values::Mean(UserValues { values, weights: Some(weights), .. }) => {
                vec![cells("", values), cells(WEIGHT, weights)]
            }
            Values::Mean(UserValues { values, .. }) => vec![cells("", values)],
            Values::Ratio(sums) => vec![cells(SUM, &sums.numerators), cells(COUNT, &sums.denominators)],
        }
    }
}

/// The sums of each user over all of these, users rising.
fn added(all: &[&UserSums]) -> UserSums {
    let mut of_users: BTreeMap<u32, (f64, f64)> = BTreeMap::new();
    for sums in all {
        let ratios = sums.numerators.iter().zip(&sums.denominators);
        for (&user, (numerator, denominator)) in sums.users.iter().zip(ratios) {
            let sum = of_users.entry(user).or_default();
            *sum = (sum.0 + numerator, sum.1 + denominator);
        }
    }
    UserSums {
        users: of_users.keys().copied().collect(),
        numerators: of_users.values().map(|sum| sum.0).collect(),
        denominators: of_users.values().map(|sum| sum.1).collect(),
    }
}

type Term = Box<dyn Fn(f32, f32) -> Result<f64, MetricError>>;

/// What one rating adds to a metric that is a mean over ratings, or the root of one: its value of that rating alone.
fn term_of(key: &MetricKey) -> Option<Term> {
    let of_one = |metric: fn(&[f32], &[f32]) -> Result<f64, MetricError>| -> Term {
        Box::new(move |target, found| metric(&[target], &[found]))
    };
    match (key.metric(), key.parameter()) {
        (Metric::Mse | Metric::Rmse, _) => Some(of_one(mse)),
        (Metric::Mae, _) => Some(of_one(mae)),
        (Metric::Mape, _) => Some(of_one(mape)),
        (Metric::Smape, _) => Some(of_one(smape)),
        (Metric::Accuracy, Parameter::Tolerance(tolerance)) => {
            Some(Box::new(move |target, found| accuracy_within(&[target], &[found], tolerance)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use cresset_data::TimeKind;
    use cresset_metrics::expand_keys;

    use super::*;

    fn ratings() -> Ratings {
        Ratings {
            user_id: vec![1, 0, 1],
            item_id: vec![0, 0, 1],
            rating: vec![4.0, 3.0, 2.0],
            time: vec![0; 3],
            time_kind: TimeKind::Absent,
            parts: None,
        }
    }

    fn sample() -> PerUser {
        let keys = expand_keys(&["rmse", "mae", "r2"], &[]).unwrap();
        let mut per_user = PerUser::of_ratings(&keys, &ratings(), &[3.0, 3.5, 2.0]);
        let mean = |users: &[u32], values: &[f64], weights: Option<&[f64]>| {
            let weights = weights.map(<[f64]>::to_vec);
            Values::Mean(UserValues { users: users.to_vec(), values: values.to_vec(), weights })
        };
        per_user.columns.push(Column { key: "ndcg@10".to_owned(), values: mean(&[1], &[0.25], None) });
        let weighted = mean(&[0, 1], &[0.5, 1.0 / 3.0], Some(&[2.0, 1.0]));
        per_user.columns.push(Column { key: "gauc".to_owned(), values: weighted });
        per_user
    }

    #[test]
    fn the_errors_of_a_user_are_summed_and_counted() {
        let per_user = sample();
        let Values::Ratio(rmse) = &per_user.columns[0].values else { panic!("a ratio") };
        assert_eq!((&rmse.users[..], &rmse.numerators[..]), (&[0, 1][..], &[0.25, 1.0][..]));
        assert_eq!(rmse.denominators, [1.0, 2.0]);
        // r2 is no mean over ratings.
        assert_eq!(per_user.columns.len(), 4);
        let intervals = per_user.intervals(&Bootstrap::default()).unwrap();
        assert_eq!((intervals[0].0.as_str(), intervals[0].1.estimate), ("rmse", (1.25_f64 / 3.0).sqrt()));
    }

    #[test]
    fn the_sums_of_a_user_add_up_over_folds_and_means_over_users_are_left_out() {
        let keys = expand_keys(&["rmse"], &[]).unwrap();
        let rows = Ratings { user_id: vec![2, 1, 2], ..ratings() };
        // Errors of user 1 and 2 in the second fold: -1; 0.5 and 2.
        let other = PerUser::of_ratings(&keys, &rows, &[4.5, 2.0, 4.0]);
        let pooled = PerUser::pooled(&[sample(), other]);
        assert_eq!(pooled.keys().collect::<Vec<_>>(), ["rmse"], "the second fold has no mae");
        let rmse = pooled.sums("rmse").unwrap();
        assert_eq!(rmse.users, [0, 1, 2]);
        assert_eq!(rmse.numerators, [0.25, 1.0 + 1.0, 0.25 + 4.0]);
        assert_eq!(rmse.denominators, [1.0, 2.0 + 1.0, 2.0]);
        assert_eq!(PerUser::pooled(&[sample()]).keys().collect::<Vec<_>>(), ["rmse", "mae"]);
        assert!(PerUser::pooled(&[]).is_empty());
    }

    #[test]
    fn folds_pool_to_what_is_summed_over_all_ratings_at_once() {
        let keys = expand_keys(&["rmse", "mae", "accuracy@0.5"], &[]).unwrap();
        // Eighths, whose sums and squares are exact.
        let n = 60_usize;
        let prediction = |row: usize| (row * 7 % 40) as f32 / 8.0;
        let part = |rows: Vec<usize>| {
            let of = Ratings {
                user_id: rows.iter().map(|row| (row * 5 % 11) as u32).collect(),
                item_id: rows.iter().map(|&row| row as u32).collect(),
                rating: rows.iter().map(|row| (row % 5 + 1) as f32).collect(),
                time: vec![0; rows.len()],
                ..ratings()
            };
            let found: Vec<f32> = rows.into_iter().map(prediction).collect();
            PerUser::of_ratings(&keys, &of, &found)
        };
        let folds: Vec<PerUser> = (0..3).map(|fold| part((fold..n).step_by(3).collect())).collect();
        assert_eq!(PerUser::pooled(&folds), part((0..n).collect()));
    }

    #[test]
    fn a_file_reads_back_to_the_same_bits() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.csv");
        let users = Vocabulary::from_ids(["a,b", "say \"c\""]);
        sample().save(&path, &users).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(
            text.starts_with(
                "user_id,rmse:sum,rmse:n,mae:sum,mae:n,ndcg@10,gauc,gauc:weight\n\"a,b\",0.25,1,"
            ),
            "{text}"
        );
        assert_eq!(PerUser::load(&path, &users).unwrap(), sample());
    }

    #[test]
    fn a_damaged_file_is_an_error_with_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.csv");
        let users = Vocabulary::from_ids(["a"]);
        for (text, part) in [
            ("user_id,ndcg@10\nz,1\n", "unknown user z"),
            ("user_id,ndcg@10\na,x\n", "\"x\" of user a"),
            ("user_id,rmse:sum\na,1\n", "\"rmse:n\" is missing"),
            ("user_id,ndgc@10\na,1\n", "did you mean \"ndcg@10\""),
            ("user_id,ndcg@10\na\n", "record"),
        ] {
            std::fs::write(&path, text).unwrap();
            let message = PerUser::load(&path, &users).unwrap_err().to_string();
            assert!(message.contains("users.csv") && message.contains(part), "{message}");
        }
    }

    #[test]
    fn runs_are_compared_by_what_both_have_and_weigh_alike() {
        let (baseline, mut candidate) = (sample(), sample());
        candidate.columns.remove(2);
        if let Values::Mean(gauc) = &mut candidate.columns[2].values {
            gauc.weights = Some(vec![1.0, 1.0]);
        }
        let comparison = candidate.against(&baseline, &PairedTest::default()).unwrap();
        let keys: Vec<&str> = comparison.metrics.iter().map(|metric| metric.key.as_str()).collect();
        assert_eq!(keys, ["rmse", "mae"]);
        assert_eq!(comparison.metrics[0].difference.estimate, 0.0);
        let left_out: Vec<&str> = comparison.left_out.iter().map(|left| left.key.as_str()).collect();
        assert_eq!(left_out, ["ndcg@10", "gauc"]);
    }

    #[test]
    fn a_metric_with_values_of_other_users_leaves_the_others_standing() {
        let (baseline, mut candidate) = (sample(), sample());
        if let Values::Mean(ndcg) = &mut candidate.columns[2].values {
            ndcg.users = vec![0];
        }
        let comparison = candidate.against(&baseline, &PairedTest::default()).unwrap();
        assert_eq!((comparison.metrics.len(), comparison.left_out.len()), (3, 1));
        assert_eq!(comparison.left_out[0].key, "ndcg@10");
        assert!(comparison.left_out[0].reason.contains("other users"));
    }
}

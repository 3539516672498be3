//! Which numbers are kept of each user, and how each key is made of them.

use crate::beyond_accuracy::{ListValue, Shown};
use crate::discount::ideal_dcg;
use crate::key::{Metric, MetricKey};
use crate::relevant_ranks::Measure;
use crate::{ItemFacts, RankingPlan, RelevantRanks};

/// What is computed for each user, and from what each key's value is taken.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    /// Measures of the ranking that columns share, each once.
    measures: Vec<(Measure, usize)>,
    columns: Vec<Column>,
    /// Cut-offs at which exposure is counted, each once.
    exposures: Vec<usize>,
    sources: Vec<(MetricKey, Source)>,
    /// Places of a list that are needed at most; 0 if no list is.
    list_len: usize,
}

/// Where the value of a key comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Source {
    /// The mean of a column over the users who have a value in it.
    Mean { column: usize, none: &'static str },
    /// The same, weighted by another column.
    WeightedMean { column: usize, weight: usize, none: &'static str },
    /// Share of the catalogue that is exposed.
    Coverage { exposure: usize },
    /// Gini index of the exposure.
    Gini { exposure: usize },
    /// Nothing, for this reason.
    Missing { reason: &'static str },
}

/// One number of a user; NaN where the user has no value.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Column {
    Measured { measure: usize, divisor: Divisor },
    Auc,
    NumberRelevant,
    Listed { value: ListValue, k: usize },
}

/// What a measure is divided by.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Divisor {
    /// A number that is the same for all users.
    Constant(f64),
    /// The number of relevant items.
    Relevant,
    /// The hits that k places allow.
    RelevantUpTo(usize),
    /// Half of k and the number of relevant items together.
    MeanWithRelevant(usize),
    /// The gain of the hits that k places allow.
    IdealUpTo(usize),
}

const NO_NEGATIVE: &str = "no user has a candidate that is not relevant, so no pair can be ordered";

impl Layout {
    /// The layout of a plan; `lists_only` if what is ranked are lists, which leave most candidates unranked.
    pub(crate) fn new(plan: &RankingPlan<'_>, lists_only: bool) -> Self {
        let mut layout = Self {
            measures: Vec::new(),
            columns: Vec::new(),
            exposures: Vec::new(),
            sources: Vec::new(),
            list_len: 0,
        };
        for &key in plan.keys() {
            let source = layout.source(key, plan.facts(), lists_only);
            layout.sources.push((key, source));
        }
        layout
    }

    /// Numbers kept of each user.
    pub(crate) fn n_columns(&self) -> usize {
        self.columns.len()
    }

    /// Places of a list that are needed at most; 0 if no list is.
    pub(crate) fn list_len(&self) -> usize {
        self.list_len
    }

    /// The cut-offs at which exposure is counted.
    pub(crate) fn exposures(&self) -> &[usize] {
        &self.exposures
    }

    /// Each key of the plan, and where its value comes from.
    pub(crate) fn sources(&self) -> &[(MetricKey, Source)] {
        &self.sources
    }

    /// Writes a user's row.
    ///
    /// # Shapes
    ///
    /// - measured: room for shared measures, of any length
    /// - row: `[columns]`
    pub(crate) fn fill(
        &self,
        ranks: &RelevantRanks,
        shown: Shown<'_>,
        facts: Option<&ItemFacts<'_>>,
        measured: &mut Vec<f64>,
        row: &mut [f64],
    ) {
        measured.clear();
        measured.extend(self.measures.iter().map(|&(measure, k)| ranks.measure(measure, k)));
        for (value, column) in row.iter_mut().zip(&self.columns) {
            *value = match *column {
                Column::Measured { measure, divisor } => measured[measure] / divisor.of(ranks.n_relevant()),
                Column::Auc => ranks.auc().unwrap_or(f64::NAN),
                Column::NumberRelevant => ranks.n_relevant() as f64,
                Column::Listed { value, k } => {
                    let list = &shown.list[..k.min(shown.list.len())];
                    facts.map_or(f64::NAN, |facts| value.of(Shown { list, ..shown }, facts))
                }
            };
        }
    }

    fn source(&mut self, key: MetricKey, facts: Option<&ItemFacts<'_>>, lists_only: bool) -> Source {
        let metric = key.metric();
        if let Some(value) = ListValue::behind(metric) {
            return self.list_source(value, key.k().unwrap_or_default(), facts);
        }
        match (metric, key.k()) {
            (Metric::Auc | Metric::Gauc, _) if lists_only => {
                Source::Missing { reason: "a list does not rank the items that it leaves out" }
            }
            (Metric::Auc, _) => Source::Mean { column: self.column(Column::Auc), none: NO_NEGATIVE },
            (Metric::Gauc, _) => {
                let (column, weight) = (self.column(Column::Auc), self.column(Column::NumberRelevant));
                Source::WeightedMean { column, weight, none: NO_NEGATIVE }
            }
            (Metric::Coverage, Some(k)) => Source::Coverage { exposure: self.exposure(k) },
            (Metric::Gini, Some(k)) => Source::Gini { exposure: self.exposure(k) },
            (_, Some(k)) => self.ranking_source(metric, k),
            (_, None) => unreachable!("a plan holds no rating metric, and {metric:?} takes a cut-off"),
        }
    }

    fn ranking_source(&mut self, metric: Metric, k: usize) -> Source {
        let (measure, divisor) = match metric {
            Metric::HitRate => (Measure::HitChance, Divisor::Constant(1.0)),
            Metric::Precision => (Measure::Hits, Divisor::Constant(k as f64)),
            Metric::Recall | Metric::RecallByPair => (Measure::Hits, Divisor::Relevant),
            Metric::RecallCapped => (Measure::Hits, Divisor::RelevantUpTo(k)),
            Metric::F1 => (Measure::Hits, Divisor::MeanWithRelevant(k)),
            Metric::Ndcg => (Measure::Dcg, Divisor::IdealUpTo(k)),
            Metric::NdcgIdealK => (Measure::Dcg, Divisor::Constant(ideal_dcg(k))),
            Metric::Mrr => (Measure::ReciprocalRank, Divisor::Constant(1.0)),
            Metric::Map => (Measure::PrecisionSum, Divisor::RelevantUpTo(k)),
            Metric::MapByRelevant => (Measure::PrecisionSum, Divisor::Relevant),
            other => unreachable!("{other:?} is no metric of the first k of a ranking"),
        };
        let measure = place_of(&mut self.measures, (measure, k));
        let column = self.column(Column::Measured { measure, divisor });
        if metric == Metric::RecallByPair {
            return Source::WeightedMean { column, weight: self.column(Column::NumberRelevant), none: "" };
        }
        // Whoever is evaluated has a relevant item, and so a value.
        Source::Mean { column, none: "" }
    }

    fn list_source(&mut self, value: ListValue, k: usize, facts: Option<&ItemFacts<'_>>) -> Source {
        if let Some(reason) = value.lacks(facts) {
            return Source::Missing { reason };
        }
        self.list_len = self.list_len.max(k);
        let (column, none) = (self.column(Column::Listed { value, k }), value.reason_for_none());
        if value == ListValue::Serendipity {
            let weight = self.column(Column::Listed { value: ListValue::Hits, k });
            return Source::WeightedMean { column, weight, none };
        }
        Source::Mean { column, none }
    }

    fn exposure(&mut self, k: usize) -> usize {
        self.list_len = self.list_len.max(k);
        place_of(&mut self.exposures, k)
    }

    fn column(&mut self, column: Column) -> usize {
        place_of(&mut self.columns, column)
    }
}

impl Divisor {
    fn of(self, n_relevant: usize) -> f64 {
        match self {
            Divisor::Constant(value) => value,
            Divisor::Relevant => n_relevant as f64,
            Divisor::RelevantUpTo(k) => n_relevant.min(k) as f64,
            Divisor::MeanWithRelevant(k) => (k as f64 + n_relevant as f64) / 2.0,
            Divisor::IdealUpTo(k) => ideal_dcg(n_relevant.min(k)),
        }
    }
}

/// The place of a value in a list to which it is added if it is not there yet.
fn place_of<T: PartialEq>(values: &mut Vec<T>, value: T) -> usize {
    values.iter().position(|known| *known == value).unwrap_or_else(|| {
        values.push(value);
        values.len() - 1
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(keys: &[&str]) -> Layout {
        Layout::new(&RankingPlan::parse(keys).unwrap(), false)
    }

    #[test]
    fn what_several_metrics_need_is_measured_once() {
        let layout = layout(&["precision@10", "recall@10", "f1@10", "recall@5", "auc", "gauc"]);
        assert_eq!(layout.measures, [(Measure::Hits, 10), (Measure::Hits, 5)]);
        // Four of hits, one AUC for both means, and the weights of one.
        assert_eq!(layout.n_columns(), 6);
    }

    #[test]
    fn lists_are_taken_only_where_a_key_needs_them() {
        assert_eq!(layout(&["ndcg@10", "auc"]).list_len(), 0);
        assert_eq!(layout(&["ndcg@100", "coverage@10", "gini@20"]).list_len(), 20);
        // Without facts novelty is missing, and asks for no list.
        assert_eq!(layout(&["novelty@10"]).list_len(), 0);
    }
}

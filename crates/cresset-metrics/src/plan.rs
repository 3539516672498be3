//! What is to be measured of a ranking.

use crate::key::{Family, Metric, MetricKey, parse_key};
use crate::{ItemFacts, MetricError, Ties};

/// Which ranking and list metrics are wanted, how ties count, and what is known of the items.
///
/// ```
/// use cresset_metrics::{RankingPlan, Ties};
///
/// let plan = RankingPlan::parse(&["ndcg@10", "map@10", "auc"])?.with_ties(Ties::Pessimistic);
/// assert_eq!(plan.keys().len(), 3);
/// # Ok::<(), cresset_metrics::MetricError>(())
/// ```
#[derive(Debug, Clone)]
pub struct RankingPlan<'a> {
    keys: Vec<MetricKey>,
    ties: Ties,
    facts: Option<ItemFacts<'a>>,
}

impl<'a> RankingPlan<'a> {
    /// A plan for these keys, each once, in their order: ties by expectation, no facts.
    ///
    /// # Errors
    ///
    /// If there is no key, or one is of a rating metric.
    pub fn new(keys: impl IntoIterator<Item = MetricKey>) -> Result<Self, MetricError> {
        let mut plan = Self { keys: Vec::new(), ties: Ties::default(), facts: None };
        for key in keys {
            if key.family() == Family::Rating {
                return Err(MetricError::WrongFamily { key: key.to_string(), expected: "of a ranking" });
            }
            if !plan.keys.contains(&key) {
                plan.keys.push(key);
            }
        }
        if plan.keys.is_empty() { Err(MetricError::NoMetric) } else { Ok(plan) }
    }

    /// A plan for keys as configs spell them.
    ///
    /// # Errors
    ///
    /// As [`RankingPlan::new`], and if a key is none.
    pub fn parse<S: AsRef<str>>(keys: &[S]) -> Result<Self, MetricError> {
        let keys: Result<Vec<_>, _> = keys.iter().map(|key| parse_key(key.as_ref())).collect();
        Self::new(keys?)
    }

    /// A plan for hit rate, precision, recall and NDCG at each of the cut-offs.
    ///
    /// # Errors
    ///
    /// If no cut-off is given or one is 0.
    pub fn at_cutoffs(ks: &[usize]) -> Result<Self, MetricError> {
        const USUAL: [Metric; 4] = [Metric::HitRate, Metric::Precision, Metric::Recall, Metric::Ndcg];
        if ks.is_empty() {
            return Err(MetricError::NoCutoff);
        }
        if ks.contains(&0) {
            return Err(MetricError::ZeroCutoff);
        }
        Self::new(USUAL.into_iter().flat_map(|metric| ks.iter().map(move |&k| MetricKey::at_k(metric, k))))
    }

    /// The same plan with another answer to ties.
    #[must_use]
    pub fn with_ties(self, ties: Ties) -> Self {
        Self { ties, ..self }
    }

    /// The same plan with facts of the items, which novelty, popularity, serendipity and diversity need.
    #[must_use]
    pub fn with_facts(self, facts: ItemFacts<'a>) -> Self {
        Self { facts: Some(facts), ..self }
    }

    /// The keys, in the order of the report.
    pub fn keys(&self) -> &[MetricKey] {
        &self.keys
    }

    /// How many candidates from the top decide all ranking metrics: the largest cut-off, or all for the AUC.
    pub(crate) fn reach(&self) -> usize {
        let ranking = self.keys.iter().filter(|key| key.family() == Family::Ranking);
        ranking.map(|key| key.k().unwrap_or(usize::MAX)).max().unwrap_or(0)
    }

    /// How ties count.
    pub fn ties(&self) -> Ties {
        self.ties
    }

    /// What is known of the items.
    pub fn facts(&self) -> Option<&ItemFacts<'a>> {
        self.facts.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_named_twice_is_planned_once() {
        let plan = RankingPlan::parse(&["auc", "ndcg@5", "auc"]).unwrap();
        assert_eq!(plan.keys().iter().map(ToString::to_string).collect::<Vec<_>>(), ["auc", "ndcg@5"]);
        assert_eq!(RankingPlan::at_cutoffs(&[2, 1, 2]).unwrap().keys().len(), 8);
    }

    #[test]
    fn a_plan_of_nothing_or_of_ratings_is_an_error() {
        let none: [&str; 0] = [];
        assert_eq!(RankingPlan::parse(&none).unwrap_err(), MetricError::NoMetric);
        assert_eq!(RankingPlan::at_cutoffs(&[]).unwrap_err(), MetricError::NoCutoff);
        assert_eq!(RankingPlan::at_cutoffs(&[10, 0]).unwrap_err(), MetricError::ZeroCutoff);
        let rating = RankingPlan::parse(&["ndcg@5", "rmse"]).unwrap_err();
        assert!(rating.to_string().starts_with("metric \"rmse\" is not one of a ranking"), "{rating}");
        assert!(matches!(RankingPlan::parse(&["ndgc@5"]), Err(MetricError::Key(_))));
    }
}

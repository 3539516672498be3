//! Where one user's relevant items stand among all items, and what that is worth when scores tie.

mod tie_group;

#[cfg(test)]
mod tests;

use crate::counting::{Counts, count};
use crate::discount::ideal_dcg;
use crate::rating::check_finite;
use crate::row::{MASKED, MaskedRow, mask};
use crate::{MetricError, Ties};

pub(crate) use tie_group::{Measure, TieGroup};

/// The ranks of one user's relevant items in the whole catalogue, as far as the scores decide them.
///
/// Items of equal score form a tie, and nothing says in which order they come. Each metric is its mean over
/// all orders of all ties, in closed form, so a scorer that gives every item the same score gets exactly
/// what chance gets: neither luck of the sort nor goodwill.
///
/// ```
/// use cresset_metrics::RelevantRanks;
///
/// // Item 2 is best, items 0 and 1 tie behind it; items 1 and 2 are relevant.
/// let ranks = RelevantRanks::from_scores(&[0.5, 0.5, 0.9, 0.1], &[1, 2], &[])?;
/// assert_eq!(ranks.hit_rate_at_k(1), 1.0);
/// assert_eq!(ranks.recall_at_k(2), 0.75);
/// assert_eq!(ranks.n_tied(), 1);
/// # Ok::<(), cresset_metrics::MetricError>(())
/// ```
///
/// # Source
///
/// McSherry and Najork, Computing information retrieval performance measures efficiently in the presence
/// of tied scores, ECIR 2008, <https://doi.org/10.1007/978-3-540-78646-7_38>.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RelevantRanks {
    /// Best first; without those that more than `reach` candidates are above of, where they were not counted.
    groups: Vec<TieGroup>,
    /// Candidates that are looked at from the top: what lies below concerns no metric that is asked for.
    reach: usize,
    /// Relevant items that are candidates and in no group.
    n_beyond: usize,
    n_relevant: usize,
    n_candidates: usize,
    n_tied: usize,
}

impl RelevantRanks {
    /// Finds the relevant items among all items but the seen ones.
    ///
    /// A relevant item that is also seen cannot be recommended. It stays relevant and is a miss at any
    /// cut-off: what is masked belongs to the protocol, and must not flatter the model.
    ///
    /// # Shapes
    ///
    /// - scores: `[n_items]`, one for each item id
    /// - relevant, seen: item ids that strictly rise
    ///
    /// # Errors
    ///
    /// [`MetricError::NotFinite`] with the item if a score is NaN or infinite, and
    /// [`MetricError::Undefined`] if no item is relevant.
    ///
    /// # Panics
    ///
    /// If `relevant` or `seen` does not strictly rise or names an item beyond the catalogue.
    pub fn from_scores(scores: &[f32], relevant: &[u32], seen: &[u32]) -> Result<Self, MetricError> {
        for list in [relevant, seen] {
            assert!(list.is_sorted_by(|a, b| a < b), "item ids strictly rise");
            assert!(
                list.last().is_none_or(|&item| (item as usize) < scores.len()),
                "one score for each item"
            );
        }
        check_finite("score", scores)?;
        if relevant.is_empty() {
            let reason = "no item is relevant".to_owned();
            return Err(MetricError::Undefined { metric: "ranking", reason });
        }
        let (mut row, mut ranks) = (Vec::new(), Self { reach: usize::MAX, ..Self::default() });
        ranks.rank_row(mask(scores, seen, &mut row), relevant, &mut Thresholds::default());
        Ok(ranks)
    }

    /// The same ranks with the order of equal scores decided; [`Ties::Expected`] leaves it open.
    ///
    /// What was decided once stays so: ranks that are optimistic do not become pessimistic.
    #[must_use]
    pub fn with_ties(mut self, ties: Ties) -> Self {
        self.decide(ties);
        self
    }

    /// Number of relevant items, reachable or not.
    pub fn n_relevant(&self) -> usize {
        self.n_relevant
    }

    /// Number of relevant items that no place holds: masked because the user has seen them, or not listed.
    pub fn n_masked(&self) -> usize {
        self.n_relevant - self.n_reachable()
    }

    /// Number of relevant items whose score another candidate has too, whatever the tie rule.
    pub fn n_tied(&self) -> usize {
        self.n_tied
    }

    /// Chance that any relevant item is among the first `k`.
    ///
    /// # Panics
    ///
    /// If `k` is 0; so for all metrics of the first `k`.
    pub fn hit_rate_at_k(&self, k: usize) -> f64 {
        self.measure(Measure::HitChance, k)
    }

    /// Expected hits among the first `k`, divided by `k`, even if there are fewer candidates.
    ///
    /// # Panics
    ///
    /// If `k` is 0.
    pub fn precision_at_k(&self, k: usize) -> f64 {
        self.measure(Measure::Hits, k) / k as f64
    }

    /// Expected hits among the first `k`, divided by the number of relevant items.
    ///
    /// # Panics
    ///
    /// If `k` is 0.
    pub fn recall_at_k(&self, k: usize) -> f64 {
        self.measure(Measure::Hits, k) / self.n_relevant as f64
    }

    /// Expected hits among the first `k`, divided by min(relevant, k); see
    /// [`recall_capped_at_k`](crate::recall_capped_at_k).
    ///
    /// # Panics
    ///
    /// If `k` is 0.
    pub fn recall_capped_at_k(&self, k: usize) -> f64 {
        self.measure(Measure::Hits, k) / self.n_relevant.min(k) as f64
    }

    /// Expected harmonic mean of precision and recall; see [`f1_at_k`](crate::f1_at_k).
    ///
    /// # Panics
    ///
    /// If `k` is 0.
    pub fn f1_at_k(&self, k: usize) -> f64 {
        // Linear in the hits, so the expected hits give its expectation.
        2.0 * self.measure(Measure::Hits, k) / (k as f64 + self.n_relevant as f64)
    }

    /// Expected normalised discounted cumulative gain; see [`ndcg_at_k`](crate::ndcg_at_k).
    ///
    /// # Panics
    ///
    /// If `k` is 0.
    pub fn ndcg_at_k(&self, k: usize) -> f64 {
        self.measure(Measure::Dcg, k) / ideal_dcg(self.n_relevant.min(k))
    }

    /// Expected gain against an ideal of `k` hits; see [`ndcg_ideal_k_at_k`](crate::ndcg_ideal_k_at_k).
    ///
    /// # Panics
    ///
    /// If `k` is 0.
    pub fn ndcg_ideal_k_at_k(&self, k: usize) -> f64 {
        self.measure(Measure::Dcg, k) / ideal_dcg(k)
    }

    /// Expected reciprocal rank of the first hit; see [`mrr_at_k`](crate::mrr_at_k).
    ///
    /// # Panics
    ///
    /// If `k` is 0.
    pub fn mrr_at_k(&self, k: usize) -> f64 {
        self.measure(Measure::ReciprocalRank, k)
    }

    /// Expected average precision; see [`average_precision_at_k`](crate::average_precision_at_k).
    ///
    /// # Panics
    ///
    /// If `k` is 0.
    pub fn average_precision_at_k(&self, k: usize) -> f64 {
        self.measure(Measure::PrecisionSum, k) / self.n_relevant.min(k) as f64
    }

    /// Expected average precision divided by all relevant items; see
    /// [`average_precision_by_relevant_at_k`](crate::average_precision_by_relevant_at_k).
    ///
    /// # Panics
    ///
    /// If `k` is 0.
    pub fn average_precision_by_relevant_at_k(&self, k: usize) -> f64 {
        self.measure(Measure::PrecisionSum, k) / self.n_relevant as f64
    }

    /// Chance that a random relevant item outranks a random candidate that is not relevant; ties count one
    /// half. None if every candidate is relevant.
    ///
    /// A relevant item that is masked loses against all of them.
    ///
    /// # Source
    ///
    /// Rendle et al., BPR: Bayesian personalized ranking from implicit feedback, UAI 2009,
    /// <https://arxiv.org/abs/1205.2618>.
    pub fn auc(&self) -> Option<f64> {
        let n_negatives = self.n_candidates - self.n_reachable();
        if n_negatives == 0 || self.n_relevant == 0 {
            return None;
        }
        // Halves of pairs, so that all sums are whole numbers.
        let (mut won_halves, mut relevant_above) = (0_u64, 0);
        for group in &self.groups {
            let negatives_above = group.above - relevant_above;
            let tied = group.size - group.relevant;
            let below = n_negatives - negatives_above - tied;
            won_halves += (group.relevant * (2 * below + tied)) as u64;
            relevant_above += group.relevant;
        }
        Some(won_halves as f64 / (2 * self.n_relevant * n_negatives) as f64)
    }

    /// A measure of the first `k`, expected over what the tie rule leaves open.
    pub(crate) fn measure(&self, measure: Measure, k: usize) -> f64 {
        measure.of(&self.groups, k)
    }

    /// Decides the order of equal scores.
    pub(crate) fn decide(&mut self, ties: Ties) {
        for group in &mut self.groups {
            *group = group.under(ties);
        }
    }

    /// Looks at no more candidates from the top than these, from the next user on.
    ///
    /// Metrics of a larger cut-off, and the AUC, are then not to be asked for.
    pub(crate) fn look_at(&mut self, reach: usize) {
        self.reach = reach;
    }

    /// Starts anew, for a user with this many relevant items and candidates.
    pub(crate) fn restart(&mut self, n_relevant: usize, n_candidates: usize) {
        self.groups.clear();
        self.n_beyond = 0;
        (self.n_relevant, self.n_candidates, self.n_tied) = (n_relevant, n_candidates, 0);
    }

    /// Adds the next group, which is worse than all before.
    pub(crate) fn push(&mut self, group: TieGroup) {
        if group.size > 1 && group.above < self.reach {
            self.n_tied += group.relevant;
        }
        self.groups.push(group);
    }

    /// Ranks the relevant items among the candidates of a row; what is masked is none.
    pub(crate) fn rank_row(&mut self, row: MaskedRow<'_>, relevant: &[u32], thresholds: &mut Thresholds) {
        self.restart(relevant.len(), row.n_candidates);
        thresholds.take(row.scores, relevant);
        let Thresholds { falling, sizes, counts, codes } = thresholds;
        count(row.scores, falling, self.reach, codes, counts);
        for (&Counts { above, equal }, &relevant) in counts.iter().zip(&*sizes) {
            self.push(TieGroup { above, size: equal, relevant });
        }
        self.n_beyond = sizes[counts.len()..].iter().sum();
    }

    fn n_reachable(&self) -> usize {
        self.groups.iter().map(|group| group.relevant).sum::<usize>() + self.n_beyond
    }
}

/// The distinct scores of a user's reachable relevant items, and room for what is counted of them.
#[derive(Debug, Default)]
pub(crate) struct Thresholds {
    falling: Vec<f32>,
    /// How many of the relevant items have each.
    sizes: Vec<usize>,
    counts: Vec<Counts>,
    codes: Vec<i16>,
}

impl Thresholds {
    fn take(&mut self, row: &[f32], relevant: &[u32]) {
        let scores = relevant.iter().map(|&item| row[item as usize]);
        self.falling.clear();
        self.falling.extend(scores.filter(|&score| score != MASKED));
        self.falling.sort_unstable_by(|a, b| b.total_cmp(a));
        self.sizes.clear();
        // Here -0 equals 0, which the sort has put side by side.
        self.sizes.extend(self.falling.chunk_by(|a, b| a == b).map(<[f32]>::len));
        self.falling.dedup();
    }
}

//! Where one user's relevant items stand among all items, and what that is worth when scores tie.

use crate::MetricError;
use crate::counting::{Counts, count};
use crate::ranking::{discount, ideal_dcg};
use crate::rating::check_finite;

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
#[expect(clippy::doc_markdown, reason = "McSherry is a name")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelevantRanks {
    groups: Vec<TieGroup>,
    n_relevant: usize,
}

/// The candidates of one score, at least one of them relevant; they hold `size` positions after `above`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct TieGroup {
    above: usize,
    size: usize,
    relevant: usize,
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
        Ok(Self::from_checked(scores, relevant, seen))
    }

    /// As [`RelevantRanks::from_scores`], of arguments that are known to keep its rules.
    pub(crate) fn from_checked(scores: &[f32], relevant: &[u32], seen: &[u32]) -> Self {
        let (thresholds, sizes) = distinct_scores(scores, relevant, seen);
        let mut counts = count(scores, &thresholds);
        let seen_scores: Vec<f32> = seen.iter().map(|&item| scores[item as usize]).collect();
        for (all, seen) in counts.iter_mut().zip(count(&seen_scores, &thresholds)) {
            *all = Counts { above: all.above - seen.above, equal: all.equal - seen.equal };
        }
        let group =
            |(count, relevant): (Counts, usize)| TieGroup { above: count.above, size: count.equal, relevant };
        Self { groups: counts.into_iter().zip(sizes).map(group).collect(), n_relevant: relevant.len() }
    }

    /// Number of relevant items, reachable or not.
    pub fn n_relevant(&self) -> usize {
        self.n_relevant
    }

    /// Number of relevant items that are masked because the user has seen them.
    pub fn n_masked(&self) -> usize {
        self.n_relevant - self.groups.iter().map(|group| group.relevant).sum::<usize>()
    }

    /// Number of relevant items whose score another candidate has too.
    pub fn n_tied(&self) -> usize {
        self.groups.iter().filter(|group| group.size > 1).map(|group| group.relevant).sum()
    }

    /// Chance that any relevant item is among the first `k`.
    ///
    /// # Panics
    ///
    /// If `k` is 0.
    pub fn hit_rate_at_k(&self, k: usize) -> f64 {
        assert!(k > 0, "the cut-off is at least 1");
        let mut hit = 0.0;
        for group in &self.groups {
            hit += (1.0 - hit) * group.hit_chance(k);
        }
        hit
    }

    /// Expected hits among the first `k`, divided by `k`, even if there are fewer candidates.
    ///
    /// # Panics
    ///
    /// If `k` is 0.
    pub fn precision_at_k(&self, k: usize) -> f64 {
        self.expected_hits(k) / k as f64
    }

    /// Expected hits among the first `k`, divided by the number of relevant items.
    ///
    /// # Panics
    ///
    /// If `k` is 0.
    pub fn recall_at_k(&self, k: usize) -> f64 {
        self.expected_hits(k) / self.n_relevant as f64
    }

    /// Expected normalised discounted cumulative gain; see [`ndcg_at_k`](crate::ndcg_at_k).
    ///
    /// # Panics
    ///
    /// If `k` is 0.
    pub fn ndcg_at_k(&self, k: usize) -> f64 {
        assert!(k > 0, "the cut-off is at least 1");
        let mut dcg = 0.0;
        for group in &self.groups {
            // Gains are added one by one, best first, as in the ideal: a perfect order gives 1 to the bit.
            for position in group.above..group.above + group.places(k) {
                dcg += discount(position) * group.share();
            }
        }
        dcg / ideal_dcg(self.n_relevant, k)
    }

    fn expected_hits(&self, k: usize) -> f64 {
        assert!(k > 0, "the cut-off is at least 1");
        // Multiplied before divided: with one tie of the whole catalogue this is chance to the bit.
        let hits = |group: &TieGroup| (group.relevant * group.places(k)) as f64 / group.size as f64;
        self.groups.iter().map(hits).sum()
    }
}

impl TieGroup {
    /// How many of its positions are among the first `k`.
    fn places(&self, k: usize) -> usize {
        k.saturating_sub(self.above).min(self.size)
    }

    /// Expected hits for each of its positions.
    fn share(&self) -> f64 {
        self.relevant as f64 / self.size as f64
    }

    /// Chance that at least one of its relevant items takes one of its places among the first `k`.
    ///
    /// Drawing places without replacement: the i-th of `few` draws, if all before missed, hits with chance
    /// `many / (size - i)`. Places and relevant items may change roles, so the fewer of them are drawn.
    fn hit_chance(&self, k: usize) -> f64 {
        let (few, many) = (self.relevant.min(self.places(k)), self.relevant.max(self.places(k)));
        let mut hit = 0.0;
        for drawn in 0..few {
            if self.size - drawn <= many {
                return 1.0;
            }
            hit += (1.0 - hit) * (many as f64 / (self.size - drawn) as f64);
        }
        hit
    }
}

/// The scores of the relevant items that are not seen, falling, and how many of the items have each.
fn distinct_scores(scores: &[f32], relevant: &[u32], seen: &[u32]) -> (Vec<f32>, Vec<usize>) {
    let reachable = relevant.iter().filter(|item| seen.binary_search(item).is_err());
    let mut falling: Vec<f32> = reachable.map(|&item| scores[item as usize]).collect();
    falling.sort_unstable_by(|a, b| b.total_cmp(a));
    // Here -0 equals 0, which the sort has put side by side.
    let sizes = falling.chunk_by(|a, b| a == b).map(<[f32]>::len).collect();
    falling.dedup();
    (falling, sizes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ranking;

    fn ranks(scores: &[f32], relevant: &[u32], seen: &[u32]) -> RelevantRanks {
        RelevantRanks::from_scores(scores, relevant, seen).unwrap()
    }

    #[test]
    fn a_relevant_item_at_rank_3_without_ties_scores_as_in_a_list() {
        let ranks = ranks(&[0.9, 0.1, 0.5, 0.7], &[2], &[]);
        assert_eq!((ranks.hit_rate_at_k(2), ranks.hit_rate_at_k(3)), (0.0, 1.0));
        assert_eq!(ranks.ndcg_at_k(10), 0.5);
        assert_eq!(ranks.precision_at_k(10), 0.1);
        assert_eq!(ranks.n_tied(), 0);
    }

    #[test]
    fn one_relevant_of_four_tied_items_hits_the_top_1_a_quarter_of_the_time() {
        let ranks = ranks(&[1.0; 4], &[3], &[]);
        assert_eq!(ranks.hit_rate_at_k(1), 0.25);
        assert_eq!(ranks.recall_at_k(2), 0.5);
        assert_eq!(ranks.ndcg_at_k(1), 0.25);
    }

    #[test]
    fn two_relevant_of_four_tied_items_miss_the_top_2_in_one_of_six_draws() {
        // Of the six pairs of items that can fill two places, one has neither relevant item.
        let ranks = ranks(&[1.0; 4], &[0, 1], &[]);
        assert!((ranks.hit_rate_at_k(2) - 5.0 / 6.0).abs() < 1e-15);
        assert_eq!(ranks.hit_rate_at_k(3), 1.0);
        assert_eq!(ranks.precision_at_k(2), 0.5);
    }

    #[test]
    fn a_constant_scorer_gets_exactly_chance() {
        for (n_items, k) in [(7_usize, 3_usize), (1682, 10), (3706, 100)] {
            let ranks = ranks(&vec![0.3; n_items], &[5], &[]);
            let chance = k as f64 / n_items as f64;
            assert_eq!(ranks.hit_rate_at_k(k), chance);
            assert_eq!(ranks.recall_at_k(k), chance);
            assert_eq!(ranks.precision_at_k(k), chance / k as f64);
        }
    }

    #[test]
    fn seen_items_hold_no_position_and_lift_those_behind_them() {
        let scores = [0.9, 0.8, 0.7, 0.7, 0.1];
        assert_eq!(ranks(&scores, &[4], &[0, 1, 2]).ndcg_at_k(10), 1.0 / 3.0_f64.log2());
        assert_eq!(ranks(&scores, &[3], &[0, 1, 2]).ndcg_at_k(10), 1.0);
        assert_eq!(ranks(&scores, &[3], &[0, 1, 2]).n_tied(), 0);
    }

    #[test]
    fn a_relevant_item_that_is_seen_stays_relevant_and_is_a_miss() {
        let ranks = ranks(&[0.9, 0.8, 0.7], &[0, 1], &[0]);
        assert_eq!((ranks.n_relevant(), ranks.n_masked()), (2, 1));
        assert_eq!(ranks.recall_at_k(3), 0.5);
        assert_eq!(ranks.ndcg_at_k(3), 1.0 / (1.0 + 1.0 / 3.0_f64.log2()));
    }

    #[test]
    fn all_relevant_items_seen_score_zero() {
        let ranks = ranks(&[0.9, 0.8], &[0], &[0]);
        assert_eq!((ranks.hit_rate_at_k(2), ranks.ndcg_at_k(2), ranks.n_masked()), (0.0, 0.0, 1));
    }

    #[test]
    fn a_cut_off_beyond_the_catalogue_retrieves_everything() {
        let ranks = ranks(&[0.1, 0.2, 0.2], &[0, 1], &[]);
        assert_eq!((ranks.hit_rate_at_k(50), ranks.recall_at_k(50)), (1.0, 1.0));
        assert_eq!(ranks.precision_at_k(50), 2.0 / 50.0);
    }

    #[test]
    fn zero_and_minus_zero_tie() {
        assert_eq!(ranks(&[0.0, -0.0], &[1], &[]).hit_rate_at_k(1), 0.5);
        assert_eq!(ranks(&[0.0, -0.0, 0.0], &[0, 1], &[]).recall_at_k(3), 1.0);
    }

    #[test]
    fn a_nan_score_is_an_error_and_so_is_no_relevant_item() {
        let nan = RelevantRanks::from_scores(&[0.1, f32::NAN], &[0], &[1]);
        assert!(matches!(nan, Err(MetricError::NotFinite { what: "score", index: 1, .. })));
        let none = RelevantRanks::from_scores(&[0.1], &[], &[]);
        assert!(matches!(none, Err(MetricError::Undefined { .. })));
    }

    type MetricOfList = fn(&[u32], &[u32], usize) -> Result<f64, MetricError>;

    /// Averages the metric of the list over every order that the scores allow, by exchanging tied items.
    fn mean_over_orders(scores: &[f32], mask: &[u32], metric: &dyn Fn(&[u32]) -> f64) -> f64 {
        let mut values = Vec::new();
        let mut items: Vec<u32> = (0..scores.len() as u32).filter(|item| !mask.contains(item)).collect();
        items.sort_by(|&a, &b| scores[b as usize].total_cmp(&scores[a as usize]));
        visit_orders(scores, &mut items, 0, &mut |order| values.push(metric(order)));
        values.iter().sum::<f64>() / values.len() as f64
    }

    fn visit_orders(scores: &[f32], items: &mut [u32], fixed: usize, visit: &mut dyn FnMut(&[u32])) {
        if fixed == items.len() {
            return visit(items);
        }
        for next in fixed..items.len() {
            if scores[items[next] as usize] == scores[items[fixed] as usize] {
                items.swap(fixed, next);
                visit_orders(scores, items, fixed + 1, visit);
                items.swap(fixed, next);
            }
        }
    }

    proptest! {
        #[test]
        fn every_metric_is_its_mean_over_all_orders_of_all_ties(
            levels in prop::collection::vec(0_u8..3, 2..8),
            kinds in prop::collection::vec(0_u8..5, 8),
            k in 1_usize..9,
        ) {
            let scores: Vec<f32> = levels.iter().map(|&level| f32::from(level)).collect();
            let all = 0..scores.len() as u32;
            let relevant: Vec<u32> = all.clone().filter(|&item| kinds[item as usize] < 2).collect();
            // Kind 1 is relevant and seen, kind 2 seen only.
            let seen: Vec<u32> = all.filter(|&item| [1, 2].contains(&kinds[item as usize])).collect();
            prop_assume!(!relevant.is_empty());
            let ranks = ranks(&scores, &relevant, &seen);
            let expect = |metric: MetricOfList| {
                mean_over_orders(&scores, &seen, &|order| metric(order, &relevant, k).unwrap())
            };
            let close = |value: f64, expected: f64| (value - expected).abs() < 1e-12;
            prop_assert!(close(ranks.hit_rate_at_k(k), expect(ranking::hit_rate_at_k)));
            prop_assert!(close(ranks.precision_at_k(k), expect(ranking::precision_at_k)));
            prop_assert!(close(ranks.recall_at_k(k), expect(ranking::recall_at_k)));
            prop_assert!(close(ranks.ndcg_at_k(k), expect(ranking::ndcg_at_k)));
        }

        #[test]
        fn renaming_the_items_changes_no_metric(
            levels in prop::collection::vec(0_u8..9, 20),
            renamed in Just((0..20).collect::<Vec<u32>>()).prop_shuffle(),
            n_relevant in 1_usize..20,
            k in 1_usize..25,
        ) {
            let scores: Vec<f32> = levels.iter().map(|&level| f32::from(level)).collect();
            let mut moved = vec![0.0; 20];
            for (item, &name) in renamed.iter().enumerate() {
                moved[name as usize] = scores[item];
            }
            let relevant: Vec<u32> = (0..n_relevant as u32).collect();
            let mut moved_relevant = renamed[..n_relevant].to_vec();
            moved_relevant.sort_unstable();
            let (before, after) = (ranks(&scores, &relevant, &[]), ranks(&moved, &moved_relevant, &[]));
            prop_assert_eq!(before.ndcg_at_k(k), after.ndcg_at_k(k));
            prop_assert_eq!(before.hit_rate_at_k(k), after.hit_rate_at_k(k));
        }

        #[test]
        fn a_perfect_order_scores_exactly_1(n_relevant in 1_u32..30, k in 1_usize..40) {
            let scores: Vec<f32> = (0..30_u8).map(|item| -f32::from(item)).collect();
            let relevant: Vec<u32> = (0..n_relevant).collect();
            prop_assert_eq!(ranks(&scores, &relevant, &[]).ndcg_at_k(k), 1.0);
        }
    }
}

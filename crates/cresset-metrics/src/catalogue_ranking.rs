//! Ranks the whole catalogue for each user, block by block.

use rayon::prelude::*;

use crate::item_lists::check_list;
use crate::ranking_report::RankingAccumulator;
use crate::rating::check_finite;
use crate::{ItemLists, MetricError, RankingReport, RelevantRanks, Scorer};

/// Whom to rank for, what counts as a hit, and what must not be recommended.
#[derive(Debug, Clone, Copy)]
pub struct RankingTask<'a> {
    /// Dense ids of the users to evaluate; one named twice counts twice.
    pub users: &'a [u32],
    /// The items each user should have been recommended.
    pub relevant: ItemLists<'a>,
    /// The items each user has already and is not recommended again.
    pub seen: ItemLists<'a>,
}

/// Scores held at one time, 16 MiB: enough to keep a model busy, and few enough for a large catalogue.
const BLOCK_SCORES: usize = 1 << 22;

/// Users scored at one time at most.
const BLOCK_USERS: usize = 256;

/// Ranks every item that a user has not seen, for each user of the task, and averages over users.
///
/// Scores are asked for in blocks of users and forgotten at once. What is kept of a user is how many items
/// score above each relevant one, and how many as high: nothing is sorted, and no users x items table ever
/// exists. Equal scores count by expectation, as in [`RelevantRanks`].
///
/// Users without a relevant item are left out and counted. A relevant item that is seen too is a miss and
/// counted. A cut-off beyond the catalogue retrieves everything. The result is the same to the bit for any
/// number of threads and any size of block, as far as the scorer's scores are.
///
/// # Errors
///
/// If no cut-off is given or one is 0, the catalogue is empty, a user has no row in the lists, a list does
/// not strictly rise or leaves the catalogue, or a score is NaN or infinite: always the first in the order
/// of `task.users`.
pub fn rank_catalogue(
    scorer: &dyn Scorer,
    task: &RankingTask<'_>,
    ks: &[usize],
) -> Result<RankingReport, MetricError> {
    let n_items = scorer.n_items();
    let block_users = (BLOCK_SCORES / n_items.max(1)).clamp(1, BLOCK_USERS);
    rank_in_blocks(scorer, task, ks, block_users)
}

fn rank_in_blocks(
    scorer: &dyn Scorer,
    task: &RankingTask<'_>,
    ks: &[usize],
    block_users: usize,
) -> Result<RankingReport, MetricError> {
    check(scorer, task, ks)?;
    let n_items = scorer.n_items();
    let has_relevant = |user: &u32| !task.relevant.of(*user).is_empty();
    let users: Vec<u32> = task.users.iter().copied().filter(has_relevant).collect();
    let mut total = RankingAccumulator::new(ks.to_vec());
    // Not zeros: a scorer that leaves scores out is then found out.
    let mut scores = vec![f32::NAN; block_users.min(users.len()) * n_items];
    for block in users.chunks(block_users) {
        let scores = &mut scores[..block.len() * n_items];
        scorer.score_block(block, scores);
        let rows = block.par_iter().zip(scores.par_chunks_exact(n_items));
        let rank = |(&user, row): (&u32, &[f32])| {
            let ranks = rank_user(task, user, row)?;
            let values = total.values_of(&ranks);
            Ok((ranks, values))
        };
        let ranked: Vec<Result<_, MetricError>> = rows.map(rank).collect();
        // Back on one thread, in the order of users: sums and the first error are always the same.
        for (&user, ranked) in block.iter().zip(ranked) {
            let (ranks, values) = ranked?;
            total.push(user, &ranks, &values);
        }
    }
    Ok(total.finish(task.users.len() - users.len()))
}

fn check(scorer: &dyn Scorer, task: &RankingTask<'_>, ks: &[usize]) -> Result<(), MetricError> {
    if ks.is_empty() {
        return Err(MetricError::NoCutoff);
    }
    if ks.contains(&0) {
        return Err(MetricError::ZeroCutoff);
    }
    if scorer.n_items() == 0 {
        return Err(MetricError::EmptyCatalogue);
    }
    task.relevant.check("relevant", task.users)?;
    task.seen.check("seen", task.users)
}

fn rank_user(task: &RankingTask<'_>, user: u32, scores: &[f32]) -> Result<RelevantRanks, MetricError> {
    let (relevant, seen) = (task.relevant.of(user), task.seen.of(user));
    check_list("relevant", user, relevant, scores.len())?;
    check_list("seen", user, seen, scores.len())?;
    check_finite("score", scores).map_err(|error| name_user(error, user))?;
    Ok(RelevantRanks::from_checked(scores, relevant, seen))
}

fn name_user(error: MetricError, user: u32) -> MetricError {
    match error {
        MetricError::NotFinite { index, value, .. } => {
            MetricError::ScoreNotFinite { user, item: index as u32, value }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Scores as a formula of user and item.
    struct Formula<F>(usize, F);

    impl<F: Fn(u32, u32) -> f32> Scorer for Formula<F> {
        fn n_items(&self) -> usize {
            self.0
        }

        fn score_block(&self, users: &[u32], scores: &mut [f32]) {
            for (&user, row) in users.iter().zip(scores.chunks_exact_mut(self.0)) {
                (0..).zip(row).for_each(|(item, score)| *score = (self.1)(user, item));
            }
        }
    }

    fn falling() -> Formula<fn(u32, u32) -> f32> {
        Formula(5, |_, item| -(item as f32))
    }

    const RELEVANT: ItemLists<'static> = ItemLists { offsets: &[0, 1, 1, 3], items: &[2, 0, 4] };
    const SEEN: ItemLists<'static> = ItemLists { offsets: &[0, 1, 2, 3], items: &[0, 1, 0] };

    fn task(users: &[u32]) -> RankingTask<'_> {
        RankingTask { users, relevant: RELEVANT, seen: SEEN }
    }

    #[test]
    fn the_means_over_two_users_are_those_worked_out_by_hand() {
        // User 0: item 2 is second behind item 1. User 2: item 0 is seen, item 4 is fourth; 2 are relevant.
        let report = rank_catalogue(&falling(), &task(&[0, 1, 2]), &[2, 4]).unwrap();
        let means = &report.metrics;
        assert_eq!(means.get("hit_rate@2"), Some(0.5));
        assert_eq!(means.get("precision@4"), Some(0.25));
        assert_eq!(means.get("recall@4"), Some(0.75));
        let discount = |rank: f64| 1.0 / (rank + 1.0).log2();
        let expected = (discount(2.0) + discount(4.0) / (1.0 + discount(2.0))) / 2.0;
        assert_eq!(means.get("ndcg@4"), Some(expected));
        assert_eq!(report.per_user("recall@4"), Some(vec![1.0, 0.5]));
        assert_eq!(report.users(), [0, 2]);
    }

    #[test]
    fn users_without_relevant_items_and_seen_relevant_items_are_counted() {
        let report = rank_catalogue(&falling(), &task(&[0, 1, 2]), &[2]).unwrap();
        assert_eq!((report.n_users, report.n_users_left_out), (2, 1));
        assert_eq!((report.n_relevant, report.n_masked, report.n_tied), (3, 1, 0));
    }

    #[test]
    fn without_any_relevant_item_the_means_are_undefined_with_the_reason() {
        let report = rank_catalogue(&falling(), &task(&[1]), &[2]).unwrap();
        assert_eq!(report.n_users_left_out, 1);
        assert_eq!(report.metrics.get("ndcg@2"), None);
        assert!(report.metrics.reason("ndcg@2").unwrap().contains("no user has a relevant item"));
    }

    #[test]
    fn a_constant_scorer_gets_exactly_chance_and_its_ties_are_counted() {
        let constant = Formula(8, |_, _| 0.7);
        let relevant = ItemLists { offsets: &[0, 1, 2], items: &[3, 5] };
        let task = RankingTask { users: &[0, 1], relevant, seen: ItemLists::NONE };
        let report = rank_catalogue(&constant, &task, &[2]).unwrap();
        assert_eq!(report.metrics.get("hit_rate@2"), Some(0.25));
        assert_eq!(report.metrics.get("recall@2"), Some(0.25));
        assert_eq!(report.n_tied, 2);
    }

    #[test]
    fn a_nan_score_is_an_error_that_names_user_and_item() {
        let broken = Formula(5, |user, item| if (user, item) == (2, 3) { f32::NAN } else { 0.0 });
        let error = rank_catalogue(&broken, &task(&[0, 2]), &[2]).unwrap_err();
        assert!(matches!(error, MetricError::ScoreNotFinite { user: 2, item: 3, .. }), "{error}");
    }

    #[test]
    fn a_scorer_that_leaves_scores_out_is_found_out() {
        struct Idle;
        impl Scorer for Idle {
            fn n_items(&self) -> usize {
                5
            }
            fn score_block(&self, _users: &[u32], _scores: &mut [f32]) {}
        }
        let error = rank_catalogue(&Idle, &task(&[0]), &[2]).unwrap_err();
        assert!(matches!(error, MetricError::ScoreNotFinite { user: 0, item: 0, .. }));
    }

    #[test]
    fn arguments_that_make_no_sense_are_errors() {
        let rank = |n_items, users, ks: &[usize]| {
            rank_catalogue(&Formula(n_items, |_, _| 0.0), &task(users), ks).unwrap_err()
        };
        assert_eq!(rank(5, &[0], &[]), MetricError::NoCutoff);
        assert_eq!(rank(5, &[0], &[10, 0]), MetricError::ZeroCutoff);
        assert_eq!(rank(0, &[0], &[10]), MetricError::EmptyCatalogue);
        assert!(matches!(rank(5, &[3], &[10]), MetricError::NoSuchUser { user: 3, n_users: 3, .. }));
        assert!(matches!(rank(4, &[0, 2], &[10]), MetricError::ItemOutOfRange { user: 2, item: 4, .. }));
    }

    #[test]
    fn a_cut_off_named_twice_is_reported_once() {
        let report = rank_catalogue(&falling(), &task(&[0]), &[2, 1, 2]).unwrap();
        assert_eq!(report.metrics.len(), 8);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn neither_threads_nor_block_size_change_a_bit(
            seed in any::<u32>(),
            block_users in 1_usize..40,
            n_threads in 1_usize..4,
        ) {
            let noisy = Formula(50, move |user: u32, item: u32| {
                let mixed = (user ^ seed).wrapping_mul(0x9E37_79B9) ^ item.wrapping_mul(0x85EB_CA6B);
                (mixed.wrapping_mul(0xC2B2_AE35) >> 27) as f32
            });
            let users: Vec<u32> = (0..33).collect();
            let offsets: Vec<usize> = (0..=33).map(|user| user * 3).collect();
            let items: Vec<u32> = (0..33_u32).flat_map(|user| [user % 7, 10 + user % 9, 30 + user % 5]).collect();
            let relevant = ItemLists { offsets: &offsets, items: &items };
            let task = RankingTask { users: &users, relevant, seen: ItemLists::NONE };
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
            let in_blocks = pool.install(|| rank_in_blocks(&Anywhere(&noisy), &task, &[1, 10], block_users));
            prop_assert_eq!(in_blocks, rank_catalogue(&noisy, &task, &[1, 10]));
        }
    }

    /// A scorer that may be sent to the pool's thread.
    struct Anywhere<'a, S>(&'a S);

    impl<S: Scorer + Sync> Scorer for Anywhere<'_, S> {
        fn n_items(&self) -> usize {
            self.0.n_items()
        }

        fn score_block(&self, users: &[u32], scores: &mut [f32]) {
            self.0.score_block(users, scores);
        }
    }
}

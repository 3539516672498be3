use proptest::prelude::*;

use super::*;
use crate::{
    BlockRanks, BlockRequest, Family, ItemFacts, Metric, MetricKey, NO_ITEM, NotFiniteScore, Ties,
    expand_keys, top_k,
};

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

/// The usual metrics at some cut-offs.
fn plan(ks: &[usize]) -> RankingPlan<'static> {
    RankingPlan::at_cutoffs(ks).unwrap()
}

const RELEVANT: ItemLists<'static> = ItemLists { offsets: &[0, 1, 1, 3], items: &[2, 0, 4] };
const SEEN: ItemLists<'static> = ItemLists { offsets: &[0, 1, 2, 3], items: &[0, 1, 0] };

fn task(users: &[u32]) -> RankingTask<'_> {
    RankingTask { users, relevant: RELEVANT, seen: SEEN }
}

#[test]
fn the_means_over_two_users_are_those_worked_out_by_hand() {
    // User 0: item 2 is second behind item 1. User 2: item 0 is seen, item 4 is fourth; 2 are relevant.
    let report = rank_catalogue(&falling(), &task(&[0, 1, 2]), &plan(&[2, 4])).unwrap();
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
    let report = rank_catalogue(&falling(), &task(&[0, 1, 2]), &plan(&[2])).unwrap();
    assert_eq!((report.n_users, report.n_users_left_out), (2, 1));
    assert_eq!((report.n_relevant, report.n_masked, report.n_tied), (3, 1, 0));
}

#[test]
fn without_any_relevant_item_the_means_are_undefined_with_the_reason() {
    let report = rank_catalogue(&falling(), &task(&[1]), &plan(&[2])).unwrap();
    assert_eq!(report.n_users_left_out, 1);
    assert_eq!(report.metrics.get("ndcg@2"), None);
    assert!(report.metrics.reason("ndcg@2").unwrap().contains("no user has a relevant item"));
}

#[test]
fn a_constant_scorer_gets_exactly_chance_and_its_ties_are_counted() {
    let constant = Formula(8, |_, _| 0.7);
    let relevant = ItemLists { offsets: &[0, 1, 2], items: &[3, 5] };
    let task = RankingTask { users: &[0, 1], relevant, seen: ItemLists::NONE };
    let report = rank_catalogue(&constant, &task, &plan(&[2])).unwrap();
    assert_eq!(report.metrics.get("hit_rate@2"), Some(0.25));
    assert_eq!(report.metrics.get("recall@2"), Some(0.25));
    assert_eq!(report.n_tied, 2);
}

#[test]
fn a_nan_score_is_an_error_that_names_user_and_item() {
    let broken = Formula(5, |user, item| if (user, item) == (2, 3) { f32::NAN } else { 0.0 });
    let error = rank_catalogue(&broken, &task(&[0, 2]), &plan(&[2])).unwrap_err();
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
    let error = rank_catalogue(&Idle, &task(&[0]), &plan(&[2])).unwrap_err();
    assert!(matches!(error, MetricError::ScoreNotFinite { user: 0, item: 0, .. }));
}

#[test]
fn a_scorer_that_leaves_a_later_block_out_does_not_get_the_scores_of_the_block_before() {
    struct OnlyUser0;
    impl Scorer for OnlyUser0 {
        fn n_items(&self) -> usize {
            5
        }
        fn score_block(&self, users: &[u32], scores: &mut [f32]) {
            if users == [0] {
                scores.fill(0.5);
            }
        }
    }
    let error = rank_in_blocks(&OnlyUser0, &task(&[0, 2]), &plan(&[2]), 1).unwrap_err();
    assert!(matches!(error, MetricError::ScoreNotFinite { user: 2, item: 0, .. }));
}

#[test]
fn arguments_that_make_no_sense_are_errors() {
    let rank = |n_items, users| {
        rank_catalogue(&Formula(n_items, |_, _| 0.0), &task(users), &plan(&[10])).unwrap_err()
    };
    assert_eq!(rank(0, &[0]), MetricError::EmptyCatalogue);
    assert!(matches!(rank(5, &[3]), MetricError::NoSuchUser { user: 3, n_users: 3, .. }));
    assert!(matches!(rank(4, &[0, 2]), MetricError::ItemOutOfRange { user: 2, item: 4, .. }));
}

#[test]
fn a_task_without_users_is_undefined_and_a_catalogue_of_one_item_is_not() {
    let nobody = rank_catalogue(&falling(), &task(&[]), &plan(&[2])).unwrap();
    assert_eq!((nobody.n_users, nobody.n_users_left_out), (0, 0));
    assert_eq!(nobody.metrics.reason("ndcg@2"), Some("no user has a relevant item"));

    let relevant = ItemLists { offsets: &[0, 1], items: &[0] };
    let task = RankingTask { users: &[0], relevant, seen: ItemLists::NONE };
    let plan = RankingPlan::parse(&["ndcg@10", "auc", "gini@10", "coverage@10"]).unwrap();
    let report = rank_catalogue(&Formula(1, |_, _| 0.0), &task, &plan).unwrap();
    assert_eq!(report.metrics.get("ndcg@10"), Some(1.0));
    assert_eq!((report.metrics.get("gini@10"), report.metrics.get("coverage@10")), (Some(0.0), Some(1.0)));
    assert!(report.metrics.reason("auc").unwrap().contains("no pair can be ordered"));
    assert_eq!(report.n_without_value("auc"), Some(1));
}

/// Every key there is, at a short and a long cut-off.
fn every_key() -> Vec<MetricKey> {
    let names: Vec<&str> = Metric::ALL
        .iter()
        .filter(|metric| metric.family() != Family::Rating)
        .map(|metric| metric.name())
        .collect();
    expand_keys(&names, &[1, 10, 60]).unwrap()
}

/// Scores that tie often, and what 33 users of 50 items should get and have.
struct Noisy {
    seed: u32,
    users: Vec<u32>,
    offsets: Vec<usize>,
    relevant: Vec<u32>,
    seen: Vec<u32>,
    interactions: Vec<u32>,
    vectors: Vec<f32>,
}

impl Noisy {
    const N_ITEMS: usize = 50;

    fn new(seed: u32) -> Self {
        Self {
            seed,
            users: (0..33).collect(),
            offsets: (0..=33).map(|user| user * 3).collect(),
            relevant: (0..33_u32).flat_map(|user| [user % 7, 10 + user % 9, 30 + user % 5]).collect(),
            seen: (0..33_u32).flat_map(|user| [3 + user % 3, 20 + user % 9, 31 + user % 15]).collect(),
            interactions: (0..50).map(|item| item * item % 34).collect(),
            vectors: (0..150).map(|place| ((place * 7 + 3) % 11) as f32 - 4.0).collect(),
        }
    }

    fn task(&self) -> RankingTask<'_> {
        let lists = |items| ItemLists { offsets: &self.offsets, items };
        RankingTask { users: &self.users, relevant: lists(&self.relevant), seen: lists(&self.seen) }
    }

    fn plan(&self) -> RankingPlan<'_> {
        let facts = ItemFacts::new(&self.interactions, 33).unwrap().with_vectors(3, &self.vectors).unwrap();
        RankingPlan::new(every_key()).unwrap().with_facts(facts)
    }
}

impl Scorer for Noisy {
    fn n_items(&self) -> usize {
        Self::N_ITEMS
    }

    fn score_block(&self, users: &[u32], scores: &mut [f32]) {
        for (&user, row) in users.iter().zip(scores.chunks_exact_mut(Self::N_ITEMS)) {
            for (item, score) in (0_u32..).zip(row) {
                let mixed = (user ^ self.seed).wrapping_mul(0x9E37_79B9) ^ item.wrapping_mul(0x85EB_CA6B);
                *score = (mixed.wrapping_mul(0xC2B2_AE35) >> 27) as f32;
            }
        }
    }
}

/// Counts as a device would, by the most obvious way.
struct OnDevice<'a>(&'a dyn Scorer);

impl Scorer for OnDevice<'_> {
    fn n_items(&self) -> usize {
        self.0.n_items()
    }

    fn score_block(&self, _users: &[u32], _scores: &mut [f32]) {
        panic!("scores do not leave the device");
    }

    fn rank_block(&self, request: &BlockRequest<'_>) -> Option<BlockRanks> {
        let n_items = self.n_items();
        let mut scores = vec![0.0; request.users.len() * n_items];
        self.0.score_block(request.users, &mut scores);
        let mut ranks = BlockRanks::default();
        for (&user, row) in request.users.iter().zip(scores.chunks_exact(n_items)) {
            let seen = request.seen.of(user);
            let candidates =
                || (0..n_items as u32).filter(|item| !seen.contains(item)).map(|i| row[i as usize]);
            for &item in request.relevant.of(user) {
                let own = row[item as usize];
                ranks.above.push(candidates().filter(|&score| score > own).count() as u32);
                ranks.equal.push(candidates().filter(|&score| score == own).count() as u32);
            }
            if let Some(item) = row.iter().position(|score| !score.is_finite()) {
                let bad = NotFiniteScore { user, item: item as u32, value: row[item] };
                ranks.not_finite = ranks.not_finite.or(Some(bad));
                continue;
            }
            let best = top_k(row, seen, request.top_k).unwrap();
            let listed = best.into_iter().map(|(item, _)| item).chain(std::iter::repeat(NO_ITEM));
            ranks.top_items.extend(listed.take(request.top_k));
        }
        Some(ranks)
    }
}

#[test]
fn a_nan_on_a_device_is_the_same_error_as_one_on_the_host() {
    let broken = Formula(5, |user, item| if (user, item) == (2, 3) { f32::NAN } else { 0.0 });
    let on_host = rank_catalogue(&broken, &task(&[0, 2]), &plan(&[2])).unwrap_err();
    let on_device = rank_catalogue(&OnDevice(&broken), &task(&[0, 2]), &plan(&[2])).unwrap_err();
    assert_eq!(on_host.to_string(), on_device.to_string());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn neither_threads_nor_block_size_nor_the_place_of_counting_change_a_bit(
        seed in any::<u32>(),
        block_users in 1_usize..40,
        n_threads in 1_usize..4,
        ties in prop::sample::select(vec![Ties::Expected, Ties::Optimistic, Ties::Pessimistic]),
    ) {
        let noisy = Noisy::new(seed);
        let (task, plan) = (noisy.task(), noisy.plan().with_ties(ties));
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
        let whole = rank_catalogue(&noisy, &task, &plan);
        prop_assert!(whole.is_ok());
        prop_assert_eq!(&pool.install(|| rank_in_blocks(&noisy, &task, &plan, block_users)), &whole);
        prop_assert_eq!(&rank_in_blocks(&OnDevice(&noisy), &task, &plan, block_users), &whole);
    }

    #[test]
    fn the_order_of_the_blocks_changes_no_bit(
        seed in any::<u32>(),
        block_users in 1_usize..12,
        keys in prop::collection::vec(any::<u32>(), 33),
    ) {
        let noisy = Noisy::new(seed);
        let (task, plan) = (noisy.task(), noisy.plan());
        let mut blocks: Vec<(usize, &[u32])> = noisy.users.chunks(block_users).enumerate().collect();
        blocks.sort_by_key(|&(number, _)| keys[number]);
        let mut accumulator = RankingAccumulator::new(&task, Noisy::N_ITEMS, &plan).unwrap();
        for (number, users) in blocks {
            let mut scores = vec![0.0; users.len() * Noisy::N_ITEMS];
            noisy.score_block(users, &mut scores);
            accumulator.add_scores(number * block_users, &scores).unwrap();
        }
        prop_assert_eq!(accumulator.finish(), rank_catalogue(&noisy, &task, &plan));
    }

    #[test]
    fn optimistic_values_are_at_least_expected_ones_and_these_at_least_pessimistic_ones(
        seed in any::<u32>(),
    ) {
        let noisy = Noisy::new(seed);
        let report = |ties| rank_catalogue(&noisy, &noisy.task(), &noisy.plan().with_ties(ties)).unwrap();
        let (best, expected, worst) =
            (report(Ties::Optimistic), report(Ties::Expected), report(Ties::Pessimistic));
        for key in every_key().iter().filter(|key| key.family() == Family::Ranking) {
            let values = |report: &RankingReport| report.per_user(&key.to_string()).unwrap();
            for ((best, expected), worst) in values(&best).iter().zip(values(&expected)).zip(values(&worst)) {
                prop_assert!(*best >= expected - 1e-15 && expected >= worst - 1e-15, "{key}");
            }
        }
        prop_assert_eq!(best.n_tied, expected.n_tied);
    }

    #[test]
    fn what_lies_below_every_cut_off_need_not_be_counted(
        seed in any::<u32>(),
        ties in prop::sample::select(vec![Ties::Expected, Ties::Optimistic, Ties::Pessimistic]),
        k in 1_usize..6,
    ) {
        let noisy = Noisy::new(seed);
        let task = noisy.task();
        let keys = ["hit_rate", "mrr", "map", "ndcg", "recall"].map(|name| format!("{name}@{k}"));
        // The AUC looks at every candidate.
        let all = [&keys[..], &["auc".to_owned()]].concat();
        let near = RankingPlan::parse(&keys).unwrap().with_ties(ties);
        let all = rank_catalogue(&noisy, &task, &RankingPlan::parse(&all).unwrap().with_ties(ties)).unwrap();
        let counted = rank_catalogue(&noisy, &task, &near).unwrap();
        prop_assert_eq!(rank_catalogue(&OnDevice(&noisy), &task, &near).unwrap(), counted.clone());
        for key in &keys {
            prop_assert_eq!(counted.per_user(key), all.per_user(key), "{}", key);
        }
        prop_assert_eq!((counted.n_masked, counted.n_relevant), (all.n_masked, all.n_relevant));
        prop_assert!(counted.n_tied <= all.n_tied);
    }

    #[test]
    fn adding_a_constant_to_exact_scores_changes_nothing(seed in any::<u32>(), shift in -1_000_i16..1_000) {
        let noisy = Noisy::new(seed);
        let plan = noisy.plan();
        // Whole numbers: exact before and after.
        let mut row = vec![0.0; 33 * Noisy::N_ITEMS];
        noisy.score_block(&noisy.users, &mut row);
        let shifted = Formula(Noisy::N_ITEMS, |user: u32, item: u32| {
            row[user as usize * Noisy::N_ITEMS + item as usize] + f32::from(shift)
        });
        let task = noisy.task();
        prop_assert_eq!(rank_catalogue(&shifted, &task, &plan), rank_catalogue(&noisy, &task, &plan));
    }
}

#[test]
fn every_metric_that_a_plan_names_is_reported_under_its_key_in_order() {
    let noisy = Noisy::new(5);
    let report = rank_catalogue(&noisy, &noisy.task(), &noisy.plan()).unwrap();
    let keys: Vec<String> = report.metrics.iter().map(|(key, _)| key.to_owned()).collect();
    assert_eq!(keys, every_key().iter().map(ToString::to_string).collect::<Vec<_>>());
    for key in &keys {
        let expected = (key == "intra_list_diversity@1").then_some("no list shows two items with a vector");
        assert_eq!(report.metrics.reason(key), expected, "{key}");
    }
}

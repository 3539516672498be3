//! Ranking blocks of scores and given lists, at the shapes of MovieLens 1M and 20M.
//!
//! `cargo bench -p cresset-metrics`, and with a filter `-- lists`. Scores are synthetic, without ties but for
//! chance; they are made before the clock starts, so a time is that of ranking alone.

#![expect(clippy::unwrap_used, reason = "a bench stops at what should not fail")]

use std::time::Duration;

use cresset_metrics::{
    ItemFacts, ItemLists, RankedLists, RankingAccumulator, RankingPlan, RankingTask, rank_lists,
};
use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};

/// Users and items of MovieLens 1M.
const SMALL: (usize, usize) = (6_040, 3_706);
/// Items of MovieLens 20M; its 138,493 users are as many blocks as this of 1,024.
const LARGE: (usize, usize) = (1_024, 26_744);

const USUAL: [&str; 10] = [
    "ndcg@10",
    "map@10",
    "mrr@10",
    "recall@10",
    "precision@10",
    "ndcg@100",
    "map@100",
    "mrr@100",
    "recall@100",
    "precision@100",
];
const LISTED: [&str; 3] = ["ndcg@10", "coverage@10", "gini@10"];
const LISTED_LONG: [&str; 3] = ["ndcg@100", "coverage@100", "novelty@100"];

/// A number in 32 bits that looks drawn by lot.
fn mix(user: u32, item: u32) -> u32 {
    let mixed = (user ^ 0x9E37_79B9).wrapping_mul(0x85EB_CA6B) ^ item.wrapping_mul(0xC2B2_AE35);
    (mixed ^ (mixed >> 15)).wrapping_mul(0x2C1B_3C6D) ^ (mixed >> 13)
}

fn score(user: u32, item: u32) -> f32 {
    (mix(user, item) >> 8) as f32 / 16_777_216.0
}

/// Lists by user of about `mean_len` items, strictly rising.
struct Lists {
    offsets: Vec<usize>,
    items: Vec<u32>,
}

impl Lists {
    fn new(n_users: usize, n_items: usize, mean_len: usize, salt: u32) -> Self {
        let (mut offsets, mut items) = (vec![0], Vec::new());
        for user in 0..n_users as u32 {
            let len = mean_len / 2 + mix(user, salt) as usize % mean_len.max(1) + 1;
            let mut list: Vec<u32> =
                (0..len as u32).map(|nth| mix(user ^ salt, nth) % n_items as u32).collect();
            list.sort_unstable();
            list.dedup();
            items.extend(list);
            offsets.push(items.len());
        }
        Self { offsets, items }
    }

    fn view(&self) -> ItemLists<'_> {
        ItemLists { offsets: &self.offsets, items: &self.items }
    }
}

fn scores(n_users: usize, n_items: usize) -> Vec<f32> {
    (0..n_users as u32).flat_map(|user| (0..n_items as u32).map(move |item| score(user, item))).collect()
}

fn full_scores(c: &mut Criterion) {
    let mut group = c.benchmark_group("full scores");
    group.sample_size(20).sampling_mode(SamplingMode::Flat).warm_up_time(Duration::from_secs(1));
    for ((n_users, n_items), n_seen) in [(SMALL, 0), (SMALL, 165), (LARGE, 144)] {
        let users: Vec<u32> = (0..n_users as u32).collect();
        let scores = scores(n_users, n_items);
        let interactions = vec![1; n_items];
        let seen = Lists::new(n_users, n_items, n_seen, 7);
        let seen = if n_seen == 0 { ItemLists::NONE } else { seen.view() };
        for n_relevant in [0, 20] {
            let relevant = Lists::new(n_users, n_items, n_relevant, 3);
            let task = RankingTask { users: &users, relevant: relevant.view(), seen };
            for (name, keys) in
                [("counts", &USUAL[..]), ("lists of 10", &LISTED[..]), ("lists of 100", &LISTED_LONG[..])]
            {
                let facts = ItemFacts::new(&interactions, n_users).unwrap();
                let plan = RankingPlan::parse(keys).unwrap().with_facts(facts);
                let shape = format!("{n_users}x{n_items}, {} relevant, {n_seen} seen", n_relevant.max(1));
                group.throughput(Throughput::Elements((n_users * n_items) as u64));
                group.bench_function(BenchmarkId::new(name, shape), |b| {
                    b.iter(|| {
                        let mut accumulator = RankingAccumulator::new(&task, n_items, &plan).unwrap();
                        accumulator.add_scores(0, &scores).unwrap();
                        accumulator.finish().unwrap()
                    });
                });
            }
        }
    }
    group.finish();
}

fn given_lists(c: &mut Criterion) {
    const LIST_LEN: usize = 100;
    let (n_users, n_items) = SMALL;
    let users: Vec<u32> = (0..n_users as u32).collect();
    let relevant = Lists::new(n_users, n_items, 20, 3);
    let (mut items, mut falling) = (Vec::new(), Vec::new());
    for user in 0..n_users as u32 {
        let first = mix(user, 11) % n_items as u32;
        items.extend((0..LIST_LEN as u32).map(|nth| (first + 37 * nth) % n_items as u32));
        falling.extend((0..LIST_LEN).map(|nth| 1.0 / (nth + 1) as f64));
    }
    let offsets: Vec<usize> = (0..=n_users).map(|user| user * LIST_LEN).collect();
    let task = RankingTask { users: &users, relevant: relevant.view(), seen: ItemLists::NONE };
    let plan = RankingPlan::parse(&USUAL).unwrap();
    let mixed: Vec<f64> = (0..falling.len()).map(|place| f64::from(score(place as u32, 5))).collect();
    let mut group = c.benchmark_group("given lists");
    group.throughput(Throughput::Elements((n_users * LIST_LEN) as u64));
    for (name, scores) in [("in order", &falling), ("out of order", &mixed)] {
        let lists = RankedLists { offsets: &offsets, items: &items, scores };
        group.bench_function(BenchmarkId::new(name, format!("{n_users}x{LIST_LEN}")), |b| {
            b.iter(|| rank_lists(&lists, n_items, &task, &plan).unwrap());
        });
    }
    group.finish();
}

criterion_group!(benches, full_scores, given_lists);
criterion_main!(benches);

//! Training examples a second from the loader, at the shape of MovieLens 20M, and the splits of that many rows.
//!
//! Users rate in proportion to a long tail, and items are met in proportion to another; what is measured depends on
//! the lengths of the histories and on the size of the tables, not on who likes what.

use std::hint::black_box;
use std::time::Duration;

use cresset_data::negatives::{CandidateSets, ItemDistribution, NegativeSampler, Protocol};
use cresset_data::random::{DrawKey, below};
use cresset_data::{
    Batches, Loader, LoaderConfig, PairBatches, Ratings, SequenceBatches, Sequences, Split, TimeKind,
    UserItems, Windows,
};
use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};

const N_USERS: u32 = 138_493;
const N_ITEMS: u32 = 26_744;
const N_ROWS: u32 = 20_000_263;
const BATCH_SIZE: usize = 4096;
/// Steps of one measurement, a quarter of a million examples or so.
const STEPS: usize = 64;

/// Rows of one user after another, each in order of time.
fn ratings() -> Ratings {
    let key = DrawKey::new(42, "bench", 0);
    let mut rng = key.at(0);
    // The product of two uniform draws has a long tail of small values.
    let mut long_tail = |bound: u32| {
        let first = below(u64::from(bound), &mut rng) + 1;
        below(first, &mut rng) as u32
    };
    let mut user_id: Vec<u32> = (0..N_ROWS - N_USERS).map(|_| long_tail(N_USERS)).chain(0..N_USERS).collect();
    user_id.sort_unstable();
    let item_id = (0..N_ROWS).map(|_| long_tail(N_ITEMS)).collect();
    let time =
        (0..N_ROWS).map(|row| 1_000_000_000 + i64::from(row * 7 % 1000) + i64::from(row / 16)).collect();
    Ratings {
        rating: vec![4.0; N_ROWS as usize],
        user_id,
        item_id,
        time,
        time_kind: TimeKind::Timestamp,
        parts: None,
    }
}

/// Takes the first steps of an epoch from a loader.
fn load<S: Batches>(batches: &S, order: &S::Order, num_workers: usize) {
    let config = LoaderConfig { num_workers, prefetch: 8 };
    std::thread::scope(|scope| {
        let loader = Loader::start(scope, batches, order, 0, config);
        for batch in loader.take(STEPS) {
            black_box(batch);
        }
    });
}

fn loader(criterion: &mut Criterion) {
    let ratings = ratings();
    let own = UserItems::from_ratings(&ratings, N_USERS as usize);
    let popular = ItemDistribution::popularity(&ratings.item_counts(N_ITEMS as usize), 0.75);
    let uniform = ItemDistribution::uniform(N_ITEMS as usize);
    let mut group = criterion.benchmark_group("pairs 20000263x1 negative, batch 4096");
    group.sampling_mode(SamplingMode::Flat).measurement_time(Duration::from_secs(5)).sample_size(20);
    group.throughput(Throughput::Elements((STEPS * BATCH_SIZE) as u64));
    for (name, items) in
        [("uniform", uniform.clone()), ("popularity", popular.expect("a power in its range"))]
    {
        let sampler = NegativeSampler::new(items, own.clone(), 42).expect("nobody has everything");
        let batches = PairBatches::new(&ratings, BATCH_SIZE, 42).with_negatives(sampler, 1);
        let order = batches.order(0);
        for num_workers in [1, 2] {
            group.bench_function(format!("{name}, {num_workers} threads"), |bencher| {
                bencher.iter(|| load(&batches, &order, num_workers));
            });
        }
    }
    group.finish();

    let rows: Vec<u32> = (0..N_ROWS).collect();
    let sequences = Sequences::of_rows(&ratings, &rows, N_USERS as usize);
    let sampler = NegativeSampler::new(uniform, own, 42).expect("nobody has everything");
    let batches = SequenceBatches::new(sequences, Windows::All, 200, 128, 42).with_negatives(sampler, 1);
    let order = batches.order(0);
    let mut group = criterion.benchmark_group("sequences 128x200x1 negative");
    group.sampling_mode(SamplingMode::Flat).sample_size(20);
    group.throughput(Throughput::Elements(STEPS as u64 * 128 * 200));
    group.bench_function("2 threads, positions", |bencher| bencher.iter(|| load(&batches, &order, 2)));
    group.finish();
}

fn once_an_experiment(criterion: &mut Criterion) {
    let ratings = ratings();
    let mut group = criterion.benchmark_group("20000263 rows");
    group.sampling_mode(SamplingMode::Flat).sample_size(10).throughput(Throughput::Elements(N_ROWS.into()));
    group.bench_function("temporal split", |bencher| bencher.iter(|| Split::temporal(&ratings, 0.1, 0.1)));
    group.bench_function("leave-one-out", |bencher| bencher.iter(|| Split::leave_one_out(&ratings)));
    group.bench_function("random split", |bencher| bencher.iter(|| Split::random(&ratings, 0.1, 0.1, 42)));
    let own = UserItems::from_ratings(&ratings, N_USERS as usize);
    let counts = ratings.item_counts(N_ITEMS as usize);
    let users: Vec<u32> = (0..N_USERS).collect();
    for protocol in [Protocol::Uniform(100), Protocol::Popularity(100)] {
        group.bench_function(format!("candidate sets {protocol} of 138493 users"), |bencher| {
            bencher.iter(|| CandidateSets::draw(protocol, &users, &own, &counts, 42));
        });
    }
    group.finish();
}

criterion_group!(benches, loader, once_an_experiment);
criterion_main!(benches);

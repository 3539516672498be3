//! One training step of plain matrix factorisation, over batch sizes and table sizes.
//!
//! `cargo bench -p cresset-benches --bench kg_mf_step`

use std::hint::black_box;
use std::time::Duration;

use cresset::prelude::*;
use cresset_benches::uniform_ratings;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Users and items of MovieLens 100K, 1M and 20M.
const SIZES: [(&str, usize, usize); 3] =
    [("ml-100k", 943, 1_682), ("ml-1m", 6_040, 3_706), ("ml-20m", 138_493, 26_744)];

fn steps(c: &mut Criterion) {
    let mut group = c.benchmark_group("kg_mf_step");
    group.sample_size(20).measurement_time(Duration::from_secs(5));
    for (name, n_users, n_items) in SIZES {
        for batch_size in [1_024, 8_192] {
            group.throughput(Throughput::Elements(batch_size as u64));
            let id = BenchmarkId::new(name, format!("{batch_size}x64"));
            let mut step = one_step(n_users, n_items, batch_size);
            group.bench_function(id, |b| b.iter(|| black_box(step())));
        }
    }
    group.finish();
}

/// A closure that takes one step and reads the loss, which waits for the device.
fn one_step(n_users: usize, n_items: usize, batch_size: usize) -> impl FnMut() -> f32 {
    let n_batches = 16;
    let ratings = uniform_ratings(n_users, n_items, batch_size * n_batches);
    let scale = RatingScale::of(&ratings, (0.5, 5.0));
    let config = KgMfConfig { embedding_dim: 64, ..Default::default() };
    let model: KgMf<Cpu> =
        config.init(n_users, n_items, scale, 42, &Default::default()).expect("valid numbers");
    let batches = RatingBatches::new(ratings, batch_size, 42);
    let order = batches.order(0);
    let batches: Vec<_> = (0..n_batches).map(|step| batches.batch(&order, step)).collect();
    let mut optimizer = Optimizer::new(OptimizerConfig::default());
    let mut model = Some(model);
    let mut at = 0;
    move || {
        at = (at + 1) % n_batches;
        let held = model.take().expect("put back after each step");
        let pass = held.forward_loss(&batches[at]);
        let loss = cresset::nn::scalar(pass.loss.clone());
        model = Some(optimizer.step(held, pass, 0.005));
        loss
    }
}

criterion_group!(benches, steps);
criterion_main!(benches);

//! Training steps and their parts, on every backend that is compiled in.
//!
//! `cargo bench -p cresset-benches`, and with a filter `cargo bench -p cresset-benches -- kg_mf_step`

use std::time::Duration;

use cresset::prelude::*;
use cresset_benches::{Group, groups};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn steps(c: &mut Criterion) {
    for device in DeviceSpec::compiled() {
        on_device(&device, Steps { c, device }).expect("a device that was compiled in");
    }
}

struct Steps<'a> {
    c: &'a mut Criterion,
    device: DeviceSpec,
}

impl OnBackend for Steps<'_> {
    type Out = ();

    fn run<B: AutodiffRecommender>(self, device: B::Device) {
        for group in groups::<B>() {
            measure(self.c, &group, self.device, &device);
        }
    }
}

fn measure<B: AutodiffRecommender>(
    c: &mut Criterion,
    group: &Group<B>,
    spec: DeviceSpec,
    device: &B::Device,
) {
    let mut bench = c.benchmark_group(group.name);
    bench.sample_size(20).measurement_time(Duration::from_secs(5));
    for case in &group.cases {
        bench.throughput(Throughput::Elements(case.examples));
        let id = BenchmarkId::new(&case.name, spec);
        // Started at the first use, so that a filter spares what it leaves out.
        let mut work = None;
        bench.bench_function(id, |b| {
            let work = work.get_or_insert_with(|| (case.start)(device));
            b.iter(work);
        });
    }
    bench.finish();
}

criterion_group!(benches, steps);
criterion_main!(benches);

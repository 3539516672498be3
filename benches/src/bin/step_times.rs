//! Times of single steps, as JSON lines, beside the programs of `benches/peers/`, which print the same lines.
//!
//! `cargo run --release -p cresset-benches --bin step_times -- kg_mf_step --steps 20 --warmup 3 --threads 2`

use std::time::Instant;

use clap::Parser;
use cresset::prelude::*;
use cresset::trainers::memory::peak_memory_mb;
use cresset_benches::{Case, groups};
use serde_json::json;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Prints the times of single steps, as JSON lines.
#[derive(Debug, Parser)]
struct Arguments {
    /// What to measure; a name that there is not is answered with those that there are.
    group: String,
    /// Only the case of this name, or those whose names contain it.
    #[arg(long, default_value = "")]
    case: String,
    /// Measured steps of each case.
    #[arg(long, default_value_t = 20)]
    steps: usize,
    /// Steps before them that are not measured.
    #[arg(long, default_value_t = 3)]
    warmup: usize,
    /// Threads of the CPU backend.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Where to run.
    #[arg(long, default_value = "cpu")]
    device: DeviceSpec,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    rayon::ThreadPoolBuilder::new().num_threads(arguments.threads).build_global()?;
    let device = arguments.device;
    Ok(on_device(&device, arguments)?)
}

impl OnBackend for Arguments {
    type Out = ();

    fn run<B: AutodiffRecommender>(self, device: B::Device) {
        let group = groups::<B>().into_iter().find(|group| group.name == self.group);
        let Some(group) = group else {
            let known: Vec<&str> = groups::<B>().iter().map(|group| group.name).collect();
            eprintln!("no group is named {}; there are {}", self.group, known.join(", "));
            std::process::exit(2);
        };
        let is_named = group.cases.iter().any(|case| case.name == self.case);
        let wanted = |name: &str| if is_named { name == self.case } else { name.contains(&self.case) };
        for case in group.cases.iter().filter(|case| wanted(&case.name)) {
            self.measure(group.name, case, &device);
        }
    }
}

impl Arguments {
    fn measure<B: AutodiffRecommender>(&self, group: &str, case: &Case<B>, device: &B::Device) {
        let mut work = (case.start)(device);
        let print = |figure: &str, value: serde_json::Value| {
            println!(
                "{}",
                json!({"group": group, "case": case.name, "implementation": "cresset", figure: value})
            );
        };
        let before = peak_memory_mb();
        (0..self.warmup.max(1)).for_each(|_| work());
        if let (Some(outputs), Some(before), Some(after)) = (case.outputs_mb, before, peak_memory_mb()) {
            // Mebibytes, as the system counts, to megabytes, as the peers do.
            print("mb", json!((after - before) * 1.048_576 - outputs));
        }
        let ms: Vec<f64> = (0..self.steps).map(|_| milliseconds(&mut work)).collect();
        print("ms", json!(ms));
    }
}

fn milliseconds(work: &mut impl FnMut()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64() * 1e3
}

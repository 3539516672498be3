//! Times of ranking metrics and of their intervals, as JSON lines with the values that came out.
//!
//! Our side of `cargo xtask peers metrics`, which runs it beside `benches/peers/metrics.py` and compares the values;
//! docs/benchmarks.md has the figures.
//!
//! ```sh
//! cargo run --release -p cresset-metrics --example metric_times -- given_lists --steps 20 --warmup 3 --threads 2
//! ```

mod full_catalogue;
mod given_lists;
mod inputs;
mod intervals;
mod score_blocks;

use std::error::Error;
use std::time::Instant;

use cresset_metrics::Metrics;
use serde_json::json;

/// What the command line asks for.
struct Options {
    group: String,
    steps: usize,
    warmup: usize,
    threads: usize,
}

/// What a program returns that may fail.
type Outcome<T = ()> = Result<T, Box<dyn Error>>;

fn main() -> Outcome {
    let options = Options::parse(std::env::args().skip(1))?;
    rayon::ThreadPoolBuilder::new().num_threads(options.threads).build_global()?;
    match options.group.as_str() {
        "given_lists" => given_lists::run(&options),
        "score_blocks" => score_blocks::run(&options),
        "full_catalogue" => full_catalogue::run(&options),
        "intervals" => intervals::run(&options),
        other => {
            Err(format!("{other} is none of given_lists, score_blocks, full_catalogue, intervals").into())
        }
    }
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Outcome<Self> {
        let group = arguments.next().ok_or("name given_lists, score_blocks, full_catalogue or intervals")?;
        let mut options = Self { group, steps: 10, warmup: 3, threads: 2 };
        while let Some(option) = arguments.next() {
            let place = match option.as_str() {
                "--steps" => &mut options.steps,
                "--warmup" => &mut options.warmup,
                "--threads" => &mut options.threads,
                other => return Err(format!("{other} is none of --steps, --warmup, --threads").into()),
            };
            *place = arguments.next().ok_or(format!("{option} needs a value"))?.parse()?;
        }
        Ok(options)
    }

    /// Runs a step as often as was asked for, and prints the times and the values of the last.
    fn measure(&self, case: &str, mut step: impl FnMut() -> Outcome<Metrics>) -> Outcome {
        for _ in 0..self.warmup {
            step()?;
        }
        let mut times = Vec::with_capacity(self.steps);
        let mut values = Metrics::new();
        for _ in 0..self.steps {
            let begin = Instant::now();
            values = step()?;
            times.push(begin.elapsed().as_secs_f64() * 1e3);
        }
        let line = json!({
            "group": self.group, "case": case, "implementation": "cresset", "ms": times, "values": values,
        });
        println!("{line}");
        Ok(())
    }

    /// Prints the most memory that this process has held, where the system says.
    fn report_peak_memory(&self) {
        if let Some(mb) = peak_mb() {
            let case = "peak memory";
            println!("{}", json!({"group": self.group, "case": case, "implementation": "cresset", "mb": mb}));
        }
    }
}

fn peak_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib * 1024.0 / 1e6)
}

//! Times of exact searches of a catalogue, as JSON lines with the sum of the scores that were found.
//!
//! Our side of `cargo xtask peers search`, which runs it beside `benches/peers/search.py` and compares the
//! sums; docs/benchmarks.md has the figures.
//!
//! ```sh
//! cargo run --release -p cresset-search --example search_times -- one_query --steps 100 --warmup 10 --threads 2
//! ```

use std::error::Error;
use std::time::Instant;

use cresset_search::{FlatIndex, Masks, Searcher};
use serde_json::json;

/// A catalogue of an online shop and a width of a two-tower model.
const N_ITEMS: u32 = 159_279;
const N_QUERIES: u32 = 1_000;
const DIM: u32 = 128;
const K: usize = 100;

/// Of a catalogue in clusters: how many, and in how many dimensions they lie.
const N_CLUSTERS: u32 = 1_000;
const RANK: u32 = 16;

/// Length of every vector. Their coordinates are whole numbers, so any order of summation gives the same
/// scores.
const LENGTH: f64 = 1_000.0;

/// What a program returns that may fail.
type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// What the command line asks for.
struct Options {
    group: String,
    steps: usize,
    warmup: usize,
    threads: usize,
}

fn main() -> Outcome {
    let options = Options::parse(std::env::args().skip(1))?;
    rayon::ThreadPoolBuilder::new().num_threads(options.threads).build_global()?;
    let batch = match options.group.as_str() {
        "one_query" => 1,
        "many_queries" => N_QUERIES as usize,
        other => return Err(format!("{other} is none of one_query, many_queries").into()),
    };
    options.measure("random", batch, random_vector)?;
    let basis: Vec<Vec<f64>> = (0..RANK).map(|row| bells(row, 9)).collect();
    options.measure("clustered", batch, |row, stream| clustered_vector(&basis, row, stream))
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Outcome<Self> {
        let group = arguments.next().ok_or("name one_query or many_queries")?;
        let mut options = Self { group, steps: 10, warmup: 2, threads: 2 };
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

    /// Searches for `batch` queries a step, and prints the times and the sum of the last step's scores.
    fn measure(&self, name: &str, batch: usize, vector: impl Fn(u32, u32) -> Vec<f32>) -> Outcome {
        let rows = |n, stream| (0..n).flat_map(|row| vector(row, stream)).collect::<Vec<f32>>();
        let index = FlatIndex::try_new(rows(N_ITEMS, 1), DIM as usize)?;
        let queries = rows(N_QUERIES, 2);
        let batches: Vec<&[f32]> = queries.chunks_exact(batch * DIM as usize).collect();
        let mut searcher = Searcher::new();
        let mut times = Vec::with_capacity(self.steps);
        let mut sum = 0.0;
        for step in 0..self.warmup + self.steps {
            let begin = Instant::now();
            let found = searcher.search_batch(&index, batches[step % batches.len()], K, Masks::NONE)?;
            let ms = begin.elapsed().as_secs_f64() * 1e3;
            sum = found.iter().flatten().map(|hit| f64::from(hit.score)).sum();
            if step >= self.warmup {
                times.push(ms);
            }
        }
        let line = json!({
            "group": self.group, "case": format!("{N_ITEMS}x{DIM} {name}"), "implementation": "cresset",
            "ms": times, "values": {"sum of scores": sum},
        });
        println!("{line}");
        Ok(())
    }
}

/// A 32-bit mixture.
fn hashed(mut word: u32) -> u32 {
    for (shift, factor) in [(16, 0x7FEB_352D_u32), (15, 0x846C_A68B)] {
        word ^= word >> shift;
        word = word.wrapping_mul(factor);
    }
    word ^ word >> 16
}

/// A row of whole numbers that look normally distributed: each the sum of four bytes, less their mean.
fn bells(row: u32, stream: u32) -> Vec<f64> {
    let seed = hashed(row ^ hashed(stream));
    let bell = |column: u32| {
        hashed(seed.wrapping_add(column)).to_le_bytes().map(f64::from).iter().sum::<f64>() - 510.0
    };
    (0..DIM).map(bell).collect()
}

/// A vector in any direction.
fn random_vector(row: u32, stream: u32) -> Vec<f32> {
    with_length(&bells(row, stream))
}

/// A vector near others: a cluster and a deviation from it in few dimensions, and a fifth in any direction.
fn clustered_vector(basis: &[Vec<f64>], row: u32, stream: u32) -> Vec<f32> {
    let centre = bells(hashed(row ^ hashed(stream + 100)) % N_CLUSTERS, 10);
    let (deviation, noise) = (bells(row, stream), bells(row, stream + 200));
    let coordinate = |column: usize| {
        let place = |rank: usize| (3.0 * centre[rank] + deviation[rank]) * basis[rank][column];
        (0..basis.len()).map(place).sum::<f64>() + 400.0 * noise[column]
    };
    with_length(&(0..DIM as usize).map(coordinate).collect::<Vec<f64>>())
}

fn with_length(vector: &[f64]) -> Vec<f32> {
    let length = vector.iter().map(|x| x * x).sum::<f64>().sqrt();
    vector.iter().map(|x| (x * LENGTH / length).round_ties_even() as f32).collect()
}

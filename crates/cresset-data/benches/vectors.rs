//! Reading vectors of the size that the reference documents name (159,279 x 768), and a whole tag genome.
//!
//! `cargo bench -p cresset-data --bench vectors`, and with a filter `-- npy`. The files are made from a seed in a folder
//! for temporary files, 6 GB of them without a filter. Before each time, the processor time and the memory of
//! one read are printed (Linux only: it asks `/proc/self`).

#![expect(clippy::unwrap_used, reason = "a bench stops at what should not fail")]

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::builder::{Float32Builder, ListBuilder};
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use cresset_data::features::Genome;
use cresset_data::random::stream;
use cresset_data::{OnBadRow, Vectors, VectorsConfig, Vocabulary};
use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use rand::Rng;

const N_ROWS: usize = 159_279;
const DIM: usize = 768;
const SHAPE: &str = "159279x768";
/// Of the MovieLens 20M edition.
const GENOME: (usize, usize) = (10_381, 1_128);

/// Writes vectors to a file.
type WriteFile = fn(&Vectors, &Path);

/// The name of a bench, the name of its file, and what makes it.
const FILES: [(&str, &str, WriteFile); 6] = [
    ("npy", "a.npy", |vectors, path| vectors.write(path).unwrap()),
    ("parquet", "b.parquet", |vectors, path| vectors.write(path).unwrap()),
    ("parquet in one row group", "c.parquet", write_one_group),
    ("safetensors", "d.safetensors", |vectors, path| vectors.write(path).unwrap()),
    ("json", "e.json", |vectors, path| vectors.write(path).unwrap()),
    ("json of doubles on one line", "f.json", write_doubles),
];

fn read_vectors(c: &mut Criterion) {
    let mut made = None;
    let mut group = c.benchmark_group("read vectors");
    group.sample_size(10).sampling_mode(SamplingMode::Flat).warm_up_time(Duration::from_secs(1));
    group.throughput(Throughput::Elements((N_ROWS * DIM) as u64));
    for (name, file, write) in FILES {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(file);
        group.bench_function(BenchmarkId::new(name, SHAPE), |b| {
            if !path.exists() {
                write(made.get_or_insert_with(make_vectors), &path);
                print_peak(name, &path);
            }
            b.iter(|| Vectors::read(&path, &VectorsConfig::default()).unwrap());
        });
    }
    group.finish();
}

/// Vectors with values from -1 to 1.
fn make_vectors() -> Vectors {
    let mut values = vec![0.0; N_ROWS * DIM];
    for (row, values) in values.chunks_exact_mut(DIM).enumerate() {
        let mut rng = stream(7, "bench.vectors", row as u64);
        values.iter_mut().for_each(|value| *value = (rng.next_u32() >> 8) as f32 / 8_388_608.0 - 1.0);
    }
    Vectors { ids: (1..=N_ROWS).map(|id| id.to_string()).collect(), dim: DIM, values }
}

/// One row group, dictionary first and Snappy: what a data frame's `to_parquet` leaves.
fn write_one_group(vectors: &Vectors, path: &Path) {
    let mut lists = ListBuilder::new(Float32Builder::new());
    for row in 0..vectors.len() {
        lists.values().append_slice(vectors.row(row));
        lists.append(true);
    }
    let ids: ArrayRef = Arc::new(StringArray::from_iter_values(&vectors.ids));
    let lists: ArrayRef = Arc::new(lists.finish());
    let batch = RecordBatch::try_from_iter([("id", ids), ("embedding", lists)]).unwrap();
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let file = File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

/// Numbers with the 16 to 20 digits that Python gives a float of 32 bits, and no line ends.
fn write_doubles(vectors: &Vectors, path: &Path) {
    let mut out = BufWriter::new(File::create(path).unwrap());
    for (row, id) in vectors.ids.iter().enumerate() {
        let doubles: Vec<f64> = vectors.row(row).iter().map(|&value| f64::from(value) * 0.1).collect();
        let start = if row == 0 { "{" } else { ", " };
        write!(out, "{start}\"{id}\": ").unwrap();
        serde_json::to_writer(&mut out, &doubles).unwrap();
    }
    out.write_all(b"}").unwrap();
    out.flush().unwrap();
}

/// Prints the processor time of a read, on which other work of the machine has no part, and the memory that it takes
/// beyond what it returns.
fn print_peak(name: &str, path: &Path) {
    let (Some(before), Some(start)) = (reset_peak(), processor_seconds()) else { return };
    let vectors = Vectors::read(path, &VectorsConfig::default()).unwrap();
    let (Some(peak), Some(end)) = (status("VmHWM"), processor_seconds()) else { return };
    let result = (4 * vectors.values.len()) >> 10;
    let size = fs::metadata(path).unwrap().len() >> 20;
    let beyond = peak.saturating_sub(before + result) >> 10;
    let (seconds, result) = (end - start, result >> 10);
    println!(
        "{name}: a file of {size} MB, {seconds:.2} s of all cores, {beyond} MB beyond the {result} MB of the result"
    );
}

/// Lets the peak begin anew; the memory held now, in kB.
fn reset_peak() -> Option<usize> {
    fs::write("/proc/self/clear_refs", "5").ok()?;
    status("VmRSS")
}

/// A line of `/proc/self/status`, in kB.
fn status(key: &str) -> Option<usize> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

/// What the process has used of all cores so far.
fn processor_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let (_, behind_name) = stat.rsplit_once(')')?;
    let ticks = behind_name.split_whitespace().skip(11).take(2).map(str::parse::<f64>);
    // Linux counts a hundred ticks a second.
    Some(ticks.sum::<Result<f64, _>>().ok()? / 100.0)
}

fn read_genome(c: &mut Criterion) {
    let (n_items, n_tags) = GENOME;
    let folder = tempfile::tempdir().unwrap();
    let items = Vocabulary::from_ids((1..=n_items).map(|id| id.to_string()));
    let mut group = c.benchmark_group("read genome");
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    group.throughput(Throughput::Elements((n_items * n_tags) as u64));
    group.bench_function("10381x1128", |b| {
        if !folder.path().join("genome-tags.csv").exists() {
            write_genome(folder.path(), n_items, n_tags);
        }
        b.iter(|| Genome::read(folder.path(), &items, OnBadRow::Error).unwrap());
    });
    group.finish();
}

fn write_genome(folder: &Path, n_items: usize, n_tags: usize) {
    let mut scores = BufWriter::new(File::create(folder.join("genome-scores.csv")).unwrap());
    writeln!(scores, "movieId,tagId,relevance").unwrap();
    for item in 1..=n_items {
        let mut rng = stream(7, "bench.genome", item as u64);
        for tag in 1..=n_tags {
            let relevance = f64::from(rng.next_u32() % 4000) / 4000.0;
            writeln!(scores, "{item},{tag},{relevance}").unwrap();
        }
    }
    scores.flush().unwrap();
    let tags: String = (1..=n_tags).map(|tag| format!("{tag},tag {tag}\n")).collect();
    fs::write(folder.join("genome-tags.csv"), format!("tagId,tag\n{tags}")).unwrap();
}

criterion_group!(benches, read_vectors, read_genome);
criterion_main!(benches);

//! A file of 20 million ratings made ready for training: read, cleaned, indexed, sorted, split in time, written as Parquet.
//!
//! Our side of `cargo xtask peers data`, which runs it beside pandas and Polars; docs/benchmarks.md has the figures.
//!
//! ```sh
//! cargo run --release -p cresset-data --example ratings_to_parquet -- ratings_1m --make
//! cargo run --release -p cresset-data --example ratings_to_parquet -- ratings_1m
//! ```

use std::error::Error;
use std::fs::{File, create_dir_all, read_to_string};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::ArrowError;
use cresset_data::arrow::{SPLIT, part_column};
use cresset_data::parquet_io::{ParquetOptions, write_parquet};
use cresset_data::{DataConfig, Dataset, SourceKind, Split, SplitKind, World, WorldConfig};

/// Ratings of MovieLens 20M, by its users, of its films.
const ML_20M: [usize; 3] = [20_000_263, 138_493, 26_744];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let group = arguments.next().ok_or("name ratings_1m, ratings_5m or ratings_20m")?;
    let (mut folder, mut threads, mut is_made) = (PathBuf::from("target/peers"), 2, false);
    while let Some(option) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{option} needs a value"));
        match option.as_str() {
            "--make" => is_made = true,
            "--folder" => folder = value()?.into(),
            "--threads" => threads = value()?.parse()?,
            other => return Err(format!("{other} is none of --make, --folder, --threads").into()),
        }
    }
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
    if is_made { make(&folder, &group) } else { measure(&folder, &group) }
}

/// Writes `ratings.csv` of a synthetic world with users in proportion to its ratings.
fn make(folder: &Path, group: &str) -> Result<(), Box<dyn Error>> {
    let [all_ratings, all_users, n_items] = ML_20M;
    let n_ratings = match group {
        "ratings_1m" => 1_000_000,
        "ratings_5m" => 5_000_000,
        "ratings_20m" => all_ratings,
        other => return Err(format!("{other} is none of ratings_1m, ratings_5m, ratings_20m").into()),
    };
    let path = folder.join(group).join("ratings.csv");
    if path.exists() {
        return Ok(());
    }
    let n_users = all_users * n_ratings / all_ratings;
    let rows =
        World::generate(&WorldConfig { n_users, n_items, n_ratings, ..WorldConfig::default() })?.interactions;
    create_dir_all(folder.join(group))?;
    let unfinished = path.with_extension("unfinished");
    let mut file = BufWriter::new(File::create(&unfinished)?);
    writeln!(file, "userId,movieId,rating,timestamp")?;
    for row in 0..rows.len() {
        let (user, item) = (rows.users.name_at(row), rows.items.name_at(row));
        writeln!(file, "{user},{item},{:.1},{}", rows.ratings[row], rows.times[row])?;
    }
    file.flush()?;
    Ok(std::fs::rename(unfinished, path)?)
}

fn measure(folder: &Path, group: &str) -> Result<(), Box<dyn Error>> {
    let config = DataConfig {
        source: SourceKind::MovieLensCsv,
        name: Some(group.to_owned()),
        split: SplitKind::Temporal,
        ..DataConfig::default()
    };
    let begin = Instant::now();
    let data = Dataset::load(&config, folder)?;
    let order = data.ratings.in_time_order();
    let ratings = data.ratings.select(&order);
    // What is not needed any more makes room for what comes.
    drop((data.ratings, order));
    let split = Split::of(&ratings, &config, 0)?;
    let rows = with_parts(&ratings.into_batch(None), &split)?;
    write_parquet(&folder.join(format!("{group}.cresset.parquet")), &rows, &ParquetOptions::default())?;
    let ms = begin.elapsed().as_secs_f64() * 1e3;
    let line = format!(r#""group": "{group}", "implementation": "cresset""#);
    println!(r#"{{{line}, "case": "csv to parquet", "ms": [{ms}]}}"#);
    if let Some(mb) = peak_mb() {
        println!(r#"{{{line}, "case": "peak memory", "mb": {mb}}}"#);
    }
    Ok(())
}

/// The rows with a column of their parts as the peers write it: 0, 1 and 2.
fn with_parts(rows: &RecordBatch, split: &Split) -> Result<RecordBatch, ArrowError> {
    let parts = part_column(split, rows.num_rows()).keys().clone();
    let names = rows.schema_ref().fields().iter().map(|field| field.name().as_str());
    let columns = names.zip(rows.columns().iter().cloned());
    RecordBatch::try_from_iter(columns.chain([(SPLIT, Arc::new(parts) as ArrayRef)]))
}

/// The most memory that this process has held, where the system says.
fn peak_mb() -> Option<f64> {
    let status = read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib * 1024.0 / 1e6)
}

//! Times of single iterations of implicit ALS, as JSON lines.
//!
//! Our side of `cargo xtask peers baselines`, which runs it beside the package implicit; docs/benchmarks.md has the
//! figures.
//!
//! ```sh
//! cargo run --release -p cresset-baselines --example als_iterations -- implicit_als --make
//! cargo run --release -p cresset-baselines --example als_iterations -- implicit_als
//! ```

use std::error::Error;
use std::fs::{create_dir_all, read, rename, write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use cresset_baselines::{ImplicitAlsConfig, TrainingSet};
use cresset_data::{DataConfig, Dataset, WorldConfig};

/// The sizes of MovieLens 1M.
const N_USERS: usize = 6_040;
const N_ITEMS: usize = 3_706;
const N_RATINGS: usize = 1_000_209;

/// Widths of the vectors, each a case.
const DIMS: [usize; 2] = [64, 128];
const N_ITERATIONS: usize = 15;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let group = arguments.next().filter(|group| group == "implicit_als").ok_or("name implicit_als")?;
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
    let file = folder.join(group).join("pairs.u32");
    if is_made { make(&file) } else { measure(&file) }
}

/// Writes the users and items of a synthetic world, a pair of 32-bit numbers a row.
fn make(file: &Path) -> Result<(), Box<dyn Error>> {
    if file.exists() {
        return Ok(());
    }
    let sizes =
        WorldConfig { n_users: N_USERS, n_items: N_ITEMS, n_ratings: N_RATINGS, ..WorldConfig::default() };
    let config = DataConfig { synthetic: sizes, ..DataConfig::default() };
    let ratings = Dataset::load(&config, Path::new("."))?.ratings;
    let pairs = ratings.user_id.iter().zip(&ratings.item_id);
    let bytes: Vec<u8> =
        pairs.flat_map(|(user, item)| [user.to_le_bytes(), item.to_le_bytes()].concat()).collect();
    create_dir_all(file.parent().ok_or("no folder")?)?;
    let unfinished = file.with_extension("unfinished");
    write(&unfinished, bytes)?;
    Ok(rename(unfinished, file)?)
}

fn measure(file: &Path) -> Result<(), Box<dyn Error>> {
    let bytes = read(file)?;
    let numbers: Vec<u32> = bytes.as_chunks().0.iter().map(|&bytes| u32::from_le_bytes(bytes)).collect();
    let user_ids: Vec<u32> = numbers.iter().copied().step_by(2).collect();
    let item_ids: Vec<u32> = numbers.iter().copied().skip(1).step_by(2).collect();
    let training = TrainingSet {
        user_ids: &user_ids,
        item_ids: &item_ids,
        ratings: &vec![1.0; user_ids.len()],
        times: None,
        n_users: N_USERS,
        n_items: N_ITEMS,
    };
    for embedding_dim in DIMS {
        let config = ImplicitAlsConfig { embedding_dim, n_iterations: N_ITERATIONS, ..Default::default() };
        let (mut ms, mut begin) = (Vec::new(), None::<Instant>);
        config.fit_with(&training, |_| {
            // The first also made the sparse matrices.
            ms.extend(begin.map(|begin| begin.elapsed().as_secs_f64() * 1e3));
            begin = Some(Instant::now());
        })?;
        let case = format!("an iteration, {embedding_dim} factors");
        let line = r#""group": "implicit_als", "implementation": "cresset""#;
        println!(r#"{{{line}, "case": "{case}", "ms": {ms:?}}}"#);
    }
    Ok(())
}

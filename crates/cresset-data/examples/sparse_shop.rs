//! A shop with few ratings a user, made from a configuration: what is in it, and how far its texts alone lead.
//!
//! The configuration is a file whose section `data` names the source `synthetic`; with `--folder DIR` the shop is written
//! there as a two-tower folder, read back and timed.
//!
//! ```sh
//! cargo run --release -p cresset-data --example sparse_shop -- configs/two-tower/amazon.yaml --folder target/shop
//! ```

use std::collections::HashMap;
use std::error::Error;
use std::path::Path;
use std::time::Instant;

use cresset_data::prepare::{Beside, PrepareOptions, write_prepared};
use cresset_data::processed::text_embedding_files;
use cresset_data::vectors::{NamedVectors, VectorsFormat, of_dataset};
use cresset_data::{AlignedVectors, DataConfig, Dataset, Ratings, SourceKind, Split, SplitKind, UserItems};
use rayon::prelude::*;

/// Users whose nearest items are looked up.
const N_ASKED: usize = 1_000;
/// Length of their lists.
const K: usize = 100;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let path = arguments.first().ok_or("name a configuration, such as configs/two-tower/amazon.yaml")?;
    let sections: HashMap<String, yaml_serde::Value> = yaml_serde::from_str(&std::fs::read_to_string(path)?)?;
    let section = sections.get("data").ok_or("the configuration has no section data")?;
    let config: DataConfig = yaml_serde::from_value(section.clone())?;

    let began = Instant::now();
    let data = Dataset::load(&config, "".as_ref())?;
    println!(
        "{} users, {} items, {} ratings in {:.2} s",
        data.n_users(),
        data.n_items(),
        data.ratings.len(),
        since(began)
    );
    println!("fingerprint {}", data.fingerprint);
    let split = Split::of(&data.ratings, &config, 0)?;
    println!("train {}, valid {}, test {}", split.train.len(), split.valid.len(), split.test.len());
    print_coldness(&data, &split);
    let began = Instant::now();
    let vectors = of_dataset(&config, "".as_ref(), &data)?;
    println!("vectors in {:.2} s", since(began));
    for named in &vectors {
        print_neighbours(named, &data.ratings, &split, data.n_users());
    }
    match &arguments[1..] {
        [] => Ok(()),
        [option, folder] if option == "--folder" => {
            write_and_read(&config, &data, &split, &vectors, folder.as_ref())
        }
        other => Err(format!("{} is not --folder DIR", other.join(" ")).into()),
    }
}

fn since(began: Instant) -> f64 {
    began.elapsed().as_secs_f64()
}

fn print_coldness(data: &Dataset, split: &Split) {
    let train = data.ratings.select(&split.train);
    let mut counts = train.item_counts(data.n_items());
    let has_item = |row: &&u32| counts[data.ratings.item_id[**row as usize] as usize] > 0;
    let warm_items = split.test.iter().filter(has_item).count();
    let mut is_known = vec![false; data.n_users()];
    train.user_id.iter().for_each(|&user| is_known[user as usize] = true);
    let warm_users =
        split.test.iter().filter(|&&row| is_known[data.ratings.user_id[row as usize] as usize]).count();
    let n_test = split.test.len() as f64;
    let percent = |warm: usize| 100.0 * (1.0 - warm as f64 / n_test);
    println!(
        "test rows of new items {:.1} %, of new users {:.1} %",
        percent(warm_items),
        percent(warm_users)
    );
    counts.sort_unstable_by(|a, b| b.cmp(a));
    let top: u32 = counts[..counts.len() / 100].iter().sum();
    let share = 100.0 * f64::from(top) / train.len() as f64;
    println!(
        "the most rated item has {} training ratings, the top hundredth {share:.1} % of them",
        counts[0]
    );
}

/// How often a user's test items are among those whose vectors are nearest to the mean of the user's training items.
fn print_neighbours(named: &NamedVectors, ratings: &Ratings, split: &Split, n_users: usize) {
    let (train, test) = (ratings.select(&split.train), ratings.select(&split.test));
    let (own, wanted) = (UserItems::from_ratings(&train, n_users), UserItems::from_ratings(&test, n_users));
    let both = |&user: &u32| !own.of(user).is_empty() && !wanted.of(user).is_empty();
    let users: Vec<u32> = (0..n_users as u32).filter(both).take(N_ASKED).collect();
    let found = |&user: &u32| {
        let nearest = nearest(&named.vectors, own.of(user));
        wanted.of(user).iter().filter(|item| nearest.contains(item)).count()
    };
    let n_found: usize = users.par_iter().map(found).sum();
    let n_wanted: usize = users.iter().map(|&user| wanted.of(user).len()).sum();
    let recall = n_found as f64 / n_wanted as f64;
    let chance = K as f64 / named.vectors.present.len() as f64;
    println!(
        "{}: {recall:.4} of the test items of {} users are among the {K} nearest, {:.0} times what chance finds",
        named.name,
        users.len(),
        recall / chance
    );
}

/// The items whose vectors are nearest to the mean of some, without these.
fn nearest(vectors: &AlignedVectors, own: &[u32]) -> Vec<u32> {
    let mut mean = vec![0.0; vectors.dim];
    for &item in own {
        mean.iter_mut().zip(vectors.row(item)).for_each(|(sum, value)| *sum += value);
    }
    let likeness = |item: u32| -> f32 { vectors.row(item).iter().zip(&mean).map(|(a, b)| a * b).sum() };
    let others = (0..vectors.present.len() as u32).filter(|item| !own.contains(item));
    let mut scored: Vec<(f32, u32)> = others.map(|item| (likeness(item), item)).collect();
    let k = K.min(scored.len());
    if k < scored.len() {
        scored.select_nth_unstable_by(k, |a, b| b.0.total_cmp(&a.0));
    }
    scored[..k].iter().map(|&(_, item)| item).collect()
}

/// Writes the data as a two-tower folder and reads them back as a run would.
fn write_and_read(
    config: &DataConfig,
    data: &Dataset,
    split: &Split,
    vectors: &[NamedVectors],
    folder: &Path,
) -> Result<(), Box<dyn Error>> {
    std::fs::create_dir_all(folder)?;
    let began = Instant::now();
    let options = PrepareOptions { vectors: VectorsFormat::Npy, ..PrepareOptions::default() };
    write_prepared(config, data, split, Beside { vectors, ..Beside::default() }, folder, &options)?;
    println!("written in {:.2} s", since(began));
    let name = folder.file_name().ok_or("a folder has a name")?.to_string_lossy().into_owned();
    let data_dir = folder.parent().unwrap_or(Path::new("."));
    for file in text_embedding_files(folder)? {
        if file.extension().is_some_and(|end| end == "txt") {
            continue;
        }
        let file = file.file_name().ok_or("a file has a name")?.to_string_lossy().into_owned();
        let vectors = serde_json::from_value(serde_json::json!([{ "name": "text", "file": file }]))?;
        let config = DataConfig {
            source: SourceKind::TwoTowerFolder,
            name: Some(name.clone()),
            split: SplitKind::Given,
            vectors,
            ..DataConfig::default()
        };
        let began = Instant::now();
        let data = Dataset::load(&config, data_dir)?;
        let of_data = since(began);
        let split = Split::of(&data.ratings, &config, 0)?;
        let vectors = of_dataset(&config, data_dir, &data)?;
        println!(
            "read {} rows ({of_data:.2} s), split of {} to train, {} of {file}: {:.2} s",
            data.ratings.len(),
            split.train.len(),
            vectors[0].vectors.n_present(),
            since(began)
        );
    }
    Ok(())
}

//! A source made into files that models and other programs read: `prepare`.
//!
//! | below the output folder | what it is |
//! | --- | --- |
//! | `interactions_mapped.parquet`, `uid2idx.json`, `iid2idx.json`, `splits.json` ... | the [processed folder](crate::processed) |
//! | `sequences.txt` | `user item` a line, ids from 1, each user's items in time order |
//! | `graph/` | `train.txt`, `valid.txt`, `test.txt` (`user item item ...`, indices from 0), `user_list.txt`, `item_list.txt` |
//! | `negatives.json` | on request: frozen candidates of each tested user ([`CandidateSets`]) |
//! | `items_text_emb_768.json` ... | the [`vectors`](mod@crate::vectors) that `data.vectors` names, by their name and width |
//! | `knowledge_graph/` | where `data.graph` names a source: the graph of [`crate::graph`], as it is saved |
//! | `cleaned_ratings.csv` | on request: `userId,movieId,rating,timestamp` under external ids |
//! | `manifest.json` | the configuration, what each cleaning step left out, the split, and the files with their hashes |
//!
//! The same configuration and data give the same bytes, on any number of threads.
//!
//! ```
//! use cresset_data::DataConfig;
//! use cresset_data::prepare::{PrepareOptions, prepare};
//!
//! let folder = tempfile::tempdir()?;
//! let options = PrepareOptions { cleaned_csv: true, ..PrepareOptions::default() };
//! let manifest = prepare(&DataConfig::default(), "".as_ref(), folder.path(), &options)?;
//! assert_eq!(manifest.n_ratings, manifest.n_train + manifest.n_valid + manifest.n_test);
//! assert!(folder.path().join("cleaned_ratings.csv").is_file());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod csv;
mod forms;
mod lines;
mod manifest;

use std::path::{Path, PathBuf};

use crate::catalogue::Side;
use crate::config::DataConfig;
use crate::dataset::Dataset;
use crate::error::DataError;
use crate::files::{FileError, atomic_write};
use crate::graph::{self, KnowledgeGraph};
use crate::negatives::{CandidateSets, NegativesError, Protocol};
use crate::processed::{NEGATIVES, write_folder};
use crate::split::Split;
use crate::user_items::UserItems;
use crate::vectors::{self, NamedVectors, VectorsFormat};

pub use csv::write_cleaned_csv;
pub use forms::{write_graph_lists, write_sequences};
pub use manifest::{CleaningStep, FileEntry, PrepareManifest, VectorsEntry};

/// Name of the manifest.
pub const MANIFEST: &str = "manifest.json";
const CLEANED: &str = "cleaned_ratings.csv";
const SEQUENCES: &str = "sequences.txt";
const GRAPH: &str = "graph";
const KNOWLEDGE_GRAPH: &str = "knowledge_graph";

/// What is written beside the processed folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrepareOptions {
    /// The sequence form. Default: true.
    pub sequences: bool,
    /// The graph form. Default: true.
    pub graph: bool,
    /// The cleaned ratings as CSV. Default: false.
    pub cleaned_csv: bool,
    /// The candidates of each tested user, drawn by `data.split_seed`. Default: `full`, none are drawn.
    pub candidates: Protocol,
    /// How vectors are written; all but CSV and TSV. Default: JSON.
    pub vectors: VectorsFormat,
}

impl Default for PrepareOptions {
    fn default() -> Self {
        Self {
            sequences: true,
            graph: true,
            cleaned_csv: false,
            candidates: Protocol::Full,
            vectors: VectorsFormat::Json,
        }
    }
}

/// Reads, cleans and splits the configured source below `data_dir`, and writes its forms into the folder `output`.
///
/// With `k_fold` the split is that of the first fold. The manifest is written last: a folder without one was left
/// half way. Files that an earlier manifest of the folder lists and this run does not write are removed; files that none
/// lists stay.
///
/// # Errors
///
/// [`DataError`] when the data cannot be read, cleaned or split, or a file cannot be written.
pub fn prepare(
    config: &DataConfig,
    data_dir: &Path,
    output: &Path,
    options: &PrepareOptions,
) -> Result<PrepareManifest, DataError> {
    let data = Dataset::load(config, data_dir)?;
    let split = Split::of(&data.ratings, config, 0)?;
    let graph = graph::of_dataset(config, data_dir, &data)?;
    let vectors = vectors::of_dataset(config, data_dir, &data)?;
    let beside = Beside { graph: graph.as_ref(), vectors: &vectors };
    write_prepared(config, &data, &split, beside, output, options)
}

/// What is known of a data set beside its interactions.
#[derive(Debug, Clone, Copy, Default)]
pub struct Beside<'a> {
    /// The knowledge graph of the items.
    pub graph: Option<&'a KnowledgeGraph>,
    /// Vectors of items and users.
    pub vectors: &'a [NamedVectors],
}

/// As [`prepare`], for data that were read and split already.
///
/// # Errors
///
/// [`DataError`] when a file cannot be written.
pub fn write_prepared(
    config: &DataConfig,
    data: &Dataset,
    split: &Split,
    beside: Beside<'_>,
    output: &Path,
    options: &PrepareOptions,
) -> Result<PrepareManifest, DataError> {
    let path = output.join(MANIFEST);
    let mut files = files_below(options, beside.graph.is_some());
    files.extend(beside.vectors.iter().flat_map(|named| vector_files(named, options.vectors)));
    // Vectors, negatives or a graph of other data would be taken for those of these.
    for stale in manifest::listed_in(&path).iter().filter(|name| !files.contains(name)) {
        remove(&output.join(stale))?;
    }
    // What is there belongs to a manifest no longer.
    remove(&path)?;
    write_folder(output, data, split)?;
    if options.sequences {
        write_sequences(&output.join(SEQUENCES), &data.ratings)?;
    }
    if options.graph {
        write_graph_lists(&output.join(GRAPH), data, split)?;
    }
    if options.candidates != Protocol::Full {
        candidates(options.candidates, config.split_seed, data, split)?.save_json(&output.join(NEGATIVES))?;
    }
    if let Some(graph) = beside.graph {
        graph.save(&output.join(KNOWLEDGE_GRAPH))?;
    }
    for named in beside.vectors {
        write_vectors(named, data, output, options.vectors)?;
    }
    if options.cleaned_csv {
        write_cleaned_csv(&output.join(CLEANED), data)?;
    }
    let files = files.iter().map(|name| FileEntry::of(output, name)).collect::<Result<_, _>>()?;
    let manifest = PrepareManifest::of(config, data, split, beside, files);
    let mut json = serde_json::to_vec_pretty(&manifest).map_err(|cause| FileError::write(&path, cause))?;
    json.push(b'\n');
    atomic_write(&path, &json)?;
    Ok(manifest)
}

/// The files of vectors: they themselves, then their ids where the format has no room for them.
fn vector_files(named: &NamedVectors, format: VectorsFormat) -> Vec<PathBuf> {
    let stem = format!("{}_{}_emb_{}", named.of.name(), named.name, named.vectors.dim);
    let name = PathBuf::from(format!("{stem}.{}", format.extension()));
    let ids = (format == VectorsFormat::Npy).then(|| PathBuf::from(format!("{stem}.ids.txt")));
    std::iter::once(name).chain(ids).collect()
}

/// Writes the vectors that are there under external ids.
fn write_vectors(
    named: &NamedVectors,
    data: &Dataset,
    output: &Path,
    format: VectorsFormat,
) -> Result<(), DataError> {
    let vocabulary = match named.of {
        Side::Items => &data.items,
        Side::Users => &data.users,
    };
    named.vectors.under_ids(vocabulary).write(&output.join(&vector_files(named, format)[0]))
}

/// Candidates of every user who has a test row, none of them an item of the user in any part.
fn candidates(
    protocol: Protocol,
    seed: u64,
    data: &Dataset,
    split: &Split,
) -> Result<CandidateSets, NegativesError> {
    let own = UserItems::from_ratings(&data.ratings, data.n_users());
    let users: Vec<u32> = split.test.iter().map(|&row| data.ratings.user_id[row as usize]).collect();
    let counts = data.ratings.select(&split.train).item_counts(data.n_items());
    CandidateSets::draw(protocol, &users, &own, &counts, seed)
}

fn remove(path: &Path) -> Result<(), FileError> {
    match std::fs::remove_file(path) {
        Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => Err(FileError::write(path, cause)),
        _ => Ok(()),
    }
}

/// The files that `options` ask for, by their paths below the folder.
fn files_below(options: &PrepareOptions, has_graph: bool) -> Vec<PathBuf> {
    let mut names: Vec<PathBuf> =
        ["interactions_mapped.parquet", "uid2idx.json", "iid2idx.json", "splits.json"]
            .into_iter()
            .chain(["items.jsonl", "users.jsonl"])
            .map(PathBuf::from)
            .collect();
    names.extend(options.sequences.then(|| SEQUENCES.into()));
    if options.graph {
        names.extend(forms::GRAPH_FILES.map(|name| Path::new(GRAPH).join(name)));
    }
    names.extend((options.candidates != Protocol::Full).then(|| NEGATIVES.into()));
    if has_graph {
        names.extend(graph::SAVED_FILES.map(|name| Path::new(KNOWLEDGE_GRAPH).join(name)));
    }
    names.extend(options.cleaned_csv.then(|| CLEANED.into()));
    names
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::processed::ProcessedFolder;
    use crate::ratings::Ratings;
    use crate::source::SourceKind;
    use crate::world::WorldConfig;

    fn small() -> DataConfig {
        let synthetic = WorldConfig { n_users: 40, n_items: 30, n_ratings: 500, ..WorldConfig::default() };
        let graph = serde_json::from_str(r#"{ "sources": [{ "format": "synthetic" }] }"#).unwrap();
        DataConfig { synthetic, graph, ..DataConfig::default() }
    }

    fn all() -> PrepareOptions {
        PrepareOptions { cleaned_csv: true, candidates: Protocol::Uniform(5), ..PrepareOptions::default() }
    }

    #[test]
    fn every_form_is_written_and_listed_with_its_size() {
        let folder = tempfile::tempdir().unwrap();
        let manifest = prepare(&small(), "".as_ref(), folder.path(), &all()).unwrap();
        assert_eq!((manifest.n_users, manifest.n_items, manifest.n_ratings), (40, 30, 500));
        assert_eq!(manifest.files.len(), 17);
        for file in &manifest.files {
            let bytes = fs::metadata(folder.path().join(&file.name)).unwrap().len();
            assert_eq!((file.bytes, file.sha256.len()), (bytes, 64), "{}", file.name);
        }
        let saved: PrepareManifest =
            serde_json::from_slice(&fs::read(folder.path().join(MANIFEST)).unwrap()).unwrap();
        assert_eq!(saved, manifest);
        let read = ProcessedFolder::read(folder.path()).unwrap();
        assert_eq!(read.ratings.len() as u64, manifest.n_ratings);
        assert!(read.negatives.is_some());
        let graph = KnowledgeGraph::load(&folder.path().join(KNOWLEDGE_GRAPH)).unwrap();
        assert_eq!(graph.statistics().n_items, 30);
    }

    #[test]
    fn vectors_are_written_under_the_ids_of_the_items_and_read_back() {
        let vectors = serde_json::from_str(r#"[{ "name": "text" }, { "name": "image" }]"#).unwrap();
        let config = DataConfig { vectors, ..small() };
        let data = Dataset::load(&config, "".as_ref()).unwrap();
        let expected = vectors::of_dataset(&config, "".as_ref(), &data).unwrap();
        for format in
            [VectorsFormat::Json, VectorsFormat::Npy, VectorsFormat::Parquet, VectorsFormat::Safetensors]
        {
            let folder = tempfile::tempdir().unwrap();
            let options = PrepareOptions { vectors: format, ..PrepareOptions::default() };
            let manifest = prepare(&config, "".as_ref(), folder.path(), &options).unwrap();
            let name = format!("items_text_emb_32.{}", format.extension());
            assert!(manifest.files.iter().any(|file| file.name == name), "{name}");
            let read = vectors::Vectors::read(&folder.path().join(name), &Default::default()).unwrap();
            assert_eq!(read.align(&data.items), expected[0].vectors);
        }
    }

    #[test]
    fn the_manifest_says_which_vectors_there_are() {
        let vectors = serde_json::from_str(r#"[{ "name": "text" }]"#).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let config = DataConfig { vectors, ..small() };
        let manifest = prepare(&config, "".as_ref(), folder.path(), &PrepareOptions::default()).unwrap();
        let text = VectorsEntry {
            name: "text".to_owned(),
            of: Side::Items,
            n_rows: 30,
            dim: 32,
            n_present: 30,
            n_unused: 0,
            n_zero: 0,
        };
        assert_eq!(manifest.vectors, [text]);
        assert_eq!(manifest.notes(), ["vectors text: 32 wide, of 30 of 30 items; 0 of no items here"]);
        assert_eq!(manifest.graph_skipped.unwrap().total(), 0);
    }

    #[test]
    fn what_an_earlier_run_wrote_and_this_one_does_not_is_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let vectors = serde_json::from_str(r#"[{ "name": "text" }]"#).unwrap();
        let options = PrepareOptions { vectors: VectorsFormat::Npy, ..all() };
        prepare(&DataConfig { vectors, ..small() }, "".as_ref(), folder.path(), &options).unwrap();
        let own = folder.path().join("items_text_emb_768.json");
        fs::write(&own, "{}").unwrap();
        let graph = graph::GraphConfig::default();
        let config = DataConfig { graph, ..small() };
        let manifest = prepare(&config, "".as_ref(), folder.path(), &PrepareOptions::default()).unwrap();
        let is_there = |name: &str| folder.path().join(name).exists();
        for stale in
            ["items_text_emb_32.npy", "items_text_emb_32.ids.txt", "negatives.json", "cleaned_ratings.csv"]
        {
            assert!(!is_there(stale), "{stale}");
        }
        assert!(!is_there("knowledge_graph/graph.json"));
        assert!(own.exists() && manifest.files.iter().all(|file| is_there(&file.name)));
    }

    #[test]
    fn a_manifest_takes_nothing_away_outside_its_folder() {
        let parent = tempfile::tempdir().unwrap();
        let (folder, other) = (parent.path().join("films"), parent.path().join("other.csv"));
        fs::create_dir(&folder).unwrap();
        fs::write(&other, "1").unwrap();
        let entry = |name: &str| format!(r#"{{ "name": "{name}", "bytes": 1, "sha256": "" }}"#);
        let files = [entry("../other.csv"), entry(&other.display().to_string())].join(", ");
        fs::write(folder.join(MANIFEST), format!(r#"{{ "files": [{files}] }}"#)).unwrap();
        prepare(&small(), "".as_ref(), &folder, &PrepareOptions::default()).unwrap();
        assert!(other.exists());
    }

    #[test]
    fn the_same_data_give_the_same_bytes_on_any_number_of_threads() {
        let hashes = [1, 3].map(|n_threads| {
            let folder = tempfile::tempdir().unwrap();
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
            pool.install(|| prepare(&small(), "".as_ref(), folder.path(), &all())).unwrap().files
        });
        assert_eq!(hashes[0], hashes[1]);
    }

    #[test]
    fn what_was_prepared_is_a_source_of_the_same_data() {
        let data_dir = tempfile::tempdir().unwrap();
        prepare(&small(), "".as_ref(), &data_dir.path().join("films"), &all()).unwrap();
        let config = DataConfig {
            source: SourceKind::TwoTowerFolder,
            name: Some("films".to_owned()),
            ..DataConfig::default()
        };
        let again = Dataset::load(&config, data_dir.path()).unwrap();
        let data = Dataset::load(&small(), "".as_ref()).unwrap();
        assert_eq!((&again.users, &again.items), (&data.users, &data.items));
        // The folder gives the split as well.
        assert!(again.ratings.parts.is_some());
        assert_eq!(Ratings { parts: None, ..again.ratings }, data.ratings);
    }
}

//! What a prepared folder says of itself.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Beside;
use crate::catalogue::Side;
use crate::cleaning::CleaningReport;
use crate::config::DataConfig;
use crate::dataset::Dataset;
use crate::error::DataError;
use crate::files::FileError;
use crate::graph::SkippedRows;
use crate::item_files::ItemFileReport;
use crate::split::Split;
use crate::split::SplitNote;
use crate::vectors::NamedVectors;

/// How a prepared folder came to be, and what is in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PrepareManifest {
    /// Version of Cresset.
    pub cresset: String,
    /// The configuration with every key.
    pub config: DataConfig,
    /// Number of users.
    pub n_users: u64,
    /// Number of items.
    pub n_items: u64,
    /// Number of rows kept.
    pub n_ratings: u64,
    /// Number of training rows.
    pub n_train: u64,
    /// Number of validation rows.
    pub n_valid: u64,
    /// Number of test rows.
    pub n_test: u64,
    /// Lowest and highest rating of the scale.
    pub rating_range: (f32, f32),
    /// [`Dataset::fingerprint`].
    pub fingerprint: String,
    /// What became of the rows read.
    pub cleaning: CleaningReport,
    /// The same as a table, in the order of the steps.
    pub cleaning_steps: Vec<CleaningStep>,
    /// What each file that describes items held; a source's own lists are there only when lines of them were left out.
    #[serde(default)]
    pub item_files: Vec<ItemFileReport>,
    /// Rows of the knowledge graph's files, tags and genome included, that were left out; none without a graph.
    #[serde(default)]
    pub graph_skipped: Option<SkippedRows>,
    /// The vectors that were written.
    #[serde(default)]
    pub vectors: Vec<VectorsEntry>,
    /// What must be known to read numbers from the split.
    pub split: SplitNote,
    /// Every file but this one.
    pub files: Vec<FileEntry>,
}

/// One step of the cleaning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CleaningStep {
    /// Why rows were left out.
    pub step: String,
    /// How many.
    pub rows_removed: u64,
    /// Rows left after it.
    pub rows_left: u64,
}

/// Vectors of items or users in a prepared folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VectorsEntry {
    /// What they are called.
    pub name: String,
    /// Whose they are.
    pub of: Side,
    /// Number of items or users.
    pub n_rows: u64,
    /// Width of each vector.
    pub dim: u64,
    /// Items or users that have one.
    pub n_present: u64,
    /// Vectors read whose id is none of the data.
    pub n_unused: u64,
    /// Vectors read that are zeros alone.
    #[serde(default)]
    pub n_zero: u64,
}

/// A file of a prepared folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Path below the folder, with `/` between names.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of its content, in hexadecimal.
    pub sha256: String,
}

impl PrepareManifest {
    pub(super) fn of(
        config: &DataConfig,
        data: &Dataset,
        split: &Split,
        beside: Beside<'_>,
        files: Vec<FileEntry>,
    ) -> Self {
        Self {
            cresset: env!("CARGO_PKG_VERSION").to_owned(),
            config: config.clone(),
            n_users: data.n_users() as u64,
            n_items: data.n_items() as u64,
            n_ratings: data.ratings.len() as u64,
            n_train: split.train.len() as u64,
            n_valid: split.valid.len() as u64,
            n_test: split.test.len() as u64,
            rating_range: data.rating_range,
            fingerprint: data.fingerprint.clone(),
            cleaning: data.cleaning.clone(),
            cleaning_steps: steps_of(&data.cleaning),
            item_files: data.item_files.clone(),
            graph_skipped: beside.graph.map(|graph| graph.statistics().skipped),
            vectors: beside.vectors.iter().map(VectorsEntry::of).collect(),
            split: split.note.clone(),
            files,
        }
    }
}

impl PrepareManifest {
    /// What was left out beside interactions, and which vectors are there, a sentence each.
    pub fn notes(&self) -> Vec<String> {
        let left_out = self.item_files.iter().filter(|report| report.n_unreadable > 0).map(|report| {
            let first = report.first_unreadable.as_deref().unwrap_or_default();
            format!("{}: {} lines left out (the first: {first})", report.file, report.n_unreadable)
        });
        let skipped = self.graph_skipped.filter(|skipped| skipped.total() > 0);
        let of_graph = skipped.map(|skipped| format!("knowledge graph: {skipped}"));
        left_out.chain(of_graph).chain(self.vectors.iter().map(ToString::to_string)).collect()
    }
}

impl VectorsEntry {
    fn of(named: &NamedVectors) -> Self {
        let NamedVectors { name, of, vectors } = named;
        Self {
            name: name.clone(),
            of: *of,
            n_rows: vectors.present.len() as u64,
            dim: vectors.dim as u64,
            n_present: vectors.n_present() as u64,
            n_unused: vectors.n_unused as u64,
            n_zero: vectors.n_zero as u64,
        }
    }
}

impl fmt::Display for VectorsEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, of, n_rows, dim, n_present, n_unused, n_zero } = self;
        let of = of.name();
        write!(f, "vectors {name}: {dim} wide, of {n_present} of {n_rows} {of}; {n_unused} of no {of} here")?;
        if *n_zero > 0 { write!(f, "; {n_zero} are zeros alone") } else { Ok(()) }
    }
}

fn steps_of(cleaning: &CleaningReport) -> Vec<CleaningStep> {
    let mut rows_left = cleaning.read;
    let step = |(step, rows_removed): (&str, u64)| {
        rows_left -= rows_removed;
        CleaningStep { step: step.to_owned(), rows_removed, rows_left }
    };
    cleaning.steps().into_iter().map(step).collect()
}

/// The part of a manifest that says which files are its own, whatever version wrote the rest.
#[derive(Deserialize)]
struct Listed {
    files: Vec<FileEntry>,
}

/// The files that the manifest at `path` lists, below its folder; none where there is no manifest.
pub(super) fn listed_in(path: &Path) -> Vec<PathBuf> {
    let listed = std::fs::read(path).ok().and_then(|json| serde_json::from_slice::<Listed>(&json).ok());
    let names = listed.into_iter().flat_map(|listed| listed.files).map(|file| PathBuf::from(file.name));
    let is_below = |name: &PathBuf| name.components().all(|part| matches!(part, Component::Normal(_)));
    names.filter(is_below).collect()
}

impl FileEntry {
    /// The file `name` below `folder`.
    pub(super) fn of(folder: &Path, name: &Path) -> Result<Self, DataError> {
        let path = folder.join(name);
        let (bytes, sha256) = hash(&path).map_err(|cause| FileError::read(&path, cause))?;
        let names: Vec<_> = name.iter().map(|name| name.to_string_lossy()).collect();
        Ok(Self { name: names.join("/"), bytes, sha256 })
    }
}

fn hash(path: &Path) -> io::Result<(u64, String)> {
    let mut file = BufReader::with_capacity(1 << 20, File::open(path)?);
    let (mut hash, mut n_bytes) = (Sha256::new(), 0);
    let mut buffer = vec![0; 1 << 16];
    loop {
        let n_read = file.read(&mut buffer)?;
        if n_read == 0 {
            break;
        }
        hash.update(&buffer[..n_read]);
        n_bytes += n_read as u64;
    }
    Ok((n_bytes, hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_left_count_down_to_the_rows_kept() {
        let cleaning = CleaningReport {
            read: 10,
            missing: 2,
            duplicates: 3,
            below_core: 1,
            kept: 4,
            ..Default::default()
        };
        let left: Vec<u64> = steps_of(&cleaning).iter().map(|step| step.rows_left).collect();
        // Read; unreadable, sampled negatives, missing, out of range, time, duplicate, rating, count.
        assert_eq!(left, [10, 10, 8, 8, 8, 5, 5, 4]);
    }

    #[test]
    fn the_hash_of_a_file_is_that_of_its_bytes() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("abc"), "abc").unwrap();
        let entry = FileEntry::of(folder.path(), Path::new("abc")).unwrap();
        // FIPS 180-2, appendix B.1.
        assert_eq!(entry.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!((entry.bytes, entry.name.as_str()), (3, "abc"));
    }
}

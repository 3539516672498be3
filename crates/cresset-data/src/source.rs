//! Where ratings come from: the readers by name, and what every reader hands over.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::catalogue::Catalogue;
use crate::config::{DataConfig, OnBadRow};
use crate::error::DataError;
use crate::files::{TextFile, open_text};
use crate::interactions::Interactions;
use crate::item_files::{ItemFileReport, describe_items};
use crate::movielens::{read_1m, read_100k, read_csv_edition};
use crate::processed::read_two_tower_folder;
use crate::sources::{
    read_amazon, read_csv, read_kgat, read_kgcn, read_mmrec, read_multimodal, read_parquet_table,
    read_recbole, read_sasrec, read_sequences,
};
use crate::world::World;

/// What a source holds, not yet cleaned.
#[derive(Debug, Clone, PartialEq)]
pub struct RawData {
    /// Its rows, bad ones included.
    pub interactions: Interactions,
    /// What it says about items and users.
    pub catalogue: Catalogue,
    /// Lowest and highest rating of its scale.
    pub rating_range: (f32, f32),
    /// Lines that were left out because they cannot be read, under `on_bad_row: skip`.
    pub unreadable: Unreadable,
    /// Rows that were left out because they hold a sampled negative: an item that the source drew for a user who never
    /// met it.
    pub sampled_negatives: u64,
    /// What each file that describes items held; a source's own lists are there only when lines of them were left out.
    pub item_files: Vec<ItemFileReport>,
}

/// Lines that cannot be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unreadable {
    /// How many there are.
    pub n_lines: u64,
    /// What was wrong with the first of them.
    pub first: Option<String>,
}

impl Unreadable {
    /// Counts a line, and keeps what was wrong with it if it is the first.
    pub(crate) fn count(&mut self, error: &DataError) {
        self.n_lines += 1;
        self.first.get_or_insert_with(|| error.to_string());
    }

    /// Counts a line where such lines may be skipped.
    ///
    /// # Errors
    ///
    /// `error` itself under [`OnBadRow::Error`], or when it is not that of one row.
    pub(crate) fn count_or_refuse(
        &mut self,
        on_bad_row: OnBadRow,
        error: DataError,
    ) -> Result<(), DataError> {
        if on_bad_row == OnBadRow::Error || !error.is_of_a_row() {
            return Err(error);
        }
        self.count(&error);
        Ok(())
    }

    /// Adds lines that come after these.
    pub(crate) fn append(&mut self, later: Self) {
        self.n_lines += later.n_lines;
        self.first = self.first.take().or(later.first);
    }
}

/// A reader, as `data.source` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum SourceKind {
    /// `movielens-100k`: `u.data`, `u.item`, `u.genre`, `u.user`.
    MovieLens100k,
    /// `movielens-1m`: `ratings.dat` or `ratings_ordered.csv`, `movies.dat`, `users.dat`.
    MovieLens1m,
    /// `movielens-csv`: `ratings.csv`, `movies.csv` of the 20M, 25M, 32M and latest editions.
    MovieLensCsv,
    /// `recbole`: atomic files `NAME.inter` or `NAME.train.inter` and so on, `NAME.item`, `NAME.user`.
    RecBole,
    /// `sasrec`: `NAME.txt`, one `user item` a line in order of time.
    SasRec,
    /// `sequences`: `NAME.txt`, one `user item item ...` a line in order of time.
    Sequences,
    /// `kgat`: `train.txt`, `test.txt`, `item_list.txt`, `user_list.txt`.
    Kgat,
    /// `kgcn`: `ratings_final.txt`, `item_index2entity_id.txt` of RippleNet, KGCN and MKR.
    Kgcn,
    /// `mmrec`: `NAME.inter` with the column `x_label`.
    MmRec,
    /// `amazon`: reviews as JSON lines or ratings as CSV, metadata as JSON lines.
    Amazon,
    /// `multimodal`: `ratings.dat`, `movies.dat`, `user.dat`, `text.xls`, `image/ID.jpg`.
    Multimodal,
    /// `csv`: tables of text whose columns the configuration names.
    Csv,
    /// `parquet`: files or folders of Parquet whose columns the configuration names.
    Parquet,
    /// `two-tower-folder`: `interactions_mapped.parquet` and what belongs to it, as `prepare` writes.
    TwoTowerFolder,
    /// `synthetic`: the built-in world, which needs no files.
    #[default]
    Synthetic,
}

/// Reads the files of a folder as the configuration says.
type Reader = fn(&Path, &DataConfig) -> Result<RawData, DataError>;

/// A source's name, the folder it is looked for in, and its reader.
struct Source {
    kind: SourceKind,
    name: &'static str,
    folder: &'static str,
    read: Reader,
}

/// The registry: a new source is a new variant of [`SourceKind`] and a new line here.
const SOURCES: &[Source] = &[
    Source { kind: SourceKind::MovieLens100k, name: "movielens-100k", folder: "ml-100k", read: read_100k },
    Source { kind: SourceKind::MovieLens1m, name: "movielens-1m", folder: "ml-1m", read: read_1m },
    Source {
        kind: SourceKind::MovieLensCsv,
        name: "movielens-csv",
        folder: "ml-latest-small",
        read: read_csv_edition,
    },
    Source { kind: SourceKind::RecBole, name: "recbole", folder: "recbole", read: read_recbole },
    Source { kind: SourceKind::SasRec, name: "sasrec", folder: "sasrec", read: read_sasrec },
    Source { kind: SourceKind::Sequences, name: "sequences", folder: "sequences", read: read_sequences },
    Source { kind: SourceKind::Kgat, name: "kgat", folder: "kgat", read: read_kgat },
    Source { kind: SourceKind::Kgcn, name: "kgcn", folder: "kgcn", read: read_kgcn },
    Source { kind: SourceKind::MmRec, name: "mmrec", folder: "mmrec", read: read_mmrec },
    Source { kind: SourceKind::Amazon, name: "amazon", folder: "amazon", read: read_amazon },
    Source { kind: SourceKind::Multimodal, name: "multimodal", folder: "M_ML-100K", read: read_multimodal },
    Source { kind: SourceKind::Csv, name: "csv", folder: "csv", read: read_csv },
    Source { kind: SourceKind::Parquet, name: "parquet", folder: "parquet", read: read_parquet_table },
    Source {
        kind: SourceKind::TwoTowerFolder,
        name: "two-tower-folder",
        folder: "processed",
        read: read_two_tower_folder,
    },
    Source { kind: SourceKind::Synthetic, name: "synthetic", folder: "synthetic", read: generate },
];

impl SourceKind {
    fn entry(self) -> &'static Source {
        SOURCES.iter().find(|source| source.kind == self).expect("every kind has a line in SOURCES")
    }

    /// The name under which `data.source` asks for it.
    pub fn name(self) -> &'static str {
        self.entry().name
    }

    /// The folder below the data directory where it is looked for unless `data.name` says otherwise.
    pub fn default_folder(self) -> &'static str {
        self.entry().folder
    }

    /// Reads the source; `data_dir` is the directory that holds a folder per data set.
    ///
    /// # Errors
    ///
    /// [`DataError`] when files are missing, empty or damaged, or a row is unfit and `on_bad_row` is `error`.
    pub fn read(self, config: &DataConfig, data_dir: &Path) -> Result<RawData, DataError> {
        let folder = data_dir.join(config.folder());
        let mut raw = (self.entry().read)(&folder, config)?;
        describe_items(&mut raw, &folder, config)?;
        Ok(raw)
    }
}

fn generate(_folder: &Path, config: &DataConfig) -> Result<RawData, DataError> {
    let (interactions, catalogue) = World::ratings(&config.synthetic)?;
    Ok(RawData {
        interactions,
        catalogue,
        rating_range: (0.5, 5.0),
        unreadable: Unreadable::default(),
        sampled_negatives: 0,
        item_files: Vec::new(),
    })
}

impl From<SourceKind> for String {
    fn from(kind: SourceKind) -> Self {
        kind.name().to_owned()
    }
}

impl TryFrom<String> for SourceKind {
    type Error = DataError;

    fn try_from(name: String) -> Result<Self, DataError> {
        let known = SOURCES.iter().find(|source| source.name == name);
        known.map(|source| source.kind).ok_or_else(|| DataError::Config {
            key: "data.source",
            expected: format!("one of {}", names_of_sources()),
            value: name,
        })
    }
}

fn names_of_sources() -> String {
    SOURCES.iter().map(|source| source.name).collect::<Vec<_>>().join(", ")
}

/// Opens the first of `names` that is in `folder`, plain or compressed.
pub(crate) fn open_any(folder: &Path, names: &[&str]) -> Result<Option<TextFile>, DataError> {
    for name in names {
        if let Some(file) = open_text(&folder.join(name))? {
            return Ok(Some(file));
        }
    }
    Ok(None)
}

/// As [`open_any`], for a file that must be there.
pub(crate) fn open_required(folder: &Path, names: &[&str]) -> Result<TextFile, DataError> {
    let missing = || DataError::Missing { folder: folder.to_owned(), looked_for: names.join(" or ") };
    open_any(folder, names)?.ok_or_else(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back_as_its_kind() {
        for source in SOURCES {
            assert_eq!(SourceKind::try_from(source.name.to_owned()).unwrap(), source.kind);
        }
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let message = SourceKind::try_from("movielens-2m".to_owned()).unwrap_err().to_string();
        let expected =
            "data.source = movielens-2m: expected one of movielens-100k, movielens-1m, movielens-csv, ";
        assert!(message.starts_with(expected) && message.ends_with(", synthetic"), "{message}");
    }
}

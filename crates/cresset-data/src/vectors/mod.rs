//! Text and image vectors, keyed by the ids that their file spells.
//!
//! An encoder of text or pictures runs elsewhere and leaves a file; [`Vectors::read`] takes it in whichever of these
//! formats it is, by the end of its name:
//!
//! | name | what is read | ids |
//! | --- | --- | --- |
//! | `.npy` | a matrix of `f2`, `f4` or `f8`, C order, little-endian | the file beside it, or row numbers |
//! | `.parquet`, or a folder of them | a column of lists, or one column a dimension | a column, else as `.npy` |
//! | `.safetensors` | one matrix of F16, BF16, F32 or F64 | the list `ids` of its metadata, else as `.npy` |
//! | `.json`, `.jsonl` | `{"17": [0.1, ...]}`, or objects with an id and a list | keys or fields |
//! | `.csv`, `.tsv` | a header, an id and one column a dimension | a column |
//!
//! All but Parquet may be packed (`.gz`, `.zst`). The file beside `NAME.npy` is `NAME.ids.txt`, one id a line; parts
//! of the name may be left off from the right (`ml-1m.ids.txt` beside `ml-1m.minilm.f16.npy`). With neither, the
//! ids are `0`, `1`, `2` and so on.
//!
//! A model asks for one row per item; [`Vectors::align`] gives that, with a mask for the items that have none:
//!
//! ```
//! use cresset_data::Vocabulary;
//! use cresset_data::vectors::{Vectors, VectorsConfig};
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("posters.json");
//! std::fs::write(&path, r#"{"50": [0.5, 1.0], "7": [0.25, -1.0]}"#)?;
//! let posters = Vectors::read(&path, &VectorsConfig::default())?;
//! assert_eq!((posters.len(), posters.dim), (2, 2));
//!
//! let items = Vocabulary::from_ids(["7", "8"]);
//! let aligned = posters.align(&items);
//! assert_eq!(aligned.values, [0.25, -1.0, 0.0, 0.0]);
//! assert_eq!(aligned.present, [true, false]);
//! assert_eq!(aligned.n_unused, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod align;
mod config;
mod data_set;
mod error;
mod format;
mod id_map;
mod ids;
mod json;
mod npy;
mod parquet;
mod raw;
mod safetensors;
mod table;
#[cfg(test)]
mod tests;
mod write;

use std::path::Path;

pub use align::AlignedVectors;
pub use config::VectorsConfig;
pub use data_set::{NamedVectors, VectorSourceConfig, of_dataset};
pub use error::{Position, VectorPlace, VectorsError};
pub use format::VectorsFormat;
pub use id_map::{IdMap, IdMapConfig};

use crate::error::DataError;

/// A vector of equal width for each of some ids.
#[derive(Debug, Clone, PartialEq)]
pub struct Vectors {
    /// External id of each row, no two the same.
    pub ids: Vec<String>,
    /// Width of each vector.
    pub dim: usize,
    /// The vectors one after another: `[rows, dim]`, all finite.
    pub values: Vec<f32>,
}

/// What a format's reader finds; ids where the file has them.
struct Found {
    ids: Option<Vec<String>>,
    dim: usize,
    values: Vec<f32>,
}

impl Vectors {
    /// The vectors of a file, in its order; see the [module](self) for the formats.
    ///
    /// # Errors
    ///
    /// [`DataError::File`] when the file cannot be read, [`DataError::EmptyFile`] when it holds no vector, and
    /// [`DataError::Vectors`] when it is of another format or cut short, a vector has another width than the first
    /// or holds a number that is not finite, an id occurs twice, or there are more or fewer ids than vectors.
    pub fn read(path: &Path, config: &VectorsConfig) -> Result<Self, DataError> {
        Ok(Self::read_as_numbered(path, config)?.0)
    }

    /// As [`read`](Self::read), and whether the ids are row numbers since nothing gives others.
    pub(crate) fn read_as_numbered(path: &Path, config: &VectorsConfig) -> Result<(Self, bool), DataError> {
        let found = match config.format.map_or_else(|| VectorsFormat::of(path), Ok)? {
            VectorsFormat::Npy => npy::read(path)?,
            VectorsFormat::Parquet => parquet::read(path, config)?,
            VectorsFormat::Safetensors => safetensors::read(path, config)?,
            VectorsFormat::Json => json::read(path, config)?,
            VectorsFormat::Csv => table::read(path, b',', config)?,
            VectorsFormat::Tsv => table::read(path, b'\t', config)?,
        };
        if found.values.is_empty() {
            return Err(DataError::EmptyFile { file: path.to_owned() });
        }
        let n_rows = found.values.len() / found.dim;
        let given = match found.ids {
            Some(ids) if config.ids.is_none() => Some(ids),
            _ => ids::beside(path, config.ids.as_deref(), n_rows)?,
        };
        let is_numbered = given.is_none();
        let mut ids = given.unwrap_or_else(|| (0..n_rows).map(|row| row.to_string()).collect());
        ids::trim(&mut ids);
        ids::refuse_repeated(path, &ids)?;
        raw::refuse_infinite(path, &found.values, found.dim, &ids)?;
        Ok((Self { ids, dim: found.dim, values: found.values }, is_numbered))
    }

    /// The number of vectors.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is no vector.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// One vector.
    ///
    /// # Panics
    ///
    /// If `row` is not below [`len`](Self::len).
    pub fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.dim..][..self.dim]
    }
}

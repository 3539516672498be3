//! The format of a file by its name.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::VectorsError;
use crate::files::{FileError, Packing, TextFile, open_text};

/// A format of vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VectorsFormat {
    /// A NumPy matrix.
    Npy,
    /// Apache Parquet, a file or a folder of part files.
    Parquet,
    /// A tensor of a safetensors file.
    Safetensors,
    /// A JSON object of lists, a JSON list of objects, or JSON lines.
    Json,
    /// Numbers between commas, below a header.
    Csv,
    /// Numbers between tabs, below a header.
    Tsv,
}

impl VectorsFormat {
    /// The format that a name tells, `.gz` and `.zst` left aside; a folder is one of Parquet files.
    ///
    /// # Errors
    ///
    /// [`VectorsError::UnknownFormat`].
    pub fn of(path: &Path) -> Result<Self, VectorsError> {
        if path.is_dir() {
            return Ok(Self::Parquet);
        }
        match unpacked_extension(path).as_deref() {
            Some("npy") => Ok(Self::Npy),
            Some("parquet" | "pq") => Ok(Self::Parquet),
            Some("safetensors") => Ok(Self::Safetensors),
            Some("json" | "jsonl" | "ndjson") => Ok(Self::Json),
            Some("csv") => Ok(Self::Csv),
            Some("tsv" | "tab") => Ok(Self::Tsv),
            _ => Err(VectorsError::UnknownFormat { file: path.to_owned() }),
        }
    }

    /// The end of a file's name in this format, without the point.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Npy => "npy",
            Self::Parquet => "parquet",
            Self::Safetensors => "safetensors",
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Tsv => "tsv",
        }
    }
}

/// The end of the name in lower case, below that of the packing.
fn unpacked_extension(path: &Path) -> Option<String> {
    let name = match Packing::of(path) {
        Packing::Plain => path.file_name()?,
        Packing::Gzip | Packing::Zstd => path.file_stem()?,
    };
    Some(Path::new(name).extension()?.to_str()?.to_ascii_lowercase())
}

/// Opens a file that must be there, plain or packed.
pub(super) fn open(path: &Path) -> Result<TextFile, FileError> {
    let missing = || FileError::read(path, std::io::ErrorKind::NotFound);
    open_text(path)?.ok_or_else(missing)
}

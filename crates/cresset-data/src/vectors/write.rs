//! Vectors to a file.

use std::io::{self, Write};
use std::path::Path;

use super::error::VectorsError;
use super::format::VectorsFormat;
use super::{Vectors, ids, npy, parquet, safetensors};
use crate::error::DataError;
use crate::files::{Packing, atomic_write_with};

/// Values turned into bytes at a time.
const BLOCK: usize = 1 << 14;

impl Vectors {
    /// Writes the file whose format its name tells, which [`read`](Self::read) reads back: `.npy` (ids to
    /// `NAME.ids.txt` beside it), `.parquet` (zstd), `.safetensors` (ids in the metadata) or `.json`.
    ///
    /// # Errors
    ///
    /// [`DataError::File`] when a file cannot be written; [`VectorsError::UnknownFormat`] and
    /// [`VectorsError::Layout`] for a name of another format.
    pub fn write(&self, path: &Path) -> Result<(), DataError> {
        let layout = |found: &str, expected, remedy| VectorsError::Layout {
            file: path.to_owned(),
            found: found.to_owned(),
            expected,
            remedy,
        };
        let refused = || {
            let written = ".npy, .parquet, .safetensors or .json";
            layout("a format that vectors are not written in", written, "choose another name")
        };
        if Packing::of(path) != Packing::Plain {
            return Err(refused().into());
        }
        match VectorsFormat::of(path)? {
            VectorsFormat::Npy => {
                if let Some(id) =
                    self.ids.iter().find(|id| id.trim() != id.as_str() || id.contains(['\n', '\r']))
                {
                    let remedy = "choose another format";
                    return Err(
                        layout(&format!("id {id:?}"), "ids that are a line of text each", remedy).into()
                    );
                }
                // The ids first: a matrix is never there with none or with older ones.
                atomic_write_with(&ids::path_beside(path), |file| write_ids(file, &self.ids))?;
                atomic_write_with(path, |file| npy::write(file, self))?;
            }
            VectorsFormat::Parquet => parquet::write(path, self)?,
            VectorsFormat::Safetensors => atomic_write_with(path, |file| safetensors::write(file, self))?,
            VectorsFormat::Json => atomic_write_with(path, |file| write_json(file, self))?,
            VectorsFormat::Csv | VectorsFormat::Tsv => return Err(refused().into()),
        }
        Ok(())
    }
}

/// The values as little-endian bytes.
pub(super) fn values(out: &mut impl Write, values: &[f32]) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(4 * BLOCK);
    for block in values.chunks(BLOCK) {
        bytes.clear();
        bytes.extend(block.iter().flat_map(|value| value.to_le_bytes()));
        out.write_all(&bytes)?;
    }
    Ok(())
}

fn write_ids(out: &mut impl Write, ids: &[String]) -> io::Result<()> {
    for id in ids {
        writeln!(out, "{id}")?;
    }
    Ok(())
}

/// An object of id and list, one entry a line.
fn write_json(out: &mut impl Write, vectors: &Vectors) -> io::Result<()> {
    out.write_all(b"{")?;
    for (row, id) in vectors.ids.iter().enumerate() {
        out.write_all(if row == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut *out, id)?;
        out.write_all(b": ")?;
        serde_json::to_writer(&mut *out, vectors.row(row))?;
    }
    out.write_all(b"\n}\n")
}

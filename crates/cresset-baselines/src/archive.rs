//! Columns of numbers in a safetensors file, with a checksum of all of them.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use cresset_data::files::{FileError, atomic_write, read_bytes};
use safetensors::SafeTensorError;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use sha2::{Digest, Sha256};

/// Why a baseline could not be saved or loaded.
#[derive(Debug, thiserror::Error)]
pub enum SavedBaselineError {
    /// The file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file is cut short, or a bit of it has changed, or it is of another kind.
    #[error("{file} is no whole baseline ({cause}): restore it from a copy, or fit again")]
    Damaged {
        /// The file.
        file: String,
        /// What is wrong.
        cause: String,
    },
}

const NOTE: &str = "note";

/// A tensor as bytes, lowest first.
struct Column {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

/// Named columns, in order of their names, and a text beside them.
pub(crate) struct Archive {
    columns: BTreeMap<String, Column>,
    note: String,
}

impl Archive {
    /// No columns yet.
    pub(crate) fn new(note: String) -> Self {
        Self { columns: BTreeMap::new(), note }
    }

    /// The text beside the columns.
    pub(crate) fn note(&self) -> &str {
        &self.note
    }

    pub(crate) fn put_f32(&mut self, name: &str, shape: &[usize], values: &[f32]) {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.put(name, Dtype::F32, shape, bytes);
    }

    pub(crate) fn put_u32(&mut self, name: &str, values: &[u32]) {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.put(name, Dtype::U32, &[values.len()], bytes);
    }

    pub(crate) fn put_offsets(&mut self, name: &str, values: &[usize]) {
        let bytes = values.iter().flat_map(|&value| (value as u64).to_le_bytes()).collect();
        self.put(name, Dtype::U64, &[values.len()], bytes);
    }

    fn put(&mut self, name: &str, dtype: Dtype, shape: &[usize], bytes: Vec<u8>) {
        self.columns.insert(name.to_owned(), Column { dtype, shape: shape.to_vec(), bytes });
    }

    /// Floats of exactly this shape.
    pub(crate) fn take_f32(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, String> {
        let column = self.take(name, Dtype::F32)?;
        if column.shape != shape {
            return Err(format!("`{name}` has shape {:?}, expected {shape:?}", column.shape));
        }
        Ok(values_of(&column.bytes, f32::from_le_bytes))
    }

    /// Ids, each below `count`.
    pub(crate) fn take_ids(&mut self, name: &str, count: usize) -> Result<Vec<u32>, String> {
        let ids = values_of(&self.take(name, Dtype::U32)?.bytes, u32::from_le_bytes);
        match ids.iter().find(|&&id| id as usize >= count) {
            Some(id) => Err(format!("`{name}` holds id {id}, expected ids below {count}")),
            None => Ok(ids),
        }
    }

    /// Where `n` rows begin, and last where they end, which is `end`.
    pub(crate) fn take_offsets(&mut self, name: &str, n: usize, end: usize) -> Result<Vec<usize>, String> {
        let offsets = values_of(&self.take(name, Dtype::U64)?.bytes, u64::from_le_bytes);
        let offsets: Vec<usize> = offsets.into_iter().map(|offset| offset as usize).collect();
        let spans = offsets.len() == n + 1 && offsets[0] == 0 && offsets[n] == end && offsets.is_sorted();
        if spans { Ok(offsets) } else { Err(format!("`{name}` does not cut {end} entries into {n} rows")) }
    }

    fn take(&mut self, name: &str, dtype: Dtype) -> Result<Column, String> {
        match self.columns.remove(name) {
            Some(column) if column.dtype == dtype => Ok(column),
            Some(column) => Err(format!("`{name}` is of type {:?}, expected {dtype:?}", column.dtype)),
            None => Err(format!("`{name}` is missing")),
        }
    }

    /// That everything was taken.
    pub(crate) fn finish(self) -> Result<(), String> {
        match self.columns.keys().next() {
            Some(name) => Err(format!("it holds `{name}`, which this kind does not have")),
            None => Ok(()),
        }
    }

    /// Writes the file in one atomic step; equal content gives equal bytes.
    pub(crate) fn write(&self, file: &Path) -> Result<(), SavedBaselineError> {
        let note = format!("{}\n{}", self.checksum(), self.note);
        let bytes = self.serialize(note).map_err(|cause| damaged(file, cause.to_string()))?;
        Ok(atomic_write(file, &bytes)?)
    }

    fn serialize(&self, note: String) -> Result<Vec<u8>, SafeTensorError> {
        let views = self
            .columns
            .iter()
            .map(|(name, column)| {
                Ok((name, TensorView::new(column.dtype, column.shape.clone(), &column.bytes)?))
            })
            .collect::<Result<Vec<_>, SafeTensorError>>()?;
        safetensors::serialize(views, Some(HashMap::from([(NOTE.to_owned(), note)])))
    }

    /// Reads what [`write`](Self::write) wrote.
    pub(crate) fn read(file: &Path) -> Result<Self, SavedBaselineError> {
        let bytes = read_bytes(file)?;
        let archive = Self::deserialize(&bytes).map_err(|cause| damaged(file, cause.to_string()))?;
        let (sum, note) = archive.note.split_once('\n').unwrap_or_default();
        let archive = Self { note: note.to_owned(), columns: archive.columns };
        if sum != archive.checksum() {
            return Err(damaged(file, "its checksum is not that of its content"));
        }
        Ok(archive)
    }

    fn deserialize(bytes: &[u8]) -> Result<Self, SafeTensorError> {
        let (_, header) = SafeTensors::read_metadata(bytes)?;
        let note = header.metadata().as_ref().and_then(|notes| notes.get(NOTE)).cloned().unwrap_or_default();
        let mut archive = Self::new(note);
        for (name, view) in SafeTensors::deserialize(bytes)?.iter() {
            archive.put(name, view.dtype(), view.shape(), view.data().to_vec());
        }
        Ok(archive)
    }

    /// SHA-256 over everything: safetensors itself does not notice a changed number.
    fn checksum(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(&self.note);
        for (name, column) in &self.columns {
            hash.update(format!("{name}{:?}{:?}", column.dtype, column.shape));
            hash.update(&column.bytes);
        }
        format!("{:x}", hash.finalize())
    }
}

fn values_of<T, const N: usize>(bytes: &[u8], from_bytes: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks::<N>().0.iter().map(|&bytes| from_bytes(bytes)).collect()
}

/// The error of a file that is not what it should be.
pub(crate) fn damaged(file: &Path, cause: impl Into<String>) -> SavedBaselineError {
    SavedBaselineError::Damaged { file: file.display().to_string(), cause: cause.into() }
}

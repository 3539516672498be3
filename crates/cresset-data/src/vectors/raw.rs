//! Numbers as the bytes of a file, little-endian, one after another.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};
use rayon::prelude::*;

use super::error::{Position, VectorPlace, VectorsError};
use crate::error::DataError;
use crate::files::{FileError, Packing, TextFile};

/// Bytes decoded at a time; they stay in a core's cache on the way.
const BLOCK_BYTES: usize = 1 << 18;
/// Values that one task looks through.
const CHECKED_AT_ONCE: usize = 1 << 18;

/// How a number is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Number {
    F16,
    Bf16,
    F32,
    F64,
}

impl Number {
    pub(super) fn n_bytes(self) -> usize {
        match self {
            Self::F16 | Self::Bf16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    /// Appends the numbers of `bytes`.
    fn decode(self, bytes: &[u8], values: &mut Vec<f32>) {
        match self {
            Self::F32 => values.extend(bytes.as_chunks().0.iter().map(|&it| f32::from_le_bytes(it))),
            Self::F64 => values.extend(bytes.as_chunks().0.iter().map(|&it| f64::from_le_bytes(it) as f32)),
            Self::Bf16 => {
                values.extend(bytes.as_chunks().0.iter().map(|&it| bf16::from_le_bytes(it).to_f32()));
            }
            Self::F16 => {
                // The conversion of a whole slice uses the processor's own.
                let halves: Vec<f16> = bytes.as_chunks().0.iter().map(|&it| f16::from_le_bytes(it)).collect();
                let start = values.len();
                values.resize(start + halves.len(), 0.0);
                halves.convert_to_f32_slice(&mut values[start..]);
            }
        }
    }
}

/// A matrix in a file: `n_rows * dim` numbers from where the reader stands.
pub(super) struct Matrix {
    pub(super) number: Number,
    pub(super) n_rows: usize,
    pub(super) dim: usize,
}

impl Matrix {
    /// The values, which end `n_after` bytes before the file does.
    ///
    /// # Errors
    ///
    /// [`VectorsError::Length`] when the file is shorter or longer, or a failed read.
    pub(super) fn read(&self, file: &mut TextFile, n_after: u64) -> Result<Vec<f32>, DataError> {
        let n_bytes = self.n_rows as u64 * self.dim as u64 * self.number.n_bytes() as u64;
        let failed = |cause| FileError::read(&file.path, cause);
        let mut values = Vec::new();
        // A header can announce any size; only what the file holds is made room for.
        let n_held = n_bytes.min(plain_len(&file.path)) as usize / self.number.n_bytes();
        values.reserve_exact(n_held);
        let mut block = vec![0; BLOCK_BYTES];
        let mut found = 0;
        while found < n_bytes {
            let wanted = (n_bytes - found).min(BLOCK_BYTES as u64) as usize;
            let got = read_full(&mut file.reader, &mut block[..wanted]).map_err(failed)?;
            self.number.decode(&block[..got], &mut values);
            found += got as u64;
            if got < wanted {
                break;
            }
        }
        let after = io::copy(&mut file.reader, &mut io::sink()).map_err(failed)?;
        if found + after != n_bytes + n_after {
            let (file, expected) = (file.path.clone(), n_bytes + n_after);
            return Err(VectorsError::Length { file, found: found + after, expected }.into());
        }
        Ok(values)
    }
}

/// The length of a file that is not packed, else 0.
pub(super) fn plain_len(path: &Path) -> u64 {
    match Packing::of(path) {
        Packing::Plain => fs::metadata(path).map_or(0, |file| file.len()),
        Packing::Gzip | Packing::Zstd => 0,
    }
}

/// Reads until `bytes` are full or the file ends; the number of bytes read.
fn read_full(reader: &mut impl Read, bytes: &mut [u8]) -> io::Result<usize> {
    let mut n_read = 0;
    while n_read < bytes.len() {
        match reader.read(&mut bytes[n_read..]) {
            Ok(0) => break,
            Ok(n) => n_read += n,
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            Err(cause) => return Err(cause),
        }
    }
    Ok(n_read)
}

/// The place of the first value that is NaN or infinite.
pub(super) fn first_infinite(values: &[f32]) -> Option<usize> {
    // Without a sign, the bits of numbers are in the order of the numbers, with the infinite and NaN on top.
    let magnitude = |value: &f32| value.to_bits() & !(1 << 31);
    let is_finite = |chunk: &[f32]| {
        chunk.iter().fold(0, |most, value| most.max(magnitude(value))) < f32::INFINITY.to_bits()
    };
    let chunks = values.par_chunks(CHECKED_AT_ONCE).enumerate();
    let (chunk, chunk_values) = chunks.find_first(|(_, chunk)| !is_finite(chunk))?;
    let within = chunk_values.iter().position(|value| !value.is_finite())?;
    Some(chunk * CHECKED_AT_ONCE + within)
}

/// Refuses values that are NaN or infinite, naming the row and its id.
pub(super) fn refuse_infinite(
    path: &Path,
    values: &[f32],
    dim: usize,
    ids: &[String],
) -> Result<(), VectorsError> {
    let Some(at) = first_infinite(values) else { return Ok(()) };
    let place = VectorPlace::new(path, Position::Row(at / dim), &ids[at / dim]);
    Err(VectorsError::BadNumber { place, dimension: at % dim, value: values[at].to_string() })
}

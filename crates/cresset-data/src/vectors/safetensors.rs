//! Safetensors: the length of a JSON header, the header, and the values of all tensors.
//!
//! # Source
//!
//! <https://github.com/huggingface/safetensors>, section "Format".

use std::io::{self, Read, Write};
use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};
use serde_json::json;

use super::config::VectorsConfig;
use super::error::VectorsError;
use super::format::open;
use super::ids::JsonId;
use super::raw::{Matrix, Number};
use super::{Found, Vectors};
use crate::error::DataError;
use crate::files::{FileError, TextFile};

/// As the format's own library has it.
const MAX_HEADER: u64 = 100_000_000;
/// The tensor that is written.
const TENSOR: &str = "embeddings";
/// The key of the metadata that holds the ids, a JSON list.
const IDS: &str = "ids";

/// The matrix of a file, by name where it has several.
pub(super) fn read(path: &Path, config: &VectorsConfig) -> Result<Found, DataError> {
    let mut file = open(path)?;
    let header = read_header(&mut file)?;
    let tensor = choose(&file.path, &header, config)?;
    let matrix = matrix_of(&file.path, tensor)?;
    let ids = header.metadata().as_ref().and_then(|metadata| metadata.get(IDS));
    let ids = ids.map(|ids| parse_ids(&file.path, ids)).transpose()?;
    let (start, end) = tensor.data_offsets;
    let skipped = io::copy(&mut file.reader.by_ref().take(start as u64), &mut io::sink());
    skipped.map_err(|cause| FileError::read(&file.path, cause))?;
    let values = matrix.read(&mut file, (header.data_len() - end) as u64)?;
    if let Some(ids) = ids.as_ref().filter(|ids| ids.len() != matrix.n_rows) {
        let (n_ids, n_rows) = (ids.len(), matrix.n_rows);
        return Err(
            VectorsError::IdCount { ids_file: file.path.clone(), file: file.path, n_ids, n_rows }.into()
        );
    }
    Ok(Found { ids, dim: matrix.dim, values })
}

fn read_header(file: &mut TextFile) -> Result<Metadata, VectorsError> {
    let cut = |_: io::Error| fault(&file.path, "it ends within its header".to_owned());
    let mut length = [0; 8];
    file.reader.read_exact(&mut length).map_err(cut)?;
    let length = u64::from_le_bytes(length);
    if length > MAX_HEADER {
        return Err(fault(&file.path, format!("its header has {length} bytes")));
    }
    let mut header = Vec::new();
    file.reader.by_ref().take(length).read_to_end(&mut header).map_err(cut)?;
    serde_json::from_slice(&header).map_err(|cause| fault(&file.path, cause.to_string()))
}

fn fault(file: &Path, fault: String) -> VectorsError {
    VectorsError::NotOfFormat { file: file.to_owned(), format: "safetensors", fault }
}

/// The tensor asked for, or the only matrix, or the one with a usual name.
fn choose<'h>(
    file: &Path,
    header: &'h Metadata,
    config: &VectorsConfig,
) -> Result<&'h TensorInfo, VectorsError> {
    let names = header.offset_keys();
    let of = |name: &String| header.info(name).filter(|tensor| tensor.shape.len() == 2);
    let matrices: Vec<_> = names.iter().filter_map(|name| Some((name, of(name)?))).collect();
    let named = matrices.iter().find(|(name, _)| config.is_vector(name));
    let only = || (matrices.len() == 1 && config.vector_column.is_none()).then(|| &matrices[0]);
    named.or_else(only).map(|&(_, tensor)| tensor).ok_or_else(|| VectorsError::NoColumn {
        file: file.to_owned(),
        found: format!("the tensors {}", names.join(", ")),
        expected: "one tensor of two axes",
        key: "vector_column",
    })
}

fn matrix_of(file: &Path, tensor: &TensorInfo) -> Result<Matrix, VectorsError> {
    let number = match tensor.dtype {
        Dtype::F16 => Number::F16,
        Dtype::BF16 => Number::Bf16,
        Dtype::F32 => Number::F32,
        Dtype::F64 => Number::F64,
        other => {
            return Err(VectorsError::Layout {
                file: file.to_owned(),
                found: format!("values of type {other:?}"),
                expected: "F16, BF16, F32 or F64",
                remedy: "save it again as tensor.float()",
            });
        }
    };
    Ok(Matrix { number, n_rows: tensor.shape[0], dim: tensor.shape[1] })
}

fn parse_ids(file: &Path, text: &str) -> Result<Vec<String>, VectorsError> {
    let ids: Vec<JsonId> = serde_json::from_str(text)
        .map_err(|cause| fault(file, format!("\"{IDS}\" of its metadata is no JSON list of ids: {cause}")))?;
    Ok(ids.into_iter().map(JsonId::text).collect())
}

/// Writes one tensor of F32, with its ids in the metadata.
pub(super) fn write(out: &mut impl Write, vectors: &Vectors) -> io::Result<()> {
    let ids = serde_json::to_string(&vectors.ids)?;
    let shape = [vectors.len(), vectors.dim];
    let tensor = json!({ "dtype": "F32", "shape": shape, "data_offsets": [0, 4 * vectors.values.len()] });
    let mut header = json!({ "__metadata__": { IDS: ids }, TENSOR: tensor }).to_string();
    // The values begin at a multiple of 8 bytes; the header may end in spaces.
    header.extend(std::iter::repeat_n(' ', header.len().next_multiple_of(8) - header.len()));
    out.write_all(&(header.len() as u64).to_le_bytes())?;
    out.write_all(header.as_bytes())?;
    super::write::values(out, &vectors.values)
}

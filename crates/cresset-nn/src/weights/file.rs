//! The file: safetensors, with a checksum of every tensor in its header.
//!
//! The format itself notices a file cut short and not a changed weight. So the header's `__metadata__` holds, beside a note,
//! `xxh3:NAME` for each tensor: 64 bits over its name, type, shape and bytes, which tell in which tensor the damage is.
//! A file without any, written by another program, is read on trust.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::io::Write;
use std::path::Path;

use burn::tensor::{DType, TensorData};
use cresset_data::files::{atomic_write_with, read_bytes};
use safetensors::SafeTensorError;
use safetensors::tensor::{Dtype, SafeTensors, TensorInfo, TensorView};
use serde::Serialize;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::{NamedTensors, WeightsError};

const NOTE: &str = "note";
const NOTE_CHECKSUM: &str = "xxh3";
/// What the keys of the tensors' checksums begin with.
const CHECKSUM: &str = "xxh3:";

/// A tensor of 32-bit floats, about to be written.
pub(super) struct View<'a> {
    pub(super) name: &'a str,
    pub(super) shape: Vec<usize>,
    pub(super) bytes: &'a [u8],
}

/// Writes tensors to a safetensors file, in one atomic step; equal tensors give equal bytes.
///
/// # Errors
///
/// If the file cannot be written, or a tensor is not of 32-bit floats.
pub fn save(tensors: &NamedTensors, file: &Path) -> Result<(), WeightsError> {
    write(&views(tensors)?, None, file)
}

/// As [`save`], with a text beside the tensors.
///
/// # Errors
///
/// If the file cannot be written, or a tensor is not of 32-bit floats.
pub fn save_with_note(tensors: &NamedTensors, note: &str, file: &Path) -> Result<(), WeightsError> {
    write(&views(tensors)?, Some(note), file)
}

fn views(tensors: &NamedTensors) -> Result<Vec<View<'_>>, WeightsError> {
    let mut views = Vec::new();
    for (name, data) in tensors {
        check_type(name, data.dtype == DType::F32, data.dtype)?;
        views.push(View { name, shape: data.shape.to_vec(), bytes: data.as_bytes() });
    }
    Ok(views)
}

/// Writes `tensors`, in the order of their names, piece by piece: no second copy of them is made.
pub(super) fn write(tensors: &[View<'_>], note: Option<&str>, file: &Path) -> Result<(), WeightsError> {
    let header = header(tensors, note);
    let written = atomic_write_with(file, |to| {
        to.write_all(&(header.len() as u64).to_le_bytes())?;
        to.write_all(header.as_bytes())?;
        tensors.iter().try_for_each(|tensor| to.write_all(tensor.bytes))
    });
    Ok(written?)
}

/// The header's JSON: `__metadata__` and the tensors, each in the order of its names.
#[derive(Serialize)]
struct Header<'a> {
    #[serde(rename = "__metadata__")]
    metadata: BTreeMap<String, String>,
    #[serde(flatten)]
    tensors: BTreeMap<&'a str, TensorInfo>,
}

fn header(tensors: &[View<'_>], note: Option<&str>) -> String {
    let mut header = Header { metadata: BTreeMap::new(), tensors: BTreeMap::new() };
    if let Some(note) = note {
        header.metadata.insert(NOTE.to_owned(), note.to_owned());
        header.metadata.insert(NOTE_CHECKSUM.to_owned(), checksum_of_note(note));
    }
    let mut end = 0;
    for View { name, shape, bytes } in tensors {
        let data_offsets = (end, end + bytes.len());
        end = data_offsets.1;
        header.metadata.insert(format!("{CHECKSUM}{name}"), checksum(name, shape, bytes));
        header.tensors.insert(name, TensorInfo { dtype: Dtype::F32, shape: shape.clone(), data_offsets });
    }
    let mut text = serde_json::to_string(&header).expect("names and numbers");
    // The format wants its data to begin at a multiple of 8.
    while !text.len().is_multiple_of(8) {
        text.push(' ');
    }
    text
}

fn checksum(name: &str, shape: &[usize], bytes: &[u8]) -> String {
    let seed = xxh3_64(format!("{name} F32 {shape:?}").as_bytes());
    format!("{:016x}", xxh3_64_with_seed(bytes, seed))
}

fn checksum_of_note(note: &str) -> String {
    format!("{:016x}", xxh3_64(note.as_bytes()))
}

/// Reads the tensors of a safetensors file.
///
/// # Errors
///
/// If the file is not there, cut short, damaged, or holds other than 32-bit floats.
pub fn load(file: &Path) -> Result<NamedTensors, WeightsError> {
    Ok(load_with_note(file)?.0)
}

/// Reads the tensors of a safetensors file and the text that [`save_with_note`] put beside them.
///
/// # Errors
///
/// If the file is not there, cut short, damaged, or holds other than 32-bit floats.
pub fn load_with_note(file: &Path) -> Result<(NamedTensors, String), WeightsError> {
    let bytes = read_bytes(file)?;
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|cause| not_whole(file, &cause))?;
    let metadata = header.metadata().clone().unwrap_or_default();
    let parsed = SafeTensors::deserialize(&bytes).map_err(|cause| not_whole(file, &cause))?;
    let mut tensors = NamedTensors::new();
    for (name, view) in parsed.iter() {
        check_type(name, view.dtype() == Dtype::F32, view.dtype())?;
        tensors.insert(name.to_owned(), to_data(&view));
    }
    verify(&parsed, &metadata)
        .map_err(|cause| WeightsError::Damaged { file: file.display().to_string(), cause })?;
    Ok((tensors, metadata.get(NOTE).cloned().unwrap_or_default()))
}

/// Holds every tensor and the note against its checksum; what is wrong comes back.
fn verify(tensors: &SafeTensors<'_>, metadata: &HashMap<String, String>) -> Result<(), String> {
    let stated: BTreeMap<&str, &str> =
        metadata.iter().filter_map(|(key, sum)| Some((key.strip_prefix(CHECKSUM)?, &**sum))).collect();
    if stated.is_empty() {
        return Ok(());
    }
    let found: BTreeMap<&str, String> =
        tensors.iter().map(|(name, view)| (name, checksum(name, view.shape(), view.data()))).collect();
    for name in stated.keys().chain(found.keys()) {
        compare(&format!("`{name}`"), found.get(name), stated.get(name).copied())?;
    }
    let note = metadata.get(NOTE).map(|note| checksum_of_note(note));
    compare(NOTE, note.as_ref(), metadata.get(NOTE_CHECKSUM).map(String::as_str))
}

fn compare(what: &str, found: Option<&String>, stated: Option<&str>) -> Result<(), String> {
    match (found, stated) {
        (Some(found), Some(stated)) if found != stated => {
            Err(format!("{what} has checksum {found}, expected {stated}"))
        }
        (None, Some(_)) => Err(format!("{what} is missing")),
        (Some(_), None) => Err(format!("{what} has no checksum")),
        _ => Ok(()),
    }
}

fn not_whole(file: &Path, cause: &SafeTensorError) -> WeightsError {
    WeightsError::Format { file: file.display().to_string(), cause: cause.to_string() }
}

fn check_type(name: &str, is_right: bool, found: impl Debug) -> Result<(), WeightsError> {
    if is_right {
        return Ok(());
    }
    Err(WeightsError::Type { name: name.to_owned(), found: format!("{found:?}") })
}

fn to_data(view: &TensorView<'_>) -> TensorData {
    let floats = view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
    TensorData::new(floats.collect::<Vec<_>>(), view.shape().to_vec())
}

//! Tensors copied into memory that is used again, so that a thread can write them while training moves the originals.

use std::fmt;
use std::ops::Range;
use std::path::Path as FilePath;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{DType, Tensor};

use super::WeightsError;
use super::file::{View, write};
use crate::RecommenderBackend;
use crate::path::Path;

/// Tensors by name as they were at one moment, one after the other in one piece of memory.
///
/// Copying into memory that the system has handed out before is several times as fast as into fresh memory, of which it
/// clears page after page. So one snapshot is made for a run ([`with_room_for`](Self::with_room_for)) and filled again
/// and again.
#[derive(Default)]
pub struct Snapshot {
    entries: Vec<Entry>,
    /// Grows and never shrinks.
    values: Vec<f32>,
}

#[derive(Debug, Clone)]
struct Entry {
    name: String,
    shape: Vec<usize>,
    values: Range<usize>,
}

impl Snapshot {
    /// An empty snapshot whose memory for `n_values` values is in hand, each page of it touched.
    pub fn with_room_for(n_values: usize) -> Self {
        // Zeros would be promised by the system, and handed out when they are first written.
        Self { entries: Vec::new(), values: vec![f32::NAN; n_values] }
    }

    /// Empties it; the memory stays.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// Values of all tensors together.
    pub fn n_values(&self) -> usize {
        self.entries.last().map_or(0, |last| last.values.end)
    }

    /// Takes a copy of a tensor, as f32, under a name that is not taken yet. Waits for the device.
    pub fn push<B: RecommenderBackend, const D: usize>(&mut self, name: String, tensor: Tensor<B, D>) {
        let shape = tensor.dims().to_vec();
        let n: usize = shape.iter().product();
        let start = self.n_values();
        let values = start..start + n;
        if self.values.len() < values.end {
            self.values.resize(values.end, f32::NAN);
        }
        let tensor = tensor.reshape([n]);
        let tensor = if tensor.dtype() == DType::F32 { tensor } else { tensor.cast(DType::F32) };
        B::copy_to_host(tensor, &mut self.values[values.clone()]);
        self.entries.push(Entry { name, shape, values });
    }

    /// Takes a copy of every float parameter of `module`, under `prefix` and its path.
    pub fn push_module<B: RecommenderBackend, M: Module<B>>(&mut self, prefix: &str, module: &M) {
        module.visit(&mut Push { snapshot: self, prefix, path: Path::default() });
    }

    /// A copy of the tensors whose names begin with `prefix`, without it.
    pub fn part(&self, prefix: &str) -> Self {
        let mut part = Self::default();
        for (name, entry) in self.named(prefix) {
            let start = part.values.len();
            part.values.extend_from_slice(&self.values[entry.values.clone()]);
            let (name, shape) = (name.to_owned(), entry.shape.clone());
            part.entries.push(Entry { name, shape, values: start..part.values.len() });
        }
        part
    }

    /// Writes a file as [`save_with_note`](super::save_with_note) does of the same tensors, to the bit.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn save_with_note(&self, note: &str, file: &FilePath) -> Result<(), WeightsError> {
        write(&self.views(""), Some(note), file)
    }

    /// Writes the tensors whose names begin with `prefix`, without it, as [`save`](super::save) does, to the bit.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn save_part(&self, prefix: &str, file: &FilePath) -> Result<(), WeightsError> {
        write(&self.views(prefix), None, file)
    }

    fn named<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a Entry)> {
        self.entries.iter().filter_map(move |entry| Some((entry.name.strip_prefix(prefix)?, entry)))
    }

    fn views<'a>(&'a self, prefix: &'a str) -> Vec<View<'a>> {
        let bytes = |entry: &Entry| bytemuck::cast_slice(&self.values[entry.values.clone()]);
        let mut views: Vec<View<'_>> = self
            .named(prefix)
            .map(|(name, entry)| View { name, shape: entry.shape.clone(), bytes: bytes(entry) })
            .collect();
        views.sort_unstable_by_key(|view| view.name);
        views
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot").field("entries", &self.entries).finish_non_exhaustive()
    }
}

struct Push<'a> {
    snapshot: &'a mut Snapshot,
    prefix: &'a str,
    path: Path,
}

impl<B: RecommenderBackend> ModuleVisitor<B> for Push<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        self.snapshot.push(format!("{}{}", self.prefix, self.path), param.val());
    }
}

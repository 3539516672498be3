//! Weights as a safetensors file: every name, shape and checksum is verified before anything changes.
//!
//! A module gives its parameters by path as [`NamedTensors`], or copies them into a [`Snapshot`], whose memory is used
//! again and which a thread can write while training goes on. Both end in the same file.

mod file;
mod snapshot;

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::backend::Backend;
use burn::tensor::{DType, Tensor, TensorData};
use cresset_data::files::FileError;

pub use self::file::{load, load_with_note, save, save_with_note};
pub use self::snapshot::Snapshot;
use crate::path::Path;

/// Tensors by name, in the order of their names.
pub type NamedTensors = BTreeMap<String, TensorData>;

/// Why weights could not be saved or restored.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file is not safetensors, or cut short.
    #[error("{file} is no complete safetensors file ({cause}); train again or restore it from a copy")]
    Format {
        /// The file.
        file: String,
        /// What the reader said.
        cause: String,
    },
    /// What a file holds is not what was written.
    #[error("{file} is damaged ({cause}); train again or restore it from a copy")]
    Damaged {
        /// The file.
        file: String,
        /// Which tensor, and how it shows.
        cause: String,
    },
    /// A tensor that the model needs is not there.
    #[error("the weights lack `{0}`; they belong to another model or config")]
    Missing(String),
    /// A tensor is there that the model does not know.
    #[error("the weights hold `{0}`, which this model does not have; they belong to another model or config")]
    Surplus(String),
    /// A tensor has another shape than the model's.
    #[error(
        "`{name}` has shape {found:?} in the weights and {expected:?} in the model; load it with the config it was trained with"
    )]
    Shape {
        /// The tensor.
        name: String,
        /// Its shape in the file.
        found: Vec<usize>,
        /// Its shape in the model.
        expected: Vec<usize>,
    },
    /// A tensor is not of 32-bit floats.
    #[error("`{name}` is stored as {found}, expected F32")]
    Type {
        /// The tensor.
        name: String,
        /// Its type.
        found: String,
    },
}

/// Every float parameter of `module`, by path.
pub fn named_tensors<B: Backend, M: Module<B>>(module: &M) -> NamedTensors {
    let mut collect = Collect::default();
    module.visit(&mut collect);
    collect.tensors
}

/// The module with the values of `tensors`, which must be its own, name for name and shape for shape.
///
/// # Errors
///
/// A surplus or missing name, or another shape; all are checked before the first value is set.
pub fn restore<B: Backend, M: Module<B>>(module: M, tensors: NamedTensors) -> Result<M, WeightsError> {
    let wanted = named_shapes::<B, M>(&module);
    if let Some(name) = tensors.keys().find(|name| !wanted.contains_key(*name)) {
        return Err(WeightsError::Surplus(name.clone()));
    }
    for (name, expected) in wanted {
        let found = tensors.get(&name).ok_or_else(|| WeightsError::Missing(name.clone()))?.shape.to_vec();
        if found != expected {
            return Err(WeightsError::Shape { name, found, expected });
        }
    }
    Ok(module.map(&mut Put { tensors, path: Path::default() }))
}

#[derive(Default)]
struct Collect {
    tensors: NamedTensors,
    path: Path,
}

impl<B: Backend> ModuleVisitor<B> for Collect {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        let data = param.val().into_data().convert_dtype(DType::F32);
        self.tensors.insert(self.path.to_string(), data);
    }
}

/// Shape of every float parameter of `module`, by path.
pub(crate) fn named_shapes<B: Backend, M: Module<B>>(module: &M) -> BTreeMap<String, Vec<usize>> {
    let mut shapes = Shapes::default();
    module.visit(&mut shapes);
    shapes.shapes
}

#[derive(Default)]
struct Shapes {
    shapes: BTreeMap<String, Vec<usize>>,
    path: Path,
}

impl<B: Backend> ModuleVisitor<B> for Shapes {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        self.shapes.insert(self.path.to_string(), param.val().dims().to_vec());
    }
}

struct Put {
    tensors: NamedTensors,
    path: Path,
}

impl<B: Backend> ModuleMapper<B> for Put {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.exit();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        let data = self.tensors.remove(&self.path.to_string()).expect("names were checked before");
        param.map(|old| {
            let learns = old.is_require_grad();
            Tensor::from_data(data, (&old.device(), old.dtype())).set_require_grad(learns)
        })
    }
}

/// Parameters by part, the first name of each path, with the number of values in it.
pub fn parameters_by_part<B: Backend, M: Module<B>>(module: &M) -> BTreeMap<String, usize> {
    let mut parts = BTreeMap::new();
    for (name, shape) in named_shapes::<B, M>(module) {
        let part = name.split('.').next().unwrap_or_default().to_owned();
        *parts.entry(part).or_insert(0) += shape.iter().product::<usize>();
    }
    parts
}

//! One custom operation of Burn's fusion: tensors in, a body, tensors out.

use std::fmt::{Debug, Formatter};
use std::marker::PhantomData;

use burn::tensor::backend::Backend;
use burn::tensor::ops::{FloatTensor, IntTensor};
use burn::tensor::{Bool, DType, Int, Shape, Tensor, TensorPrimitive};
use burn_fusion::stream::{Operation, OperationStreams};
use burn_fusion::{Fusion, FusionBackend, FusionHandle, FusionRuntime, FusionTensor};
use burn_ir::{CustomOpIr, HandleContainer, OperationIr, TensorIr};

/// Tensors given to an operation; its body takes them in the same order.
pub(super) struct Inputs<B: FusionBackend> {
    tensors: Vec<FusionTensor<B::FusionRuntime>>,
    is_given: Vec<bool>,
}

impl<B: FusionBackend> Inputs<B> {
    pub(super) fn new() -> Self {
        Self { tensors: vec![], is_given: vec![] }
    }

    pub(super) fn float<const D: usize>(self, tensor: Tensor<Fusion<B>, D>) -> Self {
        self.optional_float(Some(tensor))
    }

    pub(super) fn int<const D: usize>(self, tensor: Tensor<Fusion<B>, D, Int>) -> Self {
        self.optional_int(Some(tensor))
    }

    pub(super) fn optional_float<const D: usize>(self, tensor: Option<Tensor<Fusion<B>, D>>) -> Self {
        self.with(tensor.map(|tensor| tensor.into_primitive().tensor()))
    }

    pub(super) fn optional_int<const D: usize>(self, tensor: Option<Tensor<Fusion<B>, D, Int>>) -> Self {
        self.with(tensor.map(Tensor::into_primitive))
    }

    pub(super) fn optional_bool<const D: usize>(self, tensor: Option<Tensor<Fusion<B>, D, Bool>>) -> Self {
        self.with(tensor.map(Tensor::into_primitive))
    }

    fn with(mut self, tensor: Option<FusionTensor<B::FusionRuntime>>) -> Self {
        self.is_given.push(tensor.is_some());
        self.tensors.extend(tensor);
        self
    }
}

/// The given tensors on the backend beneath.
pub(super) struct Taken<'a, B: FusionBackend> {
    is_given: std::slice::Iter<'a, bool>,
    tensors: std::slice::Iter<'a, TensorIr>,
    handles: &'a mut HandleContainer<FusionHandle<B::FusionRuntime>>,
}

const AS_GIVEN: &str = "tensors are taken as they were given";

impl<B: FusionBackend> Taken<'_, B> {
    pub(super) fn float<const D: usize>(&mut self) -> Tensor<B, D> {
        self.optional_float().expect(AS_GIVEN)
    }

    pub(super) fn int<const D: usize>(&mut self) -> Tensor<B, D, Int> {
        self.optional_int().expect(AS_GIVEN)
    }

    pub(super) fn optional_float<const D: usize>(&mut self) -> Option<Tensor<B, D>> {
        let tensor = self.next()?;
        let tensor = self.handles.get_float_tensor::<B>(tensor);
        Some(Tensor::from_primitive(TensorPrimitive::Float(tensor)))
    }

    pub(super) fn optional_int<const D: usize>(&mut self) -> Option<Tensor<B, D, Int>> {
        let tensor = self.next()?;
        Some(Tensor::from_primitive(self.handles.get_int_tensor::<B>(tensor)))
    }

    pub(super) fn optional_bool<const D: usize>(&mut self) -> Option<Tensor<B, D, Bool>> {
        let tensor = self.next()?;
        Some(Tensor::from_primitive(self.handles.get_bool_tensor::<B>(tensor)))
    }
}

impl<'a, B: FusionBackend> Taken<'a, B> {
    fn next(&mut self) -> Option<&'a TensorIr> {
        let is_given = self.is_given.next().expect(AS_GIVEN);
        is_given.then(|| self.tensors.next().expect(AS_GIVEN))
    }
}

/// What an operation gives back.
pub(super) enum Found<B: Backend> {
    Float(FloatTensor<B>),
    Int(IntTensor<B>),
}

impl<B: Backend, const D: usize> From<Tensor<B, D>> for Found<B> {
    fn from(tensor: Tensor<B, D>) -> Self {
        Self::Float(tensor.into_primitive().tensor())
    }
}

impl<B: Backend, const D: usize> From<Tensor<B, D, Int>> for Found<B> {
    fn from(tensor: Tensor<B, D, Int>) -> Self {
        Self::Int(tensor.into_primitive())
    }
}

/// Queues an operation; its outputs have the given shapes and dtypes.
pub(super) fn register<B, F>(
    name: &'static str,
    inputs: Inputs<B>,
    outputs: Vec<(Shape, DType)>,
    body: F,
) -> Outputs<B>
where
    B: FusionBackend,
    F: Fn(&mut Taken<'_, B>) -> Vec<Found<B>> + Send + Sync + 'static,
{
    let Inputs { tensors, is_given } = inputs;
    let client = tensors.first().expect("an operation has inputs").client.clone();
    let streams = OperationStreams::with_inputs(&tensors);
    let output = |(shape, dtype)| TensorIr::uninit(client.create_empty_handle(), shape, dtype);
    let outputs: Vec<_> = outputs.into_iter().map(output).collect();
    let inputs: Vec<_> = tensors.into_iter().map(FusionTensor::into_ir).collect();
    let description = CustomOpIr::new(name, &inputs, &outputs);
    let operation = Custom::<B, F> { description: description.clone(), is_given, body, backend: PhantomData };
    Outputs(client.register(streams, OperationIr::Custom(description), operation).into_iter())
}

/// The tensors that an operation gives back, in order.
pub(super) struct Outputs<B: FusionBackend>(std::vec::IntoIter<FusionTensor<B::FusionRuntime>>);

impl<B: FusionBackend> Outputs<B> {
    pub(super) fn float<const D: usize>(&mut self) -> Tensor<Fusion<B>, D> {
        Tensor::from_primitive(TensorPrimitive::Float(self.next()))
    }

    pub(super) fn int<const D: usize>(&mut self) -> Tensor<Fusion<B>, D, Int> {
        Tensor::from_primitive(self.next())
    }

    fn next(&mut self) -> FusionTensor<B::FusionRuntime> {
        self.0.next().expect("as many outputs as were described")
    }
}

struct Custom<B, F> {
    description: CustomOpIr,
    is_given: Vec<bool>,
    body: F,
    backend: PhantomData<fn() -> B>,
}

impl<B, F> Debug for Custom<B, F> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.description.id)
    }
}

impl<B, F> Operation<B::FusionRuntime> for Custom<B, F>
where
    B: FusionBackend,
    F: Fn(&mut Taken<'_, B>) -> Vec<Found<B>> + Send + Sync,
{
    fn execute(&self, handles: &mut HandleContainer<<B::FusionRuntime as FusionRuntime>::FusionHandle>) {
        let found = (self.body)(&mut Taken {
            is_given: self.is_given.iter(),
            tensors: self.description.inputs.iter(),
            handles,
        });
        for (output, found) in self.description.outputs.iter().zip(found) {
            match found {
                Found::Float(tensor) => handles.register_float_tensor::<B>(&output.id, tensor),
                Found::Int(tensor) => handles.register_int_tensor::<B>(&output.id, tensor),
            }
        }
    }
}

//! Tensors as the buffers that kernels are given, and how many units work on them.

use burn::tensor::backend::Backend;
use burn::tensor::ops::{FloatTensor, IntTensor};
use burn::tensor::{DType, Int, Shape, Tensor, TensorPrimitive};
use burn_cubecl::cubecl;
use burn_cubecl::kernel::{cast, into_contiguous};
use burn_cubecl::tensor::CubeTensor;
use burn_cubecl::{BoolElement, CubeBackend, CubeRuntime, FloatElement, IntElement};
use cubecl::calculate_cube_count_elemwise;
use cubecl::client::ComputeClient;
use cubecl::prelude::Array;
use cubecl::prelude::{AddressType, ArrayArg, ComptimeOptionArgs, CubeCount, CubeDim, Runtime};

/// A backend whose tensors are buffers of a CubeCL runtime.
pub(super) trait CubeTensors: Backend {
    type Runtime: CubeRuntime;

    fn float_buffer(tensor: FloatTensor<Self>) -> CubeTensor<Self::Runtime>;
    fn int_buffer(tensor: IntTensor<Self>) -> CubeTensor<Self::Runtime>;
    fn float_tensor(buffer: CubeTensor<Self::Runtime>) -> FloatTensor<Self>;
    fn int_tensor(buffer: CubeTensor<Self::Runtime>) -> IntTensor<Self>;
}

impl<R, F, I, BT> CubeTensors for CubeBackend<R, F, I, BT>
where
    R: CubeRuntime,
    F: FloatElement,
    I: IntElement,
    BT: BoolElement,
{
    type Runtime = R;

    fn float_buffer(tensor: FloatTensor<Self>) -> CubeTensor<R> {
        tensor
    }

    fn int_buffer(tensor: IntTensor<Self>) -> CubeTensor<R> {
        tensor
    }

    fn float_tensor(buffer: CubeTensor<R>) -> FloatTensor<Self> {
        buffer
    }

    fn int_tensor(buffer: CubeTensor<R>) -> IntTensor<Self> {
        buffer
    }
}

/// Units of a cube that walks one long row; WebGPU promises no more than these.
pub(super) const WIDE: u32 = 256;
/// Units of a cube that walks one row of a model's width.
pub(super) const NARROW: u32 = 64;

/// The tensor's buffer as it lies, strides and all.
pub(super) fn buffer<B: CubeTensors, const D: usize>(tensor: Tensor<B, D>) -> CubeTensor<B::Runtime> {
    B::float_buffer(tensor.into_primitive().tensor())
}

/// The tensor's elements row by row without gaps.
pub(super) fn floats<B: CubeTensors, const D: usize>(tensor: Tensor<B, D>) -> CubeTensor<B::Runtime> {
    into_contiguous(buffer(tensor))
}

/// The tensor's elements as i32, row by row without gaps.
pub(super) fn ints<B: CubeTensors, const D: usize>(tensor: Tensor<B, D, Int>) -> CubeTensor<B::Runtime> {
    into_contiguous(cast(B::int_buffer(tensor.into_primitive()), DType::I32))
}

/// A buffer of f32 as a tensor.
pub(super) fn tensor<B: CubeTensors, const D: usize>(buffer: CubeTensor<B::Runtime>) -> Tensor<B, D> {
    Tensor::from_primitive(TensorPrimitive::Float(B::float_tensor(buffer)))
}

/// A buffer of i32 as a tensor.
pub(super) fn int_tensor<B: CubeTensors, const D: usize>(
    buffer: CubeTensor<B::Runtime>,
) -> Tensor<B, D, Int> {
    Tensor::from_primitive(B::int_tensor(buffer))
}

/// A new buffer without gaps, beside `like`; what it holds is anything.
pub(super) fn empty<R: CubeRuntime>(
    like: &CubeTensor<R>,
    shape: impl Into<Shape>,
    dtype: DType,
) -> CubeTensor<R> {
    let shape = shape.into();
    let handle = like.client.empty(shape.num_elements() * dtype.size());
    CubeTensor::new_contiguous(like.client.clone(), like.device.clone(), shape, handle, dtype)
}

/// A kernel's argument that may be missing.
pub(super) fn optional<T, R: CubeRuntime>(buffer: Option<CubeTensor<R>>) -> ComptimeOptionArgs<Array<T>, R>
where
    Array<T>: cubecl::prelude::LaunchArg<RuntimeArg<R> = ArrayArg<R>>,
    T: cubecl::prelude::CubeType,
{
    match buffer {
        None => ComptimeOptionArgs::None,
        Some(buffer) => ComptimeOptionArgs::Some(buffer.into_array_arg()),
    }
}

/// One unit for each of `n` elements.
pub(super) fn units<R: Runtime>(client: &ComputeClient<R>, n: usize) -> (CubeCount, CubeDim) {
    let dim = CubeDim::new_1d(WIDE);
    (calculate_cube_count_elemwise(client, n, dim), dim)
}

/// One cube of `width` units for each of `n` rows.
pub(super) fn cubes<R: Runtime>(client: &ComputeClient<R>, n: usize, width: u32) -> (CubeCount, CubeDim) {
    let dim = CubeDim::new_1d(width);
    (calculate_cube_count_elemwise(client, n * width as usize, dim), dim)
}

/// The width of index that reaches every element of all buffers.
pub(super) fn address_type<R: CubeRuntime>(buffers: &[&CubeTensor<R>]) -> AddressType {
    buffers.iter().map(|buffer| buffer.required_address_type()).max().unwrap_or_default()
}

pub(super) fn is_f32<B: Backend, const D: usize>(tensor: &Tensor<B, D>) -> bool {
    tensor.dtype() == DType::F32
}

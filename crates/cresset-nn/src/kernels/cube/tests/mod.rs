//! Every kernel against the default body on Flex, the same inputs over a grid of shapes, with and without fusion.
//!
//! They run on any adapter, a software one too, and are skipped where there is none.

mod candidates;
mod layers;
mod rows;
mod top_k;

use std::panic::catch_unwind;
use std::sync::OnceLock;

use burn::backend::Flex;
use burn::backend::wgpu::{WgpuDevice, WgpuRuntime};
use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor, TensorData};
use burn_cubecl::CubeBackend;
use burn_fusion::Fusion;

#[cfg(any(feature = "vulkan", feature = "metal"))]
type Bit = u8;
#[cfg(not(any(feature = "vulkan", feature = "metal")))]
type Bit = u32;

/// The backend of the kernels alone.
type Bare = CubeBackend<WgpuRuntime, f32, i32, Bit>;
/// What `burn::backend` names, with Burn's default features.
type Fused = Fusion<Bare>;

/// The device to test on, where there is one.
fn device() -> Option<WgpuDevice> {
    static FOUND: OnceLock<bool> = OnceLock::new();
    let answers = || {
        let zero = Tensor::<Bare, 1>::zeros([1], &WgpuDevice::default());
        zero.into_data().to_vec::<f32>().is_ok()
    };
    let found = *FOUND.get_or_init(|| catch_unwind(answers).unwrap_or(false));
    if !found {
        println!("skipped: no graphics adapter answers");
    }
    found.then(WgpuDevice::default)
}

/// Runs a check on the bare backend and under fusion.
macro_rules! on_both {
    ($check:ident) => {
        if let Some(device) = super::device() {
            $check::<super::Bare>(&device);
            $check::<super::Fused>(&device);
        }
    };
}
use on_both;

/// Numbers in -1..1 that look random, a function of `n` and `salt`.
fn numbers(n: usize, salt: u32) -> Vec<f32> {
    let mut word = salt.wrapping_mul(0x9e37_79b9) ^ 0x5bd1_e995;
    let next = |_| {
        word = word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (word >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..n).map(next).collect()
}

/// Ids below `end` that look random.
fn ids(n: usize, end: usize, salt: u32) -> Vec<i32> {
    numbers(n, salt).iter().map(|x| ((x + 1.0) / 2.0 * end as f32) as i32 % end as i32).collect()
}

fn floats<B: Backend, const D: usize>(shape: [usize; D], salt: u32, device: &B::Device) -> Tensor<B, D> {
    let values = numbers(shape.iter().product(), salt);
    Tensor::from_data(TensorData::new(values, shape), device)
}

fn ints<B: Backend, const D: usize>(
    values: Vec<i32>,
    shape: [usize; D],
    device: &B::Device,
) -> Tensor<B, D, Int> {
    Tensor::from_data(TensorData::new(values, shape), device)
}

fn read<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> Vec<f32> {
    tensor.into_data().to_vec().expect("f32")
}

/// The norm of the difference is a small part of the norm.
fn assert_close<B: Backend, const D: usize>(found: Tensor<B, D>, expected: Tensor<Flex, D>, case: &str) {
    assert_eq!(found.dims(), expected.dims(), "{case}");
    let (found, expected) = (read(found), read(expected));
    let norm = |terms: &mut dyn Iterator<Item = f64>| terms.map(|x| x * x).sum::<f64>().sqrt();
    let pairs = found.iter().zip(&expected);
    let difference = norm(&mut pairs.map(|(&a, &b)| f64::from(a) - f64::from(b)));
    let size = norm(&mut expected.iter().map(|&x| f64::from(x)));
    assert!(difference <= 1e-4 * size.max(1e-6), "{case}: {found:?} against {expected:?}");
}

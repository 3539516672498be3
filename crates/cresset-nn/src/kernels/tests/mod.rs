//! Every operation of the kernel trait on every backend: its body against the plain one on the CPU, and its
//! gradient against autodiff of the same function in ordinary operations and against finite differences.
//!
//! A check is generic over the backend, and [`on_every_backend!`] makes a test of it for each.

mod attention;
mod candidates;
mod epilogue;
mod layer_norm;
mod neighbours;
mod relations;
mod rows;
mod top_k;
mod update;

use std::fmt::Debug;

use burn::backend::Autodiff;
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{Tensor, TensorData};
use burn_flex::Flex;
use cresset_data::random::{below, stream};

use crate::{RecommenderBackend, init};

/// What every backend is measured by: the plain bodies on it.
type Reference = Flex;

/// How far two orders of summation may lie apart, norm over norm: sums of up to some hundred terms of f32,
/// each of which rounds by 6e-8, with rounding errors of either sign.
const NEAR: f64 = 1e-5;

/// Step of the finite differences. Their error is about `STEP^4 f^(5) / 30` and `6e-8 f / STEP`.
const STEP: f32 = 0.02;

/// What that leaves of a gradient, norm over norm.
const NEAR_DIFFERENCES: f64 = 1e-3;

/// Makes a test of each check for each backend.
macro_rules! on_every_backend {
    ($($(#[$attribute:meta])* $check:ident),+ $(,)?) => {
        mod flex {
            $($(#[$attribute])* #[test] fn $check() { super::$check::<burn_flex::Flex>(); })+
        }
        #[cfg(feature = "tch")]
        mod libtorch {
            $($(#[$attribute])* #[test] fn $check() { super::$check::<burn_tch::LibTorch>(); })+
        }
    };
}
use on_every_backend;

/// Every choice of one index below each size.
fn combinations<const N: usize>(sizes: [usize; N]) -> impl Iterator<Item = [usize; N]> {
    (0..sizes.iter().product()).map(move |mut number| {
        sizes.map(|size| {
            let choice = number % size;
            number /= size;
            choice
        })
    })
}

/// Normal values, a function of the name, as a view of a larger tensor: a body that reads the whole buffer of
/// its input reads numbers that are not its own.
fn normal<B: Backend, const D: usize>(name: &str, shape: [usize; D]) -> Tensor<B, D> {
    let device = B::Device::default();
    let values: Tensor<B, D> = init::normal(1, name, shape, 1.0, &device);
    if values.shape().num_elements() == 0 {
        return values;
    }
    let mut around = shape;
    around[0] = 1;
    let around = Tensor::full(around, 77.0, &device);
    Tensor::cat(vec![around.clone(), values, around], 0).narrow(0, 1, shape[0])
}

/// As [`normal`], on the host.
fn normal_values(name: &str, n: usize) -> Vec<f32> {
    host(normal::<Reference, 1>(name, [n]))
}

/// Numbers below `bound`, a function of the name.
fn drawn(name: &str, n: usize, bound: usize) -> Vec<u32> {
    let mut words = stream(1, name, 0);
    (0..n).map(|_| below(bound as u64, &mut words) as u32).collect()
}

fn tensor<B: Backend, const D: usize>(values: &[f32], shape: [usize; D]) -> Tensor<B, D> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), &B::Device::default())
}

fn host<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> Vec<f32> {
    tensor.into_data().to_vec().expect("results are f32")
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

#[track_caller]
fn assert_near<B: Backend, R: Backend, const D: usize>(
    found: Tensor<B, D>,
    expected: Tensor<R, D>,
    what: impl Debug,
) {
    assert_eq!(found.dims(), expected.dims(), "{what:?}");
    assert_values_near(&host(found), &host(expected), NEAR, what);
}

/// Panics unless the norm of the difference is at most `near` times that of the expected values.
#[track_caller]
fn assert_values_near(found: &[f32], expected: &[f32], near: f64, what: impl Debug) {
    assert_eq!(found.len(), expected.len(), "{what:?}");
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>().sqrt();
    let pairs = found.iter().zip(expected);
    let difference = norm(&mut pairs.map(|(&found, &expected)| f64::from(found) - f64::from(expected)));
    let length = norm(&mut expected.iter().copied().map(f64::from));
    assert!(difference <= near * length, "{what:?}: off by {difference} of {length}");
}

/// An operation with parents of given values, beside the same function in ordinary operations.
///
/// Parents and output are flattened, `[values]`, so that parents of any rank are treated alike.
trait Differentiable: Debug {
    /// The values of each parent.
    fn parents(&self) -> Vec<Vec<f32>>;

    /// The operation of the kernel trait.
    fn operation<B: RecommenderBackend>(&self, parents: Vec<Tensor<B, 1>>) -> Tensor<B, 1>;

    /// The same in ordinary operations.
    fn ordinary<B: Backend>(&self, parents: Vec<Tensor<B, 1>>) -> Tensor<B, 1>;
}

/// Output and gradients of the operation against those of the ordinary one, for every choice of parents that
/// ask for a gradient.
fn check_against_autodiff<B: RecommenderBackend>(case: &impl Differentiable) {
    let parents = case.parents();
    let found = case.operation::<B>(parents.iter().map(|values| vector(values)).collect());
    let expected = case.ordinary::<Reference>(parents.iter().map(|values| vector(values)).collect());
    assert_near(found, expected, ("output", case));

    let all = vec![true; parents.len()];
    let expected = gradients(case, &all, |parents| case.ordinary::<Autodiff<Reference>>(parents));
    for asked in combinations([2; 4]).filter(|asked| asked[parents.len()..].iter().all(|&asks| asks == 0)) {
        let asked: Vec<bool> = asked[..parents.len()].iter().map(|&asks| asks == 1).collect();
        if !asked.contains(&true) {
            continue;
        }
        let found = gradients(case, &asked, |parents| case.operation::<Autodiff<B>>(parents));
        for (parent, asked_for) in asked.iter().enumerate() {
            assert_eq!(
                found[parent].is_some(),
                *asked_for,
                "gradient by parent {parent} with {asked:?} of {case:?}"
            );
            if let (Some(found), Some(expected)) = (&found[parent], &expected[parent]) {
                assert_values_near(found, expected, NEAR, (parent, &asked, case));
            }
        }
    }
}

/// Gradients of the operation against central differences of it, of fourth order.
fn check_against_differences<B: RecommenderBackend>(case: &impl Differentiable) {
    let parents = case.parents();
    let all = vec![true; parents.len()];
    let found = gradients(case, &all, |parents| case.operation::<Autodiff<B>>(parents));
    for (parent, found) in found.iter().enumerate() {
        let moved = |at: usize, by: f32| {
            let mut parents = parents.clone();
            parents[parent][at] += by;
            // The step that was taken differs from the one asked for by a rounding error, which would matter.
            (weighted_sum::<B>(case, &parents), f64::from(parents[parent][at]))
        };
        let slope = |at: usize, by: f32| {
            let ((up, x_up), (down, x_down)) = (moved(at, by), moved(at, -by));
            (up - down) / (x_up - x_down)
        };
        let difference = |at| ((4.0 * slope(at, STEP) - slope(at, 2.0 * STEP)) / 3.0) as f32;
        let expected: Vec<f32> = (0..parents[parent].len()).map(difference).collect();
        let found = found.as_ref().expect("every parent asked for a gradient");
        assert_values_near(found, &expected, NEAR_DIFFERENCES, ("differences", parent, case));
    }
}

/// Gradients by each parent that asks for one, of the sum of the outputs times random numbers.
fn gradients<B: AutodiffBackend>(
    case: &impl Differentiable,
    asked: &[bool],
    operation: impl Fn(Vec<Tensor<B, 1>>) -> Tensor<B, 1>,
) -> Vec<Option<Vec<f32>>> {
    let leaf = |(values, &asked): (&Vec<f32>, &bool)| vector::<B>(values).set_require_grad(asked);
    let leaves: Vec<_> = case.parents().iter().zip(asked).map(leaf).collect();
    let output = operation(leaves.clone());
    // burn-tch loses the shape of an empty tensor on its way back, before a kernel of ours is asked.
    if output.dims() == [0] && B::name(&output.device()).contains("tch") {
        let zeros = |(leaf, &asked): (&Tensor<B, 1>, &bool)| asked.then(|| vec![0.0; leaf.dims()[0]]);
        return leaves.iter().zip(asked).map(zeros).collect();
    }
    let upstream = normal::<B, 1>("upstream", output.dims());
    let graph = (output * upstream).sum().backward();
    leaves.iter().map(|leaf| leaf.grad(&graph).map(host)).collect()
}

/// What [`gradients`] differentiates, summed in 64 bits.
fn weighted_sum<B: RecommenderBackend>(case: &impl Differentiable, parents: &[Vec<f32>]) -> f64 {
    let output = host(case.operation::<B>(parents.iter().map(|values| vector(values)).collect()));
    let upstream = normal_values("upstream", output.len());
    output.iter().zip(upstream).map(|(&output, upstream)| f64::from(output) * f64::from(upstream)).sum()
}

fn vector<B: Backend>(values: &[f32]) -> Tensor<B, 1> {
    tensor(values, [values.len()])
}

/// The next of the parents in the shape that it stands for.
fn next<B: Backend, const D: usize>(
    parents: &mut impl Iterator<Item = Tensor<B, 1>>,
    shape: [usize; D],
) -> Tensor<B, D> {
    parents.next().expect("one tensor for each parent").reshape(shape)
}

/// Graphs of several threads share one registry.
mod of_several_threads {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::Epilogue;

    type Cpu = Autodiff<Flex>;

    /// The gradient of a leaf by a chain of nodes of our own, none of whose tensors is held by anything else.
    fn gradient() -> Vec<f32> {
        let leaf = normal::<Cpu, 2>("x", [3, 4]).require_grad();
        // After a first pass the graph no longer knows the leaf, which then holds nothing of the second.
        drop(leaf.clone().sum().backward());
        let chain = (0..20).fold(leaf.clone() * 1.0, |x, _| Cpu::epilogue(x, Epilogue::default()));
        let graph = (chain * 2.0).sum().backward();
        leaf.grad(&graph).map(host).unwrap_or_default()
    }

    #[test]
    fn a_gradient_survives_the_backward_passes_of_other_threads() {
        let is_done = AtomicBool::new(false);
        let found = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_done.load(Ordering::Relaxed) {
                    drop(Tensor::<Cpu, 1>::ones([1], &Default::default()).require_grad().backward());
                }
            });
            let found = std::panic::catch_unwind(|| (0..1000).map(|_| gradient()).collect::<Vec<_>>());
            is_done.store(true, Ordering::Relaxed);
            found
        });
        let found = found.expect("no node of a graph in use is cleaned away");
        let n_lost = found.iter().filter(|gradient| **gradient != [2.0; 12]).count();
        assert_eq!(n_lost, 0, "of 1,000 gradients");
    }
}

//! One node of an autodiff graph whose gradient is written by hand.

use std::fmt::Debug;

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use burn::tensor::{Int, Tensor, TensorPrimitive};
use std::marker::PhantomData;

/// A tensor of the graph, with or without a gradient.
pub(super) type Primitive<B, C> = TensorPrimitive<Autodiff<B, C>>;

/// A node in preparation: an operation of `N` parents.
pub(super) struct Node<B: Backend, C: CheckpointStrategy, const N: usize> {
    parents: [FloatTensor<Autodiff<B, C>>; N],
}

impl<B: Backend, C: CheckpointStrategy, const N: usize> Node<B, C, N> {
    pub(super) fn of(parents: [Primitive<B, C>; N]) -> Self {
        Self { parents: parents.map(TensorPrimitive::tensor) }
    }

    /// Whether anything before the node asks for a gradient.
    pub(super) fn is_tracked(&self) -> bool {
        self.parents.iter().any(FloatTensor::<Autodiff<B, C>>::is_tracked)
    }

    /// The node's output on the graph. On the way back `gradients` is given `state`, the gradient of the output and
    /// which parents need one, and answers with a gradient for each of those at least.
    pub(super) fn record<S, const D: usize>(
        self,
        state: S,
        output: Tensor<B, D>,
        gradients: GradientsOf<B, S, N, D>,
    ) -> Tensor<Autodiff<B, C>, D>
    where
        S: Clone + Send + Debug + 'static,
    {
        let output = output.into_primitive().tensor();
        // The parents themselves stay alive until the node is registered: a backward pass of another thread cleans away
        // what no tensor holds, and with it their part of the gradient.
        let nodes = self.parents.each_ref().map(|parent| parent.node.clone());
        let by_hand = ByHand { gradients, state: PhantomData };
        let output = match by_hand.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(node) => node.finish(state, output),
            OpsKind::UnTracked(node) => node.finish(output),
        };
        Tensor::from_primitive(TensorPrimitive::Float(output))
    }
}

type GradientsOf<B, S, const N: usize, const D: usize> =
    fn(S, Tensor<B, D>, [bool; N]) -> [Option<TensorPrimitive<B>>; N];

struct ByHand<B: Backend, S, const N: usize, const D: usize> {
    gradients: GradientsOf<B, S, N, D>,
    state: PhantomData<fn(S)>,
}

impl<B: Backend, S, const N: usize, const D: usize> Debug for ByHand<B, S, N, D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ByHand")
    }
}

impl<B, S, const N: usize, const D: usize> Backward<B, N> for ByHand<B, S, N, D>
where
    B: Backend,
    S: Clone + Send + Debug + 'static,
{
    type State = S;

    fn backward(self, ops: Ops<S, N>, grads: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let grad = Tensor::from_primitive(TensorPrimitive::Float(grads.consume::<B>(&ops.node)));
        let needed = ops.parents.each_ref().map(Option::is_some);
        let gradients = (self.gradients)(ops.state, grad, needed);
        for (parent, gradient) in ops.parents.into_iter().zip(gradients) {
            if let (Some(parent), Some(gradient)) = (parent, gradient) {
                grads.register::<B>(parent.id, gradient.tensor());
            }
        }
    }
}

/// Stands for a parent that an operation does without.
pub(super) fn placeholder<B: Backend, C: CheckpointStrategy>(device: &B::Device) -> Primitive<B, C> {
    Tensor::<Autodiff<B, C>, 1>::zeros([1], device).into_primitive()
}

/// A tensor as a constant of the graph.
pub(super) fn lift<B: Backend, C: CheckpointStrategy, const D: usize>(
    tensor: Tensor<B, D>,
) -> Tensor<Autodiff<B, C>, D> {
    Tensor::from_inner(tensor)
}

/// The tensor beneath the graph.
pub(super) fn lower<B: Backend, C: CheckpointStrategy, const D: usize>(
    tensor: Tensor<Autodiff<B, C>, D>,
) -> Tensor<B, D> {
    tensor.inner()
}

/// Integers lie beneath the graph already.
pub(super) fn lower_int<B: Backend, C: CheckpointStrategy, const D: usize>(
    tensor: Tensor<Autodiff<B, C>, D, Int>,
) -> Tensor<B, D, Int> {
    tensor.inner()
}

//! What follows a linear layer, and linear layers.

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::strategy::BalancedCheckpointing;
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, activation};

use super::{
    Differentiable, Reference, assert_near, assert_values_near, check_against_autodiff,
    check_against_differences, combinations, gradients, next, normal, normal_values, on_every_backend,
    tensor,
};
use crate::kernels::plain;
use crate::{Activation, Dropout, Epilogue, RecommenderBackend};

on_every_backend! {
    both_ways_equal_the_plain_bodies,
    gradients_equal_those_of_ordinary_operations,
    gradients_equal_finite_differences,
    gradients_of_a_linear_layer_equal_those_of_ordinary_operations,
    gradients_of_a_linear_layer_equal_finite_differences,
    another_checkpointing_strategy_gives_the_same_gradients,
    what_is_not_a_number_stays_that,
}

/// The last has enough rows to wake other threads.
const SHAPES: [[usize; 2]; 10] =
    [[0, 5], [1, 1], [7, 1], [1, 9], [3, 7], [5, 16], [33, 17], [70, 64], [9, 130], [700, 64]];

/// An epilogue with some of its parts, after a product with `[inputs, dim]` where there are inputs.
#[derive(Debug)]
struct Case {
    shape: [usize; 2],
    inputs: Option<usize>,
    has_bias: bool,
    activation: Activation,
    has_dropout: bool,
    has_residual: bool,
}

impl Case {
    fn grid(shape: [usize; 2], inputs: Option<usize>) -> impl Iterator<Item = Self> {
        combinations([2, 3, 2, 2]).map(move |[bias, activation, dropout, residual]| Self {
            shape,
            inputs,
            has_bias: bias == 1,
            activation: [Activation::None, Activation::Relu, Activation::Gelu][activation],
            has_dropout: dropout == 1,
            has_residual: residual == 1,
        })
    }

    fn n(&self) -> usize {
        self.shape.iter().product()
    }

    fn dropout(&self) -> Option<Dropout> {
        self.has_dropout.then(|| Dropout::new(0.3, 1, 2, "site").expect("0.3 is a probability"))
    }

    /// With constants for bias and residual.
    fn epilogue<B: Backend>(&self) -> Epilogue<B> {
        Epilogue {
            bias: self.has_bias.then(|| normal("bias", [self.shape[1]])),
            activation: self.activation,
            dropout: self.dropout(),
            residual: self.has_residual.then(|| normal("residual", self.shape)),
        }
    }
}

fn both_ways_equal_the_plain_bodies<B: RecommenderBackend>() {
    for case in SHAPES.into_iter().flat_map(|shape| Case::grid(shape, None)) {
        let Case { shape, .. } = case;
        let found = B::epilogue(normal("x", shape), case.epilogue());
        assert_near(found, plain::epilogue::<Reference>(normal("x", shape), case.epilogue()), &case);

        // Without an activation the way back goes without the input.
        let is_read = case.activation != Activation::None;
        let x = is_read.then(|| normal::<B, 2>("x", shape));
        let found = B::epilogue_backward(normal("grad", shape), x, case.epilogue());
        let x = is_read.then(|| normal::<Reference, 2>("x", shape));
        let expected = plain::epilogue_backward(normal("grad", shape), x, case.epilogue());
        assert_near(found.0, expected.0, ("by x", &case));
        assert_eq!(found.1.is_some(), case.has_bias, "{case:?}");
        if let (Some(found), Some(expected)) = (found.1, expected.1) {
            assert_near(found, expected, ("by bias", &case));
        }
    }
}

impl Differentiable for Case {
    fn parents(&self) -> Vec<Vec<f32>> {
        let [rows, dim] = self.shape;
        // Far enough from the kink of ReLU for a difference across it not to count: no value of `x + bias` is
        // within 0.1 of 0. A product's values cannot be kept from it, so its differences are taken without
        // ReLU.
        let away =
            |name, n| normal_values(name, n).iter().map(|value| value + value.signum() * 0.35).collect();
        let small = |values: Vec<f32>| values.iter().map(|value: &f32| value.clamp(-0.25, 0.25)).collect();
        let product = self.inputs.map(|inputs| {
            let weight = normal_values("weight", inputs * dim);
            vec![
                normal_values("x", rows * inputs),
                weight.iter().map(|w| w / (inputs as f32).sqrt()).collect(),
            ]
        });
        let mut parents = product.unwrap_or_else(|| vec![away("x", rows * dim)]);
        parents.extend(self.has_bias.then(|| small(normal_values("bias", dim))));
        parents.extend(self.has_residual.then(|| normal_values("residual", rows * dim)));
        parents
    }

    fn operation<B: RecommenderBackend>(&self, parents: Vec<Tensor<B, 1>>) -> Tensor<B, 1> {
        let [rows, dim] = self.shape;
        let mut parents = parents.into_iter();
        let x = next(&mut parents, [rows, self.inputs.unwrap_or(dim)]);
        let weight = self.inputs.map(|inputs| next(&mut parents, [inputs, dim]));
        let epilogue = Epilogue {
            bias: self.has_bias.then(|| next(&mut parents, [dim])),
            activation: self.activation,
            dropout: self.dropout(),
            residual: self.has_residual.then(|| next(&mut parents, self.shape)),
        };
        let output = match weight {
            None => B::epilogue(x, epilogue),
            Some(weight) => B::fused_linear(x, weight, epilogue),
        };
        output.reshape([self.n()])
    }

    fn ordinary<B: Backend>(&self, parents: Vec<Tensor<B, 1>>) -> Tensor<B, 1> {
        let [rows, dim] = self.shape;
        let mut parents = parents.into_iter();
        let mut x: Tensor<B, 2> = next(&mut parents, [rows, self.inputs.unwrap_or(dim)]);
        if let Some(inputs) = self.inputs {
            x = x.matmul(next(&mut parents, [inputs, dim]));
        }
        if self.has_bias {
            x = x + next(&mut parents, [1, dim]);
        }
        x = match self.activation {
            Activation::None => x,
            Activation::Relu => activation::relu(x),
            Activation::Gelu => x.clone() * ((x / 2f32.sqrt()).erf() + 1.0) / 2.0,
        };
        if let Some(dropout) = self.dropout() {
            x = x * tensor(&dropout.mask(self.n()), self.shape);
        }
        if self.has_residual {
            x = x + next(&mut parents, self.shape);
        }
        x.reshape([self.n()])
    }
}

fn gradients_equal_those_of_ordinary_operations<B: RecommenderBackend>() {
    SHAPES
        .into_iter()
        .flat_map(|shape| Case::grid(shape, None))
        .for_each(|case| check_against_autodiff::<B>(&case));
}

fn gradients_equal_finite_differences<B: RecommenderBackend>() {
    let shapes = [[1, 1], [3, 7], [4, 17]];
    shapes
        .into_iter()
        .flat_map(|shape| Case::grid(shape, None))
        .for_each(|case| check_against_differences::<B>(&case));
}

fn gradients_of_a_linear_layer_equal_those_of_ordinary_operations<B: RecommenderBackend>() {
    let shapes = [([1, 1], 1), ([5, 3], 1), ([1, 7], 4), ([33, 17], 9), ([70, 64], 130)];
    let cases = shapes.into_iter().flat_map(|(shape, inputs)| Case::grid(shape, Some(inputs)));
    cases.for_each(|case| check_against_autodiff::<B>(&case));
}

fn gradients_of_a_linear_layer_equal_finite_differences<B: RecommenderBackend>() {
    let cases =
        [([1, 1], 1), ([3, 5], 4)].into_iter().flat_map(|(shape, inputs)| Case::grid(shape, Some(inputs)));
    cases
        .filter(|case| case.activation != Activation::Relu)
        .for_each(|case| check_against_differences::<B>(&case));
}

fn another_checkpointing_strategy_gives_the_same_gradients<B: RecommenderBackend>() {
    for case in Case::grid([5, 16], Some(3)) {
        let asked = vec![true; case.parents().len()];
        let expected = gradients(&case, &asked, |parents| case.operation::<Autodiff<B>>(parents));
        let found =
            gradients(&case, &asked, |parents| case.operation::<Autodiff<B, BalancedCheckpointing>>(parents));
        for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
            assert_values_near(found, expected, 0.0, &case);
        }
    }
}

fn what_is_not_a_number_stays_that<B: RecommenderBackend>() {
    // Not of ReLU, for which backends differ.
    for activation in [Activation::None, Activation::Gelu] {
        let x = tensor::<B, 2>(&[1.0, f32::NAN, 2.0], [1, 3]);
        let output: Vec<f32> = super::host(B::epilogue(x, Epilogue { activation, ..Epilogue::default() }));
        assert_eq!([0, 1, 2].map(|at| output[at].is_nan()), [false, true, false], "{activation:?}");
    }
}

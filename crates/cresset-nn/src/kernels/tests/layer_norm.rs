//! Layer normalisation.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use super::{
    Differentiable, Reference, assert_near, assert_values_near, check_against_autodiff,
    check_against_differences, host, next, normal, normal_values, on_every_backend, tensor,
};
use crate::RecommenderBackend;
use crate::kernels::plain;

on_every_backend! {
    both_ways_equal_the_plain_bodies,
    gradients_equal_those_of_ordinary_operations,
    gradients_equal_finite_differences,
    rows_far_from_zero_are_normalised_like_rows_around_it,
    a_row_of_equal_values_becomes_beta,
}

const EPSILON: f32 = 1e-5;

/// The last has enough rows to wake other threads.
const SHAPES: [[usize; 2]; 12] = [
    [0, 4],
    [1, 1],
    [7, 1],
    [1, 5],
    [3, 8],
    [5, 16],
    [33, 17],
    [70, 64],
    [4, 130],
    [3, 300],
    [65, 33],
    [900, 128],
];

/// Rows with a mean of 0.5, one gamma and one beta for each column.
fn inputs<B: Backend>([rows, dim]: [usize; 2]) -> (Tensor<B, 2>, Tensor<B, 1>, Tensor<B, 1>) {
    (normal::<B, 2>("x", [rows, dim]) + 0.5, normal("gamma", [dim]), normal("beta", [dim]))
}

fn both_ways_equal_the_plain_bodies<B: RecommenderBackend>() {
    for shape in SHAPES {
        let (x, gamma, beta) = inputs::<B>(shape);
        let found = B::fused_layer_norm_forward(x.clone(), gamma.clone(), beta, EPSILON);
        let back = B::fused_layer_norm_backward(normal("grad", shape), x, gamma, found.clone());
        let (x, gamma, beta) = inputs::<Reference>(shape);
        let expected = plain::layer_norm_forward(x.clone(), gamma.clone(), beta, EPSILON);
        let expected_back = plain::layer_norm_backward(normal("grad", shape), x, gamma, expected.clone());

        assert_near(found.output, expected.output, ("output", shape));
        assert_near(found.mean, expected.mean, ("mean", shape));
        assert_near(found.inverse_deviation, expected.inverse_deviation, ("inverse deviation", shape));
        if shape[1] == 1 {
            // A row of one value is beta whatever the value: what is left are rounding errors, times 316.
            assert!(host(back.0).iter().all(|by_x| by_x.abs() < 1e-4), "by x {shape:?}");
        } else {
            assert_near(back.0, expected_back.0, ("by x", shape));
        }
        assert_near(back.1, expected_back.1, ("by gamma", shape));
        assert_near(back.2, expected_back.2, ("by beta", shape));
    }
}

#[derive(Debug)]
struct Rows([usize; 2]);

impl Differentiable for Rows {
    fn parents(&self) -> Vec<Vec<f32>> {
        let (x, gamma, beta) = inputs::<Reference>(self.0);
        vec![host(x), host(gamma), host(beta)]
    }

    fn operation<B: RecommenderBackend>(&self, parents: Vec<Tensor<B, 1>>) -> Tensor<B, 1> {
        let [rows, dim] = self.0;
        let mut parents = parents.into_iter();
        let (x, gamma, beta) =
            (next(&mut parents, self.0), next(&mut parents, [dim]), next(&mut parents, [dim]));
        B::fused_layer_norm(x, gamma, beta, EPSILON).reshape([rows * dim])
    }

    fn ordinary<B: Backend>(&self, parents: Vec<Tensor<B, 1>>) -> Tensor<B, 1> {
        let [rows, dim] = self.0;
        let mut parents = parents.into_iter();
        let x: Tensor<B, 2> = next(&mut parents, self.0);
        let [gamma, beta] = [(); 2].map(|()| next::<B, 2>(&mut parents, [1, dim]));
        let unit = (x.clone() - x.clone().mean_dim(1)) / (x.var_bias(1) + EPSILON).sqrt();
        (unit * gamma + beta).reshape([rows * dim])
    }
}

fn gradients_equal_those_of_ordinary_operations<B: RecommenderBackend>() {
    // Of one column there is nothing left but rounding errors.
    SHAPES
        .into_iter()
        .filter(|shape| shape[1] > 1)
        .for_each(|shape| check_against_autodiff::<B>(&Rows(shape)));
}

fn gradients_equal_finite_differences<B: RecommenderBackend>() {
    [[1, 5], [3, 8], [5, 16], [4, 17]]
        .into_iter()
        .for_each(|shape| check_against_differences::<B>(&Rows(shape)));
}

fn rows_far_from_zero_are_normalised_like_rows_around_it<B: RecommenderBackend>() {
    // Sums of squares less the square of the mean would lose all digits here: 1e6 in f32 is exact to 0.06.
    let whole: Vec<f32> = (0..4 * 48).map(|at| ((at * 37) % 101) as f32).collect();
    let far: Vec<f32> = whole.iter().map(|value| value + 1e6).collect();
    let normalized = |values: &[f32]| {
        let x = tensor::<B, 2>(values, [4, 48]);
        let [gamma, beta] = [1.0, 0.0].map(|value| Tensor::full([48], value, &x.device()));
        host(B::fused_layer_norm(x, gamma, beta, EPSILON))
    };
    // The mean itself, about 50 beyond 1e6, rounds by 0.06 of a deviation of 29.
    assert_values_near(&normalized(&far), &normalized(&whole), 3e-3, "a million further");
}

fn a_row_of_equal_values_becomes_beta<B: RecommenderBackend>() {
    for dim in [1, 7, 64] {
        let x = Tensor::<B, 2>::full([3, dim], 0.75, &B::Device::default());
        let beta = normal_values("beta", dim);
        let found = host(B::fused_layer_norm(x, normal("gamma", [dim]), tensor(&beta, [dim]), EPSILON));
        assert_eq!(found, beta.repeat(3));
    }
}

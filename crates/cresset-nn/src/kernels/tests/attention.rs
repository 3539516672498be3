//! Self-attention.

use burn::tensor::backend::Backend;
use burn::tensor::{Bool, Tensor, TensorData, activation};

use super::{
    Differentiable, Reference, assert_near, check_against_autodiff, check_against_differences, combinations,
    drawn, host, next, normal, normal_values, on_every_backend, tensor,
};
use crate::kernels::plain;
use crate::{Attention, Dropout, RecommenderBackend};

on_every_backend! {
    both_ways_equal_the_plain_bodies,
    gradients_equal_those_of_ordinary_operations,
    gradients_equal_finite_differences,
    padding_is_not_seen_and_gives_and_takes_nothing,
    a_place_does_not_see_what_comes_after_it,
    probabilities_of_scores_far_apart_are_finite,
}

/// Batch, places, heads and width of a head; the last two are large enough to wake other threads.
const SHAPES: [[usize; 4]; 10] = [
    [0, 3, 1, 2],
    [1, 1, 1, 1],
    [2, 3, 1, 4],
    [2, 5, 2, 3],
    [1, 16, 1, 16],
    [1, 17, 4, 5],
    [3, 33, 2, 8],
    [2, 20, 3, 17],
    [2, 50, 2, 32],
    [5, 31, 4, 16],
];

#[derive(Debug, Clone, Copy)]
struct Case {
    shape: [usize; 4],
    causal: bool,
    padding: Padding,
    has_dropout: bool,
}

/// Which places are padding.
#[derive(Debug, Clone, Copy)]
enum Padding {
    Unmasked,
    Nowhere,
    /// As many first places of each sequence as its number, as where sequences end together.
    Left,
    Anywhere,
    Everywhere,
}

impl Case {
    fn grid(shape: [usize; 4]) -> impl Iterator<Item = Self> {
        combinations([2, 5, 2]).map(move |[causal, padding, dropout]| {
            use Padding::{Anywhere, Everywhere, Left, Nowhere, Unmasked};
            let padding = [Unmasked, Nowhere, Left, Anywhere, Everywhere][padding];
            Self { shape, causal: causal == 1, padding, has_dropout: dropout == 1 }
        })
    }

    fn d_model(&self) -> usize {
        self.shape[2] * self.shape[3]
    }

    fn qkv_shape(&self) -> [usize; 3] {
        [self.shape[0], self.shape[1], 3 * self.d_model()]
    }

    fn output_shape(&self) -> [usize; 3] {
        [self.shape[0], self.shape[1], self.d_model()]
    }

    /// Whether each place is padding.
    fn mask_pad(&self) -> Option<Vec<bool>> {
        let [batch, seq, _, _] = self.shape;
        let n = batch * seq;
        match self.padding {
            Padding::Unmasked => None,
            Padding::Nowhere => Some(vec![false; n]),
            Padding::Left => Some((0..n).map(|at| at % seq < (at / seq + 1) * 2).collect()),
            Padding::Anywhere => Some(drawn("mask", n, 3).iter().map(|&word| word == 0).collect()),
            Padding::Everywhere => Some(vec![true; n]),
        }
    }

    fn dropout(&self) -> Option<Dropout> {
        self.has_dropout.then(|| Dropout::new(0.25, 3, 4, "attention").expect("0.25 is a probability"))
    }

    fn attention<B: Backend>(&self) -> Attention<B> {
        let [batch, seq, n_heads, _] = self.shape;
        let mask = |mask| Tensor::from_data(TensorData::new(mask, [batch, seq]), &B::Device::default());
        Attention {
            n_heads,
            causal: self.causal,
            mask_pad: self.mask_pad().map(mask),
            dropout: self.dropout(),
        }
    }

    /// 1 where a query sees a key, `[batch, heads, seq, seq]`.
    fn seen(&self) -> Vec<f32> {
        let [batch, seq, n_heads, _] = self.shape;
        let mask = self.mask_pad().unwrap_or_else(|| vec![false; batch * seq]);
        let mut seen = vec![];
        for [key, query, _, sequence] in combinations([seq, seq, n_heads, batch]) {
            let is_padding = mask[sequence * seq + query] || mask[sequence * seq + key];
            seen.push(f32::from(!is_padding && (!self.causal || key <= query)));
        }
        seen
    }
}

fn both_ways_equal_the_plain_bodies<B: RecommenderBackend>() {
    for case in SHAPES.into_iter().flat_map(Case::grid) {
        let qkv = || normal::<B, 3>("qkv", case.qkv_shape());
        let (output, probabilities) = B::fused_attention_forward(qkv(), case.attention());
        let grad = normal("grad", case.output_shape());
        let back = B::fused_attention_backward(grad, qkv(), probabilities.clone(), case.attention());

        let qkv = || normal::<Reference, 3>("qkv", case.qkv_shape());
        let (expected, expected_probabilities) = plain::attention_forward(qkv(), case.attention());
        let grad = normal("grad", case.output_shape());
        let expected_back =
            plain::attention_backward(grad, qkv(), expected_probabilities.clone(), case.attention());

        assert_near(output, expected, ("output", case));
        assert_near(probabilities, expected_probabilities, ("probabilities", case));
        assert_near(back, expected_back, ("by qkv", case));
    }
}

impl Differentiable for Case {
    fn parents(&self) -> Vec<Vec<f32>> {
        vec![normal_values("qkv", self.qkv_shape().iter().product())]
    }

    fn operation<B: RecommenderBackend>(&self, parents: Vec<Tensor<B, 1>>) -> Tensor<B, 1> {
        let qkv = next(&mut parents.into_iter(), self.qkv_shape());
        B::fused_attention(qkv, self.attention()).reshape([self.output_shape().iter().product::<usize>()])
    }

    fn ordinary<B: Backend>(&self, parents: Vec<Tensor<B, 1>>) -> Tensor<B, 1> {
        let [batch, seq, n_heads, d_head] = self.shape;
        // Query, key and value lead, so that each is a slice: [3, batch, heads, seq, d_head].
        let qkv: Tensor<B, 5> = next(&mut parents.into_iter(), [batch, seq, 3, n_heads, d_head]);
        let qkv = qkv.permute([2, 0, 3, 1, 4]);
        let part = |at| qkv.clone().narrow(0, at, 1).squeeze_dim::<4>(0);
        let seen = tensor::<B, 4>(&self.seen(), [batch, n_heads, seq, seq]);
        let unseen: Tensor<B, 4, Bool> = seen.clone().equal_elem(0.0);
        let scores = part(0).matmul(part(1).swap_dims(2, 3)) / (d_head as f32).sqrt();
        let mut weights = activation::softmax(scores.mask_fill(unseen, -1e9), 3) * seen;
        if let Some(dropout) = self.dropout() {
            weights =
                weights * tensor(&dropout.mask(batch * n_heads * seq * seq), [batch, n_heads, seq, seq]);
        }
        weights.matmul(part(2)).swap_dims(1, 2).reshape([batch * seq * n_heads * d_head])
    }
}

fn gradients_equal_those_of_ordinary_operations<B: RecommenderBackend>() {
    SHAPES.into_iter().flat_map(Case::grid).for_each(|case| check_against_autodiff::<B>(&case));
}

fn gradients_equal_finite_differences<B: RecommenderBackend>() {
    let shapes = [[1, 1, 1, 1], [2, 3, 1, 4], [2, 5, 2, 3]];
    shapes.into_iter().flat_map(Case::grid).for_each(|case| check_against_differences::<B>(&case));
}

fn padding_is_not_seen_and_gives_and_takes_nothing<B: RecommenderBackend>() {
    for case in SHAPES.into_iter().flat_map(Case::grid) {
        let Some(mask) = case.mask_pad() else { continue };
        let values = normal_values("qkv", case.qkv_shape().iter().product());
        let width = case.qkv_shape()[2];
        let elsewhere: Vec<f32> = values
            .iter()
            .enumerate()
            .map(|(at, value)| if mask[at / width] { 99.0 } else { *value })
            .collect();
        let output =
            |values: &[f32]| host(B::fused_attention(tensor(values, case.qkv_shape()), case.attention()));
        assert_eq!(output(&values), output(&elsewhere), "{case:?}");
        let output = output(&values);
        let of_padding = output.iter().enumerate().filter(|(at, _)| mask[at / case.d_model()]);
        assert!(of_padding.into_iter().all(|(_, &value)| value == 0.0), "{case:?}");

        let (_, probabilities) =
            B::fused_attention_forward(tensor(&values, case.qkv_shape()), case.attention());
        let qkv = tensor(&values, case.qkv_shape());
        let grad = normal("grad", case.output_shape());
        let back = host(B::fused_attention_backward(grad, qkv, probabilities, case.attention()));
        let of_padding = back.iter().enumerate().filter(|(at, _)| mask[at / width]);
        assert!(of_padding.into_iter().all(|(_, &value)| value == 0.0), "{case:?}");
    }
}

fn a_place_does_not_see_what_comes_after_it<B: RecommenderBackend>() {
    let case = Case { shape: [1, 37, 2, 8], causal: true, padding: Padding::Unmasked, has_dropout: false };
    let values = normal_values("qkv", 37 * 48);
    let output =
        |values: &[f32]| host(B::fused_attention(tensor(values, case.qkv_shape()), case.attention()));
    let before = output(&values);
    for place in [1, 15, 16, 36] {
        let mut later = values.clone();
        later[place * 48..].iter_mut().for_each(|value| *value += 1.0);
        let after = output(&later);
        assert_eq!(before[..place * 16], after[..place * 16]);
        assert_ne!(before[place * 16..], after[place * 16..]);
    }
}

fn probabilities_of_scores_far_apart_are_finite<B: RecommenderBackend>() {
    // Scores of about 1,000 of either sign: the exponential of none of them is a number of f32.
    let case = Case { shape: [2, 9, 1, 4], causal: false, padding: Padding::Unmasked, has_dropout: false };
    let qkv = normal::<B, 3>("qkv", case.qkv_shape()) * 30.0;
    let (output, probabilities) = B::fused_attention_forward(qkv, case.attention());
    let sums = host(probabilities.sum_dim(3));
    assert!(sums.iter().all(|sum| (sum - 1.0).abs() < 1e-5), "{sums:?}");
    assert!(host(output).iter().all(|value| value.is_finite()));
}

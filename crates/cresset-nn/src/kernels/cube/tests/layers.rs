use burn::backend::Flex;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use super::{assert_close, floats, ints, on_both};
use crate::kernels::plain;
use crate::kernels::spec::{Attention, Epilogue, Normalized};
use crate::{Activation, Dropout, RecommenderBackend};

const SHAPES: [[usize; 2]; 6] = [[0, 4], [1, 1], [1, 7], [3, 64], [70, 5], [130, 129]];

fn dropout(p: f64) -> Dropout {
    Dropout::new(p, 42, 7, "site").expect("a probability")
}

fn epilogue<B: Backend>(
    [rows, dim]: [usize; 2],
    (activation, p, full): (Activation, Option<f64>, bool),
    device: &B::Device,
) -> Epilogue<B> {
    Epilogue {
        bias: full.then(|| floats([dim], 2, device)),
        activation,
        dropout: p.map(dropout),
        residual: full.then(|| floats([rows, dim], 3, device)),
    }
}

#[test]
fn what_follows_a_linear_layer_is_as_by_the_default_body() {
    fn check<B: RecommenderBackend>(device: &B::Device) {
        let cpu = Default::default();
        let kinds = [
            (Activation::None, None, true),
            (Activation::None, Some(0.25), false),
            (Activation::Relu, Some(0.9), true),
            (Activation::Gelu, None, false),
            (Activation::Gelu, Some(0.5), true),
        ];
        for shape in SHAPES {
            for kind in kinds {
                let case = format!("{shape:?}, {kind:?}");
                let there = B::epilogue(floats(shape, 1, device), epilogue(shape, kind, device));
                let here = plain::epilogue::<Flex>(floats(shape, 1, &cpu), epilogue(shape, kind, &cpu));
                assert_close(there, here, &case);

                let x = Some(floats(shape, 1, device));
                let (by_x, by_bias) =
                    B::epilogue_backward(floats(shape, 5, device), x, epilogue(shape, kind, device));
                let x = Some(floats(shape, 1, &cpu));
                let (x_here, bias_here) =
                    plain::epilogue_backward::<Flex>(floats(shape, 5, &cpu), x, epilogue(shape, kind, &cpu));
                assert_close(by_x, x_here, &case);
                assert_eq!(by_bias.is_some(), bias_here.is_some(), "{case}");
                if let Some((there, here)) = by_bias.zip(bias_here) {
                    assert_close(there, here, &case);
                }
            }
        }
    }
    on_both!(check);
}

#[test]
fn the_device_drops_what_the_host_drops() {
    fn check<B: RecommenderBackend>(device: &B::Device) {
        let ones = Tensor::<B, 2>::ones([37, 65], device);
        let epilogue = Epilogue { dropout: Some(dropout(0.3)), ..Epilogue::default() };
        let found = super::read(B::epilogue(ones, epilogue));
        assert_eq!(found, dropout(0.3).mask(37 * 65));
    }
    on_both!(check);
}

#[test]
fn rows_are_normalised_as_by_the_default_body() {
    fn check<B: RecommenderBackend>(device: &B::Device) {
        let cpu = Default::default();
        // A row of one element has no deviation, and its gradient is nothing but rounding.
        for shape in [[0, 4], [1, 7], [3, 64], [70, 5], [130, 129], [64, 3]] {
            let case = format!("{shape:?}");
            let dim = [shape[1]];
            let forward = |x, gamma, beta| B::fused_layer_norm_forward(x, gamma, beta, 1e-5);
            let there = forward(floats(shape, 1, device), floats(dim, 2, device), floats(dim, 3, device));
            let (x, gamma, beta) = (floats(shape, 1, &cpu), floats(dim, 2, &cpu), floats(dim, 3, &cpu));
            let here = plain::layer_norm_forward::<Flex>(x, gamma, beta, 1e-5);
            assert_close(there.output.clone(), here.output.clone(), &case);
            assert_close(there.mean.clone(), here.mean.clone(), &case);
            assert_close(there.inverse_deviation.clone(), here.inverse_deviation.clone(), &case);

            let (grad, x, gamma) =
                (floats(shape, 5, device), floats(shape, 1, device), floats(dim, 2, device));
            let there = B::fused_layer_norm_backward(grad, x, gamma, there);
            let (grad, x, gamma) = (floats(shape, 5, &cpu), floats(shape, 1, &cpu), floats(dim, 2, &cpu));
            let here = plain::layer_norm_backward::<Flex>(grad, x, gamma, here);
            assert_close(there.0, here.0, &case);
            assert_close(there.1, here.1, &case);
            assert_close(there.2, here.2, &case);
        }
    }
    on_both!(check);
}

#[test]
fn a_row_without_deviation_is_normalised_to_beta() {
    fn check<B: RecommenderBackend>(device: &B::Device) {
        let x = Tensor::<B, 2>::full([2, 5], 3.0, device);
        let Normalized { output, mean, .. } =
            B::fused_layer_norm_forward(x, floats([5], 2, device), floats([5], 3, device), 1e-5);
        assert_eq!(super::read(mean), [3.0; 2]);
        assert_eq!(super::read(output), super::numbers(5, 3).repeat(2));
    }
    on_both!(check);
}

#[test]
fn a_batch_without_sequences_is_attended_to() {
    fn check<B: RecommenderBackend>(device: &B::Device) {
        let attention = || attention::<B>([0, 3], (2, true, true, None), device);
        let (output, probabilities) = B::fused_attention_forward(floats([0, 3, 12], 1, device), attention());
        assert_eq!((output.dims(), probabilities.dims()), ([0, 3, 4], [0, 2, 3, 3]));
        let by_qkv =
            B::fused_attention_backward(output, floats([0, 3, 12], 1, device), probabilities, attention());
        assert_eq!(by_qkv.dims(), [0, 3, 12]);
    }
    on_both!(check);
}

/// The sequence `i` has `i` places of padding before it.
fn attention<B: Backend>(
    [batch, seq]: [usize; 2],
    (n_heads, causal, is_padded, p): (usize, bool, bool, Option<f64>),
    device: &B::Device,
) -> Attention<B> {
    let padding = (0..batch).flat_map(|sequence| (0..seq).map(move |place| i32::from(place < sequence)));
    let mask_pad = is_padded.then(|| ints::<B, 2>(padding.collect(), [batch, seq], device).equal_elem(1));
    Attention { n_heads, causal, mask_pad, dropout: p.map(dropout) }
}

#[test]
fn attention_is_as_by_the_default_body() {
    fn check<B: RecommenderBackend>(device: &B::Device) {
        let cpu = Default::default();
        // In the third case the last sequences are padding alone.
        let cases = [
            ([1, 1], 2, (1, true, false, None)),
            ([2, 5], 8, (2, false, false, Some(0.3))),
            ([9, 6], 6, (3, true, true, Some(0.2))),
            ([3, 70], 66, (1, true, true, None)),
            ([2, 65], 16, (4, false, true, Some(0.5))),
        ];
        for ([batch, seq], d_model, kind) in cases {
            let case = format!("{batch} x {seq} x {d_model}, {kind:?}");
            let shape = [batch, seq, 3 * d_model];
            let of_device = || attention(shape[..2].try_into().expect("two"), kind, device);
            let of_cpu = || attention::<Flex>(shape[..2].try_into().expect("two"), kind, &cpu);
            let (output, probabilities) = B::fused_attention_forward(floats(shape, 1, device), of_device());
            let (output_here, probabilities_here) =
                plain::attention_forward::<Flex>(floats(shape, 1, &cpu), of_cpu());
            assert_close(output, output_here, &case);
            assert_close(probabilities.clone(), probabilities_here.clone(), &case);

            let grad = [batch, seq, d_model];
            let (grad_there, qkv) = (floats(grad, 5, device), floats(shape, 1, device));
            let there = B::fused_attention_backward(grad_there, qkv, probabilities, of_device());
            let (grad_here, qkv) = (floats(grad, 5, &cpu), floats(shape, 1, &cpu));
            let here = plain::attention_backward::<Flex>(grad_here, qkv, probabilities_here, of_cpu());
            assert_close(there, here, &case);
        }
    }
    on_both!(check);
}

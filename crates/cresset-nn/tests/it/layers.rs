//! The layers: by hand, against PyTorch (`tests/golden/layers.py`), and what dropout, padding and repeats mean in them.

use burn::backend::Flex;
use burn::module::Module;
use burn::tensor::{Bool, Tensor, TensorData};
use cresset_data::UniqueRows;
use cresset_nn::weights::{named_tensors, restore};
use cresset_nn::{
    Activation, Dropout, DropoutSite, EmbeddingTable, FeedForward, LayerNorm, Linear, Mlp,
    MultiHeadSelfAttention, RecommenderBackend, RowIndex, StepKey, Tower, TowerInput, Transformer,
    TransformerBlock, TransformerConfig, l2_normalize,
};

use crate::models::{Cpu, assert_close, matrix};
use crate::waves::{gradients_by_name, print, to_vec, values, wave_tensor, with_waves};

const KEY: Option<StepKey> = Some(StepKey { seed: 5, step: 3 });

fn tensor(rows: &[f32], shape: [usize; 2]) -> Tensor<Cpu, 2> {
    matrix(rows, shape, &Default::default())
}

fn set<M: Module<Cpu>>(module: M, name: &str, values: &[f32]) -> M {
    let mut tensors = named_tensors(&module);
    let shape = tensors[name].shape.clone();
    tensors.insert(name.to_owned(), TensorData::new(values.to_vec(), shape));
    restore(module, tensors).unwrap()
}

#[test]
fn a_linear_layer_by_hand_adds_bias_and_residual_around_the_activation() {
    // (1, 2) gives 1 - 2 + 0.5 = -0.5, cut to 0, and 3 + 4 - 1 = 6; then the residual of (10, 20).
    let bias = Tensor::from_floats([0.5, -1.], &Default::default());
    let layer = Linear::from_tensors(tensor(&[1., 3., -1., 2.], [2, 2]), Some(bias));
    let residual = tensor(&[10., 20.], [1, 2]);
    let output = layer.forward(tensor(&[1., 2.], [1, 2]), Activation::Relu, None, Some(residual));
    assert_eq!(values(&output), [10., 26.]);
    assert_eq!(layer.dims(), [2, 2]);
}

#[test]
#[should_panic(expected = "rows are as wide as the layer has inputs")]
fn rows_of_another_width_than_the_layer_are_refused() {
    let layer = Linear::<Cpu>::new("layer", [3, 2], 0, &Default::default());
    layer.forward(tensor(&[1., 2.], [1, 2]), Activation::None, None, None);
}

#[test]
fn a_stack_drops_hidden_values_by_the_masks_of_its_path() {
    // All hidden values are 1 and are summed, so the output is the sum of the row's factors.
    let stack = Mlp::<Cpu>::new("tower", &[1, 64, 1], 0, &Default::default()).unwrap();
    let stack = set(stack.with_dropout(0.25).unwrap(), "layers.0.weight", &[1.; 64]);
    let stack = set(set(stack, "layers.0.bias", &[0.; 64]), "layers.1.weight", &[1.; 64]);
    let stack = set(stack, "layers.1.bias", &[0.]);
    let input = tensor(&[1., 1.], [2, 1]);
    let factors = Dropout::new(0.25, 5, 3, "tower.0").unwrap().mask(128);
    let expected: Vec<f32> = factors.chunks(64).map(|row| row.iter().sum()).collect();
    assert_close(&values(&stack.forward(input.clone(), KEY)), &expected, 1e-5);
    assert_eq!(values(&stack.forward(input, None)), [64., 64.]);
}

#[test]
fn masks_follow_the_key_and_nothing_else() {
    let stack = Mlp::<Cpu>::new("tower", &[3, 32, 2], 1, &Default::default()).unwrap();
    let stack = stack.with_dropout(0.5).unwrap();
    let input = wave_tensor([4, 3], 1.0, 0.0);
    let of = |seed, step| values(&stack.forward(input.clone(), Some(StepKey { seed, step })));
    assert_eq!(of(1, 2), of(1, 2));
    assert_ne!(of(1, 2), of(1, 3));
    assert_ne!(of(1, 2), of(2, 2));
}

#[test]
fn a_probability_outside_its_range_is_an_error_wherever_it_is_given() {
    let device = Default::default();
    let stack = |widths: &[usize]| Mlp::<Cpu>::new("tower", widths, 0, &device).unwrap();
    let tower = Tower::<Cpu>::new("tower", &[2], &[2], 0, &device).unwrap();
    let feed_forward = FeedForward::<Cpu>::new("ff", [2, 2, 2], 0, &device).unwrap();
    let attention = MultiHeadSelfAttention::<Cpu>::new("attention", 2, 1, 0, &device).unwrap();
    let errors = [
        stack(&[2, 2, 2]).with_dropout(1.0).unwrap_err(),
        stack(&[2, 2]).with_dropout(1.0).unwrap_err(), // though nothing would be dropped
        tower.with_dropout(1.0).unwrap_err(),
        feed_forward.with_dropout(1.0).unwrap_err(),
        attention.with_dropout(1.0).unwrap_err(),
        DropoutSite::new(1.0, "site").unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.to_string(), "dropout = 1, expected a probability in [0, 1)");
    }
}

#[test]
fn rows_of_length_one_by_hand() {
    let rows = l2_normalize(tensor(&[3., 4., 0., 0., -2., 0.], [3, 2]), 1e-12);
    assert_close(&values(&rows), &[0.6, 0.8, 0., 0., -1., 0.], 1e-7);
}

#[test]
fn the_slope_of_a_length_is_across_the_row_and_finite_where_all_is_zero() {
    let x = tensor(&[3., 4., 0., 0.], [2, 2]).require_grad();
    let upstream = tensor(&[1., 0., 1e-6, 0.], [2, 2]);
    let gradients = (l2_normalize(x.clone(), 1e-3) * upstream).sum().backward();
    // d(x / |x|) by x = (|x|^2 - x^2) / |x|^3 = 16 / 125, by y = -12 / 125. Zeros are divided by epsilon.
    assert_close(&to_vec(x.grad(&gradients).unwrap()), &[0.128, -0.096, 1e-3, 0.], 1e-6);
}

#[test]
#[should_panic(expected = "epsilon = 0, expected a number whose square is above 0")]
fn a_length_without_a_floor_is_refused() {
    l2_normalize(tensor(&[1.], [1, 1]), 0.0);
}

#[test]
fn a_normalised_stack_gives_rows_of_length_one() {
    let stack = Mlp::<Cpu>::new("tower", &[3, 8, 4], 1, &Default::default()).unwrap();
    let (input, plain) = (wave_tensor([5, 3], 1.0, 0.0), stack.clone());
    let rows = values(&stack.normalized().forward(input.clone(), None));
    let expected = values(&l2_normalize(plain.forward(input, None), 1e-12));
    assert_eq!(rows, expected);
    let lengths = rows.chunks(4).map(|row| row.iter().map(|value| value * value).sum::<f32>());
    assert_close(&lengths.collect::<Vec<_>>(), &[1.; 5], 1e-6);
}

#[test]
fn a_stack_with_gelu_differs_from_one_with_relu_and_keeps_its_weights() {
    let of = |activation| {
        let stack = Mlp::<Cpu>::new("tower", &[1, 1, 1], 0, &Default::default()).unwrap();
        let stack = ["layers.0.weight", "layers.1.weight"].iter().fold(stack, |s, name| set(s, name, &[1.]));
        let stack = ["layers.0.bias", "layers.1.bias"].iter().fold(stack, |s, name| set(s, name, &[0.]));
        values(&stack.with_activation(activation).forward(tensor(&[-1., 1.], [2, 1]), None))
    };
    assert_eq!(of(Activation::Relu), [0., 1.]);
    // Phi(-1) = 0.158655, Phi(1) = 0.841345.
    assert_close(&of(Activation::Gelu), &[-0.158_655, 0.841_345], 1e-5);
}

#[test]
fn rows_normalised_by_hand_in_any_shape() {
    // Mean 2, variance 1: (1 - 2) / sqrt(1 + 1e-5) = -0.999995.
    let norm = LayerNorm::<Cpu>::new(2, &Default::default());
    let x = Tensor::<Cpu, 3>::from_floats([[[1., 3.]], [[5., 5.]]], &Default::default());
    assert_close(&values(&norm.forward(x)), &[-0.999_995, 0.999_995, 0., 0.], 1e-6);
}

fn encoder() -> Transformer<Cpu> {
    let config = TransformerConfig { d_model: 4, d_ff: 6, dropout: 0.0, ..TransformerConfig::default() };
    with_waves(config.init("encoder", 0, &Default::default()).unwrap())
}

fn padding() -> Tensor<Cpu, 2, Bool> {
    Tensor::from_data([[false, false, false], [false, false, true]], &Default::default())
}

/// All places but the last, which is padding.
fn without_padding(values: &[f32]) -> &[f32] {
    &values[..20]
}

#[test]
fn a_transformer_gives_what_pytorch_gives() {
    let expected = [
        1.020363, 0.2876455, -0.5803557, -1.175407, -0.092919, 1.879838, 2.968478, 2.660996, 2.153673,
        1.438054, 0.0460968, -1.367541, -0.8444211, 0.8378816, 2.126115, 2.414404, 2.602818, 2.542226,
        1.285985, -0.5750749,
    ];
    let output = encoder().forward(wave_tensor([2, 3, 4], 2.0, 3.0), Some(&padding()), KEY);
    assert_close(without_padding(&values(&output)), &expected, 1e-5);
}

#[test]
fn a_transformer_has_the_gradients_that_pytorch_has() {
    let of_x = [
        -0.9899021, -0.4667048, 0.07771955, 0.7147958, 1.010122, 0.7561286, 0.2983713, -0.5022378, -1.193741,
        -0.695245, -0.2656071, -0.1255429, 0.8663965, 0.868541, 0.6222416, 0.3772258, -0.854688, -0.7239939,
        -0.598296, -0.6957212,
    ];
    let of_parameters = [
        -0.2891647,
        -0.07507948,
        -0.06618814,
        0.7093186,
        -0.004054501,
        -0.51249,
        0.2056074,
        -1.082539,
        -0.07495076,
        0.7670469,
        0.07468515,
        -0.9431765,
        -0.02185497,
        -0.09568135,
        -0.1580766,
        0.6992619,
        0.007677365,
        -0.4754138,
        0.2567194,
        -1.075521,
        0.1271073,
        1.187016,
        0.0915375,
        -1.116032,
    ];
    let (encoder, x) = (encoder(), wave_tensor([2, 3, 4], 2.0, 3.0));
    let output = encoder.forward(x.clone(), Some(&padding()), None);
    let there = padding().bool_not().float().unsqueeze_dim::<3>(2);
    let gradients = (output * there * wave_tensor([2, 3, 4], 1.0, 5.0)).sum().backward();
    let by_x = to_vec(x.grad(&gradients).unwrap());
    assert_close(without_padding(&by_x), &of_x, 1e-5);
    assert_eq!(by_x[20..], [0.; 4]);
    let found = gradients_by_name(&encoder, gradients);
    assert_close(&found.values().map(|g| print(g, 9.0)).collect::<Vec<_>>(), &of_parameters, 1e-5);
}

#[test]
fn no_place_sees_padding_or_what_comes_after_it() {
    let encoder = encoder();
    let of = |values: Vec<f32>| {
        let x = Tensor::from_data(TensorData::new(values, [2, 3, 4]), &Default::default());
        self::values(&encoder.forward(x, Some(&padding()), None))
    };
    let x = crate::waves::wave(24, 2.0, 3.0);
    let mut changed = x.clone();
    changed[20..].fill(7.0); // the padding
    changed[8..12].fill(-3.0); // the last place of the first sequence
    let (before, after) = (of(x), of(changed));
    assert_eq!(before[..8], after[..8]);
    assert_eq!(before[12..20], after[12..20]);
    assert_ne!(before[8..12], after[8..12]);
}

#[test]
fn attention_that_is_not_causal_sees_what_comes_after() {
    let attention = MultiHeadSelfAttention::<Cpu>::new("attention", 4, 2, 1, &Default::default()).unwrap();
    let first = |attention: &MultiHeadSelfAttention<Cpu>, last: f64| {
        let x = Tensor::cat(vec![wave_tensor([1, 2, 4], 1.0, 0.0), wave_tensor([1, 1, 4], last, 1.0)], 1);
        values(&attention.forward(x, None, None, None))[..4].to_vec()
    };
    assert_ne!(first(&attention, 1.0), first(&attention, 2.0));
    let causal = attention.causal();
    assert_eq!(first(&causal, 1.0), first(&causal, 2.0));
}

#[test]
fn places_of_a_transformer_have_masks_of_their_own() {
    let config = TransformerConfig { d_model: 4, d_ff: 6, dropout: 0.5, ..TransformerConfig::default() };
    let device = Default::default();
    let block = |path| with_waves(TransformerBlock::<Cpu>::new(path, &config, 0, &device).unwrap());
    let x = wave_tensor([2, 3, 4], 2.0, 3.0);
    let of = |block: &TransformerBlock<Cpu>, key| values(&block.forward(x.clone(), None, key));
    let (first, second) = (block("blocks.0"), block("blocks.1"));
    assert_eq!(of(&first, KEY), of(&first, KEY));
    assert_ne!(of(&first, KEY), of(&second, KEY));
    assert_ne!(of(&first, KEY), of(&first, Some(StepKey { seed: 5, step: 4 })));
    assert_eq!(of(&first, None), of(&second, None));
}

#[test]
fn feed_forward_layers_drop_after_both() {
    // With weights of 1 and inputs of 1, the hidden values are 4 and the outputs 4 times the kept share of 16.
    let layers = FeedForward::<Cpu>::new("ff", [4, 16, 16], 0, &Default::default()).unwrap();
    let layers = layers.with_activation(Activation::Relu).with_dropout(0.25).unwrap();
    let layers = set(set(layers, "inner.weight", &[1.; 64]), "inner.bias", &[0.; 16]);
    let layers = set(set(layers, "outer.weight", &[1.; 256]), "outer.bias", &[0.; 16]);
    let output = layers.forward(tensor(&[1.; 4], [1, 4]), KEY, Some(tensor(&[100.; 16], [1, 16])));
    let mask = |site| Dropout::new(0.25, 5, 3, site).unwrap().mask(16);
    let hidden: f32 = mask("ff.inner").iter().map(|factor| 4.0 * factor).sum();
    let expected: Vec<f32> = mask("ff.outer").iter().map(|factor| 100.0 + factor * hidden).collect();
    assert_close(&values(&output), &expected, 1e-5);
}

#[test]
fn numbers_that_make_no_transformer_are_refused_by_name() {
    let refused = |change: fn(&mut TransformerConfig)| {
        let mut config = TransformerConfig::default();
        change(&mut config);
        config.init::<Cpu>("encoder", 0, &Default::default()).unwrap_err().to_string()
    };
    assert_eq!(refused(|c| c.n_heads = 3), "n_heads = 3, expected a number that divides d_model");
    assert_eq!(refused(|c| c.n_heads = 0), "n_heads = 0, expected a number that divides d_model");
    assert_eq!(refused(|c| c.d_model = 0), "d_model = 0, expected at least 1");
    assert_eq!(refused(|c| c.d_ff = 0), "d_ff = 0, expected at least 1");
    assert_eq!(refused(|c| c.n_layers = 0), "n_layers = 0, expected at least 1");
    assert_eq!(refused(|c| c.dropout = -0.1), "dropout = -0.1, expected a probability in [0, 1)");
}

#[test]
#[should_panic(expected = "the mask has one value for each place of each sequence")]
fn a_mask_of_another_shape_is_refused() {
    encoder().forward(wave_tensor([2, 4, 4], 1.0, 0.0), Some(&padding()), None);
}

/// A tower over an id, 3 wide and distinct for each of five rows, and a category, 2 wide, of which there are two.
fn tower() -> (Tower<Cpu>, Mlp<Cpu>) {
    let device = Default::default();
    let tower = Tower::new("items", &[3, 2], &[6, 4], 7, &device).unwrap();
    (tower, Mlp::new("items", &[5, 6, 4], 7, &device).unwrap())
}

const CATEGORY_OF: [u32; 5] = [4, 9, 9, 4, 9];

fn category_rows() -> EmbeddingTable<Cpu> {
    EmbeddingTable::normal("categories", [10, 2], 1.0, 3, &Default::default())
}

#[test]
fn a_tower_gives_what_a_stack_over_the_concatenated_features_gives() {
    let (tower, stack) = tower();
    let (ids, categories) = (wave_tensor([5, 3], 1.0, 0.0), category_rows());
    let device = Default::default();
    let gathered = categories.gather(&RowIndex::new(&UniqueRows::of(&CATEGORY_OF), &device));
    let upstream = wave_tensor([5, 4], 1.0, 2.0);

    let concatenated = Tensor::cat(vec![ids.clone(), gathered.per_example()], 1);
    let expected = stack.forward(concatenated, None);
    let by_stack = (expected.clone() * upstream.clone()).sum().backward();
    for category_first in [false, true] {
        let found = if category_first {
            // The same tower with its features in the other order.
            let mut weights = named_tensors(&tower);
            let (id, category) = ("features.0.weight".to_owned(), "features.1.weight".to_owned());
            let swapped = [(id.clone(), weights.remove(&category)), (category, weights.remove(&id))];
            weights.extend(swapped.map(|(name, data)| (name, data.unwrap())));
            let other = Tower::new("items", &[2, 3], &[6, 4], 7, &device).unwrap();
            let other = restore::<Cpu, _>(other, weights).unwrap();
            other.forward(vec![TowerInput::from(&gathered), ids.clone().into()], None)
        } else {
            tower.forward(vec![ids.clone().into(), TowerInput::from(&gathered)], None)
        };
        assert_close(&values(&found), &values(&expected), 1e-6);
        let by_tower = (found * upstream.clone()).sum().backward();
        for leaf in [&ids, &gathered.leaf] {
            let of = |gradients| to_vec(leaf.grad(gradients).unwrap());
            assert_close(&of(&by_tower), &of(&by_stack), 1e-5);
        }
    }
}

#[test]
fn a_tower_has_the_parameters_of_the_stack() {
    let (tower, stack) = tower();
    assert_eq!(tower.num_params(), stack.num_params());
    let (tower, stack) = (named_tensors(&tower), named_tensors(&stack));
    let of = |name: &str| tower[name].to_vec::<f32>().unwrap();
    let parts = [of("features.0.weight"), of("features.1.weight")].concat();
    assert_eq!(parts, stack["layers.0.weight"].to_vec::<f32>().unwrap());
    assert_eq!(tower["bias"], stack["layers.0.bias"]);
    assert_eq!(tower["upper.layers.0.weight"], stack["layers.1.weight"]);
}

#[test]
fn a_tower_and_a_stack_drop_the_same_values() {
    let (tower, stack) = tower();
    let (tower, stack) = (tower.with_dropout(0.5).unwrap(), stack.with_dropout(0.5).unwrap());
    let (ids, categories) = (wave_tensor([5, 3], 1.0, 0.0), wave_tensor([5, 2], 1.0, 1.0));
    let expected = stack.forward(Tensor::cat(vec![ids.clone(), categories.clone()], 1), KEY);
    let found = tower.forward(vec![ids.into(), categories.into()], KEY);
    assert_close(&values(&found), &values(&expected), 1e-6);
}

#[test]
fn examples_of_one_user_share_the_users_mask() {
    let device = Default::default();
    let tower = Tower::<Cpu>::new("users", &[3], &[32, 4], 1, &device).unwrap().with_dropout(0.5).unwrap();
    // Users 0 and 1 look alike, yet each has a mask of its own.
    let table = EmbeddingTable::from_tensor("users", tensor(&[1., 2., 3., 1., 2., 3.], [2, 3]));
    let users = table.gather(&RowIndex::new(&UniqueRows::of(&[1, 0, 1]), &device));
    let distinct = tower.forward(vec![users.leaf.clone().into()], KEY);
    let examples = values(&Cpu::select_rows(distinct.clone(), &users.selection()));
    assert_eq!(examples[..4], examples[8..]);
    assert_ne!(examples[..4], examples[4..8]);
    let gradients = Cpu::select_rows(distinct, &users.selection()).sum().backward();
    let by_row = to_vec(users.leaf.grad(&gradients).unwrap());
    assert!(by_row.iter().any(|&value| value != 0.0), "the shared mask lets a gradient through");
}

#[test]
fn a_tower_of_one_layer_is_a_linear_layer() {
    let device = Default::default();
    let tower = Tower::<Cpu>::new("items", &[2, 1], &[3], 4, &device).unwrap().with_dropout(0.5).unwrap();
    let stack = Mlp::<Cpu>::new("items", &[3, 3], 4, &device).unwrap();
    let (a, b) = (wave_tensor([4, 2], 1.0, 0.0), wave_tensor([4, 1], 1.0, 1.0));
    let expected = stack.normalized().forward(Tensor::cat(vec![a.clone(), b.clone()], 1), KEY);
    let found = tower.normalized().forward(vec![a.into(), b.into()], KEY);
    assert_close(&values(&found), &values(&expected), 1e-6);
}

#[test]
fn widths_that_make_no_tower_are_refused_by_name() {
    let cases: [(&[usize], &[usize]); 4] = [(&[], &[2]), (&[2], &[]), (&[2, 0], &[2]), (&[2], &[0])];
    for (features, widths) in cases {
        let error = Tower::<Cpu>::new("items", features, widths, 0, &Default::default()).unwrap_err();
        let expected = "expected one or more features and layers, none of width 0";
        assert_eq!(error.to_string(), format!("items = {features:?} to {widths:?}, {expected}"));
    }
}

#[test]
#[should_panic(expected = "each feature has a value for each row of the tower")]
fn features_of_unequal_numbers_of_rows_are_refused() {
    let (tower, _) = tower();
    tower.forward(vec![wave_tensor([5, 3], 1.0, 0.0).into(), wave_tensor([4, 2], 1.0, 0.0).into()], None);
}

#[test]
fn layers_take_no_rows_at_all() {
    let device = Default::default();
    let empty = |width| Tensor::<Flex, 2>::zeros([0, width], &device);
    let stack = Mlp::<Flex>::new("tower", &[3, 4, 2], 0, &device).unwrap().normalized();
    assert_eq!(stack.forward(empty(3), None).dims(), [0, 2]);
    let tower = Tower::<Flex>::new("tower", &[3, 1], &[4, 2], 0, &device).unwrap();
    assert_eq!(tower.forward(vec![empty(3).into(), empty(1).into()], None).dims(), [0, 2]);
    assert_eq!(LayerNorm::<Flex>::new(3, &device).forward(empty(3)).dims(), [0, 3]);
}

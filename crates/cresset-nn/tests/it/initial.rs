//! Initial weights: a function of seed and path, with the spread that was asked for.

use burn::backend::Flex;
use burn::tensor::Tensor;
use cresset_nn::weights::named_tensors;
use cresset_nn::{EmbeddingTable, Mlp, init};

fn normal(seed: u64, path: &str) -> Vec<f32> {
    let values: Tensor<Flex, 2> = init::normal(seed, path, [100, 200], 0.1, &Default::default());
    values.into_data().to_vec().unwrap()
}

fn uniform(seed: u64, path: &str) -> Vec<f32> {
    let values: Tensor<Flex, 2> = init::uniform(seed, path, [100, 200], 0.25, &Default::default());
    values.into_data().to_vec().unwrap()
}

fn mean(values: impl ExactSizeIterator<Item = f32>) -> f64 {
    let n = values.len() as f64;
    values.map(f64::from).sum::<f64>() / n
}

fn std(values: &[f32]) -> f64 {
    mean(values.iter().map(|value| value * value)).sqrt()
}

#[test]
fn the_same_seed_and_path_draw_the_same_whatever_was_drawn_before() {
    let (a, b) = (normal(1, "a"), normal(1, "b"));
    let (b_again, a_again) = (normal(1, "b"), normal(1, "a"));
    assert_eq!((&a, &b), (&a_again, &b_again));
    assert_ne!(a, b);
    assert_ne!(a, normal(2, "a"));
    assert_ne!(uniform(1, "a"), uniform(1, "b"));
    assert_ne!(uniform(1, "a"), uniform(2, "a"));
}

#[test]
fn normal_values_have_mean_0_and_the_standard_deviation_asked_for() {
    // Of 20,000 draws the mean strays by 0.1 / sqrt(20,000) = 0.0007, the deviation by half a percent.
    let values = normal(5, "films");
    assert!(mean(values.iter().copied()).abs() < 0.003);
    assert!((std(&values) - 0.1).abs() < 0.002, "{}", std(&values));
}

#[test]
fn uniform_values_fill_the_bounds_and_never_leave_them() {
    // The deviation of a uniform value is its bound over sqrt(3): 0.1443.
    let values = uniform(5, "films");
    assert!(values.iter().all(|value| value.abs() < 0.25));
    assert!(values.iter().any(|&value| value > 0.249) && values.iter().any(|&value| value < -0.249));
    assert!(mean(values.iter().copied()).abs() < 0.004);
    assert!((std(&values) - 0.1443).abs() < 0.002, "{}", std(&values));
}

#[test]
fn tables_are_drawn_by_name_and_layers_by_path() {
    let device = Default::default();
    let table =
        |name, seed| EmbeddingTable::<Flex>::normal(name, [3, 2], 1.0, seed, &device).weight().into_data();
    assert_eq!(table("films", 1), table("films", 1));
    assert_ne!(table("films", 1), table("people", 1));
    assert_ne!(table("films", 1), table("films", 2));
    let layers = |path, seed| named_tensors(&Mlp::<Flex>::new(path, &[2, 2, 2], seed, &device).unwrap());
    assert_eq!(layers("tower", 1), layers("tower", 1));
    assert_ne!(layers("tower", 1), layers("other", 1));
    assert_ne!(layers("tower", 1), layers("tower", 2));
    assert_ne!(layers("tower", 1)["layers.0.weight"], layers("tower", 1)["layers.1.weight"]);
}

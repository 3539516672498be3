//! Small models with weights that were set, and what the tests share.

use burn::backend::{Autodiff, Flex};
use burn::tensor::TensorData;
use cresset_data::{NO_TIME, RatingBatch, UniqueRows};
use cresset_kg_mf::{KgMf, KgMfConfig, KgMfExamples, RatingScale};
use cresset_nn::weights::{NamedTensors, restore};

pub(crate) type Cpu = Autodiff<Flex>;

pub(crate) const SCALE: RatingScale = RatingScale { mean: 3.0, min: 1.0, max: 5.0 };

/// Two users and two items, by hand.
///
/// | | bias | vector |
/// | --- | --- | --- |
/// | user 0 | 0.5 | (1, 0) |
/// | user 1 | -0.25 | (0.5, -1) |
/// | item 0 | 0.25 | (0.5, 0.25) |
/// | item 1 | -1 | (2, 1) |
pub(crate) fn by_hand(config: &KgMfConfig) -> KgMf<Cpu> {
    let config = KgMfConfig { embedding_dim: 2, ..config.clone() };
    let model = config.init(2, 2, SCALE, 0, &Default::default()).unwrap();
    let table = |name: &str, values: &[f32]| {
        (format!("{name}.weight"), TensorData::new(values.to_vec(), [2, values.len() / 2]))
    };
    let weights = NamedTensors::from([
        table("user_bias", &[0.5, -0.25]),
        table("item_bias", &[0.25, -1.0]),
        table("user_embedding", &[1.0, 0.0, 0.5, -1.0]),
        table("item_embedding", &[0.5, 0.25, 2.0, 1.0]),
    ]);
    restore(model, weights).unwrap()
}

/// A drawn model of the given size, four values wide.
pub(crate) fn drawn(n_users: usize, n_items: usize, seed: u64) -> KgMf<Cpu> {
    let config = KgMfConfig { embedding_dim: 4, init_std: 1.0, ..KgMfConfig::default() };
    config.init(n_users, n_items, SCALE, seed, &Default::default()).unwrap()
}

/// A batch of ratings: user, item, rating.
pub(crate) fn batch(ratings: &[(u32, u32, f32)]) -> KgMfExamples {
    rating_batch(ratings).into()
}

/// The same, still known for ratings.
pub(crate) fn rating_batch(ratings: &[(u32, u32, f32)]) -> RatingBatch {
    let users: Vec<u32> = ratings.iter().map(|rating| rating.0).collect();
    let items: Vec<u32> = ratings.iter().map(|rating| rating.1).collect();
    RatingBatch {
        users: UniqueRows::of(&users),
        items: UniqueRows::of(&items),
        ratings: ratings.iter().map(|rating| rating.2).collect(),
        times: vec![NO_TIME; ratings.len()],
    }
}

#[track_caller]
pub(crate) fn assert_close(found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len());
    let is_close = |(a, b): (&f32, &f32)| (a - b).abs() <= tolerance * b.abs().max(1.0);
    assert!(
        found.iter().zip(expected).all(is_close),
        "{found:?}\nis not within {tolerance} of\n{expected:?}"
    );
}

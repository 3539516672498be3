//! Learning: one batch by heart, and the same from the same seed.

use cresset_kg_mf::{KgMf, KgMfConfig, KgMfExamples};
use cresset_metrics::RatingPredictor;
use cresset_nn::optim::{Optimizer, OptimizerConfig};
use cresset_nn::weights::{NamedTensors, named_tensors};
use cresset_nn::{StepKey, TrainModel};

use crate::small::{Cpu, SCALE, assert_close, batch};

const RATINGS: [(u32, u32, f32); 8] =
    [(0, 0, 5.0), (0, 1, 1.0), (0, 2, 2.0), (1, 0, 1.5), (1, 2, 4.5), (2, 1, 3.0), (2, 2, 1.0), (3, 0, 4.0)];

fn init(seed: u64) -> KgMf<Cpu> {
    let config = KgMfConfig { embedding_dim: 8, l2: 0.0, l2_bias: 0.0, ..KgMfConfig::default() };
    config.init(5, 4, SCALE, seed, &Default::default()).unwrap()
}

fn trained(seed: u64, batch: &KgMfExamples, steps: usize) -> KgMf<Cpu> {
    let mut optimizer = Optimizer::new(OptimizerConfig::default());
    (0..steps).fold(init(seed), |model, _| {
        let pass = model.forward_loss(batch, StepKey::default());
        optimizer.step(model, pass, 0.05)
    })
}

#[test]
fn one_batch_with_repeated_users_is_learnt_by_heart() {
    let model = trained(1, &batch(&RATINGS), 300);
    let (users, items): (Vec<u32>, Vec<u32>) = RATINGS.iter().map(|rating| (rating.0, rating.1)).unzip();
    let ratings = RATINGS.map(|rating| rating.2);
    assert_close(&model.predict_pairs(&users, &items), &ratings, 0.02);
}

#[test]
fn every_table_learns_and_users_and_items_of_no_batch_keep_their_values() {
    let (before, after) = (named_tensors(&init(1)), named_tensors(&trained(1, &batch(&RATINGS), 3)));
    let rows = |tensors: &NamedTensors, name: &str, rows: std::ops::Range<usize>| {
        let dim = tensors[name].shape[1];
        tensors[name].to_vec::<f32>().unwrap()[rows.start * dim..rows.end * dim].to_vec()
    };
    for (name, rated, total) in [
        ("user_bias.weight", 4, 5),
        ("user_embedding.weight", 4, 5),
        ("item_bias.weight", 3, 4),
        ("item_embedding.weight", 3, 4),
    ] {
        let is_new = |(before, after): (&f32, &f32)| before != after;
        assert!(
            rows(&before, name, 0..rated).iter().zip(&rows(&after, name, 0..rated)).all(is_new),
            "{name}"
        );
        assert_eq!(rows(&before, name, rated..total), rows(&after, name, rated..total), "{name}");
    }
}

#[test]
fn the_same_seed_gives_the_same_model_and_another_seed_another() {
    let batch = batch(&RATINGS);
    assert_eq!(named_tensors(&trained(1, &batch, 5)), named_tensors(&trained(1, &batch, 5)));
    for name in ["user_embedding.weight", "item_embedding.weight"] {
        assert_ne!(named_tensors(&init(1))[name], named_tensors(&init(2))[name], "{name}");
    }
}

#[test]
fn an_untrained_model_predicts_about_the_mean_and_its_biases_are_zero() {
    let model = init(1);
    let tensors = named_tensors(&model);
    for name in ["user_bias.weight", "item_bias.weight"] {
        assert!(tensors[name].to_vec::<f32>().unwrap().iter().all(|&bias| bias == 0.0));
    }
    // Products of eight pairs of values with deviation 0.1: sqrt(8) / 100 = 0.03.
    assert_close(&model.predict_pairs(&[0, 1, 2], &[0, 1, 2]), &[SCALE.mean; 3], 0.05);
}

//! The ranking losses: by hand, their gradient's direction, and what they learn.

use cresset_data::{PairBatch, UniqueRows};
use cresset_kg_mf::{KgMf, KgMfConfig, KgMfExamples, KgMfLoss};
use cresset_metrics::Scorer;
use cresset_nn::optim::{Optimizer, OptimizerConfig};
use cresset_nn::{StepKey, TrainModel};

use crate::small::{Cpu, SCALE, assert_close, batch, by_hand};

/// Examples of a user, their item and the negatives.
fn pairs(examples: &[(u32, u32, &[u32])]) -> KgMfExamples {
    let users: Vec<u32> = examples.iter().map(|example| example.0).collect();
    let positives = examples.iter().map(|example| example.1);
    let items: Vec<u32> =
        positives.chain(examples.iter().flat_map(|example| example.2.iter().copied())).collect();
    let n_negatives = examples[0].2.len();
    PairBatch { users: UniqueRows::of(&users), items: UniqueRows::of(&items), n_negatives }.into()
}

fn config(loss: KgMfLoss) -> KgMfConfig {
    KgMfConfig { loss, l2: 0.3, l2_bias: 0.5, ..KgMfConfig::default() }
}

#[test]
fn bpr_by_hand_compares_products_and_item_biases() {
    // User 0: item 0 scores 0.5 + 0.25, item 1 2 - 1: the difference is -0.25, and -ln sigmoid(-0.25) = 0.8259394.
    // Squared lengths: user 1, items 0.3125 and 5, biases 0.0625 and 1.
    let pass = by_hand(&config(KgMfLoss::Bpr)).forward_loss(&pairs(&[(0, 0, &[1])]), StepKey::default());
    let [(name, bpr), (_, penalty)] = <[_; 2]>::try_from(pass.values()).unwrap();
    assert_eq!(name, "bpr");
    assert_close(&[bpr, penalty], &[0.825_939_4, 0.3 * 6.3125 + 0.5 * 1.0625], 1e-6);
}

#[test]
fn softmax_by_hand_is_the_cross_entropy_among_positive_and_negatives() {
    // Scores 0.75 and 1: ln(1 + e^0.25) = 0.8259394, as BPR with one negative.
    let pass = by_hand(&config(KgMfLoss::Softmax)).forward_loss(&pairs(&[(0, 0, &[1])]), StepKey::default());
    assert_eq!(pass.values()[0].0, "softmax");
    assert_close(&[pass.values()[0].1], &[0.825_939_4], 1e-6);
}

#[test]
fn what_a_user_has_comes_to_stand_above_what_they_have_not() {
    // Users 0 and 1 have items 0 and 1, users 2 and 3 items 2 and 3.
    let examples: Vec<(u32, u32, &[u32])> = (0..4)
        .flat_map(|user: u32| {
            let (own, others): ([u32; 2], &[u32]) =
                if user < 2 { ([0, 1], &[2, 3]) } else { ([2, 3], &[0, 1]) };
            own.map(|item| (user, item, others))
        })
        .collect();
    let batch = pairs(&examples);
    for loss in [KgMfLoss::Bpr, KgMfLoss::Softmax] {
        let config = KgMfConfig { loss, embedding_dim: 4, l2: 0.001, ..KgMfConfig::default() };
        let mut model: KgMf<Cpu> = config.init(4, 4, SCALE, 7, &Default::default()).unwrap();
        let mut optimizer = Optimizer::new(OptimizerConfig::default());
        for _ in 0..200 {
            let pass = model.forward_loss(&batch, StepKey::default());
            model = optimizer.step(model, pass, 0.05);
        }
        let mut scores = [0.0; 16];
        model.score_block(&[0, 1, 2, 3], &mut scores);
        for (user, row) in scores.chunks(4).enumerate() {
            let (own, others) = if user < 2 { (&row[..2], &row[2..]) } else { (&row[2..], &row[..2]) };
            assert!(own[0].min(own[1]) > others[0].max(others[1]) + 1.0, "{loss:?}: {scores:?}");
        }
        // Somebody new who has item 2 is ranked by its vector: item 3 before 0 and 1.
        let scores = model.score_history(&[2], &[1.0]);
        assert!(scores[3] > scores[0].max(scores[1]), "{loss:?}: {scores:?}");
    }
}

#[test]
#[should_panic(expected = "ratings are for the loss squared_error")]
fn ratings_are_refused_by_a_ranking_loss() {
    by_hand(&config(KgMfLoss::Bpr)).forward_loss(&batch(&[(0, 0, 3.0)]), StepKey::default());
}

#[test]
fn no_negative_is_no_ranking() {
    let config = KgMfConfig { n_negatives: 0, ..config(KgMfLoss::Bpr) };
    assert_eq!(config.validate().unwrap_err().to_string(), "n_negatives = 0, expected at least 1");
}

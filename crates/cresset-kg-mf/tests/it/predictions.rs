//! Predictions and scores.

use cresset_data::{Ratings, TimeKind};
use cresset_kg_mf::{KgMf, KgMfConfig, KgMfError};
use cresset_metrics::{RatingPredictor, Scorer};
use proptest::prelude::*;

use crate::small::{Cpu, SCALE, assert_close, by_hand, drawn};

fn model() -> KgMf<Cpu> {
    by_hand(&KgMfConfig::default())
}

fn scores(model: &KgMf<Cpu>, users: &[u32]) -> Vec<f32> {
    let mut scores = vec![f32::NAN; users.len() * model.n_items()];
    model.score_block(users, &mut scores);
    scores
}

#[test]
fn a_rating_is_the_mean_the_biases_and_the_product_of_the_vectors() {
    // 3 + 0.5 + 0.25 + (1 * 0.5 + 0 * 0.25) = 4.25
    // 3 + 0.5 - 1 + (1 * 2 + 0 * 1) = 4.5
    // 3 - 0.25 + 0.25 + (0.5 * 0.5 - 1 * 0.25) = 3
    // 3 - 0.25 - 1 + (0.5 * 2 - 1 * 1) = 1.75
    let expected = [4.25, 4.5, 3.0, 1.75];
    assert_eq!(model().predict_pairs(&[0, 0, 1, 1], &[0, 1, 0, 1]), expected);
    assert_eq!(scores(&model(), &[0, 1]), expected);
}

#[test]
fn no_pair_is_no_rating() {
    assert_eq!(model().predict_pairs(&[], &[]), [0.0; 0]);
}

#[test]
fn predictions_are_held_to_the_scale_and_scores_are_not() {
    let model = drawn(40, 30, 3);
    let users: Vec<u32> = (0..40).collect();
    let scores = scores(&model, &users);
    assert!(scores.iter().any(|&score| score > SCALE.max) && scores.iter().any(|&score| score < SCALE.min));
    let pairs = users.iter().flat_map(|&user| (0..30).map(move |item| (user, item)));
    let (users, items): (Vec<u32>, Vec<u32>) = pairs.unzip();
    let held: Vec<f32> = scores.iter().map(|score| score.clamp(SCALE.min, SCALE.max)).collect();
    assert_close(&model.predict_pairs(&users, &items), &held, 1e-6);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn scores_equal_predictions_on_all_pairs_whoever_is_asked_for(
        seed in 0u64..1000,
        n_items in 1usize..12,
        // Up to 9, where the model knows the users 0 to 5.
        users in prop::collection::vec(0u32..10, 1..8),
    ) {
        let model = drawn(6, n_items, seed);
        for (&user, scores) in users.iter().zip(scores(&model, &users).chunks(n_items)) {
            let items: Vec<u32> = (0..n_items as u32).collect();
            let held: Vec<f32> = scores.iter().map(|score| score.clamp(SCALE.min, SCALE.max)).collect();
            assert_close(&model.predict_pairs(&vec![user; n_items], &items), &held, 1e-5);
        }
    }
}

#[test]
fn an_unknown_user_or_item_falls_back_on_what_is_known_of_the_other() {
    // 3 + 0.25; 3 - 0.25; 3; and 4.25 as ever beside them.
    assert_eq!(model().predict_pairs(&[2, 1, 2, 0], &[0, 9, u32::MAX, 0]), [3.25, 2.75, 3.0, 4.25]);
    assert_eq!(scores(&model(), &[7, 0]), [3.25, 2.0, 4.25, 4.5]);
}

#[test]
fn users_and_items_without_a_training_rating_fall_back_on_biases_until_the_end() {
    let train = Ratings {
        user_id: vec![0, 2],
        item_id: vec![1, 1],
        rating: vec![5.0, 4.0],
        time: vec![0, 0],
        time_kind: TimeKind::Timestamp,
        parts: None,
    };
    let model = drawn(3, 2, 7);
    assert_ne!(model.predict_pairs(&[0], &[0]), [SCALE.mean], "a drawn vector says something by chance");
    let model = model.with_cold_rows_at_zero(&train);
    // Biases begin at zero: the mean is all that is known of item 0 and of user 1.
    assert_eq!(model.predict_pairs(&[0, 1, 2], &[0, 1, 0]), [SCALE.mean; 3]);
    assert_ne!(model.predict_pairs(&[0], &[1]), [SCALE.mean], "what is rated keeps its vector");
}

#[test]
fn a_checked_prediction_names_what_the_model_does_not_know() {
    let model = model();
    assert_eq!(model.try_predict(&[0, 1], &[1, 0]), Ok(vec![4.5, 3.0]));
    assert_eq!(model.try_predict(&[0, 2], &[1, 0]), Err(KgMfError::UnknownUser { user_id: 2, n_users: 2 }));
    assert_eq!(model.try_predict(&[0, 1], &[7, 9]), Err(KgMfError::UnknownItem { item_id: 7, n_items: 2 }));
    assert_eq!(model.try_predict(&[0, 1], &[0]), Err(KgMfError::Unpaired { n_users: 2, n_items: 1 }));
    let sentence = model.try_predict(&[0], &[2]).unwrap_err().to_string();
    assert_eq!(sentence, "item 2 is unknown to the model, expected an index below 2");
}

#[test]
fn a_user_without_ratings_is_scored_as_an_unknown_one() {
    assert_eq!(model().score_history(&[], &[]), scores(&model(), &[2]));
}

#[test]
fn a_rating_of_an_unknown_item_moves_the_scores_of_all_items_alike() {
    // The bias b of least (5 - 3 - b)^2 + 0.25 b^2 is 2 / 1.25 = 1.6.
    let model = by_hand(&KgMfConfig { l2_bias: 0.25, ..KgMfConfig::default() });
    assert_close(&model.score_history(&[9], &[5.0]), &[3.25 + 1.6, 2.0 + 1.6], 1e-6);
}

#[test]
fn a_user_is_found_again_in_what_the_model_says_of_them() {
    let config =
        KgMfConfig { embedding_dim: 4, init_std: 1.0, l2: 0.0, l2_bias: 0.0, ..KgMfConfig::default() };
    let model: KgMf<Cpu> = config.init(3, 20, SCALE, 8, &Default::default()).unwrap();
    let scores = scores(&model, &[1]);
    let items: Vec<u32> = (0..10).collect();
    assert_close(&model.score_history(&items, &scores[..10]), &scores, 1e-3);
}

#[test]
#[should_panic(expected = "one item for each user")]
fn users_without_items_panic() {
    model().predict(&[0, 1], &[0]);
}

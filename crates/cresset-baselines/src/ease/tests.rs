use super::*;

/// Items 0 and 1 share two users, item 1 has a third of its own; nobody has item 2.
const TRAINING: TrainingSet<'static> = TrainingSet {
    user_ids: &[0, 0, 1, 1, 2],
    item_ids: &[0, 1, 0, 1, 1],
    ratings: &[5.0, 1.0, 2.0, 3.0, 4.0],
    times: None,
    n_users: 3,
    n_items: 3,
};

fn ease(l2: f64) -> EaseConfig {
    EaseConfig { l2, ..EaseConfig::default() }
}

fn check(found: &[f32], expected: &[f32]) {
    assert!(
        found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6),
        "{found:?}, expected {expected:?}"
    );
}

#[test]
fn the_weights_of_two_items_are_worked_out_by_hand() {
    // G + I = [3 2 0; 2 4 0; 0 0 1], det of the corner 8, P = [4 -2 0; -2 3 0; 0 0 8] / 8.
    // B_01 = -P_01 / P_11 = 2/3, B_10 = -P_10 / P_00 = 1/2.
    let model = ease(1.0).fit(&TRAINING).unwrap();
    check(model.weights_of(0), &[0.0, 2.0 / 3.0, 0.0]);
    check(model.weights_of(1), &[0.5, 0.0, 0.0]);
    check(model.weights_of(2), &[0.0, 0.0, 0.0]);
}

#[test]
fn a_score_is_the_sum_of_the_weights_of_the_history() {
    let model = ease(1.0).fit(&TRAINING).unwrap();
    let mut scores = [9.0; 9];
    model.score_block(&[0, 2, 99], &mut scores);
    check(&scores, &[0.5, 2.0 / 3.0, 0.0, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0]);
    let mut alone = [9.0; 3];
    model.score_history(&[1, 77], &[1.0; 2], &mut alone);
    check(&alone, &[0.5, 0.0, 0.0]);
}

#[test]
fn without_a_regulariser_weights_are_those_of_least_squares() {
    // Item 1 from item 0: the best factor is 2/2; item 0 from item 1: 2/3.
    let two = TrainingSet { n_items: 2, ..TRAINING };
    let model = ease(0.0).fit(&two).unwrap();
    check(model.weights_of(0), &[0.0, 1.0]);
    check(model.weights_of(1), &[2.0 / 3.0, 0.0]);
}

#[test]
fn a_singular_matrix_without_a_regulariser_is_an_error_with_item_and_remedy() {
    // Item 2 has no user.
    let error = ease(0.0).fit(&TRAINING).unwrap_err();
    assert_eq!(error, BaselineError::Singular { item: 2, l2: 0.0 });
    assert!(error.to_string().contains("expected a larger l2, such as 100"), "{error}");
    // Two items with the same users.
    let twins = TrainingSet {
        user_ids: &[0, 0, 1, 1],
        item_ids: &[0, 1, 0, 1],
        ratings: &[1.0; 4],
        n_items: 2,
        ..TRAINING
    };
    assert_eq!(ease(0.0).fit(&twins), Err(BaselineError::Singular { item: 1, l2: 0.0 }));
    assert!(ease(1e-3).fit(&twins).is_ok());
}

#[test]
fn a_catalogue_too_large_is_an_error_with_bytes_and_limit() {
    let config = EaseConfig { memory_limit_mb: 1, ..EaseConfig::default() };
    let large = TrainingSet { n_items: 1_000, ..TRAINING };
    let error = config.fit(&large).unwrap_err();
    assert_eq!(error, BaselineError::TooLarge { n_items: 1_000, bytes: 12_000_000, limit: 1 << 20 });
    assert!(config.fit(&TrainingSet { n_items: 290, ..TRAINING }).is_ok());
}

#[test]
fn an_item_twice_in_a_history_counts_once() {
    let twice = TrainingSet {
        user_ids: &[0, 0, 1, 1, 2, 2],
        item_ids: &[0, 1, 0, 1, 1, 1],
        ratings: &[1.0; 6],
        ..TRAINING
    };
    assert_eq!(ease(1.0).fit(&twice).unwrap().weights, ease(1.0).fit(&TRAINING).unwrap().weights);
}

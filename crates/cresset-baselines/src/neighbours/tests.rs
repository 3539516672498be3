use super::*;

/// User 0 has items 0, 1 and 2 in that order, user 1 items 0 and 1, user 2 items 1 and 2; nobody has item 3.
const TRAINING: TrainingSet<'static> = TrainingSet {
    user_ids: &[0, 0, 0, 1, 1, 2, 2],
    item_ids: &[0, 1, 2, 0, 1, 1, 2],
    ratings: &[1.0; 7],
    times: Some(&[1, 2, 3, 1, 2, 1, 2]),
    n_users: 3,
    n_items: 4,
};

/// Nothing shrunk: similarities are easily worked out.
fn plain() -> ItemNeighboursConfig {
    ItemNeighboursConfig { shrinkage: 0.0, ..ItemNeighboursConfig::default() }
}

fn row(config: &ItemNeighboursConfig, item: u32) -> Vec<(u32, f32)> {
    let model = config.fit(&TRAINING).unwrap();
    let (items, weights) = model.of(item);
    items.iter().copied().zip(weights.iter().copied()).collect()
}

fn check(config: &ItemNeighboursConfig, item: u32, expected: &[(u32, f32)]) {
    let found = row(config, item);
    let is_near = |(a, b): (&(u32, f32), &(u32, f32))| a.0 == b.0 && (a.1 - b.1).abs() < 1e-6;
    assert!(
        found.len() == expected.len() && found.iter().zip(expected).all(is_near),
        "{found:?}, expected {expected:?}"
    );
}

#[test]
fn the_cosine_of_two_items_is_their_common_users_over_the_root_of_both_counts() {
    // Counts 2, 3, 2; items 0 and 1 share two users, 0 and 2 one, 1 and 2 two.
    check(&plain(), 0, &[(1, 2.0 / 6.0_f32.sqrt()), (2, 0.5)]);
    check(&plain(), 1, &[(0, 2.0 / 6.0_f32.sqrt()), (2, 2.0 / 6.0_f32.sqrt())]);
    check(&plain(), 3, &[]);
}

#[test]
fn shrinkage_adds_to_the_divisor_and_amplification_is_a_power() {
    let config = ItemNeighboursConfig { shrinkage: 2.0, amplification: 2.0, ..plain() };
    check(&config, 0, &[(1, (2.0 / (6.0_f32.sqrt() + 2.0)).powi(2)), (2, 0.0625)]);
}

#[test]
fn the_powers_of_both_counts_are_apart() {
    // Item 0 counts 2, item 1 counts 3: divided by 2^0 * 3^1 and 2^0 * 2^1.
    let config = ItemNeighboursConfig { source_exponent: 0.0, popularity_exponent: 1.0, ..plain() };
    check(&config, 0, &[(1, 2.0 / 3.0), (2, 0.5)]);
}

#[test]
fn long_histories_weigh_less_in_pairs_and_counts() {
    // Weights 1/3, 1/2, 1/2: item 0 counts 5/6, item 1 counts 4/3, together 5/6.
    let config = ItemNeighboursConfig { user_exponent: 1.0, ..plain() };
    let expected = (5.0 / 6.0) / (5.0_f32 / 6.0 * 4.0 / 3.0).sqrt();
    assert!((row(&config, 0)[0].1 - expected).abs() < 1e-6);
}

#[test]
fn a_window_of_one_sees_only_what_is_next_to_an_item() {
    let config = ItemNeighboursConfig { window: Some(1), ..plain() };
    check(&config, 0, &[(1, 2.0 / 6.0_f32.sqrt())]);
}

#[test]
fn a_directed_item_has_only_what_comes_after_it() {
    let config = ItemNeighboursConfig { directed: true, ..plain() };
    check(&config, 1, &[(2, 2.0 / 6.0_f32.sqrt())]);
    check(&config, 2, &[]);
}

#[test]
fn two_places_apart_counts_half_at_a_distance_exponent_of_1() {
    let config = ItemNeighboursConfig { distance_exponent: 1.0, ..plain() };
    check(&config, 0, &[(1, 2.0 / 6.0_f32.sqrt()), (2, 0.25)]);
}

#[test]
fn only_the_nearest_neighbours_are_kept() {
    check(&ItemNeighboursConfig { n_neighbours: 1, ..plain() }, 0, &[(1, 2.0 / 6.0_f32.sqrt())]);
}

#[test]
fn a_score_is_the_sum_over_the_history_and_the_last_item_counts_most() {
    let config = ItemNeighboursConfig { recency_exponent: 1.0, ..plain() };
    let model = config.fit(&TRAINING).unwrap();
    let mut scores = [9.0; 4];
    // Item 2 is the last and weighs 1, item 0 before it 1/2.
    model.score_history(&[0, 2], &[1.0; 2], &mut scores);
    let near = 2.0 / 6.0_f32.sqrt();
    let expected = [0.5, 0.5 * near + near, 0.25, 0.0];
    assert!(scores.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{scores:?}");
}

#[test]
fn a_user_is_scored_as_their_history_is_and_an_unknown_one_with_zeros() {
    let model = plain().fit(&TRAINING).unwrap();
    let (mut block, mut alone) = ([9.0; 8], [9.0; 4]);
    model.score_block(&[1, 99], &mut block);
    model.score_history(&[0, 1], &[1.0; 2], &mut alone);
    assert_eq!(block[..4], alone);
    assert_eq!(block[4..], [0.0; 4]);
    model.score_history(&[77], &[1.0], &mut alone);
    assert_eq!(alone, [0.0; 4]);
}

#[test]
fn order_without_times_is_an_error_that_names_the_parameter() {
    let untimed = TrainingSet { times: None, ..TRAINING };
    assert!(plain().fit(&untimed).is_ok());
    for (config, field) in [
        (ItemNeighboursConfig { window: Some(3), ..plain() }, "window"),
        (ItemNeighboursConfig { directed: true, ..plain() }, "directed"),
        (ItemNeighboursConfig { distance_exponent: 1.0, ..plain() }, "distance_exponent"),
        (ItemNeighboursConfig { recency_exponent: 1.0, ..plain() }, "recency_exponent"),
    ] {
        assert_eq!(config.fit(&untimed), Err(BaselineError::NoTimes { field }));
    }
}

#[test]
fn weights_too_small_for_a_float_are_no_neighbours() {
    let config = ItemNeighboursConfig { distance_exponent: 1e9, ..plain() };
    check(&config, 0, &[(1, 2.0 / 6.0_f32.sqrt())]);
}

use cresset_data::random::{below, stream};

use super::*;

fn random_set(seed: u64) -> (Vec<u32>, Vec<u32>, Vec<f32>) {
    let mut rng = stream(seed, "als test", 0);
    let mut draw = |bound| below(bound, &mut rng) as u32;
    let mut rows: Vec<(u32, u32, f32)> = (0..50).map(|_| (draw(12), draw(9), 1.0 + draw(5) as f32)).collect();
    rows.sort_by_key(|row| (row.0, row.1));
    rows.dedup_by_key(|row| (row.0, row.1));
    (
        rows.iter().map(|row| row.0).collect(),
        rows.iter().map(|row| row.1).collect(),
        rows.iter().map(|row| row.2).collect(),
    )
}

fn small(config: &ImplicitAlsConfig) -> ImplicitAls {
    let (users, items, ratings) = random_set(1);
    config.fit(&set(&users, &items, &ratings)).unwrap()
}

fn set<'a>(user_ids: &'a [u32], item_ids: &'a [u32], ratings: &'a [f32]) -> TrainingSet<'a> {
    TrainingSet { user_ids, item_ids, ratings, times: None, n_users: 13, n_items: 10 }
}

fn config() -> ImplicitAlsConfig {
    ImplicitAlsConfig {
        embedding_dim: 5,
        alpha: 2.0,
        l2: 0.5,
        n_iterations: 300,
        n_solver_steps: 5,
        use_ratings: true,
        seed: 1,
    }
}

#[test]
fn one_user_with_one_item_reaches_the_length_worked_out_by_hand() {
    // At x = y the equation (l2 + c x^2) x = c x gives x^2 = 1 - l2 / c, with c = 1 + 3 * 2 = 7 and l2 = 1.75.
    let config = ImplicitAlsConfig { embedding_dim: 1, alpha: 3.0, l2: 1.75, n_iterations: 200, ..config() };
    let one =
        TrainingSet { user_ids: &[0], item_ids: &[0], ratings: &[2.0], times: None, n_users: 1, n_items: 1 };
    let model = config.fit(&one).unwrap();
    let mut score = [0.0];
    model.score_block(&[0], &mut score);
    assert!((score[0] - 0.75).abs() < 1e-4, "{score:?}");
}

#[test]
fn at_the_fixed_point_the_loss_has_no_slope() {
    let (user_ids, item_ids, ratings) = random_set(1);
    let config = config();
    let model = small(&config);
    let score = |user: usize, item: usize| {
        let (x, y) = (model.user_vector(user as u32), model.item_vector(item as u32));
        x.iter().zip(y).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum::<f64>()
    };
    let mut confidence = vec![vec![(1.0, 0.0); 10]; 13];
    for ((&user, &item), &rating) in user_ids.iter().zip(&item_ids).zip(&ratings) {
        confidence[user as usize][item as usize] = (1.0 + config.alpha * f64::from(rating), 1.0);
    }
    let confidence = |user: usize, item: usize| confidence[user][item];
    for user in 0..13 {
        for at in 0..config.embedding_dim {
            let of_item = |item: usize| {
                let (c, p) = confidence(user, item);
                c * (p - score(user, item)) * f64::from(model.item_vector(item as u32)[at])
            };
            let slope =
                config.l2 * f64::from(model.user_vector(user as u32)[at]) - (0..10).map(of_item).sum::<f64>();
            assert!(slope.abs() < 1e-3, "{slope} of user {user}");
        }
    }
    for item in 0..10 {
        for at in 0..config.embedding_dim {
            let of_user = |user: usize| {
                let (c, p) = confidence(user, item);
                c * (p - score(user, item)) * f64::from(model.user_vector(user as u32)[at])
            };
            let slope =
                config.l2 * f64::from(model.item_vector(item as u32)[at]) - (0..13).map(of_user).sum::<f64>();
            assert!(slope.abs() < 1e-3, "{slope} of item {item}");
        }
    }
}

#[test]
fn folding_a_known_history_in_gives_the_user_of_the_fixed_point() {
    let (user_ids, item_ids, ratings) = random_set(1);
    let model = small(&config());
    let histories = Histories::of(&set(&user_ids, &item_ids, &ratings)).unwrap();
    let (mut known, mut folded) = ([0.0; 10], [0.0; 10]);
    for user in 0..13 {
        model.score_block(&[user], &mut known);
        model.score_history(histories.items(user), histories.ratings(user), &mut folded);
        assert!(known.iter().zip(folded).all(|(a, b)| (a - b).abs() < 1e-3), "{known:?} {folded:?}");
    }
}

#[test]
fn what_nobody_has_and_who_has_nothing_score_zero() {
    let model = small(&config());
    // Item 9 and user 12 have no row; user 99 is unknown.
    assert_eq!(model.item_vector(9), [0.0; 5]);
    let mut scores = [9.0; 20];
    model.score_block(&[12, 99], &mut scores);
    assert_eq!(scores, [0.0; 20]);
}

#[test]
fn without_a_regulariser_and_with_more_factors_than_rows_all_is_finite() {
    let config = ImplicitAlsConfig { embedding_dim: 40, l2: 0.0, n_iterations: 30, ..config() };
    let model = small(&config);
    assert!(model.users.values.iter().chain(&model.items.values).all(|value| value.is_finite()));
}

#[test]
fn a_rating_of_0_is_no_interaction_and_one_below_an_error() {
    let (user_ids, item_ids, mut ratings) = random_set(1);
    let last = ratings.len() - 1;
    ratings[last] = 0.0;
    let with_zero = config().fit(&set(&user_ids, &item_ids, &ratings)).unwrap();
    let without = config().fit(&set(&user_ids[..last], &item_ids[..last], &ratings[..last])).unwrap();
    assert_eq!(with_zero, without);
    ratings[last] = -1.0;
    let negative = set(&user_ids, &item_ids, &ratings);
    assert_eq!(config().fit(&negative), Err(BaselineError::RatingNegative { row: last, value: -1.0 }));
    assert!(ImplicitAlsConfig { use_ratings: false, ..config() }.fit(&negative).is_ok());
}

#[test]
fn the_seed_alone_decides_the_first_vectors() {
    let of_seed = |seed| small(&ImplicitAlsConfig { seed, n_iterations: 1, ..config() });
    assert_eq!(of_seed(1), of_seed(1));
    assert_ne!(of_seed(1), of_seed(2));
}

//! Hyperparameters and the scale of the ratings.

use cresset_kg_mf::{KgMf, KgMfConfig, RatingScale};
use cresset_nn::weights::parameters_by_part;

use crate::small::{Cpu, SCALE};

#[track_caller]
fn check_refused(config: &KgMfConfig, scale: RatingScale, expected: &str) {
    let refused = config.init::<Cpu>(3, 2, scale, 0, &Default::default());
    assert_eq!(refused.map(|_| ()).unwrap_err().to_string(), expected);
}

#[test]
fn a_hyperparameter_out_of_range_is_named_with_value_and_range() {
    let default = KgMfConfig::default;
    assert_eq!(default().validate(), Ok(()));
    check_refused(
        &KgMfConfig { embedding_dim: 0, ..default() },
        SCALE,
        "embedding_dim = 0, expected 1 to 8192",
    );
    let range = "expected a finite number of at least 0";
    check_refused(&KgMfConfig { init_std: -0.5, ..default() }, SCALE, &format!("init_std = -0.5, {range}"));
    check_refused(&KgMfConfig { l2: f64::NAN, ..default() }, SCALE, &format!("l2 = NaN, {range}"));
    check_refused(&KgMfConfig { l2: f64::INFINITY, ..default() }, SCALE, &format!("l2 = inf, {range}"));
    check_refused(&KgMfConfig { l2_bias: -1.0, ..default() }, SCALE, &format!("l2_bias = -1, {range}"));
}

#[test]
fn a_scale_that_is_none_is_refused() {
    let check = |scale, expected: &str| check_refused(&KgMfConfig::default(), scale, expected);
    check(RatingScale { min: f32::NAN, ..SCALE }, "scale.min = NaN, expected a finite number");
    check(
        RatingScale { max: 0.5, ..SCALE },
        "scale.max = 0.5, expected a finite number of at least scale.min",
    );
    check(
        RatingScale { mean: 5.5, ..SCALE },
        "scale.mean = 5.5, expected a number from scale.min to scale.max",
    );
    check(
        RatingScale { mean: f32::NAN, ..SCALE },
        "scale.mean = NaN, expected a number from scale.min to scale.max",
    );
}

#[test]
fn parameters_are_counted_without_building_the_tables() {
    let config = KgMfConfig { embedding_dim: 4, ..KgMfConfig::default() };
    let model: KgMf<Cpu> = config.init(5, 3, SCALE, 0, &Default::default()).unwrap();
    let counted = config
        .n_parameters(5, 3, &Default::default())
        .into_iter()
        .map(|(name, n)| (name.to_owned(), n))
        .collect();
    // 5 + 3 biases, (5 + 3) * 4 values.
    assert_eq!(parameters_by_part::<Cpu, _>(&model), counted);
    assert_eq!(counted.values().sum::<usize>(), 40);
}

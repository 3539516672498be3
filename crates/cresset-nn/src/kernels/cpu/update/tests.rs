//! Every rule against its formula in 64 bits, the rounding of bf16, and what is refused.

use super::*;

const SGD: RowRule = RowRule::Sgd { learning_rate: 0.1, momentum: 0.0, weight_decay: 0.01 };
const RULES: [RowRule; 6] = [
    SGD,
    RowRule::Sgd { learning_rate: 0.1, momentum: 0.9, weight_decay: 0.01 },
    RowRule::Adagrad { learning_rate: 0.1, epsilon: 1e-8, weight_decay: 0.01 },
    RowRule::RowwiseAdagrad { learning_rate: 0.1, epsilon: 1e-8, weight_decay: 0.01 },
    RowRule::Adam {
        rate: 0.1,
        beta_1: 0.9,
        beta_2: 0.99,
        root_2: 0.3,
        epsilon: 1e-8,
        weight_decay: 0.01,
        decay: 1.0,
    },
    RowRule::Adam {
        rate: 0.1,
        beta_1: 0.9,
        beta_2: 0.99,
        root_2: 0.3,
        epsilon: 1e-8,
        weight_decay: 0.0,
        decay: 0.95,
    },
];

/// A table and its moments.
#[derive(Debug, Clone, PartialEq)]
struct State {
    table: Vec<f32>,
    moments: Vec<Vec<f32>>,
}

impl State {
    fn new(rule: RowRule, n_rows: usize, dim: usize) -> Self {
        let width = if matches!(rule, RowRule::RowwiseAdagrad { .. }) { 1 } else { dim };
        let table = numbers(n_rows * dim, 1);
        let positive = |n| numbers(n_rows * width, 2 + n).iter().map(|value| value.abs() + 0.1).collect();
        Self { table, moments: (0..rule.n_moments()).map(positive).collect() }
    }

    fn update(&mut self, rule: RowRule, rows: &RowGrads) {
        let mut moments: Vec<&mut [f32]> = self.moments.iter_mut().map(|moment| &mut moment[..]).collect();
        update(rule, &mut self.table, &mut moments, rows);
    }
}

fn numbers(n: usize, seed: usize) -> Vec<f32> {
    let noise = |i: usize| rounding::noise(DropoutKey::new(seed as u64, 0, "numbers"), i as u64);
    (0..n).map(|i| noise(i) as f32 / 32768.0 - 1.0).collect()
}

/// One element, or for row-wise Adagrad one of a row whose mean of squares is given, in f64.
fn expected(rule: RowRule, weight: f64, moments: &[f64], grad: f64, mean: f64) -> (f64, Vec<f64>) {
    match rule {
        RowRule::Sgd { learning_rate, momentum, .. } => {
            let velocity = moments.first().map_or(grad, |velocity| velocity * f64::from(momentum) + grad);
            (weight - f64::from(learning_rate) * velocity, moments.iter().map(|_| velocity).collect())
        }
        RowRule::Adagrad { learning_rate, epsilon, .. } => {
            let sum = moments[0] + grad * grad;
            (weight - f64::from(learning_rate) * grad / (sum.sqrt() + f64::from(epsilon)), vec![sum])
        }
        RowRule::RowwiseAdagrad { learning_rate, epsilon, .. } => {
            let sum = moments[0] + mean;
            (weight - f64::from(learning_rate) * grad / (sum.sqrt() + f64::from(epsilon)), vec![sum])
        }
        RowRule::Adam { rate, beta_1, beta_2, root_2, epsilon, decay, .. } => {
            let [beta_1, beta_2] = [beta_1, beta_2].map(f64::from);
            let first = moments[0] * beta_1 + grad * (1.0 - beta_1);
            let second = moments[1] * beta_2 + grad * grad * (1.0 - beta_2);
            let change = first / (second.sqrt() / f64::from(root_2) + f64::from(epsilon));
            (weight * f64::from(decay) - f64::from(rate) * change, vec![first, second])
        }
    }
}

fn weight_decay_of(rule: RowRule) -> f64 {
    let (RowRule::Sgd { weight_decay, .. }
    | RowRule::Adagrad { weight_decay, .. }
    | RowRule::RowwiseAdagrad { weight_decay, .. }
    | RowRule::Adam { weight_decay, .. }) = rule;
    f64::from(weight_decay)
}

fn check_close(value: f32, expected: f64) {
    let error = (f64::from(value) - expected).abs();
    assert!(error <= 2e-6 * (1.0 + expected.abs()), "{value}, but {expected} in f64");
}

/// Compares the named rows with f64, and that all others keep their bits.
fn check_rows(rule: RowRule, n_rows: usize, dim: usize, ids: Option<&[i32]>) {
    let before = State::new(rule, n_rows, dim);
    let all: Vec<i32> = (0..n_rows as i32).collect();
    let moved = ids.unwrap_or(&all);
    let grads = numbers(moved.len() * dim, 9);
    let mut after = before.clone();
    after.update(rule, &RowGrads { ids, grads: &grads, dim, scale: 0.5 });
    for row in 0..n_rows {
        let place = moved.iter().position(|&id| id as usize == row);
        let grads = place.map(|place| &grads[place * dim..][..dim]);
        check_row(rule, dim, row, grads, [&before, &after]);
    }
}

fn check_row(rule: RowRule, dim: usize, row: usize, grads: Option<&[f32]>, [before, after]: [&State; 2]) {
    let weights = &before.table[row * dim..][..dim];
    let width_of = |moment: &Vec<f32>| moment.len() / (before.table.len() / dim);
    let Some(grads) = grads else {
        assert_eq!(after.table[row * dim..][..dim], *weights, "row {row} is not named");
        for (before, after) in before.moments.iter().zip(&after.moments) {
            let range = row * width_of(before)..(row + 1) * width_of(before);
            assert_eq!(after[range.clone()], before[range], "row {row} is not named");
        }
        return;
    };
    let penalised =
        |column: usize| f64::from(grads[column]) * 0.5 + f64::from(weights[column]) * weight_decay_of(rule);
    let mean = (0..dim).map(|column| penalised(column).powi(2)).sum::<f64>() / dim as f64;
    for (column, &weight) in weights.iter().enumerate() {
        let place = |moment: &Vec<f32>| if width_of(moment) == dim { row * dim + column } else { row };
        let moments: Vec<f64> =
            before.moments.iter().map(|moment| f64::from(moment[place(moment)])).collect();
        let (weight, moments) = expected(rule, f64::from(weight), &moments, penalised(column), mean);
        check_close(after.table[row * dim + column], weight);
        for (after, expected) in after.moments.iter().zip(moments) {
            check_close(after[place(after)], expected);
        }
    }
}

#[test]
fn every_rule_is_its_formula_in_f64_on_named_rows_and_on_all() {
    for rule in RULES {
        for dim in [1, 2, 7, 16, 20, 32, 37, 64] {
            check_rows(rule, 3, dim, Some(&[]));
            check_rows(rule, 1, dim, Some(&[0]));
            check_rows(rule, 40, dim, Some(&[0, 1, 5, 6, 7, 20, 39]));
            check_rows(rule, 40, dim, Some(&(1..36).collect::<Vec<_>>()));
            check_rows(rule, 19, dim, None);
        }
    }
}

#[test]
fn tables_of_many_chunks_are_moved_by_the_formula_too() {
    for rule in RULES {
        let ids: Vec<i32> = (0..2100).map(|i| i + i / 100).collect();
        check_rows(rule, 2200, 64, Some(&ids));
        check_rows(rule, 2100, 64, None);
    }
}

#[test]
fn the_result_has_the_same_bits_on_any_number_of_threads() {
    let ids: Vec<i32> = (0..3000).map(|i| 2 * i).collect();
    let grads = numbers(3000 * 64, 3);
    for rule in RULES {
        let moved = |n_threads| {
            let mut state = State::new(rule, 6000, 64);
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
            let rows = RowGrads { ids: Some(&ids), grads: &grads, dim: 64, scale: 1.0 };
            pool.install(|| state.update(rule, &rows));
            state
        };
        assert_eq!(moved(1), moved(3), "{rule:?}");
    }
}

#[test]
fn a_scale_that_is_not_finite_leaves_everything_as_it_was() {
    for rule in RULES {
        for scale in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let before = State::new(rule, 4, 5);
            let mut after = before.clone();
            after.update(rule, &RowGrads { ids: None, grads: &[1.0; 20], dim: 5, scale });
            assert_eq!(after, before, "{rule:?}");
        }
    }
}

#[test]
fn nothing_becomes_denormal_when_gradients_fade_or_cease() {
    for rule in RULES {
        let mut state = State::new(rule, 2, 20);
        for step in 0..3000 {
            let grads = vec![0.5_f32.powi(step); 40];
            state.update(rule, &RowGrads { ids: Some(&[0, 1]), grads: &grads, dim: 20, scale: 1.0 });
            let mut values = state.moments.iter().flatten().chain(&state.table);
            assert!(!values.any(|value| value.is_subnormal()), "{rule:?} at step {step}");
        }
    }
}

fn update_short(rule: RowRule, table: &mut [bf16], rows: &RowGrads, key: DropoutKey) {
    let mut moments = vec![vec![0.0; table.len()]; rule.n_moments()];
    let mut moments: Vec<&mut [f32]> = moments.iter_mut().map(|moment| &mut moment[..]).collect();
    update_bf16(rule, table, &mut moments, rows, key);
}

#[test]
fn a_bf16_table_keeps_the_mean_of_updates_too_small_for_its_digits() {
    // 200 steps of 1e-4 from 1, where neighbours lie 1/128 apart.
    let rule = RowRule::Sgd { learning_rate: 1e-4, momentum: 0.0, weight_decay: 0.0 };
    for (n_rows, dim) in [(4096, 1), (128, 32), (70, 59)] {
        let mut table = vec![bf16::ONE; n_rows * dim];
        let (grads, ids) = (vec![-1.0; n_rows * dim], (0..n_rows as i32).collect::<Vec<_>>());
        for step in 0..200 {
            let rows = RowGrads { ids: Some(&ids), grads: &grads, dim, scale: 1.0 };
            update_short(rule, &mut table, &rows, DropoutKey::new(77, step, "rounding"));
        }
        let mean = table.iter().map(|value| value.to_f64()).sum::<f64>() / table.len() as f64;
        assert!((mean - 1.02).abs() < 0.002, "{mean} for {n_rows} x {dim}");
    }
}

#[test]
fn an_element_rounds_alike_whether_its_row_is_named_or_the_whole_table_moves() {
    for dim in [1, 5, 16, 40] {
        let start: Vec<bf16> = numbers(30 * dim, 4).into_iter().map(bf16::from_f32).collect();
        let grads = numbers(30 * dim, 5);
        let ids: Vec<i32> = (0..30).collect();
        let moved = |ids, grads: &[f32]| {
            let mut table = start.clone();
            update_short(
                RULES[4],
                &mut table,
                &RowGrads { ids, grads, dim, scale: 1.0 },
                DropoutKey::new(3, 4, "rounding"),
            );
            table
        };
        let all = moved(None, &grads);
        assert_eq!(moved(Some(&ids[..]), &grads), all);
        let alone = moved(Some(&[17]), &grads[17 * dim..][..dim]);
        assert_eq!(alone[17 * dim..][..dim], all[17 * dim..][..dim]);
    }
}

fn move_ids(ids: &[i32]) {
    let grads = vec![1.0; ids.len() * 2];
    State::new(SGD, 5, 2).update(SGD, &RowGrads { ids: Some(ids), grads: &grads, dim: 2, scale: 1.0 });
}

#[test]
#[should_panic(expected = "row ids ascend strictly, but id 2 is 3 after 3")]
fn a_repeated_id_is_refused() {
    move_ids(&[1, 3, 3]);
}

#[test]
#[should_panic(expected = "row id 5 is not one of the table's 5 rows")]
fn an_id_beyond_the_table_is_refused() {
    move_ids(&[1, 5]);
}

#[test]
#[should_panic(expected = "row id -1 is not one of the table's 5 rows")]
fn a_negative_id_is_refused() {
    move_ids(&[-1, 3]);
}

#[test]
#[should_panic(expected = "as many moments as the rule keeps")]
fn a_missing_moment_is_refused() {
    update(RULES[4], &mut [0.0; 4], &mut [], &RowGrads { ids: None, grads: &[0.0; 4], dim: 2, scale: 1.0 });
}

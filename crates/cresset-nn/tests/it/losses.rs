//! The losses: by hand, against PyTorch (`tests/golden/losses.py`), and at the ends of their range.

use burn::tensor::{Int, Tensor};
use cresset_nn::loss::{
    DrawnItems, SampledItems, bce_with_logits, bpr, bpr_drawn, catalogue_cross_entropy, gbce, gbce_beta,
    in_batch_softmax, info_nce, info_nce_both_ways, mse, sampled_softmax, sampled_softmax_drawn,
};
use cresset_nn::{id_tensor, scalar};

use crate::models::{Cpu, assert_close};
use crate::waves::{print, to_vec, wave_tensor};

const TEMPERATURE: f32 = 0.5;

fn vector(values: &[f32]) -> Tensor<Cpu, 1> {
    Tensor::from_floats(values, &Default::default())
}

fn ids(values: &[u32]) -> Tensor<Cpu, 1, Int> {
    id_tensor(values, &Default::default())
}

fn rows(n: usize, phase: f64) -> Tensor<Cpu, 2> {
    wave_tensor([n, 3], 1.0, phase)
}

/// `-1 - |wave|`, as the scripts have it.
fn log_q(n: usize, phase: f64) -> Tensor<Cpu, 1> {
    Tensor::from_inner((wave_tensor([n], 1.0, phase).abs().neg() - 1.0).inner())
}

fn weights() -> Option<Tensor<Cpu, 1>> {
    Some(vector(&[1., 0., 2., 0.5]))
}

/// The loss and a print of each gradient, as the script shows them.
#[track_caller]
fn check<const D: usize>(loss: Tensor<Cpu, 1>, inputs: &[Tensor<Cpu, D>], expected: &[f32]) {
    let gradients = loss.backward();
    let value = scalar(loss);
    let print_of = |(at, input): (usize, &Tensor<Cpu, D>)| {
        print(&to_vec(input.grad(&gradients).unwrap()), 9.0 + at as f64)
    };
    let found: Vec<f32> = [value].into_iter().chain(inputs.iter().enumerate().map(print_of)).collect();
    assert_close(&found, expected, 1e-5);
}

#[test]
fn losses_of_scores_are_those_of_pytorch() {
    let (logits, others) = (wave_tensor([4], 3.0, 1.0), wave_tensor([4], 3.0, 2.0));
    let labels = || vector(&[1., 0., 0.25, 1.]);
    let of_logits = std::slice::from_ref(&logits);
    check(mse(logits.clone(), labels()), of_logits, &[3.774016, -0.3901499]);
    check(bce_with_logits(logits.clone(), labels(), None), of_logits, &[1.344543, -0.08682164]);
    check(bce_with_logits(logits.clone(), labels(), weights()), of_logits, &[1.051611, -0.2418105]);
    check(bpr(logits.clone(), others.clone()), &[logits, others], &[0.2753629, -0.01671774, -0.1332459]);
}

#[test]
fn losses_within_the_batch_are_those_of_pytorch() {
    let (a, b) = (rows(4, 1.0), rows(4, 2.0));
    let inputs = [a.clone(), b.clone()];
    check(info_nce(a.clone(), b.clone(), TEMPERATURE), &inputs, &[1.06427, -2.154454, 2.327021]);
    let both = info_nce_both_ways(a.clone(), b.clone(), TEMPERATURE);
    check(both, &inputs, &[1.115548, -1.973563, 2.05097]);
    let items = SampledItems::new(b).with_log_q(log_q(4, 3.0)).with_ids(ids(&[7, 3, 7, 5]));
    check(in_batch_softmax(a, items, TEMPERATURE), &inputs, &[0.9242233, -1.821086, 1.692625]);
}

#[test]
fn cross_entropy_over_the_catalogue_is_that_of_pytorch() {
    let (hidden, items) = (rows(4, 1.0), rows(5, 2.0));
    let loss = catalogue_cross_entropy(hidden.clone(), items.clone(), ids(&[4, 0, 2, 2]), weights());
    check(loss, &[hidden, items], &[2.383069, -1.485734, 0.1505879]);
}

#[test]
fn softmax_over_shared_negatives_is_that_of_pytorch() {
    let [hidden, positives, negatives] = [rows(4, 1.0), rows(4, 2.0), rows(3, 3.0)];
    let of = |rows: &Tensor<Cpu, 2>, log_q, item_ids| {
        SampledItems::new(rows.clone()).with_log_q(log_q).with_ids(ids(item_ids))
    };
    let positive = of(&positives, log_q(4, 4.0), &[1, 2, 3, 4]);
    let negative = of(&negatives, log_q(3, 5.0), &[2, 9, 4]);
    let loss = sampled_softmax(hidden.clone(), positive, negative, weights());
    let expected = [1.148031, -1.079391, 0.949824, -0.09877708];
    check(loss, &[hidden, positives, negatives], &expected);
}

/// Four queries, the positive of each and two negatives; the first negative of query 1 is its positive.
fn drawn(items: &Tensor<Cpu, 2>) -> DrawnItems<Cpu> {
    let negatives = ids(&[0, 1, 0, 3, 4, 1, 5, 5]).reshape([4, 2]);
    DrawnItems::new(items.clone(), ids(&[5, 0, 2, 2]), negatives)
}

#[test]
fn losses_over_negatives_of_each_querys_own_are_those_of_pytorch() {
    let (hidden, items) = (rows(4, 1.0), rows(6, 2.0));
    let inputs = [hidden.clone(), items.clone()];
    let loss = sampled_softmax_drawn(hidden.clone(), drawn(&items), Some(log_q(6, 4.0)), None);
    check(loss, &inputs, &[0.9699181, -0.5393405, -0.04096396]);
    let loss = gbce(hidden.clone(), drawn(&items), 0.25, weights());
    check(loss, &inputs, &[0.780914, -0.6177986, 0.1391935]);
    check(bpr_drawn(hidden, drawn(&items), weights()), &inputs, &[0.832552, -1.228052, 0.3979918]);
}

#[test]
fn extreme_logits_have_a_finite_loss_and_slope() {
    // -ln s(-500) = 500, and its slope is that of a straight line; at 0 the slope is s(0) - 1 = -0.5.
    let logits = vector(&[-500., 500., 0.]).require_grad();
    let loss = bce_with_logits(logits.clone(), vector(&[1., 1., 1.]), None);
    assert_close(&[scalar(loss.clone())], &[(500. + 2f32.ln()) / 3.], 1e-6);
    let gradients = loss.backward();
    assert_close(&to_vec(logits.grad(&gradients).unwrap()), &[-1. / 3., 0., -0.5 / 3.], 1e-6);
    let far = bpr(vector(&[-500.]), vector(&[500.]));
    assert_eq!(scalar(far), 1000.);
}

#[test]
fn weights_that_are_all_zero_make_a_loss_of_zero() {
    let none = || Some(vector(&[0., 0., 0., 0.]));
    let (hidden, items) = (rows(4, 1.0), rows(6, 2.0));
    let losses = [
        bce_with_logits(vector(&[1., 2., 3., 4.]), vector(&[0., 1., 0., 1.]), none()),
        catalogue_cross_entropy(hidden.clone(), items.clone(), ids(&[0, 1, 2, 3]), none()),
        gbce(hidden.clone(), drawn(&items), 0.5, none()),
        sampled_softmax(hidden, SampledItems::new(rows(4, 2.0)), SampledItems::new(items), none()),
    ];
    assert_eq!(losses.map(scalar), [0.; 4]);
}

#[test]
fn a_batch_of_one_has_nothing_to_tell_apart() {
    let loss = info_nce(rows(1, 1.0), rows(1, 2.0), 0.1);
    assert_eq!(scalar(loss), 0.0);
}

#[test]
fn items_that_are_all_one_item_are_no_negatives_of_each_other() {
    let items = SampledItems::new(rows(3, 2.0)).with_ids(ids(&[8, 8, 8]));
    assert_eq!(scalar(in_batch_softmax(rows(3, 1.0), items, 1.0)), 0.0);
}

#[test]
fn gbce_with_a_beta_of_one_is_binary_cross_entropy() {
    // One negative each: the mean over queries of the mean of two terms is the mean over all four.
    let (hidden, items) = (rows(2, 1.0), rows(4, 2.0));
    let drawn = DrawnItems::new(items.clone(), ids(&[0, 1]), ids(&[2, 3]).reshape([2, 1]));
    let found = scalar(gbce(hidden.clone(), drawn, 1.0, None));
    let queries = Tensor::cat(vec![hidden.clone(), hidden], 0);
    let logits = (queries * items).sum_dim(1).squeeze_dim(1);
    let expected = scalar(bce_with_logits(logits, vector(&[1., 1., 0., 0.]), None));
    assert_close(&[found], &[expected], 1e-6);
}

#[test]
fn beta_by_hand() {
    // A tenth of the others is drawn: 1 at t = 0, 0.1 at t = 1, and in a straight line between.
    assert_close(&[0.0, 0.5, 1.0].map(|t| gbce_beta(10, 101, t)), &[1.0, 0.55, 0.1], 1e-7);
}

#[test]
fn a_temperature_that_is_not_above_0_is_refused_by_value() {
    for temperature in [0.0, -0.5, f32::NAN, f32::INFINITY] {
        let panic = std::panic::catch_unwind(|| info_nce(rows(2, 1.0), rows(2, 2.0), temperature));
        let message = *panic.unwrap_err().downcast::<String>().unwrap();
        assert_eq!(
            message,
            format!(
                "scale = {} (temperature {temperature}), expected a finite number above 0",
                1.0 / temperature
            )
        );
    }
}

#[test]
#[should_panic(expected = "beta = 1.5, expected a number in [0, 1]")]
fn a_beta_above_1_is_refused_by_value() {
    gbce(rows(4, 1.0), drawn(&rows(6, 2.0)), 1.5, None);
}

#[test]
#[should_panic(expected = "n_negatives = 7, expected at least 1 and less than the 7 items")]
fn as_many_negatives_as_items_are_refused() {
    gbce_beta(7, 7, 0.5);
}

#[test]
#[should_panic(expected = "t = 2, expected a number in [0, 1]")]
fn a_calibration_above_1_is_refused_by_value() {
    gbce_beta(7, 70, 2.0);
}

#[test]
#[should_panic(expected = "ids of both positives and negatives")]
fn ids_of_the_negatives_alone_are_refused() {
    let negatives = SampledItems::new(rows(3, 3.0)).with_ids(ids(&[1, 2, 3]));
    sampled_softmax(rows(4, 1.0), SampledItems::new(rows(4, 2.0)), negatives, None);
}

#[test]
#[should_panic(expected = "one weight for each example")]
fn weights_of_another_number_are_refused() {
    bce_with_logits(vector(&[1., 2.]), vector(&[1., 2.]), weights());
}

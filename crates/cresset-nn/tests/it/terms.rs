//! Terms of a loss: their sum, their weights, and what a term without weight costs.

use burn::tensor::Tensor;
use cresset_nn::optim::Optimizer;
use cresset_nn::weights::named_tensors;
use cresset_nn::{ForwardPass, StepKey, TrainModel, scalar};

use crate::models::{Cpu, Pulls, Rows, assert_close, every_rule};

fn rows() -> Rows<Cpu> {
    Rows::new(&[0.5, -0.25, 1., 0.75, -1.5, 2.], [3, 2])
}

/// Squared distance and squared length of the same rows, as two terms.
fn pass(model: &Rows<Cpu>) -> ForwardPass<Cpu> {
    let mut pass = model.forward_loss(&Pulls::new(&[0, 2], &[1., -1.]), StepKey::default());
    let length = pass.rows[0].per_example().powi_scalar(2).sum_dim(1).mean();
    pass.terms = vec![("distance", pass.loss()), ("length", length)];
    pass
}

#[test]
fn the_loss_is_the_sum_of_the_terms_and_weights_go_before_each() {
    // Rows (0.5, -0.25) to 1 and (-1.5, 2) to -1: distances 0.25 + 1.5625 and 0.25 + 9, lengths 0.3125 and 6.25.
    let pass = pass(&rows());
    assert_eq!(pass.values(), [("distance", 5.53125), ("length", 3.28125)]);
    assert_eq!(scalar(pass.loss().inner()), 8.8125);
    let weighted = pass.weighted(|name| if name == "length" { 2.0 } else { 0.5 });
    assert_eq!(weighted.values(), [("distance", 2.765625), ("length", 6.5625)]);
}

#[test]
fn a_term_of_weight_0_is_not_there() {
    let model = rows();
    let without = pass(&model).weighted(|name| f64::from(u8::from(name == "distance")));
    assert_eq!(without.terms.len(), 1);
    let mut alone = pass(&model);
    alone.terms.pop();
    let step = |pass| named_tensors(&Optimizer::new(every_rule().remove(1)).step(model.clone(), pass, 0.1));
    assert_eq!(step(without), step(alone));
}

#[test]
fn gradients_follow_the_weights() {
    let model = rows();
    let norm = |pass: ForwardPass<Cpu>| {
        let mut optimizer = Optimizer::new(every_rule().remove(0));
        optimizer.step(model.clone(), pass, 0.0);
        optimizer.gradient_norm().unwrap()
    };
    assert_close(&[norm(pass(&model).weighted(|_| 3.0))], &[3.0 * norm(pass(&model))], 1e-6);
}

#[test]
#[should_panic(expected = "a loss has at least one term")]
fn a_pass_without_a_term_has_no_loss() {
    let nothing: Tensor<Cpu, 1> = pass(&rows()).weighted(|_| 0.0).loss();
    drop(nothing);
}

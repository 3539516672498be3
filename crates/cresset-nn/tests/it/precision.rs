//! Products in half precision: close to those in full, with gradients in full, and a loss that is scaled and unscaled.

use cresset_nn::optim::{Optimizer, OptimizerKind};
use cresset_nn::weights::named_tensors;
use cresset_nn::{Precision, StepKey, TrainModel};

use crate::models::{Cpu, Pulls, Tower, assert_close, rule};

fn batch() -> Pulls {
    Pulls::new(&[0, 1, 0, 4], &[1., -1., 0.5, 2.])
}

/// All parameters after one step of gradient descent, at a loss scale.
fn stepped(precision: Precision, loss_scale: f32) -> Vec<f32> {
    let model = Tower::<Cpu>::new(1);
    let pass = precision.during(|| model.forward_loss(&batch(), StepKey::default()));
    let gradients = pass.backward_scaled(&model, loss_scale);
    assert!(gradients.is_finite());
    let after = Optimizer::new(rule(OptimizerKind::Sgd)).apply(model, gradients, 0.1);
    named_tensors(&after).into_values().flat_map(|data| data.to_vec::<f32>().unwrap()).collect()
}

#[test]
fn a_step_in_half_precision_is_near_that_in_full() {
    let full = stepped(Precision::F32, 1.0);
    for (precision, tolerance) in [(Precision::Bf16, 1e-2), (Precision::F16, 1e-3)] {
        assert!(precision.is_supported::<Cpu>(&Default::default()), "{precision}");
        let half = stepped(precision, 1.0);
        assert_ne!(half, full, "{precision}");
        assert_close(&half, &full, tolerance);
        assert_close(&stepped(precision, 128.0), &half, tolerance);
    }
}

#[test]
fn gradients_that_vanish_in_f16_survive_a_scaled_loss() {
    let model = Tower::<Cpu>::new(1);
    let norm = |precision: Precision, loss_scale: f32| {
        let pass = precision.during(|| model.forward_loss(&batch(), StepKey::default()));
        // So small that the gradients of the products are below what f16 holds.
        let gradients = pass.weighted(|_| 1e-9).backward_scaled(&model, loss_scale);
        let mut optimizer = Optimizer::new(rule(OptimizerKind::Sgd));
        optimizer.apply(model.clone(), gradients, 0.0);
        optimizer.gradient_norm().unwrap()
    };
    let expected = norm(Precision::F32, 1.0);
    assert!(norm(Precision::F16, 1.0) < expected * 0.9);
    let scaled = norm(Precision::F16, 65_536.0 * 1024.0);
    assert!((scaled / expected - 1.0).abs() < 1e-2, "{scaled} and {expected}");
}

#[test]
fn a_loss_that_is_scaled_too_far_has_gradients_that_are_not_finite() {
    let model = Tower::<Cpu>::new(1);
    let pass = Precision::F16.during(|| model.forward_loss(&batch(), StepKey::default()));
    assert!(!pass.backward_scaled(&model, 1e9).is_finite());
}

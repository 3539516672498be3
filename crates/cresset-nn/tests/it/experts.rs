//! The mixture of experts: against PyTorch (`tests/golden/layers.py`), and what routing and padding mean.

use burn::module::AutodiffModule;
use burn::optim::{AdamConfig, GradientsParams, Optimizer};
use burn::tensor::{Bool, Tensor};
use cresset_nn::{MixtureOfExperts, MixtureOfExpertsConfig, StepKey, scalar};

use crate::models::{Cpu, assert_close};
use crate::waves::{gradients_by_name, print, to_vec, values, wave_tensor, with_waves};

fn config() -> MixtureOfExpertsConfig {
    MixtureOfExpertsConfig {
        d_model: 4,
        d_ff: 6,
        d_out: 2,
        dropout: 0.0,
        ..MixtureOfExpertsConfig::default()
    }
}

fn experts(config: &MixtureOfExpertsConfig) -> MixtureOfExperts<Cpu> {
    with_waves(config.init("experts", 0, &Default::default()).unwrap())
}

fn x() -> Tensor<Cpu, 2> {
    wave_tensor([5, 4], 2.0, 3.0)
}

/// The third of five rows is padding.
fn padding() -> Tensor<Cpu, 1, Bool> {
    Tensor::from_data([false, false, true, false, false], &Default::default())
}

#[test]
fn experts_give_what_pytorch_gives() {
    let (output, statistics) = experts(&config()).forward(&x(), Some(&padding()), None);
    let expected =
        [0.3280391, 0.5118502, -0.1276319, -0.318519, 0., 0., -0.1002932, -0.3056302, 0.339398, 0.5833119];
    assert_close(&values(&output), &expected, 1e-5);
    assert_eq!(values(&statistics.usage), [0.5, 0.25, 0.25]);
    assert_close(&values(&statistics.entropy), &[1.015492], 1e-5);
    assert_close(&values(&statistics.load_balance_loss), &[0.980266], 1e-5);
}

#[test]
fn experts_have_the_gradients_that_pytorch_has() {
    let of_x = [
        0.09305019,
        -0.2741131,
        0.176058,
        0.1034229,
        -0.828771,
        0.5784089,
        0.2477533,
        -0.8297395,
        0.,
        0.,
        0.,
        0.,
        -0.2012847,
        0.09169689,
        0.1077425,
        -0.1996232,
        -0.05884978,
        -0.2684286,
        0.3223763,
        -0.04612144,
    ];
    let of_parameters = [
        0.5829409,
        0.6722785,
        -0.1295239,
        -0.4793379,
        0.03582528,
        0.9819105,
        -0.2063563,
        0.2813122,
        -0.05246496,
        -0.06101136,
        0.03544077,
        -0.01390811,
        0.09805731,
    ];
    let (experts, x) = (experts(&config()), x());
    let (output, statistics) = experts.forward(&x, Some(&padding()), None);
    let loss = (output * wave_tensor([5, 2], 1.0, 5.0)).sum()
        + statistics.entropy * 0.5
        + statistics.load_balance_loss * 2.0;
    let gradients = loss.backward();
    assert_close(&to_vec(x.grad(&gradients).unwrap()), &of_x, 1e-5);
    let found = gradients_by_name(&experts, gradients);
    assert_close(&found.values().map(|g| print(g, 9.0)).collect::<Vec<_>>(), &of_parameters, 1e-5);
}

#[test]
fn padding_changes_nothing_for_the_others() {
    let experts = experts(&config());
    let others = Tensor::cat(vec![x().narrow(0, 0, 2), x().narrow(0, 3, 2)], 0);
    let (masked, with) = experts.forward(&x(), Some(&padding()), None);
    let (plain, without) = experts.forward(&others, None, None);
    let (masked, plain) = (values(&masked), values(&plain));
    assert_eq!([&masked[..4], &masked[6..]].concat(), plain);
    assert_close(&values(&with.entropy), &values(&without.entropy), 1e-6);
    assert_close(&values(&with.load_balance_loss), &values(&without.load_balance_loss), 1e-6);
}

#[test]
fn padding_alone_has_an_output_and_statistics_of_zero() {
    let all = Tensor::from_data([true; 5], &Default::default());
    let (output, statistics) = experts(&config()).forward(&x(), Some(&all), None);
    assert_eq!(values(&output), [0.; 10]);
    assert_eq!(values(&statistics.usage), [0.; 3]);
    assert_eq!(values(&statistics.entropy), [0.]);
    assert_eq!(values(&statistics.load_balance_loss), [0.]);
}

#[test]
fn no_rows_have_no_output() {
    let empty = Tensor::zeros([0, 4], &Default::default());
    let (output, statistics) = experts(&config()).forward(&empty, None, None);
    assert_eq!(output.dims(), [0, 2]);
    assert_eq!(values(&statistics.usage), [0.; 3]);
}

#[test]
fn one_expert_for_each_row_teaches_the_router_by_its_output() {
    let experts = experts(&MixtureOfExpertsConfig { experts_per_token: 1, ..config() });
    let (output, _) = experts.forward(&x(), None, None);
    let gradients = gradients_by_name(&experts, output.sum().backward());
    assert!(gradients["router.weight"].iter().any(|&value| value.abs() > 1e-3));
}

#[test]
fn an_expert_that_no_row_passes_receives_no_gradient() {
    let one = MixtureOfExpertsConfig { experts_per_token: 1, ..config() };
    let experts = experts(&one);
    let (output, statistics) = experts.forward(&x().narrow(0, 0, 1), None, None);
    let usage = values(&statistics.usage);
    let gradients = gradients_by_name(&experts, output.sum().backward());
    for (at, share) in usage.iter().enumerate() {
        assert_eq!(gradients.contains_key(&format!("experts.{at}.inner.weight")), *share == 1.0);
    }
    assert_eq!(usage.iter().sum::<f32>(), 1.0);
}

#[test]
fn a_router_that_prefers_nobody_has_full_entropy_and_a_balance_of_one() {
    let experts = experts(&MixtureOfExpertsConfig { experts_per_token: 3, ..config() });
    let (_, statistics) = experts.forward(&Tensor::zeros([7, 4], &Default::default()), None, None);
    assert_close(&values(&statistics.entropy), &[3f32.ln()], 1e-6);
    assert_close(&values(&statistics.load_balance_loss), &[1.0], 1e-6);
    assert_close(&values(&statistics.usage), &[1.0 / 3.0; 3], 1e-6);
}

#[test]
fn noise_is_a_function_of_the_key_and_absent_in_inference() {
    let noisy = experts(&MixtureOfExpertsConfig { router_noise: 1.0, ..config() });
    let of = |step| values(&noisy.forward(&x(), None, Some(StepKey { seed: 1, step })).1.entropy);
    assert_eq!(of(1), of(1));
    assert_ne!(of(1), of(2));
    let calm = experts(&config());
    let in_inference = values(&noisy.forward(&x(), None, None).0);
    assert_eq!(in_inference, values(&calm.forward(&x(), None, None).0));
}

#[test]
fn one_batch_can_be_overfitted() {
    let device = Default::default();
    let mut experts: MixtureOfExperts<Cpu> = config().init("experts", 2, &device).unwrap();
    let targets = wave_tensor([5, 2], 1.0, 0.5);
    let loss = |experts: &MixtureOfExperts<Cpu>| {
        let (output, _) = experts.forward(&x(), None, None);
        (output - targets.clone()).powi_scalar(2).mean()
    };
    let before = scalar(loss(&experts).inner());
    let mut adam = AdamConfig::new().init();
    for _ in 0..300 {
        let gradients = GradientsParams::from_grads(loss(&experts).backward(), &experts);
        experts = adam.step(0.02, experts, gradients);
    }
    let after = scalar(loss(&experts).inner());
    assert!(after < before * 0.01, "{before} fell to {after} only");
    let (trained, _) = experts.valid().forward(&x().inner(), None, None);
    assert_close(&to_vec(trained), &values(&targets), 0.2);
}

#[test]
fn numbers_that_make_no_experts_are_refused_by_name() {
    let refused = |change: fn(&mut MixtureOfExpertsConfig)| {
        let mut config = MixtureOfExpertsConfig::default();
        change(&mut config);
        config.init::<Cpu>("experts", 0, &Default::default()).unwrap_err().to_string()
    };
    let per_token = "expected at least 1 and at most n_experts";
    assert_eq!(refused(|c| c.experts_per_token = 4), format!("experts_per_token = 4, {per_token}"));
    assert_eq!(refused(|c| c.experts_per_token = 0), format!("experts_per_token = 0, {per_token}"));
    assert_eq!(refused(|c| c.n_experts = 0), "n_experts = 0, expected at least 1");
    assert_eq!(refused(|c| c.d_out = 0), "d_out = 0, expected at least 1");
    assert_eq!(refused(|c| c.dropout = 1.0), "dropout = 1, expected a probability in [0, 1)");
    assert_eq!(refused(|c| c.router_noise = -1.0), "router_noise = -1, expected 0 or more");
}

#[test]
#[should_panic(expected = "the mask has one value for each row")]
fn a_mask_of_another_length_is_refused() {
    experts(&config()).forward(&x().narrow(0, 0, 4), Some(&padding()), None);
}

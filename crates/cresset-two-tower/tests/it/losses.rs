//! Every loss against plain arithmetic on the vectors.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use cresset_data::Batches;
use cresset_nn::StepKey;
use cresset_nn::TrainModel;
use cresset_nn::optim::{Optimizer, OptimizerConfig};
use cresset_two_tower::{Loss, NegativesConfig, NegativesKind, TwoTowerConfig};

use crate::small::{COLD, Cpu, N_ITEMS, N_USERS, batches, config, data, first_batch, loss, model, train};

/// Items with a training rating come first; the others stand against nobody.
const KNOWN: usize = N_ITEMS - COLD.len();

fn rows<B: Backend>(tensor: Tensor<B, 2>) -> Vec<Vec<f64>> {
    let dim = tensor.dims()[1];
    let values: Vec<f32> = tensor.into_data().to_vec().unwrap();
    values.chunks(dim).map(|row| row.iter().map(|&x| f64::from(x)).collect()).collect()
}

/// `[users, items]` cosines over the temperature.
fn scores(config: &TwoTowerConfig) -> Vec<Vec<f64>> {
    let (model, data) = (model(config), data());
    let all = |n: usize| (0..n as u32).collect::<Vec<u32>>();
    let users = rows(model.user_embeddings(&data.users, &all(N_USERS)).unwrap());
    let items = rows(model.item_embeddings(&data.items, &all(N_ITEMS)).unwrap());
    let dot = |a: &Vec<f64>, b: &Vec<f64>| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    users.iter().map(|user| items.iter().map(|item| dot(user, item) / config.temperature).collect()).collect()
}

fn with(kind: NegativesKind, n: usize, loss: Loss) -> TwoTowerConfig {
    TwoTowerConfig { loss, negatives: NegativesConfig { kind, n, ..NegativesConfig::default() }, ..config() }
}

fn cross_entropy(logits: &[f64], target: f64) -> f64 {
    let most = logits.iter().copied().fold(target, f64::max);
    let sum: f64 = logits.iter().chain([&target]).map(|x| (x - most).exp()).sum();
    sum.ln() + most - target
}

#[track_caller]
fn assert_close(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-5 * expected.abs().max(1.0), "{found}, expected {expected}");
}

/// Natural log of each item's share of the training pairs, one without any counting as one.
fn log_q() -> Vec<f64> {
    let counts: Vec<f64> = train().item_counts(N_ITEMS).into_iter().map(|n| f64::from(n.max(1))).collect();
    let all: f64 = counts.iter().sum();
    counts.iter().map(|n| (n / all).ln()).collect()
}

/// User and item of each pair in the first batch of all 36.
fn pairs(config: &TwoTowerConfig, size: usize) -> Vec<(usize, usize)> {
    let batches = batches(config, size);
    let (order, train) = (batches.order(0), train());
    let rows = batches.examples(&order, 0);
    rows.iter()
        .map(|&row| (train.user_id[row as usize] as usize, train.item_id[row as usize] as usize))
        .collect()
}

#[test]
fn in_the_batch_each_pair_is_told_from_the_items_of_the_others() {
    let config = with(NegativesKind::InBatch, 1, Loss::Softmax);
    let (scores, pairs, log_q) = (scores(&config), pairs(&config, 8), log_q());
    let of = |user: usize, item: usize| scores[user][item] - log_q[item];
    let terms = pairs.iter().map(|&(user, item)| {
        let others = pairs.iter().filter(|other| other.1 != item).map(|other| of(user, other.1));
        cross_entropy(&others.collect::<Vec<f64>>(), of(user, item))
    });
    let expected = terms.sum::<f64>() / 8.0;
    assert_close(loss(&model(&config), &first_batch(&config, 8)), expected);

    let off = TwoTowerConfig { log_q: false, ..config };
    let found = loss(&model(&off), &first_batch(&off, 8));
    assert!((found - expected).abs() > 1e-3, "log_q makes no difference: {found}");
}

#[test]
fn against_all_items_each_pair_is_told_from_the_catalogue() {
    let config = with(NegativesKind::All, 1, Loss::Softmax);
    let scores = scores(&config);
    let terms = pairs(&config, 8).into_iter().map(|(user, item)| {
        let others: Vec<f64> =
            (0..KNOWN).filter(|&other| other != item).map(|other| scores[user][other]).collect();
        cross_entropy(&others, scores[user][item])
    });
    assert_close(loss(&model(&config), &first_batch(&config, 8)), terms.sum::<f64>() / 8.0);
}

/// With a pool of everything nothing is drawn, so that the hardest are known.
fn hardest(config: &TwoTowerConfig, user: usize) -> Vec<f64> {
    let own: Vec<u32> = train()
        .user_id
        .iter()
        .zip(&train().item_id)
        .filter(|it| *it.0 as usize == user)
        .map(|it| *it.1)
        .collect();
    let mut others: Vec<f64> = (0..KNOWN as u32)
        .filter(|item| !own.contains(item))
        .map(|item| scores(config)[user][item as usize])
        .collect();
    others.sort_by(|a, b| b.total_cmp(a));
    others.truncate(config.negatives.n);
    others
}

#[test]
fn the_hardest_are_those_that_the_model_ranks_highest_of_what_the_user_has_not() {
    for kind in [Loss::Softmax, Loss::Bce] {
        let config = with(NegativesKind::Hard, 3, kind);
        let scores = scores(&config);
        let softplus = |x: f64| x.exp().ln_1p();
        let (mut sum, mut n) = (0.0, 0.0);
        for (user, item) in pairs(&config, 8) {
            let (own, others) = (scores[user][item], hardest(&config, user));
            match kind {
                Loss::Softmax => (sum, n) = (sum + cross_entropy(&others, own), n + 1.0),
                Loss::Bce => {
                    sum += softplus(-own) + others.iter().map(|&other| softplus(other)).sum::<f64>();
                    n += 4.0;
                }
            }
        }
        assert_close(loss(&model(&config), &first_batch(&config, 8)), sum / n);
    }
}

#[test]
fn what_is_drawn_by_popularity_is_taken_back_where_pairs_have_their_own() {
    let config = |power, log_q| TwoTowerConfig {
        log_q,
        negatives: NegativesConfig { kind: NegativesKind::Drawn, n: 4, power, ..NegativesConfig::default() },
        ..config()
    };
    let of = |config: &TwoTowerConfig| loss(&model(config), &first_batch(config, 36));
    assert_close(of(&config(0.0, true)), of(&config(0.0, false)));
    assert!((of(&config(1.0, true)) - of(&config(1.0, false))).abs() > 1e-4);
}

#[test]
fn a_pool_without_enough_to_tell_from_is_no_failure() {
    // Each user lacks 6 of the 10 items that may be drawn.
    let config = with(NegativesKind::Hard, 12, Loss::Bce);
    assert!(loss(&model(&config), &first_batch(&config, 8)).is_finite());
}

#[test]
fn every_loss_falls_in_training_and_is_the_same_for_the_same_seed() {
    use NegativesKind::{All, Drawn, Hard, InBatch, Mixed, Shared};
    let softmax = [InBatch, Mixed, Shared, Drawn, Hard, All].map(|kind| (kind, Loss::Softmax));
    let binary = [Drawn, Hard].map(|kind| (kind, Loss::Bce));
    for (kind, of) in softmax.into_iter().chain(binary) {
        let n = if matches!(kind, InBatch | All) { 1 } else { 4 };
        let config = TwoTowerConfig { dropout: 0.1, id_dropout: 0.1, ..with(kind, n, of) };
        let first = trained(&config);
        assert!(first[1] < first[0] - 0.02, "{kind:?}, {of:?}: {first:?}");
        assert_eq!(trained(&config), first, "{kind:?}, {of:?}");
    }
}

/// The mean loss of the first epoch and of the thirtieth.
fn trained(config: &TwoTowerConfig) -> [f64; 2] {
    let (mut model, batches) = (model(config), batches(config, 12));
    let mut optimizer = Optimizer::<Cpu>::new(OptimizerConfig::default());
    let mut epoch = |number: u64| {
        let order = batches.order(number);
        let mut sum = 0.0;
        for step in 0..batches.n_steps() {
            let key = StepKey { seed: 1, step: optimizer.steps_taken() };
            let batch = batches.batch(&order, step);
            sum += loss(&model, &batch);
            let pass = model.forward_loss(&batch, key);
            model = optimizer.step(model.clone(), pass, 0.01);
        }
        sum / batches.n_steps() as f64
    };
    let losses: Vec<f64> = (0..30).map(&mut epoch).collect();
    [losses[0], losses[29]]
}

//! What batches are made of.

use std::sync::Arc;

use cresset_data::Batches;
use cresset_data::processed::TrainingNegatives;
use cresset_two_tower::{NegativesConfig, NegativesKind, TwoTowerBatches, TwoTowerConfig};

use crate::small::{batches, clamped, config, data, first_batch, loss, model, train};

fn with(kind: NegativesKind, n: usize) -> TwoTowerConfig {
    TwoTowerConfig { negatives: NegativesConfig { kind, n, ..NegativesConfig::default() }, ..config() }
}

#[test]
fn an_epoch_has_every_pair_once_whatever_stands_against_it() {
    for kind in [NegativesKind::InBatch, NegativesKind::Drawn, NegativesKind::Shared, NegativesKind::All] {
        let n = if matches!(kind, NegativesKind::InBatch | NegativesKind::All) { 1 } else { 3 };
        let batches = batches(&with(kind, n), 8);
        let order = batches.order(2);
        let sizes: Vec<usize> =
            (0..batches.n_steps()).map(|step| batches.batch(&order, step).len()).collect();
        assert_eq!(sizes, [8, 8, 8, 8, 4]);
    }
}

#[test]
fn each_distinct_user_and_item_passes_its_tower_once() {
    let batch = first_batch(&with(NegativesKind::Shared, 400), 36);
    let (n_users, n_items) = batch.n_rows();
    assert!(n_users <= 9 && n_items <= 12, "{n_users} users, {n_items} items");
}

#[test]
fn given_lists_are_taken_and_must_be_there_for_every_row() {
    let config = with(NegativesKind::Given, 2);
    let of = |rows: Vec<Vec<u32>>| {
        let given = Some(Arc::new(TrainingNegatives::from_rows(rows)));
        TwoTowerBatches::with_given(&config, &data(), &train(), given, 36, 5)
    };
    // One list for all is as if every pair stood against that item.
    let loss_against = |item: u32| {
        let batches = of(vec![vec![item]; 36]).unwrap();
        loss(&model(&config), &batches.batch(&batches.order(0), 0))
    };
    let drawn: Vec<f64> = (0..3).map(loss_against).collect();
    assert!(drawn.windows(2).all(|pair| (pair[0] - pair[1]).abs() > 1e-6), "{drawn:?}");

    let refused = |rows: Vec<Vec<u32>>| of(rows).map(|_| ()).unwrap_err().to_string();
    let mut lists = vec![vec![3]; 36];
    lists[7].clear();
    assert!(refused(lists).starts_with("the list of negatives of training row 7 is empty"));
    assert!(
        refused(vec![vec![3]; 35]).starts_with("there are lists of negatives for 35 training rows, and 36")
    );
    assert_eq!(
        refused(vec![vec![99]; 36]),
        "the list of negatives of training row 0 names item 99, and there are 12 items"
    );
    let none = TwoTowerBatches::new(&config, &data(), &train(), 36, 5).map(|_| ()).unwrap_err();
    assert!(none.to_string().contains("put negatives.json"), "{none}");
}

#[test]
fn a_batch_is_a_function_of_seed_epoch_and_step() {
    let config = TwoTowerConfig { id_dropout: 0.3, ..with(NegativesKind::Mixed, 5) };
    let model = model(&config);
    let of = |seed, epoch, step| {
        let batches = TwoTowerBatches::new(&config, &data(), &train(), 8, seed).unwrap();
        loss(&model, &batches.batch(&batches.order(epoch), step)).to_bits()
    };
    assert_eq!(of(5, 1, 2), of(5, 1, 2));
    assert!([of(6, 1, 2), of(5, 2, 2), of(5, 1, 3)].iter().all(|&other| other != of(5, 1, 2)));
}

#[test]
fn items_without_a_training_rating_are_no_negatives_unless_they_have_rows_of_their_own() {
    let n_items = |config: &TwoTowerConfig| first_batch(config, 36).n_rows().1;
    for kind in [NegativesKind::All, NegativesKind::Hard, NegativesKind::Shared, NegativesKind::Mixed] {
        let n = if matches!(kind, NegativesKind::Shared | NegativesKind::Mixed) { 400 } else { 1 };
        assert_eq!(n_items(&with(kind, n)), 10, "{kind:?}");
        assert_eq!(n_items(&clamped(with(kind, n))), 12, "{kind:?}");
    }
}

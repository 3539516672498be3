//! A small data set with features and vectors of all kinds.

use std::sync::Arc;

use burn::backend::{Autodiff, Flex};
use cresset_data::features::{EncodedColumn, EncodedFeatures, FeatureConfig, FeatureKind, Ragged};
use cresset_data::{AlignedVectors, Batches, Ratings, TimeKind};
use cresset_nn::{StepKey, TrainModel, scalar};
use cresset_two_tower::{
    OutOfRange, SideData, SideVectors, TwoTower, TwoTowerBatch, TwoTowerBatches, TwoTowerConfig, TwoTowerData,
};

pub(crate) type Cpu = Autodiff<Flex>;

pub(crate) const N_USERS: usize = 9;
pub(crate) const N_ITEMS: usize = 12;
/// Items without a training rating.
pub(crate) const COLD: [u32; 2] = [10, 11];

/// Every user has four items of their own kind, even or odd.
pub(crate) fn train() -> Ratings {
    let pairs = (0..N_USERS as u32).flat_map(|user| (0..4).map(move |nth| (user, (user + 2 * nth) % 10)));
    let (user_id, item_id): (Vec<u32>, Vec<u32>) = pairs.unzip();
    let n = user_id.len();
    let rating = vec![1.0; n];
    Ratings { user_id, item_id, rating, time: vec![0; n], time_kind: TimeKind::Ordinal, parts: None }
}

fn of_items() -> SideData {
    let n = N_ITEMS as u32;
    let genres =
        Ragged::from_lists((0..n).map(|item| if item == 3 { vec![] } else { vec![item % 2, 2 + item % 3] }));
    let columns = vec![
        EncodedColumn::Categorical { codes: (0..n).map(|item| item % 3).collect(), n_codes: 3 },
        EncodedColumn::Multi { lists: genres, n_codes: 5 },
        EncodedColumn::Numeric {
            values: (0..n).map(|item| item as f32 / 6.0 - 1.0).collect(),
            is_known: vec![true; N_ITEMS],
        },
    ];
    // An item without text, and two that differ by kind.
    let values = (0..n).flat_map(|item| match item {
        4 => [0.0; 3],
        _ => [1.0 - (item % 2) as f32, (item % 2) as f32, item as f32 / 12.0],
    });
    let rows = AlignedVectors {
        dim: 3,
        values: values.collect(),
        present: (0..n).map(|item| item != 4).collect(),
        n_unused: 0,
        n_zero: 0,
    };
    SideData {
        n_rows: N_ITEMS,
        features: EncodedFeatures { n_rows: N_ITEMS, columns },
        vectors: vec![SideVectors { name: "text".to_owned(), rows: Arc::new(rows) }],
        is_known: None,
    }
}

pub(crate) fn data() -> TwoTowerData {
    TwoTowerData::new(SideData::of_ids(N_USERS), of_items()).known_from(&train())
}

/// Everything on, nothing left to chance but the first values.
pub(crate) fn config() -> TwoTowerConfig {
    TwoTowerConfig {
        embedding_dim: 6,
        item_features: vec![
            FeatureConfig::new("brand", FeatureKind::Categorical),
            FeatureConfig::new("genres", FeatureKind::Multi),
            FeatureConfig::new("price", FeatureKind::Numeric),
        ],
        item_vectors: vec!["text".to_owned()],
        user_mlp_hidden: vec![7],
        item_mlp_hidden: vec![8, 5],
        dropout: 0.0,
        init_std: 1.0,
        id_dropout: 0.0,
        temperature: 0.5,
        ..TwoTowerConfig::default()
    }
}

pub(crate) fn model(config: &TwoTowerConfig) -> TwoTower<Cpu> {
    config.init(&data(), 7, &Default::default()).unwrap()
}

pub(crate) fn batches(config: &TwoTowerConfig, size: usize) -> TwoTowerBatches {
    TwoTowerBatches::new(config, &data(), &train(), size, 5).unwrap()
}

pub(crate) fn first_batch(config: &TwoTowerConfig, size: usize) -> TwoTowerBatch {
    let batches = batches(config, size);
    batches.batch(&batches.order(0), 0)
}

pub(crate) fn loss(model: &TwoTower<Cpu>, batch: &TwoTowerBatch) -> f64 {
    let pass = model.forward_loss(batch, StepKey { seed: 1, step: 0 });
    f64::from(scalar(pass.loss().inner()))
}

/// Without a row for the unknown.
pub(crate) fn clamped(config: TwoTowerConfig) -> TwoTowerConfig {
    TwoTowerConfig { out_of_range: OutOfRange::Clamp, ..config }
}

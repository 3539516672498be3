//! Inputs of a given shape, the same in every run.

use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use cresset::data::random::{below, open_unit, permutation, standard_normal, stream};
use cresset::data::{Ratings, TimeKind};
use rand_chacha::ChaCha8Rng as Stream;

/// Batches that a step goes through in turn.
pub(crate) const N_BATCHES: usize = 16;

pub(crate) fn random(site: &str) -> Stream {
    stream(42, site, 0)
}

/// Ids drawn uniformly: the hardest case for a row-sparse table.
pub(crate) fn ids(n: usize, n_rows: usize, rng: &mut Stream) -> Vec<u32> {
    (0..n).map(|_| below(n_rows as u64, rng) as u32).collect()
}

/// Ids drawn by Zipf's law, the popular ones anywhere among the others.
pub(crate) fn zipf_ids(n: usize, n_rows: usize, rng: &mut Stream) -> Vec<u32> {
    let mut up_to = 0.0;
    let shares: Vec<f64> = (1..=n_rows)
        .map(|rank| {
            up_to += 1.0 / rank as f64;
            up_to
        })
        .collect();
    let id_of_rank = permutation(n_rows as u32, rng);
    let mut draw = || {
        let at = f64::from(open_unit(rng)) * up_to;
        id_of_rank[shares.partition_point(|&share| share < at).min(n_rows - 1)]
    };
    (0..n).map(|_| draw()).collect()
}

/// A matrix of normal values.
pub(crate) fn normal<B: Backend>(
    shape: [usize; 2],
    std: f32,
    site: &str,
    device: &B::Device,
) -> Tensor<B, 2> {
    let mut rng = random(site);
    let values: Vec<f32> = (0..shape[0] * shape[1]).map(|_| std * standard_normal(&mut rng)).collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// Values between 0 and `below`.
pub(crate) fn uniform(n: usize, below: f32, rng: &mut Stream) -> Vec<f32> {
    (0..n).map(|_| below * open_unit(rng)).collect()
}

/// Ratings whose users and items are drawn uniformly.
pub(crate) fn ratings(n_users: usize, n_items: usize, n_ratings: usize) -> Ratings {
    let mut rng = random("ratings");
    Ratings {
        user_id: ids(n_ratings, n_users, &mut rng),
        item_id: ids(n_ratings, n_items, &mut rng),
        rating: ids(n_ratings, 10, &mut rng).into_iter().map(|half| (half + 1) as f32 / 2.0).collect(),
        time: vec![0; n_ratings],
        time_kind: TimeKind::Timestamp,
        parts: None,
    }
}

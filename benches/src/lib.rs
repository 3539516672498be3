//! What the benches share: inputs of a given shape, the same in every run.

use cresset::data::random::{below, stream};
use cresset::data::{Ratings, TimeKind};

/// Ratings whose users and items are drawn uniformly: the hardest case for a row-sparse table.
pub fn uniform_ratings(n_users: usize, n_items: usize, n_ratings: usize) -> Ratings {
    let mut rng = stream(42, "bench", 0);
    let mut ids = |n: usize| (0..n_ratings).map(|_| below(n as u64, &mut rng) as u32).collect();
    Ratings {
        user_id: ids(n_users),
        item_id: ids(n_items),
        rating: ids(10).into_iter().map(|half_stars: u32| (half_stars + 1) as f32 / 2.0).collect(),
        time: vec![0; n_ratings],
        time_kind: TimeKind::Timestamp,
    }
}

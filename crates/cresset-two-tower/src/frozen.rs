//! What a validation loss is measured on.

use burn::tensor::{Tensor, TensorData};
use cresset_data::negatives::ItemDistribution;
use cresset_data::random::DrawKey;
use cresset_data::{Ratings, UserItems};
use cresset_nn::loss::bce_with_logits;
use cresset_nn::{RecommenderBackend, id_tensor, scalar};

use crate::embeddings::Embeddings;

/// Pairs looked up at once.
const PAIRS_AT_ONCE: usize = 1 << 15;

/// Held-out pairs, and as many of the same users with items that they did not choose, drawn once.
///
/// On chosen pairs alone the loss of a cosine is least where all vectors are one and the same; beside the others it is not.
#[derive(Debug, Clone)]
pub struct FrozenPairs {
    users: Vec<u32>,
    items: Vec<u32>,
    n_chosen: usize,
}

impl FrozenPairs {
    /// The pairs of `held_out`, and others that their users have neither there nor in `train`; a function of `seed`.
    ///
    /// # Panics
    ///
    /// If a rating names a user or item beyond those there are.
    pub fn draw(held_out: &Ratings, train: &Ratings, [n_users, n_items]: [usize; 2], seed: u64) -> Self {
        let both = Ratings {
            user_id: [&train.user_id[..], &held_out.user_id].concat(),
            item_id: [&train.item_id[..], &held_out.item_id].concat(),
            rating: [&train.rating[..], &held_out.rating].concat(),
            time: [&train.time[..], &held_out.time].concat(),
            time_kind: train.time_kind,
            parts: None,
        };
        let own = UserItems::from_ratings(&both, n_users);
        // Nobody stands against those who have everything.
        let rows: Vec<u32> = (0..held_out.len() as u32)
            .filter(|&row| own.of(held_out.user_id[row as usize]).len() < n_items)
            .collect();
        let held_out = held_out.select(&rows);
        let items = ItemDistribution::uniform(n_items);
        let key = DrawKey::new(seed, "frozen negatives", 0);
        let other = |(at, &user): (usize, &u32)| items.draw_free(own.of(user), &mut key.at(at as u64));
        let others: Vec<u32> = held_out.user_id.iter().enumerate().map(other).collect();
        Self {
            users: held_out.user_id.repeat(2),
            items: [&held_out.item_id[..], &others].concat(),
            n_chosen: held_out.len(),
        }
    }

    /// Whether nothing was held out.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// Binary cross-entropy of all pairs, in nats: ln 2 where nothing is known.
    ///
    /// # Panics
    ///
    /// If there is no pair, or one names a user or item beyond the vectors.
    pub fn log_loss<B: RecommenderBackend>(&self, embeddings: &Embeddings<B>, temperature: f64) -> f64 {
        let device = embeddings.items.device();
        let rows = |table: &Tensor<B, 2>, ids: &[u32]| B::gather_rows(table.clone(), id_tensor(ids, &device));
        let n = self.users.len();
        let mut sum = 0.0;
        for start in (0..n).step_by(PAIRS_AT_ONCE) {
            let end = (start + PAIRS_AT_ONCE).min(n);
            let products = rows(&embeddings.users, &self.users[start..end])
                * rows(&embeddings.items, &self.items[start..end]);
            let logits: Tensor<B, 1> = products.sum_dim(1).squeeze_dim(1) / temperature;
            let labels: Vec<f32> = (start..end).map(|at| f32::from(at < self.n_chosen)).collect();
            let labels = Tensor::from_data(TensorData::new(labels, [end - start]), &device);
            sum += f64::from(scalar(bce_with_logits(logits, labels, None))) * (end - start) as f64;
        }
        sum / n as f64
    }
}

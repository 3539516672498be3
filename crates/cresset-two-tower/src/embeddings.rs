//! The vectors of everybody, as what ranks.

use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor, TensorData};
use cresset_metrics::{BlockRanks, BlockRequest, NotFiniteScore, Scorer};
use cresset_nn::{RecommenderBackend, RowLists, id_tensor, rank_rows};

/// The vectors of all users and all items.
#[derive(Debug, Clone)]
pub struct Embeddings<B: Backend> {
    /// `[n_users, dim]`, each of length 1.
    pub users: Tensor<B, 2>,
    /// `[n_items, dim]`, each of length 1.
    pub items: Tensor<B, 2>,
}

impl<B: RecommenderBackend> Embeddings<B> {
    /// Vectors that were computed before.
    ///
    /// # Shapes
    ///
    /// - users: `[n_users, dim]`, row by row
    /// - items: `[n_items, dim]`, row by row
    ///
    /// # Panics
    ///
    /// If `dim` is 0 or does not divide the lengths.
    pub fn from_rows(users: Vec<f32>, items: Vec<f32>, dim: usize, device: &B::Device) -> Self {
        let rows = |values: Vec<f32>| {
            assert!(values.len().is_multiple_of(dim.max(1)), "rows are {dim} wide");
            let n = values.len() / dim;
            Tensor::from_data(TensorData::new(values, [n, dim]), device)
        };
        Self { users: rows(users), items: rows(items) }
    }

    /// Users and items.
    pub fn dims(&self) -> (usize, usize) {
        (self.users.dims()[0], self.items.dims()[0])
    }

    /// The users' vectors, row by row.
    pub fn user_rows(&self) -> Vec<f32> {
        to_vec(self.users.clone().into_data())
    }

    /// The items' vectors, row by row.
    pub fn item_rows(&self) -> Vec<f32> {
        to_vec(self.items.clone().into_data())
    }

    /// The score of every item for each user: zeros for users beyond the table.
    ///
    /// # Shapes
    ///
    /// - output: `[users.len(), n_items]`, -1 to 1
    pub fn score_items(&self, users: &[u32]) -> Tensor<B, 2> {
        let (n_users, n_items) = self.dims();
        let device = self.items.device();
        if n_users == 0 {
            return Tensor::zeros([users.len(), n_items], &device);
        }
        let known: Vec<u32> = users.iter().map(|&user| user.min(n_users as u32 - 1)).collect();
        let ids: Tensor<B, 1, Int> = id_tensor(&known, &device);
        let mut vectors = B::gather_rows(self.users.clone(), ids);
        if users != known {
            let is_known: Vec<f32> = users.iter().map(|&user| f32::from((user as usize) < n_users)).collect();
            vectors = vectors * Tensor::from_data(TensorData::new(is_known, [users.len(), 1]), &device);
        }
        vectors.matmul(self.items.clone().transpose())
    }

    /// The score of every item for somebody known by these items alone: the mean of their vectors stands for the user's.
    ///
    /// Items beyond the table say nothing.
    ///
    /// # Shapes
    ///
    /// - output: `[n_items]`
    pub fn score_history(&self, items: &[u32]) -> Vec<f32> {
        let (_, n_items) = self.dims();
        let known: Vec<u32> = items.iter().copied().filter(|&item| (item as usize) < n_items).collect();
        if known.is_empty() {
            return vec![0.0; n_items];
        }
        let ids: Tensor<B, 1, Int> = id_tensor(&known, &self.items.device());
        let user = B::gather_rows(self.items.clone(), ids).mean_dim(0);
        to_vec(user.matmul(self.items.clone().transpose()).into_data())
    }

    fn rank_on_device(&self, request: &BlockRequest<'_>) -> BlockRanks {
        let (relevant, seen) = (request.relevant_rows(), request.seen_rows());
        let asked = RowLists { offsets: &relevant.offsets, items: &relevant.items };
        let masked = RowLists { offsets: &seen.offsets, items: &seen.items };
        let ranked = rank_rows(self.score_items(request.users), asked, masked, request.top_k);
        let place = |(row, item, value)| NotFiniteScore { user: request.users[row], item, value };
        BlockRanks {
            above: ranked.above,
            equal: ranked.equal,
            top_items: ranked.top_items,
            not_finite: ranked.not_finite.map(place),
        }
    }
}

impl<B: RecommenderBackend> Scorer for Embeddings<B> {
    fn n_items(&self) -> usize {
        self.dims().1
    }

    fn score_block(&self, users: &[u32], scores: &mut [f32]) {
        scores.copy_from_slice(&to_vec(self.score_items(users).into_data()));
    }

    fn rank_block(&self, request: &BlockRequest<'_>) -> Option<BlockRanks> {
        (!B::ON_HOST).then(|| self.rank_on_device(request))
    }
}

/// The mean cosine of all pairs of unit vectors, -1 to 1: near 1, all have collapsed into one.
///
/// It is the squared length of their mean vector, the pairs of a vector with itself left out.
///
/// # Shapes
///
/// - vectors: `[n, dim]`, each of length 1, `n` at least 2
pub fn mean_cosine<B: Backend>(vectors: Tensor<B, 2>) -> f64 {
    let n = vectors.dims()[0] as f64;
    let mean = to_vec(vectors.mean_dim(0).into_data());
    let squared: f64 = mean.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
    (squared * n - 1.0) / (n - 1.0)
}

pub(crate) fn to_vec(data: TensorData) -> Vec<f32> {
    data.convert::<f32>().to_vec().expect("converted to f32 just before")
}

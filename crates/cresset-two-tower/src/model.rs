//! The model: two towers that meet in a cosine.

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use cresset_nn::RecommenderBackend;

use crate::config::{SideConfig, TwoTowerConfig};
use crate::embeddings::Embeddings;
use crate::error::TwoTowerError;
use crate::side::{IdRule, Side};
use crate::side_data::{SideData, TwoTowerData};

/// Rows that pass a tower at once.
const ROWS_AT_ONCE: usize = 4_096;

/// Two towers, each from all that is known of a user or item to a vector of length 1:
///
/// ```text
/// score(u, i) = user_tower(u) . item_tower(i) / temperature
/// ```
///
/// # Source
///
/// Yi et al., RecSys 2019, section 3, <https://doi.org/10.1145/3298689.3346996>.
#[derive(Module, Debug)]
pub struct TwoTower<B: Backend> {
    pub(crate) user: Side<B>,
    pub(crate) item: Side<B>,
    #[module(skip)]
    pub(crate) config: TwoTowerConfig,
}

impl<B: Backend> TwoTower<B> {
    /// What it was made with.
    pub fn config(&self) -> &TwoTowerConfig {
        &self.config
    }
}

impl<B: RecommenderBackend> TwoTower<B> {
    /// The vectors of some users.
    ///
    /// # Shapes
    ///
    /// - output: `[ids.len(), embedding_dim]`, each of length 1
    ///
    /// # Errors
    ///
    /// Data of another shape than those the model was made for, though there may be more users; or an index beyond the users that
    /// it knows, where [`OutOfRange::Error`](crate::OutOfRange::Error) was chosen.
    pub fn user_embeddings(&self, users: &SideData, ids: &[u32]) -> Result<Tensor<B, 2>, TwoTowerError> {
        self.embed_checked(&self.user, &self.config.user_side(), users, ids)
    }

    /// The vectors of some items.
    ///
    /// # Shapes
    ///
    /// - output: `[ids.len(), embedding_dim]`, each of length 1
    ///
    /// # Errors
    ///
    /// Data of another shape than those the model was made for, though there may be more items; or an index beyond the items that
    /// it knows, where [`OutOfRange::Error`](crate::OutOfRange::Error) was chosen.
    pub fn item_embeddings(&self, items: &SideData, ids: &[u32]) -> Result<Tensor<B, 2>, TwoTowerError> {
        self.embed_checked(&self.item, &self.config.item_side(), items, ids)
    }

    /// The cosine of each user's vector with each item's.
    ///
    /// # Shapes
    ///
    /// - users: `[n_users, embedding_dim]`
    /// - items: `[n_items, embedding_dim]`
    /// - output: `[n_users, n_items]`, -1 to 1
    pub fn compute_similarity(&self, users: Tensor<B, 2>, items: Tensor<B, 2>) -> Tensor<B, 2> {
        users.matmul(items.transpose())
    }

    /// The vectors of all users and all items, ready to rank by.
    ///
    /// # Errors
    ///
    /// As [`user_embeddings`](Self::user_embeddings) and [`item_embeddings`](Self::item_embeddings).
    pub fn embed(&self, data: &TwoTowerData) -> Result<Embeddings<B>, TwoTowerError> {
        let all = |n: usize| (0..n as u32).collect::<Vec<u32>>();
        Ok(Embeddings {
            users: self.user_embeddings(&data.users, &all(data.users.n_rows))?,
            items: self.item_embeddings(&data.items, &all(data.items.n_rows))?,
        })
    }

    fn embed_checked(
        &self,
        side: &Side<B>,
        config: &SideConfig<'_>,
        data: &SideData,
        ids: &[u32],
    ) -> Result<Tensor<B, 2>, TwoTowerError> {
        data.check_for(&side.shape, config)?;
        let rule = IdRule::new(config, side.shape.n_rows);
        rule.check(config.name, ids)?;
        let device = self.device();
        if ids.is_empty() {
            return Ok(Tensor::zeros([0, self.config.embedding_dim], &device));
        }
        let chunks = ids.chunks(ROWS_AT_ONCE).map(|ids| side.embed(&data.read(ids, rule, None), &device));
        Ok(Tensor::cat(chunks.collect(), 0))
    }

    /// Where the model lives.
    pub fn device(&self) -> B::Device {
        self.devices().swap_remove(0)
    }
}

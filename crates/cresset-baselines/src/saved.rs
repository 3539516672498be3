//! A fitted baseline as a file, and back.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::als::Factors;
use crate::archive::{Archive, SavedBaselineError, damaged};
use crate::baseline::{Baseline, Model};
use crate::means::ShrunkMeans;
use crate::neighbours::Similarities;
use crate::{
    BaselineConfig, Ease, GlobalMean, Histories, ImplicitAls, ItemMean, ItemNeighbours, Popularity, UserMean,
};

/// What stands beside the tensors.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    config: BaselineConfig,
    n_users: usize,
    n_items: usize,
}

impl Baseline {
    /// Writes everything that it needs to one safetensors file, whole or not at all; equal baselines give equal bytes.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn save(&self, file: &Path) -> Result<(), SavedBaselineError> {
        let header = Header { config: self.config.clone(), n_users: self.n_users, n_items: self.n_items };
        let header = serde_json::to_string(&header).map_err(|cause| damaged(file, cause.to_string()))?;
        let mut archive = Archive::new(header);
        self.put(&mut archive);
        archive.write(file)
    }

    /// Reads what [`save`](Self::save) wrote, with its checksum and every shape, offset and id verified.
    ///
    /// ```
    /// use cresset_baselines::{Baseline, BaselineConfig, TrainingSet};
    ///
    /// let training = TrainingSet {
    ///     user_ids: &[0, 1],
    ///     item_ids: &[0, 0],
    ///     ratings: &[1.0; 2],
    ///     times: None,
    ///     n_users: 2,
    ///     n_items: 2,
    /// };
    /// let popularity = BaselineConfig::defaults("popularity").expect("a kind").fit(&training)?;
    /// let folder = tempfile::tempdir()?;
    /// let file = folder.path().join("baseline.safetensors");
    /// popularity.save(&file)?;
    /// assert_eq!(Baseline::load(&file)?, popularity);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is damaged, or holds something else.
    pub fn load(file: &Path) -> Result<Self, SavedBaselineError> {
        let mut archive = Archive::read(file)?;
        let header: Header =
            serde_json::from_str(archive.note()).map_err(|cause| damaged(file, cause.to_string()))?;
        header.config.validate().map_err(|cause| damaged(file, cause.to_string()))?;
        let model = header.take(&mut archive).map_err(|cause| damaged(file, cause))?;
        archive.finish().map_err(|cause| damaged(file, cause))?;
        let Header { config, n_users, n_items } = header;
        Ok(Self { config, n_users, n_items, model })
    }

    fn put(&self, archive: &mut Archive) {
        match &self.model {
            Model::GlobalMean(model) => archive.put_f32("mean", &[1], &[model.mean]),
            Model::UserMean(UserMean { means }) | Model::ItemMean(ItemMean { means }) => {
                archive.put_f32("mean", &[1], &[means.global]);
                archive.put_f32("means", &[means.by_id.len()], &means.by_id);
            }
            Model::Popularity(model) => archive.put_f32("counts", &[self.n_items], &model.counts),
            Model::ItemNeighbours(model) => {
                put_histories(archive, &model.histories);
                let Similarities { offsets, neighbours, weights } = &model.similarities;
                archive.put_offsets("similarity_offsets", offsets);
                archive.put_u32("similarity_items", neighbours);
                archive.put_f32("similarity_weights", &[weights.len()], weights);
            }
            Model::Ease(model) => {
                put_histories(archive, &model.histories);
                archive.put_f32("weights", &[self.n_items, self.n_items], &model.weights);
            }
            Model::ImplicitAls(model) => {
                let dim = model.config.embedding_dim;
                archive.put_f32("user_vectors", &[self.n_users, dim], &model.users.packed());
                archive.put_f32("item_vectors", &[self.n_items, dim], &model.items.packed());
            }
        }
    }
}

impl Header {
    fn take(&self, archive: &mut Archive) -> Result<Model, String> {
        let &Self { n_users, n_items, .. } = self;
        Ok(match &self.config {
            BaselineConfig::GlobalMean(_) => {
                Model::GlobalMean(GlobalMean { mean: archive.take_f32("mean", &[1])?[0] })
            }
            BaselineConfig::UserMean(_) => Model::UserMean(UserMean { means: take_means(archive, n_users)? }),
            BaselineConfig::ItemMean(_) => Model::ItemMean(ItemMean { means: take_means(archive, n_items)? }),
            BaselineConfig::Popularity(_) => {
                Model::Popularity(Popularity { counts: archive.take_f32("counts", &[n_items])? })
            }
            BaselineConfig::ItemNeighbours(config) => {
                let histories = self.take_histories(archive)?;
                let neighbours = archive.take_ids("similarity_items", n_items)?;
                let weights = archive.take_f32("similarity_weights", &[neighbours.len()])?;
                let offsets = archive.take_offsets("similarity_offsets", n_items, neighbours.len())?;
                let similarities = Similarities { offsets, neighbours, weights };
                Model::ItemNeighbours(ItemNeighbours { config: config.clone(), similarities, histories })
            }
            BaselineConfig::Ease(_) => {
                let histories = self.take_histories(archive)?;
                Model::Ease(Ease {
                    weights: archive.take_f32("weights", &[n_items, n_items])?,
                    n_items,
                    histories,
                })
            }
            BaselineConfig::ImplicitAls(config) => {
                let dim = config.embedding_dim;
                let mut factors =
                    |name, n| Ok::<_, String>(Factors::from_packed(&archive.take_f32(name, &[n, dim])?, dim));
                let (users, items) = (factors("user_vectors", n_users)?, factors("item_vectors", n_items)?);
                Model::ImplicitAls(ImplicitAls::new(config.clone(), users, items))
            }
        })
    }

    fn take_histories(&self, archive: &mut Archive) -> Result<Histories, String> {
        let items = archive.take_ids("history_items", self.n_items)?;
        let ratings = archive.take_f32("history_ratings", &[items.len()])?;
        let offsets = archive.take_offsets("history_offsets", self.n_users, items.len())?;
        Ok(Histories { offsets, items, ratings })
    }
}

fn put_histories(archive: &mut Archive, histories: &Histories) {
    archive.put_offsets("history_offsets", &histories.offsets);
    archive.put_u32("history_items", &histories.items);
    archive.put_f32("history_ratings", &[histories.ratings.len()], &histories.ratings);
}

fn take_means(archive: &mut Archive, n: usize) -> Result<ShrunkMeans, String> {
    let global = archive.take_f32("mean", &[1])?[0];
    Ok(ShrunkMeans { by_id: archive.take_f32("means", &[n])?, global })
}

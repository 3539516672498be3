//! The model as one that a trainer can train.

use cresset_nn::optim::ParameterGroup;
use cresset_nn::{AutodiffRecommender, EmbeddingTable, ForwardPass, StepKey, TrainModel};

use crate::batch::TwoTowerBatch;
use crate::loss::Outputs;
use crate::model::TwoTower;

impl<B: AutodiffRecommender> TrainModel<B> for TwoTower<B> {
    type Batch = TwoTowerBatch;

    /// Each distinct user and item of the batch passes its tower once, and shares one dropout mask among its pairs.
    fn forward_loss(&self, batch: &TwoTowerBatch, key: StepKey) -> ForwardPass<B> {
        let device = self.device();
        let (users, mut rows) = self.user.forward(&batch.users, key, &device);
        let (items, of_items) = self.item.forward(&batch.items, key, &device);
        rows.extend(of_items);
        let loss = Outputs { users, items, batch, config: &self.config }.loss();
        ForwardPass { terms: vec![("loss", loss)], n_examples: batch.len(), rows }
    }

    fn tables_mut(&mut self) -> Vec<&mut EmbeddingTable<B>> {
        let sides = [&mut self.user, &mut self.item].into_iter();
        sides.flat_map(|side| side.ids.iter_mut().chain(&mut side.codes)).collect()
    }

    /// The two towers, each with its tables.
    fn parameter_groups(&self) -> Vec<ParameterGroup> {
        let group = |name: &str, parameters: &str| ParameterGroup {
            name: name.to_owned(),
            parameters: vec![parameters.to_owned()],
            ..ParameterGroup::default()
        };
        vec![group("user_tower", "user*"), group("item_tower", "item*")]
    }
}

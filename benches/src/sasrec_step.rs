//! A step of a sequence model with the softmax over the whole catalogue.

use burn::module::{Module, Param};
use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor};
use cresset::nn::{
    EmbeddingTable, LayerNorm, Selection, Transformer, TransformerConfig, id_tensor, init, loss,
};
use cresset::prelude::*;

use crate::Case;
use crate::inputs::{N_BATCHES, ids, random};
use crate::train::train;

const BATCH: usize = 128;
const LENGTH: usize = 50;
const WIDTH: usize = 64;
const N_ITEMS: usize = 3_417;

pub(crate) fn cases<B: AutodiffRecommender>() -> Vec<Case<B>> {
    let case = |std: f32, note: &str| {
        Case::new(format!("{BATCH}x{LENGTH}x{WIDTH}{note}"), BATCH * LENGTH, move |device: &B::Device| {
            let mut rng = random("sequences");
            let mut batch = || [(); 2].map(|()| ids(BATCH * LENGTH, N_ITEMS, &mut rng));
            train::<B, _>(SasRec::<B>::new(std, device), (0..N_BATCHES).map(|_| batch()).collect())
        })
    };
    vec![case(0.02, ""), case(1.0, ", wide")]
}

#[derive(Module, Debug)]
struct SasRec<B: Backend> {
    items: EmbeddingTable<B>,
    positions: Param<Tensor<B, 2>>,
    blocks: Transformer<B>,
    norm: LayerNorm<B>,
}

impl<B: Backend> SasRec<B> {
    fn new(std: f32, device: &B::Device) -> Self {
        let config = TransformerConfig { d_model: WIDTH, ..TransformerConfig::default() };
        Self {
            items: EmbeddingTable::normal("items", [N_ITEMS, WIDTH], std, 42, device),
            positions: Param::from_tensor(init::normal(42, "positions", [LENGTH, WIDTH], 0.02, device)),
            blocks: config.init("blocks", 42, device).expect("valid numbers"),
            norm: LayerNorm::new(WIDTH, device),
        }
    }
}

impl<B: AutodiffRecommender> TrainModel<B> for SasRec<B> {
    /// Items of all places, and those that follow.
    type Batch = [Vec<u32>; 2];

    fn forward_loss(&self, [inputs, targets]: &Self::Batch, key: StepKey) -> ForwardPass<B> {
        let device = self.items.device();
        let items = self.items.gather_all();
        let selection = Selection::one_each(inputs, N_ITEMS, &device);
        let embedded = items.select(&selection).reshape([BATCH, LENGTH, WIDTH]);
        let x = embedded + self.positions.val().unsqueeze();
        let hidden = self.blocks.forward(x, None, Some(key)).reshape([BATCH * LENGTH, WIDTH]);
        let hidden = self.norm.forward(hidden);
        let targets: Tensor<B, 1, Int> = id_tensor(targets, &device);
        let loss = loss::catalogue_cross_entropy(hidden, items.leaf.clone(), targets, None);
        ForwardPass { terms: vec![("loss", loss)], n_examples: BATCH * LENGTH, rows: vec![items] }
    }

    fn tables_mut(&mut self) -> Vec<&mut EmbeddingTable<B>> {
        vec![&mut self.items]
    }
}

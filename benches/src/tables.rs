//! Small models on tables of growing size, the batch staying the same: next to nothing beside the table, and the layers
//! of a tower.

use burn::module::Module;
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use cresset::data::UniqueRows;
use cresset::nn::{EmbeddingTable, Mlp, RowIndex, loss};
use cresset::prelude::*;

use crate::Case;
use crate::inputs::{N_BATCHES, ids, random};
use crate::train::train;

const WIDTH: usize = 32;
const BATCH: usize = 1_024;
const SIZES: [usize; 4] = [10_000, 100_000, 1_000_000, 10_000_000];

pub(crate) fn cases<B: AutodiffRecommender>() -> Vec<Case<B>> {
    let case = |n_rows: usize, widths: &'static [usize], note: &str| {
        Case::new(format!("{n_rows}x{WIDTH}{note}"), BATCH, move |device: &B::Device| {
            let layers = Mlp::new("layers", widths, 42, device).expect("valid widths");
            // Zeros cost no time to draw, and a step does not ask what stands in a row.
            let model =
                Clicks { table: EmbeddingTable::<B>::zeros("table", [n_rows, WIDTH], device), layers };
            train::<B, _>(model, batches(n_rows))
        })
    };
    let small = SIZES.map(|n_rows| case(n_rows, &[WIDTH, 64, 1], ""));
    let tower = SIZES.map(|n_rows| case(n_rows, &[WIDTH, 256, 128, 128, 1], ", tower"));
    small.into_iter().chain(tower).collect()
}

fn batches(n_rows: usize) -> Vec<(UniqueRows, Vec<f32>)> {
    let mut rng = random("tables");
    let mut batch = || {
        let rows = UniqueRows::of(&ids(BATCH, n_rows, &mut rng));
        (rows, ids(BATCH, 2, &mut rng).into_iter().map(|label| label as f32).collect())
    };
    // As many as it takes for most of a table's pages to have been seen: real training comes back to old rows.
    (0..N_BATCHES * 4).map(|_| batch()).collect()
}

#[derive(Module, Debug)]
struct Clicks<B: Backend> {
    table: EmbeddingTable<B>,
    layers: Mlp<B>,
}

impl<B: AutodiffRecommender> TrainModel<B> for Clicks<B> {
    type Batch = (UniqueRows, Vec<f32>);

    fn forward_loss(&self, (rows, labels): &Self::Batch, key: StepKey) -> ForwardPass<B> {
        let device = self.table.device();
        let rows = self.table.gather(&RowIndex::new(rows, &device));
        let logits = self.layers.forward(rows.per_example(), Some(key)).squeeze_dim(1);
        let labels = Tensor::from_data(TensorData::new(labels.clone(), [BATCH]), &device);
        let loss = loss::bce_with_logits(logits, labels, None);
        ForwardPass { terms: vec![("loss", loss)], n_examples: BATCH, rows: vec![rows] }
    }

    fn tables_mut(&mut self) -> Vec<&mut EmbeddingTable<B>> {
        vec![&mut self.table]
    }
}

//! Any backend under autodiff: rows are written beneath the graph, which never sees them.

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::tensor::backend::AutodiffBackend;
use burn::tensor::ops::{FloatTensor, IntTensor};

use crate::RecommenderBackend;

impl<B: RecommenderBackend, C: CheckpointStrategy> RecommenderBackend for Autodiff<B, C> {
    fn write_rows(
        table: FloatTensor<Self>,
        ids: IntTensor<Self>,
        rows: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let table = <Self as AutodiffBackend>::inner(table);
        let rows = <Self as AutodiffBackend>::inner(rows);
        <Self as AutodiffBackend>::from_inner(B::write_rows(table, ids, rows))
    }
}

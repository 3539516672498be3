//! The kernel trait: what a backend must be able to do for a recommender.

use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::ops::{FloatTensor, IntTensor};
use burn::tensor::{IndexingUpdateOp, Int, Tensor, TensorPrimitive};

/// A Burn backend with the operations that recommenders spend their time in.
///
/// Every operation has a default body of ordinary Burn operations, right on any backend; the files in
/// `kernels/` replace it where a backend can do better.
pub trait RecommenderBackend: Backend {
    /// The table with `table[ids[i]] = rows[i]` for every `i`; all other rows keep their bits.
    ///
    /// Written in place where the backend can and `table` has no other owner. The default body copies the
    /// table and rounds once more (`old + (new - old)`).
    ///
    /// # Shapes
    ///
    /// - table: `[n_rows, dim]`
    /// - ids: `[n_unique]`, distinct
    /// - rows: `[n_unique, dim]`
    /// - output: `[n_rows, dim]`
    ///
    /// # Panics
    ///
    /// If an id is `n_rows` or more.
    fn write_rows(
        table: FloatTensor<Self>,
        ids: IntTensor<Self>,
        rows: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let matrix = |primitive| Tensor::<Self, 2>::from_primitive(TensorPrimitive::Float(primitive));
        let ids = Tensor::from_primitive(ids);
        write_rows_by_addition(matrix(table), ids, matrix(rows)).into_primitive().tensor()
    }
}

/// [`RecommenderBackend::write_rows`] for any backend: addition is the one update of rows that all of them have.
pub(crate) fn write_rows_by_addition<B: Backend>(
    table: Tensor<B, 2>,
    ids: Tensor<B, 1, Int>,
    rows: Tensor<B, 2>,
) -> Tensor<B, 2> {
    let change = rows - table.clone().select(0, ids.clone());
    table.select_assign(0, ids, change, IndexingUpdateOp::Add)
}

/// A [`RecommenderBackend`] that differentiates and whose inner backend is one too: what training needs.
pub trait AutodiffRecommender:
    RecommenderBackend + AutodiffBackend<InnerBackend: RecommenderBackend>
{
}

impl<B> AutodiffRecommender for B
where
    B: RecommenderBackend + AutodiffBackend,
    B::InnerBackend: RecommenderBackend,
{
}

/// [`RecommenderBackend::write_rows`] on tensors.
pub(crate) fn write_rows<B: RecommenderBackend>(
    table: Tensor<B, 2>,
    ids: Tensor<B, 1, Int>,
    rows: Tensor<B, 2>,
) -> Tensor<B, 2> {
    let written =
        B::write_rows(table.into_primitive().tensor(), ids.into_primitive(), rows.into_primitive().tensor());
    Tensor::from_primitive(TensorPrimitive::Float(written))
}

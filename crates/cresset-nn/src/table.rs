//! An embedding table whose training step costs what the batch touches, never what the table holds.

use std::sync::Arc;

use burn::module::{Module, Param, ParamId};
use burn::tensor::backend::Backend;
use burn::tensor::{DType, Int, Tensor, TensorData};
use cresset_data::UniqueRows;

use crate::kernels::spec::{RowState, RowStep, Selection};
use crate::lists::selection_of_unique;
use crate::{AutodiffRecommender, RecommenderBackend, init};

/// A table of embeddings, one row for each id.
///
/// Training gathers the distinct rows of a batch ([`gather`](Self::gather)); they, not the table, are the
/// leaf of the autodiff graph, and the [`Optimizer`](crate::optim::Optimizer) writes the updated rows back in
/// place. Two things follow: a row that no batch touches never moves, and a living copy of the table (a
/// `.valid()` model, a clone) makes the next update copy it once, so drop such copies first.
#[derive(Module, Debug)]
pub struct EmbeddingTable<B: Backend> {
    // `None` only while the optimiser holds the tensor, so that it is the tensor's one owner.
    weight: Option<Param<Tensor<B, 2>>>,
    #[module(skip)]
    name: String,
    #[module(skip)]
    padding: Option<u32>,
}

/// The distinct rows that a batch touches, on a device.
#[derive(Debug, Clone)]
pub struct RowIndex<B: Backend> {
    /// Distinct ids, ascending, `[n_unique]`.
    pub ids: Tensor<B, 1, Int>,
    /// How many examples have each distinct id, `[n_unique, 1]`.
    pub counts: Tensor<B, 2>,
    selection: Selection<B>,
    host_ids: Arc<[u32]>,
}

/// Rows of one table as the leaf of an autodiff graph; part of a [`ForwardPass`](crate::ForwardPass).
#[derive(Debug, Clone)]
pub struct GatheredRows<B: AutodiffRecommender> {
    pub(crate) table: String,
    pub(crate) ids: RowIds<B::InnerBackend>,
    pub(crate) padding: Option<usize>,
    selection: Option<Selection<B::InnerBackend>>,
    /// The rows, `[n_unique, dim]`.
    pub leaf: Tensor<B, 2>,
}

/// Which rows of a table have a gradient.
#[derive(Debug, Clone)]
pub(crate) enum RowIds<B: Backend> {
    All,
    /// Ascending, on the device and on the host.
    Some(Tensor<B, 1, Int>, Arc<[u32]>),
}

impl<B: Backend> RowIndex<B> {
    /// Moves the rows that the loader found to `device`.
    pub fn new(rows: &UniqueRows, device: &B::Device) -> Self {
        let counts: Vec<f32> = rows.counts.iter().map(|&count| count as f32).collect();
        Self {
            ids: id_tensor(&rows.ids, device),
            counts: Tensor::from_data(TensorData::new(counts, [rows.ids.len(), 1]), device),
            selection: selection_of_unique(rows, device),
            host_ids: rows.ids.as_slice().into(),
        }
    }

    /// Rows that no example has one by one, such as those of a graph: `ids` ascend, each once.
    ///
    /// # Panics
    ///
    /// If they do not.
    pub fn distinct(ids: &[u32], device: &B::Device) -> Self {
        assert!(ids.is_sorted_by(|a, b| a < b), "the ids ascend, each once");
        let rows = UniqueRows { ids: ids.to_vec(), counts: vec![0; ids.len()], ..UniqueRows::default() };
        Self::new(&rows, device)
    }

    /// For each example its row among the distinct ones.
    pub fn selection(&self) -> &Selection<B> {
        &self.selection
    }

    /// For each example the place of its id in `ids`, `[batch]`.
    pub fn positions(&self) -> Tensor<B, 1, Int> {
        self.selection.matrix.columns.clone()
    }
}

impl<B: Backend> EmbeddingTable<B> {
    /// A table drawn from a normal distribution with mean 0, as a function of `seed` and `name`.
    ///
    /// `name` tells the model's tables apart and is the field's name by convention.
    pub fn normal(name: &str, [n_rows, dim]: [usize; 2], std: f32, seed: u64, device: &B::Device) -> Self {
        Self::from_tensor(name, init::normal(seed, name, [n_rows, dim], std, device))
    }

    /// A table of zeros.
    pub fn zeros(name: &str, [n_rows, dim]: [usize; 2], device: &B::Device) -> Self {
        Self::from_tensor(name, Tensor::zeros([n_rows, dim], device))
    }

    /// A table with the given rows, `[n_rows, dim]`, f32 or bf16.
    pub fn from_tensor(name: &str, weight: Tensor<B, 2>) -> Self {
        // Not `Param::from_tensor`, which would ask for a gradient of the whole table.
        let weight = Some(Param::initialized(ParamId::new(), weight));
        Self { weight, name: name.to_owned(), padding: None }
    }

    /// The table stored as bf16: half the memory, rows of eight significant bits.
    ///
    /// Gathered rows, gradients and moments stay f32, and updated rows are rounded by chance, as a function of the
    /// table's name and the step, so that small updates arrive in the mean.
    ///
    /// # Panics
    ///
    /// If the backend has no bf16.
    pub fn stored_as_bf16(self) -> Self {
        let weight = self.storage();
        assert!(
            B::supports_dtype(&weight.device(), DType::BF16),
            "this backend has no bf16; keep f32 tables"
        );
        Self { padding: self.padding, ..Self::from_tensor(&self.name, weight.cast(DType::BF16)) }
    }

    /// The table with row `id` set to zero, which no step will ever move: what padded places of a sequence look up.
    ///
    /// # Panics
    ///
    /// If `id` is beyond the table.
    pub fn with_padding_row(self, id: u32) -> Self {
        let weight = self.storage();
        let [n_rows, dim] = weight.dims();
        assert!(
            (id as usize) < n_rows,
            "padding row {id} is beyond the {n_rows} rows of table {}",
            self.name
        );
        let zeros = Tensor::zeros([1, dim], (&weight.device(), weight.dtype()));
        let row = id as usize;
        let weight = weight.slice_assign([row..row + 1, 0..dim], zeros);
        Self { padding: Some(id), ..Self::from_tensor(&self.name, weight) }
    }

    /// The table with every row but those in `kept` set to zero.
    ///
    /// # Panics
    ///
    /// If an id in `kept` is beyond the table.
    pub fn with_zeros_but(self, kept: &[u32]) -> Self {
        let weight = self.storage();
        let [n_rows, _] = weight.dims();
        let mut mask = vec![0.0f32; n_rows];
        for &id in kept {
            mask[id as usize] = 1.0;
        }
        let mask = Tensor::<B, 2>::from_data(TensorData::new(mask, [n_rows, 1]), &weight.device());
        let weight = weight.clone() * mask.cast(weight.dtype());
        Self { padding: self.padding, ..Self::from_tensor(&self.name, weight) }
    }

    /// What tells this table from the model's others.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole table as f32, `[n_rows, dim]`; a copy where it is stored as bf16.
    pub fn weight(&self) -> Tensor<B, 2> {
        let weight = self.storage();
        if weight.dtype() == DType::BF16 { weight.cast(DType::F32) } else { weight }
    }

    /// The whole table as it is stored, `[n_rows, dim]`.
    pub(crate) fn storage(&self) -> Tensor<B, 2> {
        self.weight.as_ref().expect("the table is held between updates").val()
    }

    /// Rows and width.
    pub fn dims(&self) -> [usize; 2] {
        self.storage().dims()
    }

    /// Where the table lives.
    pub fn device(&self) -> B::Device {
        self.storage().device()
    }

    /// The ids on the device, none of them beyond the table.
    pub(crate) fn checked(&self, ids: &[u32]) -> Tensor<B, 1, Int> {
        self.assert_within(ids.iter().copied().max());
        id_tensor(ids, &self.device())
    }

    fn assert_within(&self, largest: Option<u32>) {
        let [n_rows, _] = self.dims();
        let beyond = largest.filter(|&id| id as usize >= n_rows);
        if let Some(id) = beyond {
            panic!("id {id} is beyond the {n_rows} rows of table {}", self.name);
        }
    }
}

impl<B: RecommenderBackend> EmbeddingTable<B> {
    /// The rows of `ids` without a gradient, for inference.
    ///
    /// # Shapes
    ///
    /// - output: `[ids.len(), dim]`, f32
    ///
    /// # Panics
    ///
    /// If an id is beyond the table; [`lookup_or_zeros`](Self::lookup_or_zeros) gives zeros there.
    pub fn lookup(&self, ids: &[u32]) -> Tensor<B, 2> {
        B::gather_rows(self.storage(), self.checked(ids))
    }

    /// The rows of `ids` without a gradient, and zeros for an id beyond the table, of which nothing was learnt.
    ///
    /// # Shapes
    ///
    /// - output: `[ids.len(), dim]`, f32
    ///
    /// # Panics
    ///
    /// If the table has no rows at all.
    pub fn lookup_or_zeros(&self, ids: &[u32]) -> Tensor<B, 2> {
        let [n_rows, _] = self.dims();
        let is_known = |id: u32| (id as usize) < n_rows;
        if ids.iter().all(|&id| is_known(id)) {
            return self.lookup(ids);
        }
        let stand_ins: Vec<u32> = ids.iter().map(|&id| if is_known(id) { id } else { 0 }).collect();
        let mask: Vec<f32> = ids.iter().map(|&id| f32::from(is_known(id))).collect();
        let mask = Tensor::from_data(TensorData::new(mask, [ids.len(), 1]), &self.device());
        self.lookup(&stand_ins) * mask
    }
}

impl<B: AutodiffRecommender> EmbeddingTable<B> {
    /// The distinct rows of a batch, as a leaf that receives a gradient.
    ///
    /// # Panics
    ///
    /// If an id is beyond the table.
    pub fn gather(&self, index: &RowIndex<B::InnerBackend>) -> GatheredRows<B> {
        self.assert_within(index.host_ids.last().copied());
        let rows = <B::InnerBackend>::gather_rows(self.storage().inner(), index.ids.clone());
        GatheredRows {
            table: self.name.clone(),
            ids: RowIds::Some(index.ids.clone(), Arc::clone(&index.host_ids)),
            padding: self.padding.and_then(|id| index.host_ids.binary_search(&id).ok()),
            selection: Some(index.selection.clone()),
            leaf: Tensor::from_inner(rows).require_grad(),
        }
    }

    /// Every row of the table, as a leaf that receives a gradient: for a softmax over the whole catalogue, which
    /// touches all of them.
    ///
    /// The step that follows costs what the table holds. [`GatheredRows::select`] looks examples up.
    pub fn gather_all(&self) -> GatheredRows<B> {
        GatheredRows {
            table: self.name.clone(),
            ids: RowIds::All,
            padding: self.padding.map(|id| id as usize),
            selection: None,
            leaf: Tensor::from_inner(self.weight().inner()).require_grad(),
        }
    }

    /// One step of an optimiser on the named rows; the moments after it come back.
    pub(crate) fn update_rows(
        &mut self,
        moments: Vec<Tensor<B::InnerBackend, 2>>,
        ids: RowIds<B::InnerBackend>,
        grads: Tensor<B::InnerBackend, 2>,
        step: RowStep<B::InnerBackend>,
    ) -> Vec<Tensor<B::InnerBackend, 2>> {
        let ids = match ids {
            RowIds::All => None,
            RowIds::Some(ids, _) => Some(ids),
        };
        let mut after = vec![];
        let weight = self.weight.take().expect("the table is held between updates");
        self.weight = Some(weight.map(|table| {
            let state = RowState { value: table.inner(), moments };
            let state = <B::InnerBackend>::update_rows(state, ids, grads, step);
            after = state.moments;
            Tensor::from_inner(state.value)
        }));
        after
    }
}

impl<B: AutodiffRecommender> GatheredRows<B> {
    /// Which of the gathered rows each example has: for what is computed once for each distinct row, such as a tower's
    /// output, and then selected ([`RecommenderBackend::select_rows`]) or multiplied
    /// ([`RecommenderBackend::pair_products`]) example by example.
    ///
    /// # Panics
    ///
    /// If the whole table was gathered, which knows no examples; see [`select`](Self::select).
    pub fn selection(&self) -> Selection<B> {
        let selection = self.selection.clone();
        selection.expect("rows gathered by an index know their examples; of a whole table, select").lifted()
    }

    /// One row for each example of the batch, `[batch, dim]`.
    ///
    /// # Panics
    ///
    /// As [`selection`](Self::selection).
    pub fn per_example(&self) -> Tensor<B, 2> {
        B::select_rows(self.leaf.clone(), &self.selection())
    }

    /// One row for each example, in any shape of examples: `[batch, dim]`, `[batch, seq, dim]` ...
    ///
    /// # Panics
    ///
    /// If the shape does not end in the width, or does not hold the examples.
    pub fn shaped<const D: usize>(&self, shape: [usize; D]) -> Tensor<B, D> {
        let rows = self.per_example();
        assert_eq!(shape.last(), rows.dims().last(), "the last axis is the width of the table");
        rows.reshape(shape)
    }

    /// The inner product of each example's row with its row of another table, `[batch]`.
    ///
    /// # Panics
    ///
    /// As [`selection`](Self::selection), of either.
    pub fn products(&self, other: &Self) -> Tensor<B, 1> {
        B::pair_products(self.leaf.clone(), other.leaf.clone(), &self.selection(), &other.selection())
    }

    /// Sums of the gathered rows, as `selection` says: single rows, or bags of them. Its columns are places in the
    /// leaf.
    ///
    /// # Shapes
    ///
    /// - output: `[selection rows, dim]`
    pub fn select(&self, selection: &Selection<B::InnerBackend>) -> Tensor<B, 2> {
        B::select_rows(self.leaf.clone(), &selection.clone().lifted())
    }
}

/// Ids as a tensor, `[ids.len()]`.
///
/// # Panics
///
/// If an id is 2^31 or more.
pub fn id_tensor<B: Backend>(ids: &[u32], device: &B::Device) -> Tensor<B, 1, Int> {
    let narrow = |&id: &u32| i32::try_from(id).expect("a table has fewer than 2^31 rows");
    let ids: Vec<i32> = ids.iter().map(narrow).collect();
    let shape = [ids.len()];
    Tensor::from_data(TensorData::new(ids, shape), device)
}

//! An embedding table whose training step costs what the batch touches, never what the table holds.

use burn::module::{Module, Param, ParamId};
use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor, TensorData};
use cresset_data::UniqueRows;

use crate::backend::write_rows;
use crate::{AutodiffRecommender, init};

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
}

/// The distinct rows that a batch touches, on a device.
#[derive(Debug, Clone)]
pub struct RowIndex<B: Backend> {
    /// Distinct ids, ascending, `[n_unique]`.
    pub ids: Tensor<B, 1, Int>,
    /// For each example the place of its id in `ids`, `[batch]`.
    pub positions: Tensor<B, 1, Int>,
    /// How many examples have each distinct id, `[n_unique, 1]`.
    pub counts: Tensor<B, 2>,
    largest: Option<u32>,
}

/// Rows of one table as the leaf of an autodiff graph; part of a [`ForwardPass`](crate::ForwardPass).
#[derive(Debug, Clone)]
pub struct GatheredRows<B: AutodiffRecommender> {
    pub(crate) table: String,
    pub(crate) ids: Tensor<B::InnerBackend, 1, Int>,
    positions: Tensor<B::InnerBackend, 1, Int>,
    /// The rows, `[n_unique, dim]`.
    pub leaf: Tensor<B, 2>,
}

impl<B: Backend> RowIndex<B> {
    /// Moves the rows that the loader found to `device`.
    pub fn new(rows: &UniqueRows, device: &B::Device) -> Self {
        let counts: Vec<f32> = rows.counts.iter().map(|&count| count as f32).collect();
        Self {
            ids: id_tensor(&rows.ids, device),
            positions: id_tensor(&rows.positions, device),
            counts: Tensor::from_data(TensorData::new(counts, [rows.ids.len(), 1]), device),
            largest: rows.ids.last().copied(),
        }
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

    /// A table with the given rows, `[n_rows, dim]`.
    pub fn from_tensor(name: &str, weight: Tensor<B, 2>) -> Self {
        // Not `Param::from_tensor`, which would ask for a gradient of the whole table.
        let weight = Some(Param::initialized(ParamId::new(), weight));
        Self { weight, name: name.to_owned() }
    }

    /// The table with every row but those in `kept` set to zero.
    ///
    /// # Panics
    ///
    /// If an id in `kept` is beyond the table.
    pub fn with_zeros_but(self, kept: &[u32]) -> Self {
        let weight = self.weight();
        let [n_rows, _] = weight.dims();
        let mut mask = vec![0.0f32; n_rows];
        for &id in kept {
            mask[id as usize] = 1.0;
        }
        let mask = Tensor::from_data(TensorData::new(mask, [n_rows, 1]), &weight.device());
        Self::from_tensor(&self.name, weight * mask)
    }

    /// What tells this table from the model's others.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole table, `[n_rows, dim]`.
    #[expect(clippy::missing_panics_doc, reason = "nobody else can see the table while it is empty")]
    pub fn weight(&self) -> Tensor<B, 2> {
        self.weight.as_ref().expect("the table is held between updates").val()
    }

    /// Rows and width.
    pub fn dims(&self) -> [usize; 2] {
        self.weight().dims()
    }

    /// The rows of `ids` without a gradient, for inference.
    ///
    /// Not every backend notices an id beyond the table; [`lookup_or_zeros`](Self::lookup_or_zeros) looks.
    ///
    /// # Shapes
    ///
    /// - ids: `[batch]`
    /// - output: `[batch, dim]`
    pub fn lookup(&self, ids: Tensor<B, 1, Int>) -> Tensor<B, 2> {
        self.weight().select(0, ids)
    }

    /// The rows of `ids` without a gradient, and zeros for an id beyond the table, of which nothing was learnt.
    ///
    /// # Shapes
    ///
    /// - output: `[ids.len(), dim]`
    ///
    /// # Panics
    ///
    /// If the table has no rows at all.
    pub fn lookup_or_zeros(&self, ids: &[u32]) -> Tensor<B, 2> {
        let weight = self.weight();
        let device = weight.device();
        let is_known = |id: u32| (id as usize) < weight.dims()[0];
        if ids.iter().all(|&id| is_known(id)) {
            return weight.select(0, id_tensor(ids, &device));
        }
        let stand_ins: Vec<u32> = ids.iter().map(|&id| if is_known(id) { id } else { 0 }).collect();
        let mask: Vec<f32> = ids.iter().map(|&id| f32::from(is_known(id))).collect();
        let mask = Tensor::from_data(TensorData::new(mask, [ids.len(), 1]), &device);
        weight.select(0, id_tensor(&stand_ins, &device)) * mask
    }
}

impl<B: AutodiffRecommender> EmbeddingTable<B> {
    /// The distinct rows of a batch, as a leaf that receives a gradient.
    ///
    /// # Panics
    ///
    /// If an id is beyond the table.
    pub fn gather(&self, index: &RowIndex<B::InnerBackend>) -> GatheredRows<B> {
        let weight = self.weight().inner();
        let [n_rows, _] = weight.dims();
        assert!(
            index.largest.is_none_or(|id| (id as usize) < n_rows),
            "id {} is beyond the {n_rows} rows of table {}",
            index.largest.unwrap_or_default(),
            self.name,
        );
        GatheredRows {
            table: self.name.clone(),
            ids: index.ids.clone(),
            positions: index.positions.clone(),
            leaf: Tensor::from_inner(weight.select(0, index.ids.clone())).require_grad(),
        }
    }

    pub(crate) fn replace_rows(
        &mut self,
        ids: Tensor<B::InnerBackend, 1, Int>,
        rows: Tensor<B::InnerBackend, 2>,
    ) {
        let weight = self.weight.take().expect("the table is held between updates");
        self.weight = Some(weight.map(|table| Tensor::from_inner(write_rows(table.inner(), ids, rows))));
    }
}

impl<B: AutodiffRecommender> GatheredRows<B> {
    /// One row for each example of the batch, `[batch, dim]`.
    pub fn per_example(&self) -> Tensor<B, 2> {
        self.leaf.clone().select(0, Tensor::from_inner(self.positions.clone()))
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

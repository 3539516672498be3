//! The gradients of one or more passes, of rows and dense parameters together.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Add;
use std::sync::Arc;

use burn::module::{ModuleVisitor, Param};
use burn::tensor::Tensor;
use burn::tensor::backend::{AutodiffBackend, Backend};

use super::{dense_key, rows_key};
use crate::path::Path;
use crate::table::{GatheredRows, RowIds};
use crate::{AutodiffRecommender, ForwardPass, RecommenderBackend, Selection, TrainModel, id_tensor, scalar};

/// What a model's parameters are to move against: the rows of each table and the dense parameters.
///
/// Several passes are added up, which is how a batch larger than memory is taken in parts: the
/// gradient of a row that several of them touch is the sum of theirs, as if one pass had seen all.
///
/// ```
/// # use burn::module::Module;
/// # use burn::tensor::backend::Backend;
/// # use burn::backend::{Autodiff, Flex};
/// # use cresset_data::UniqueRows;
/// # use cresset_nn::optim::{Optimizer, OptimizerConfig};
/// # use cresset_nn::{AutodiffRecommender, EmbeddingTable, ForwardPass, RowIndex, StepKey, TrainModel};
/// # #[derive(Module, Debug)]
/// # struct Lengths<B: Backend> { films: EmbeddingTable<B> }
/// # impl<B: AutodiffRecommender> TrainModel<B> for Lengths<B> {
/// #     type Batch = Vec<u32>;
/// #     fn forward_loss(&self, films: &Vec<u32>, _key: StepKey) -> ForwardPass<B> {
/// #         let rows = self.films.gather(&RowIndex::new(&UniqueRows::of(films), &self.films.device()));
/// #         let loss = rows.per_example().powi_scalar(2).mean();
/// #         ForwardPass { terms: vec![("loss", loss)], n_examples: films.len(), rows: vec![rows] }
/// #     }
/// #     fn tables_mut(&mut self) -> Vec<&mut EmbeddingTable<B>> { vec![&mut self.films] }
/// # }
/// # let films = EmbeddingTable::normal("films", [9, 2], 1.0, 42, &Default::default());
/// # let model = Lengths::<Autodiff<Flex>> { films };
/// # let mut optimizer = Optimizer::new(OptimizerConfig::default()).with_max_grad_norm(1.0);
/// # let halves = [vec![1, 2], vec![2, 3]];
/// let key = StepKey { seed: 42, step: 0 };
/// let [first, second] = halves.map(|half| model.forward_loss(&half, key).backward(&model));
/// let mean = (first + second).times(0.5);
/// let model = optimizer.apply(model, mean, 0.1);
/// assert!(optimizer.gradient_norm()? > 0.0);
/// # Ok::<(), cresset_nn::optim::NonFiniteGradient>(())
/// ```
#[derive(Debug)]
pub struct Gradients<B: AutodiffRecommender> {
    /// By path, each flattened to `[1, values]`.
    pub(super) dense: BTreeMap<String, Tensor<B::InnerBackend, 2>>,
    /// By table name.
    pub(super) rows: BTreeMap<String, RowGradients<B::InnerBackend>>,
    /// The gradients are this many times too large.
    scaled_by: f32,
}

/// Gradients of some rows of a table, `[n, dim]`.
#[derive(Debug)]
pub(super) struct RowGradients<B: Backend> {
    pub(super) ids: RowIds<B>,
    pub(super) grad: Tensor<B, 2>,
}

/// A gradient holds NaN or an infinity, or is too long for f32.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error(
    "the gradient of {parameter} has norm {norm} at step {step}, which was not taken; lower the learning rate, or \
     look for values in the data that are not finite"
)]
pub struct NonFiniteGradient {
    /// The first table or parameter path that is at fault.
    pub parameter: String,
    /// NaN or infinity.
    pub norm: f32,
    /// The step, from 1.
    pub step: u64,
}

impl<B: AutodiffRecommender> ForwardPass<B> {
    /// The gradients of the loss.
    ///
    /// # Panics
    ///
    /// If the loss has no term, or the pass gathered from one table twice: the second update would undo the first.
    pub fn backward<M: TrainModel<B>>(self, model: &M) -> Gradients<B> {
        self.backward_scaled(model, 1.0)
    }

    /// The gradients of the loss, computed on the loss times `loss_scale`, so that small ones survive in half
    /// precision. Norms, clipping and the optimiser's step see them at their true size.
    ///
    /// # Panics
    ///
    /// As [`backward`](Self::backward), and if `loss_scale` is not above 0.
    pub fn backward_scaled<M: TrainModel<B>>(self, model: &M, loss_scale: f32) -> Gradients<B> {
        assert!(loss_scale > 0.0, "loss_scale = {loss_scale}, expected a number above 0");
        let loss = self.loss();
        let loss = if loss_scale == 1.0 { loss } else { loss * loss_scale };
        let mut graph = loss.backward();
        let mut rows = BTreeMap::new();
        let mut tables = BTreeSet::new();
        for gathered in self.rows {
            let GatheredRows { table, ids, padding, leaf, .. } = gathered;
            assert!(
                tables.insert(table.clone()),
                "a pass gathers once from each table, but twice from {table}"
            );
            // A leaf that the loss does not depend on has no gradient and does not move.
            let Some(grad) = leaf.grad_remove(&mut graph) else { continue };
            let grad = without_row(grad, padding);
            rows.insert(table, RowGradients { ids, grad });
        }
        let mut dense = Collect { graph, path: Path::default(), found: BTreeMap::new() };
        model.visit(&mut dense);
        Gradients { dense: dense.found, rows, scaled_by: loss_scale }
    }
}

impl<B: AutodiffRecommender> Gradients<B> {
    /// Whether nothing has a gradient.
    pub fn is_empty(&self) -> bool {
        self.dense.is_empty() && self.rows.is_empty()
    }

    /// Whether every value is finite: in half precision, whether the loss was scaled too far. Waits for the device.
    pub fn is_finite(&self) -> bool {
        self.is_empty() || self.norms().check(0).is_ok()
    }

    /// Leaves out what is not wanted; tables and parameters go by the keys of the optimiser's state.
    pub(super) fn keep(&mut self, is_wanted: impl Fn(&str) -> bool) {
        self.dense.retain(|path, _| is_wanted(&dense_key(path)));
        self.rows.retain(|table, _| is_wanted(&rows_key(table)));
    }

    /// All gradients times a number: 1 over the number of passes makes a mean of a sum, and -1 turns them round.
    pub fn times(mut self, factor: f32) -> Self {
        self.scaled_by /= factor;
        self
    }

    pub(super) fn norms(&self) -> Norms<B::InnerBackend> {
        let squares =
            |grad: &Tensor<B::InnerBackend, 2>| <B::InnerBackend>::sum_of_squares(grad.clone(), None);
        let dense = self.dense.iter().map(|(path, grad)| (path.clone(), squares(grad)));
        let rows = self.rows.iter().map(|(table, rows)| (table.clone(), squares(&rows.grad)));
        Norms { squares: rows.chain(dense).collect(), scaled_by: self.scaled_by }
    }
}

impl<B: AutodiffRecommender> Add for Gradients<B> {
    type Output = Self;

    /// The sum of two passes' gradients.
    ///
    /// # Panics
    ///
    /// If one was scaled by another number than the other.
    fn add(mut self, other: Self) -> Self {
        assert_eq!(self.scaled_by, other.scaled_by, "passes that are added have one loss scale");
        for (path, grad) in other.dense {
            match self.dense.entry(path) {
                Entry::Vacant(place) => drop(place.insert(grad)),
                Entry::Occupied(mut sum) => {
                    let sum = sum.get_mut();
                    *sum = sum.clone() + grad;
                }
            }
        }
        for (table, rows) in other.rows {
            let sum = match self.rows.remove(&table) {
                None => rows,
                Some(sum) => sum.plus(rows),
            };
            self.rows.insert(table, sum);
        }
        self
    }
}

impl<B: RecommenderBackend> RowGradients<B> {
    fn plus(self, other: Self) -> Self {
        let [_, dim] = self.grad.dims();
        let device = self.grad.device();
        let (a, b) = match (&self.ids, &other.ids) {
            (RowIds::Some(_, a), RowIds::Some(_, b)) => (Arc::clone(a), Arc::clone(b)),
            (RowIds::All, RowIds::All) => return Self { ids: RowIds::All, grad: self.grad + other.grad },
            // Some rows onto all of them.
            (RowIds::All, RowIds::Some(_, ids)) => {
                let into = Selection::one_each(ids, self.grad.dims()[0], &device).transposed;
                return Self { ids: RowIds::All, grad: self.grad + B::sum_rows(other.grad, &into) };
            }
            (RowIds::Some(..), RowIds::All) => return other.plus(self),
        };
        let mut union: Vec<u32> = a.iter().chain(b.iter()).copied().collect();
        union.sort_unstable();
        union.dedup();
        let place = |id: &u32| union.binary_search(id).expect("the union holds every id") as u32;
        let places: Vec<u32> = a.iter().chain(b.iter()).map(place).collect();
        let sums = Selection::one_each(&places, union.len(), &device).transposed;
        let both = Tensor::cat(vec![self.grad, other.grad], 0).reshape([places.len(), dim]);
        let grad = B::sum_rows(both, &sums);
        Self { ids: RowIds::Some(id_tensor(&union, &device), union.into()), grad }
    }
}

/// The padding row's gradient is nobody's: where it stands, it becomes zero, which no rule moves a row of zeros by.
fn without_row<B: Backend>(grad: Tensor<B, 2>, row: Option<usize>) -> Tensor<B, 2> {
    let Some(row) = row else { return grad };
    let [_, dim] = grad.dims();
    let zeros = Tensor::zeros([1, dim], &grad.device());
    grad.slice_assign([row..row + 1, 0..dim], zeros)
}

/// Sums of squares of a step's gradients.
#[derive(Debug)]
pub(super) struct Norms<B: Backend> {
    squares: Vec<(String, Tensor<B, 1>)>,
    scaled_by: f32,
}

impl<B: Backend> Norms<B> {
    fn norm(&self) -> Tensor<B, 1> {
        let sum =
            self.squares.iter().map(|(_, squares)| squares.clone()).reduce(|sum, squares| sum + squares);
        sum.expect("asked where there is a gradient").sqrt() / self.scaled_by.abs()
    }

    /// What every gradient is multiplied by, `[1]`; not finite where one of them is not.
    pub(super) fn scale(&self, max_norm: Option<f32>) -> Tensor<B, 1> {
        let norm = self.norm();
        let clip = match max_norm {
            None => norm.clone() * 0.0 + 1.0,
            // The last term is 0, or NaN where the norm is not finite and a minimum might hide it.
            Some(max) => (norm.clone() + 1e-6).recip().mul_scalar(max).clamp_max(1.0) + norm * 0.0,
        };
        clip / self.scaled_by
    }

    /// The length of each gradient, by table name and parameter path; waits for the device, once.
    pub(super) fn each(&self) -> BTreeMap<&str, f32> {
        let squares: Vec<_> = self.squares.iter().map(|(_, squares)| squares.clone()).collect();
        let norms = (Tensor::cat(squares, 0).sqrt() / self.scaled_by.abs()).into_data();
        self.squares.iter().map(|(name, _)| name.as_str()).zip(norms.iter::<f32>()).collect()
    }

    pub(super) fn check(&self, step: u64) -> Result<f32, NonFiniteGradient> {
        let norm = scalar(self.norm());
        if norm.is_finite() {
            return Ok(norm);
        }
        let each = self.squares.iter().map(|(name, squares)| (name, scalar(squares.clone()).sqrt()));
        let at_fault = each.clone().find(|(_, norm)| !norm.is_finite());
        let (parameter, norm) =
            at_fault.map_or(("all parameters".to_owned(), norm), |(name, norm)| (name.clone(), norm));
        Err(NonFiniteGradient { parameter, norm, step })
    }
}

/// Takes the gradients of dense parameters out of a graph.
struct Collect<B: AutodiffRecommender> {
    graph: <B as AutodiffBackend>::Gradients,
    path: Path,
    found: BTreeMap<String, Tensor<B::InnerBackend, 2>>,
}

impl<B: AutodiffRecommender> ModuleVisitor<B> for Collect<B> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        let Some(grad) = param.val().grad_remove(&mut self.graph) else { return };
        let values = grad.shape().num_elements();
        // The rules work on matrices; element by element, a row of everything is as good as any shape.
        self.found.insert(self.path.to_string(), grad.reshape([1, values]));
    }
}

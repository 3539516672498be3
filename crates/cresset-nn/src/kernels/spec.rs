//! What the operations of [`RecommenderBackend`](crate::RecommenderBackend) are given and give back.

use burn::tensor::backend::Backend;
use burn::tensor::{Bool, Int, Tensor};

use crate::{Activation, Dropout, DropoutKey, Neighbourhoods};

/// A sparse matrix by rows, `[n_rows, n_columns]`: row `r` holds the entries `offsets[r]..offsets[r + 1]`.
#[derive(Debug, Clone)]
pub struct CsrMatrix<B: Backend> {
    /// Where each row's entries begin, and their number at the end, `[n_rows + 1]`; `None` where every row has
    /// exactly one entry.
    pub offsets: Option<Tensor<B, 1, Int>>,
    /// The column of each entry, `[n_entries]`.
    pub columns: Tensor<B, 1, Int>,
    /// The value of each entry, `[n_entries]`; `None` where all are 1.
    pub values: Option<Tensor<B, 1>>,
    /// The row of each entry, `[n_entries]`, for backends that add entry by entry; `None` where entry and row are
    /// one.
    pub entry_rows: Option<Tensor<B, 1, Int>>,
    /// Rows of the matrix.
    pub n_rows: usize,
}

/// A sparse matrix beside its transpose, both prepared by the loader.
#[derive(Debug, Clone)]
pub struct Selection<B: Backend> {
    /// `[n_out, n_in]`
    pub matrix: CsrMatrix<B>,
    /// `[n_in, n_out]`
    pub transposed: CsrMatrix<B>,
}

/// Rows beside what an update rule remembers of them.
#[derive(Debug, Clone)]
pub struct RowState<B: Backend> {
    /// `[n_rows, dim]`, f32 or bf16.
    pub value: Tensor<B, 2>,
    /// In the order of the rule's names; f32.
    pub moments: Vec<Tensor<B, 2>>,
}

/// One step of an update rule.
#[derive(Debug, Clone)]
pub struct RowStep<B: Backend> {
    /// The rule with this step's numbers.
    pub rule: RowRule,
    /// Multiplies the gradient, `[1]`: what clipping and loss scaling leave of it.
    pub scale: Tensor<B, 1>,
    /// Key of the random rounding of bf16 rows in this step.
    pub rounding: DropoutKey,
}

/// An update rule with the numbers of one step. `g` is the gradient, `w` the row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RowRule {
    /// `v = momentum v + g; w -= learning_rate v`, without a moment where `momentum` is 0.
    Sgd {
        /// Size of the step.
        learning_rate: f32,
        /// Share of the velocity that is kept.
        momentum: f32,
        /// Times the row is added to the gradient.
        weight_decay: f32,
    },
    /// `s += g^2; w -= learning_rate g / (sqrt(s) + epsilon)`.
    Adagrad {
        /// Size of the step.
        learning_rate: f32,
        /// Keeps the division finite.
        epsilon: f32,
        /// Times the row is added to the gradient.
        weight_decay: f32,
    },
    /// As Adagrad with one sum for each row, of the mean of `g^2`.
    RowwiseAdagrad {
        /// Size of the step.
        learning_rate: f32,
        /// Keeps the division finite.
        epsilon: f32,
        /// Times the row is added to the gradient.
        weight_decay: f32,
    },
    /// `m = beta_1 m + (1 - beta_1) g; v = beta_2 v + (1 - beta_2) g^2; w = decay w - rate m / (sqrt(v) / root_2 +
    /// epsilon)`.
    Adam {
        /// The learning rate over `1 - beta_1^t`.
        rate: f32,
        /// Share of the first moment that is kept.
        beta_1: f32,
        /// Share of the second moment that is kept.
        beta_2: f32,
        /// The root of `1 - beta_2^t`.
        root_2: f32,
        /// Keeps the division finite.
        epsilon: f32,
        /// Times the row is added to the gradient.
        weight_decay: f32,
        /// Multiplies the row: the decoupled decay of `AdamW`, else 1.
        decay: f32,
    },
}

impl RowRule {
    /// How many tensors the rule keeps beside a table.
    pub fn n_moments(&self) -> usize {
        match self {
            Self::Sgd { momentum: 0.0, .. } => 0,
            Self::Sgd { .. } | Self::Adagrad { .. } | Self::RowwiseAdagrad { .. } => 1,
            Self::Adam { .. } => 2,
        }
    }
}

/// How a positive's score is set against the others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Objective {
    /// Cross-entropy of the positive among all that the query is set against.
    Softmax,
    /// Binary cross-entropy, the positive's probability raised to `beta`; a query's terms are averaged. With `beta`
    /// 1 this is BCE.
    ///
    /// # Source
    ///
    /// Petrov and Macdonald, RecSys 2023, <https://doi.org/10.1145/3604915.3608783>: gBCE.
    Sigmoid {
        /// The positive's exponent, in 0..=1.
        beta: f32,
    },
    /// `-log sigmoid(positive - negative)`, averaged over a query's negatives.
    ///
    /// # Source
    ///
    /// Rendle et al., UAI 2009, <https://arxiv.org/abs/1205.2618>.
    Bpr,
}

/// Queries and what each is scored against: `score = scale * query . candidate + bias`.
#[derive(Debug, Clone)]
pub struct CandidateLoss<B: Backend> {
    /// `[n, dim]`
    pub queries: Tensor<B, 2>,
    /// `[n_candidates, dim]`
    pub candidates: Tensor<B, 2>,
    /// Which candidate is a query's positive, and which are its negatives.
    pub against: Against<B>,
    /// Added to the scores of each candidate, `[n_candidates]`; receives no gradient.
    pub bias: Option<Tensor<B, 1>>,
    /// Multiplies the inner products, a finite number above 0: the inverse of a temperature.
    pub scale: f32,
    /// Weight of each query, `[n]`, 0 for padding: the loss is the weighted mean, and 0 where all weights are.
    pub weights: Option<Tensor<B, 1>>,
}

impl<B: Backend> CandidateLoss<B> {
    /// What every body of the operation asks of its inputs.
    ///
    /// # Panics
    ///
    /// If the shapes do not fit, or `scale` is not a finite number above 0.
    pub(crate) fn check(&self) {
        let [n, dim] = self.queries.dims();
        let [n_candidates, width] = self.candidates.dims();
        assert_eq!(width, dim, "queries and candidates have one width");
        let has_positives = match &self.against {
            Against::OwnPositive { rows, .. } => rows.dims() == [n, dim],
            Against::All { positives, .. } | Against::Drawn { positives, .. } => positives.dims() == [n],
        };
        assert!(has_positives, "one positive for each query");
        let fits = |values: &Option<Tensor<B, 1>>, n: usize| values.as_ref().is_none_or(|v| v.dims() == [n]);
        assert!(fits(&self.bias, n_candidates), "one bias for each candidate");
        assert!(fits(&self.weights, n), "one weight for each query");
        let scale = self.scale;
        assert!(
            scale > 0.0 && scale.is_finite(),
            "scale = {scale} (temperature {}), expected a finite number above 0",
            scale.recip()
        );
    }
}

/// What a query is scored against.
#[derive(Debug, Clone)]
pub enum Against<B: Backend> {
    /// Every candidate; the positive is one of them.
    All {
        /// Each query's positive, a row of the candidates, `[n]`.
        positives: Tensor<B, 1, Int>,
        /// Leaves out negatives that are the positive under another row.
        hits: Option<AccidentalHits<B>>,
    },
    /// A positive of each query's own, and every candidate as a negative.
    OwnPositive {
        /// The positives' rows, `[n, dim]`.
        rows: Tensor<B, 2>,
        /// Added to the positives' scores, `[n]`.
        bias: Option<Tensor<B, 1>>,
        /// Leaves out negatives that are the positive.
        hits: Option<AccidentalHits<B>>,
    },
    /// A positive and some negatives of each query's own, all of them rows of the candidates. A negative equal to its
    /// positive is left out.
    Drawn {
        /// `[n]`
        positives: Tensor<B, 1, Int>,
        /// `[n, n_negatives]`
        negatives: Tensor<B, 2, Int>,
    },
}

/// Ids by which a negative is known to be the positive.
#[derive(Debug, Clone)]
pub struct AccidentalHits<B: Backend> {
    /// The id of each candidate, `[n_candidates]`.
    pub candidate_ids: Tensor<B, 1, Int>,
    /// The id of each query's positive, `[n]`.
    pub positive_ids: Tensor<B, 1, Int>,
}

/// Gradients of a [`CandidateLoss`].
#[derive(Debug, Clone)]
pub struct CandidateGradients<B: Backend> {
    /// `[n, dim]`
    pub queries: Tensor<B, 2>,
    /// `[n_candidates, dim]`
    pub candidates: Tensor<B, 2>,
    /// `[n, dim]`, of [`Against::OwnPositive`].
    pub positives: Option<Tensor<B, 2>>,
}

/// What follows a linear layer: `residual + dropout(activation(x + bias))`.
#[derive(Debug, Clone)]
pub struct Epilogue<B: Backend> {
    /// `[dim]`
    pub bias: Option<Tensor<B, 1>>,
    /// Applied after the bias.
    pub activation: Activation,
    /// Applied after the activation.
    pub dropout: Option<Dropout>,
    /// Added last, `[rows, dim]`.
    pub residual: Option<Tensor<B, 2>>,
}

impl<B: Backend> Default for Epilogue<B> {
    fn default() -> Self {
        Self { bias: None, activation: Activation::None, dropout: None, residual: None }
    }
}

/// Normalised rows and what the way back needs.
#[derive(Debug, Clone)]
pub struct Normalized<B: Backend> {
    /// `[rows, dim]`
    pub output: Tensor<B, 2>,
    /// `[rows]`
    pub mean: Tensor<B, 1>,
    /// One over the root of variance plus epsilon, `[rows]`.
    pub inverse_deviation: Tensor<B, 1>,
}

/// Who attends to whom.
#[derive(Debug, Clone)]
pub struct Attention<B: Backend> {
    /// Heads, which divide the width.
    pub n_heads: usize,
    /// Whether a place sees itself and what came before, or everything.
    pub causal: bool,
    /// True where there is padding, `[batch, seq]`: it is not seen, and its own output is zero.
    pub mask_pad: Option<Tensor<B, 2, Bool>>,
    /// Applied to the probabilities.
    pub dropout: Option<Dropout>,
}

/// Which users weigh the slots of which items, example by example.
#[derive(Debug, Clone)]
pub struct RelationAttention<B: Backend> {
    /// One row of the users' logits for each example.
    pub users: Selection<B>,
    /// One item of the neighbourhoods for each example.
    pub items: Selection<B>,
    /// The slots of the items.
    pub neighbours: Neighbourhoods<B>,
}

impl<B: Backend> RelationAttention<B> {
    /// What every body of the operation asks of its inputs.
    ///
    /// # Panics
    ///
    /// If the shapes do not fit, or a selection has not one row for each example.
    pub(crate) fn check(&self, tastes: [usize; 2], logits: [usize; 2], pooled: [usize; 2]) {
        let [batch, dim] = tastes;
        let one_each = |of: &Selection<B>| of.matrix.offsets.is_none() && of.matrix.columns.dims() == [batch];
        assert!(one_each(&self.users), "one user for each example");
        assert!(one_each(&self.items), "one item for each example");
        let expected = [self.users.transposed.n_rows, self.neighbours.n_relations()];
        assert_eq!(logits, expected, "one logit for each user and relation");
        assert_eq!(
            self.items.transposed.n_rows,
            self.neighbours.n_items(),
            "the items of the neighbourhoods"
        );
        assert_eq!(pooled, [self.neighbours.n_slots(), dim], "one row for each slot, as wide as the tastes");
    }
}

/// What the way back through [`attend_relations`](crate::RecommenderBackend::attend_relations) needs: for each example
/// as many places as an item has slots at most, those that its item lacks filled with zeros.
#[derive(Debug, Clone)]
pub struct RelationWeights<B: Backend> {
    /// How much the user heeds each slot, `[batch, places]`; they sum to 1 over the slots of an item.
    pub weights: Tensor<B, 2>,
    /// The taste times the row of each slot, `[batch, places]`.
    pub products: Tensor<B, 2>,
}

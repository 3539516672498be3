//! Losses: what a model is taught by. Each comes back as a mean, `[1]`, in nats where it is a likelihood.
//!
//! [`mse`], [`bce_with_logits`] and [`bpr`] judge scores that the model has computed. The others score for
//! themselves, queries against items, and never store the matrix of all scores:
//!
//! | what a query is set against | softmax | others |
//! | --- | --- | --- |
//! | every item | [`catalogue_cross_entropy`] | |
//! | the other positives of the batch | [`in_batch_softmax`], [`info_nce`] | |
//! | items drawn for the batch | [`sampled_softmax`] | |
//! | items drawn for each query | [`sampled_softmax_drawn`] | [`gbce`], [`bpr_drawn`] |
//!
//! Weights, where a loss takes them, make it a weighted mean: 0 leaves an example out, padding for instance, and where
//! all are 0 the loss is 0.

mod drawn;
mod scores;
mod softmax;

pub use drawn::{DrawnItems, bpr_drawn, gbce, gbce_beta, sampled_softmax_drawn};
pub use scores::{bce_with_logits, bpr, mse};
pub use softmax::{
    SampledItems, catalogue_cross_entropy, in_batch_softmax, info_nce, info_nce_both_ways, sampled_softmax,
};

//! The CPU's kernels, on slices: they know no tensor, and split their work the same way on any number of threads.
//!
//! Vector instructions are chosen when they run: `pulp` compiles each kernel for every width that it knows. Nothing
//! becomes denormal, since that would slow every later operation.

pub(super) mod attention;
pub(super) mod candidates;
pub(super) mod epilogue;
mod exp;
pub(super) mod features;
mod groups;
mod lanes;
pub(super) mod layer_norm;
pub(super) mod neighbours;
mod product;
pub(super) mod products;
pub(super) mod relations;
pub(super) mod rows;
mod small_product;
pub(super) mod top_k;
pub(super) mod update;

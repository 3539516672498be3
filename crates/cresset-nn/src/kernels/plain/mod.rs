//! The default bodies: ordinary Burn operations, right on any backend, and what every faster body is tested against.

mod attention;
mod candidates;
mod epilogue;
mod layer_norm;
mod neighbours;
mod relations;
mod rows;
mod top_k;
mod update;

pub(crate) use attention::{attention_backward, attention_forward};
pub(crate) use candidates::{candidate_loss, candidate_loss_forward};
pub(crate) use epilogue::{epilogue, epilogue_backward};
pub(crate) use layer_norm::{layer_norm_backward, layer_norm_forward};
pub(crate) use neighbours::{attend_neighbours_backward, attend_neighbours_forward};
pub(crate) use relations::{attend_relations_backward, attend_relations_forward};
pub(crate) use rows::{copy_to_host, gather_rows, pair_products, sum_of_squares, sum_rows};
pub(crate) use top_k::top_k;
pub(crate) use update::update_rows;

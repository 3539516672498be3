//! What the crate promises to models and trainers, on the CPU backend; one binary, since linking Burn is slow.

#![expect(clippy::unwrap_used, reason = "helpers of tests stop at what should not fail")]

mod dense;
mod experts;
mod golden;
mod gradients;
mod groups;
mod initial;
mod layers;
mod losses;
mod models;
mod neighbourhoods;
mod precision;
mod ranking;
mod rows;
mod state;
mod tables;
mod terms;
mod waves;
mod weight_files;

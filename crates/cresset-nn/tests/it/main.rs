//! What the crate promises to models and trainers, on the CPU backend; one binary, since linking Burn is slow.

#![expect(clippy::unwrap_used, reason = "helpers of tests stop at what should not fail")]

mod dense;
mod golden;
mod initial;
mod models;
mod rows;
mod state;
mod tables;
mod weight_files;

//! What the model promises, on the CPU backend; one binary, since linking Burn is slow.

#![expect(clippy::unwrap_used, reason = "helpers of tests stop at what should not fail")]

mod configs;
mod learning;
mod losses;
mod parts;
mod planted;
mod predictions;
mod ranking;
mod small;

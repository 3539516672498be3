//! The commands, one module each, and what they share. A binary in `bin/` parses its arguments and calls one.
//!
//! This is where concrete things are named: which models there are ([`models`]), how one is fitted from data to
//! results ([`fit`]), what it is printed beside ([`floor`]), how a trained one is opened again ([`saved`]), what it can do
//! then ([`served`]) and how it is asked why ([`reasons`], [`explanation`]). Everything else is in the crates.

// The types of Burn's graphs nest deeper than the compiler follows by default.
#![recursion_limit = "256"]
#![expect(missing_debug_implementations, reason = "a job runs once and is never printed")]

pub mod calibrate;
pub mod cli;
pub mod dry_run;
pub mod evaluate;
pub mod explain;
pub mod explanation;
pub mod failure;
pub mod fit;
pub mod floor;
pub mod inspect;
pub mod knowledge;
pub mod models;
pub mod out_of_memory;
pub mod predict;
pub mod prepare;
pub mod reasons;
pub mod recommend;
pub mod report;
pub mod saved;
pub mod served;
pub mod train;
pub mod tune;
pub mod two_tower;

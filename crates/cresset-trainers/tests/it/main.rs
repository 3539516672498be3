//! The crate as its users meet it: runs into real folders, on the CPU.

#![recursion_limit = "256"]
#![expect(clippy::unwrap_used, reason = "helpers of tests stop at what should not fail")]

mod config;
mod config_page;
mod duo;
mod history;
mod plots;
mod results;
mod resume;
mod run_dir;
mod saved_data;
mod schedules;
mod steps;
mod strategies;
mod support;
mod training;
mod watching;

//! The commands as a person meets them: each test starts the real programs in a folder of its own.

#![expect(clippy::unwrap_used, reason = "helpers of tests stop at what should not fail")]

mod bad_config;
mod bad_data;
mod bad_run;
mod baselines;
mod configs;
mod desk;
mod determinism;
#[cfg(unix)]
mod disk_full;
mod evaluate;
mod explain;
mod folds;
mod inspect;
mod interrupt;
mod kills;
mod outcome;
mod predict;
mod prefixes;
mod prepare;
mod quickstart;
mod ranking;
mod recommend;
mod report;
mod resume;
mod run_directory;
mod tune;
mod two_tower;

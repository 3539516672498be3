#![recursion_limit = "256"]
//! stub
pub mod cli;
pub mod dry_run;
pub mod evaluate;
pub mod failure;
pub mod fit;
pub mod inspect;
pub mod models;
pub mod predict;
pub mod recommend;
pub mod saved;
pub mod train;

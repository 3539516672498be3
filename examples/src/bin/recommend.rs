//! The `recommend` command.

use std::process::ExitCode;

use clap::Parser;
use cresset_examples::{cli, recommend};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::end(recommend::run(&recommend::Args::parse()))
}

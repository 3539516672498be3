//! The `predict` command.

use std::process::ExitCode;

use clap::Parser;
use cresset_examples::{cli, predict};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::end(predict::run(&predict::Args::parse()))
}

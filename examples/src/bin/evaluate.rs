//! The `evaluate` command.

use std::process::ExitCode;

use clap::Parser;
use cresset_examples::{cli, evaluate};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::end(evaluate::run(&evaluate::Args::parse()))
}

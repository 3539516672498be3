//! The `explain` command.

use std::process::ExitCode;

use clap::Parser;
use cresset_examples::{cli, explain};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::end(explain::run(&explain::Args::parse()))
}

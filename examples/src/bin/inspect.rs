//! The `inspect` command.

use std::process::ExitCode;

use clap::Parser;
use cresset_examples::{cli, inspect};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::end(inspect::run(&inspect::Args::parse()))
}

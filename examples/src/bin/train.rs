//! The `train` command.

use std::process::ExitCode;

use clap::Parser;
use cresset_examples::{cli, train};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::end(train::run(&train::Args::parse()))
}

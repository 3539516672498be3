//! The `tune` command.

use std::process::ExitCode;

use clap::Parser;
use cresset_examples::{cli, tune};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::end(tune::run(&tune::Args::parse()))
}

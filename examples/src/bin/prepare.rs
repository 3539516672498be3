//! The `prepare` command.

use std::process::ExitCode;

use clap::Parser;
use cresset_examples::{cli, prepare};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::end(prepare::run(&prepare::Args::parse()))
}

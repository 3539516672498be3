//! The `report` command.

use std::process::ExitCode;

use clap::Parser;
use cresset_examples::{cli, report};

fn main() -> ExitCode {
    cli::end(report::run(&report::Args::parse()))
}

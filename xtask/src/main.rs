//! The workspace's own commands.
//!
//! `cargo xtask check` runs every step that guards the main branch, the same ones and in the same order as continuous
//! integration. `cargo xtask data NAME` fetches a public data set from its owner and verifies it before anything stands
//! under its final name. `cargo xtask peers nn` measures our training steps beside PyTorch's, `peers kg-mf` those of kg-mf
//! and its answers to one user, `peers data` a file of ratings made ready beside pandas and Polars, `peers metrics`
//! ranking metrics beside ranx and PyTorch, `peers search` the search of a catalogue beside PyTorch and faiss, `peers
//! baselines` implicit ALS beside the package implicit; each writes its comparison into `docs/benchmarks.md`.
//!
//! ```text
//! cargo xtask check                       all steps, stopping at the first that fails
//! cargo xtask check --only clippy         one step
//! cargo xtask data ml-100k                fetched into data/ml-100k
//! cargo xtask data ml-100k --from DIR     the same from a local folder or zip file
//! cargo xtask peers nn                    all groups, written into docs/benchmarks.md
//! cargo xtask peers nn --only tables      one group, only printed
//! cargo xtask peers data                  all groups of another suite
//! ```
//!
//! Exit codes: 0 done, 2 bad arguments or data, 1 anything else.

mod check;
mod data;
mod files;
mod peers;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The workspace's own commands.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run what continuous integration runs, stopping at the first step that fails.
    Check(check::CheckOptions),
    /// Fetch a public data set from its owner, verify it and unpack it.
    Data(data::DataOptions),
    /// Measure training steps beside other libraries', in alternation.
    Peers(peers::PeersOptions),
}

fn main() -> ExitCode {
    let failure = match Cli::parse().command {
        Command::Check(options) => check::run(&options).err().map(|error| (1, error.to_string())),
        Command::Data(options) => {
            data::run(&options).err().map(|error| (error.exit_code(), error.to_string()))
        }
        Command::Peers(options) => {
            peers::run(&options).err().map(|error| (error.exit_code(), error.to_string()))
        }
    };
    match failure {
        None => ExitCode::SUCCESS,
        Some((code, sentence)) => {
            eprintln!("error: {sentence}");
            ExitCode::from(code)
        }
    }
}

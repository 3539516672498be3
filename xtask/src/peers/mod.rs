//! `cargo xtask peers SUITE`: our programs beside those of others, in alternation, written into `docs/benchmarks.md`.
//!
//! The suites `nn` and `kg-mf` have training steps beside PyTorch's, `data` a file of ratings beside pandas and Polars,
//! `metrics` ranking metrics beside ranx and PyTorch, `search` the search of a catalogue beside PyTorch and faiss,
//! `baselines` implicit ALS beside the package implicit.
//!
//! Each round runs our program and the peer's once for every group, the other one first in every second round, so that
//! a machine that slows down or warms up is shared by both. Ratios are taken within a round.

mod agreement;
mod document;
mod machine;
mod measurement;
mod program;
mod suite;
mod table;

use std::io;
use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;

use crate::workspace::{Workspace, WorkspaceError};
use agreement::Disagreement;
use machine::Machine;
use measurement::{LineError, Measurement};
use program::Programs;
use suite::{Group, Suite};

/// Where the comparison is written.
const DOCUMENT: &str = "docs/benchmarks.md";

/// What to measure and how often.
#[derive(Debug, Args)]
pub(crate) struct PeersOptions {
    /// Which programs.
    suite: Suite,
    /// How often each program runs, at least 1.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Only this group, printed and not written; may be given several times.
    #[arg(long, value_name = "GROUP", value_parser = PossibleValuesParser::new(suite::all_group_names()))]
    only: Vec<String>,
    /// The Python that has what `benches/peers/requirements.txt` lists.
    #[arg(long, value_name = "PATH", default_value = ".venv/bin/python")]
    python: PathBuf,
    /// Threads of each program.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..))]
    threads: u16,
    /// Also run the peers without the settings that make their buffers and denormals cheap.
    #[arg(long)]
    stock: bool,
}

/// Why there is no comparison.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PeersError {
    /// The workspace could not be described.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// Python or a package of it is not there.
    #[error(
        "{python} cannot say its version of {packages} ({reason}); make it with `python3 -m venv .venv` and \
         `.venv/bin/pip install -r benches/peers/requirements.txt`, or name another with --python"
    )]
    NoPeer {
        /// The program asked.
        python: PathBuf,
        /// The packages it was asked for.
        packages: String,
        /// What went wrong.
        reason: String,
    },
    /// A program did not start.
    #[error("`{command}` did not start ({error})")]
    Start {
        /// The command line.
        command: String,
        /// What the system said.
        error: io::Error,
    },
    /// A program ended with a failure.
    #[error("`{command}` ended with {status}")]
    Program {
        /// The command line.
        command: String,
        /// How it ended.
        status: String,
    },
    /// A program printed something else than measurements of its group.
    #[error("`{command}` printed {error}")]
    Line {
        /// The command line.
        command: String,
        /// What is wrong with which line.
        error: LineError,
    },
    /// Two implementations of a case came to different values.
    #[error(transparent)]
    Disagreement(#[from] Disagreement),
    /// The document has no place for the table.
    #[error("{path} has {found}, expected `{begin}` once and `{end}` once after it")]
    Markers {
        /// The document.
        path: PathBuf,
        /// What is there.
        found: &'static str,
        /// The first marker.
        begin: String,
        /// The last marker.
        end: String,
    },
    /// A file could not be read or written.
    #[error("{path}: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

impl PeersError {
    /// 2 for what the arguments or the document got wrong, 1 for anything else.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::NoPeer { .. } | Self::Markers { .. } => 2,
            _ => 1,
        }
    }

    /// For `map_err`: says at which path the system complained.
    fn at(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |error| Self::Io { path, error }
    }
}

/// Measures the chosen groups, prints the table and, when all groups were chosen, writes it into the document.
///
/// # Errors
///
/// If Python lacks a peer, the document has no markers, or a program fails or prints something unexpected.
pub(crate) fn run(options: &PeersOptions) -> Result<(), PeersError> {
    let suite = options.suite;
    let workspace = Workspace::load()?;
    let path = workspace.root.join(DOCUMENT);
    // Both are asked before the first measurement: the measurements take many minutes.
    let machine = Machine::describe(&options.python, suite.packages())?;
    let is_written = options.only.is_empty();
    if is_written {
        document::load(&path, suite.name())?;
    }

    let programs = Programs::build(&workspace, options)?;
    let measurements = measure(&programs, &suite.chosen_groups(&options.only), options)?;

    let section = section(options, &machine, &measurements);
    println!("\n{section}");
    if is_written {
        document::write(&path, suite.name(), &section)?;
        println!("written into {}", path.display());
    }
    Ok(())
}

fn measure(
    programs: &Programs<'_>,
    groups: &[&Group],
    options: &PeersOptions,
) -> Result<Vec<Measurement>, PeersError> {
    let mut measurements = Vec::new();
    for group in groups {
        programs.prepare(group)?;
        for round in 0..usize::from(options.rounds) {
            eprintln!("{}, round {} of {}", group.name, round + 1, options.rounds);
            for command in programs.in_order(group, round) {
                let lines = program::output_of(command, group.name)?;
                measurements.extend(lines.into_iter().map(|line| Measurement { round, line }));
                agreement::check(&measurements)?;
            }
        }
    }
    Ok(measurements)
}

/// What stands between the markers.
fn section(options: &PeersOptions, machine: &Machine, measurements: &[Measurement]) -> String {
    let table = table::render(measurements);
    let rounds = options.rounds;
    let settings = if options.stock { " --stock" } else { "" };
    format!(
        "```sh\ncargo xtask peers {suite} --rounds {rounds} --threads {threads}{settings}\n```\n\n\
         {machine}, {threads} threads each. Each figure is the median over {rounds} rounds of a round's median, \
         with its smallest\nand largest round; a ratio is the peer's figure over ours in the same round, above 1 where \
         ours is ahead.\n\n{table}",
        suite = options.suite.name(),
        threads = options.threads,
    )
}

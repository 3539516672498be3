//! `cargo xtask peers nn`: our training steps beside PyTorch's, in alternation, written into `docs/benchmarks.md`.
//!
//! Each round runs our program and the peer's once for every group, the other one first in every second round, so that
//! a machine that slows down or warms up is shared by both. Ratios are taken within a round.

mod document;
mod machine;
mod measurement;
mod program;
mod table;

use std::io;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};

use crate::workspace::{Workspace, WorkspaceError};
use machine::Machine;
use measurement::{LineError, Measurement};
use program::Programs;

/// Where the comparison is written.
const DOCUMENT: &str = "docs/benchmarks.md";

/// The groups of the suite `nn`, in the order of the table.
const NN_GROUPS: &[Group] = &[
    Group { name: "two_tower_step", program: "two_tower_step.py", steps: 20, warmup: 3 },
    Group { name: "kg_mf_step", program: "kg_mf_step.py", steps: 20, warmup: 3 },
    Group { name: "catalogue_softmax", program: "catalogue_softmax.py", steps: 10, warmup: 2 },
    Group { name: "sasrec_step", program: "sasrec_step.py", steps: 10, warmup: 2 },
    Group { name: "tables", program: "tables_step.py", steps: 50, warmup: 5 },
    Group { name: "attention", program: "attention.py", steps: 50, warmup: 5 },
];

/// What to measure and how often.
#[derive(Debug, Args)]
pub(crate) struct PeersOptions {
    /// Which programs.
    suite: Suite,
    /// How often each program runs, at least 1.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Only this group, printed and not written; may be given several times.
    #[arg(long, value_name = "GROUP", value_parser = PossibleValuesParser::new(group_names()))]
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

/// Programs that belong together.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Suite {
    /// Training steps of the shared layers: PyTorch.
    Nn,
}

/// Cases that one program of each side measures.
#[derive(Debug)]
struct Group {
    /// Its name on both sides.
    name: &'static str,
    /// The peer's file in `benches/peers`.
    program: &'static str,
    /// Measured steps of a case in each round.
    steps: usize,
    /// Steps before them.
    warmup: usize,
}

/// Why there is no comparison.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PeersError {
    /// The workspace could not be described.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// Python or PyTorch is not there.
    #[error(
        "{python} cannot say its torch version ({reason}); make it with `python3 -m venv .venv` and \
         `.venv/bin/pip install -r benches/peers/requirements.txt`, or name another with --python"
    )]
    NoTorch {
        /// The program asked.
        python: PathBuf,
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
    /// The document has no place for the table.
    #[error("{path} has {found}, expected `{begin}` once and `{end}` once after it")]
    Markers {
        /// The document.
        path: PathBuf,
        /// What is there.
        found: &'static str,
        /// The first marker.
        begin: &'static str,
        /// The last marker.
        end: &'static str,
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
            Self::NoTorch { .. } | Self::Markers { .. } => 2,
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
/// If Python lacks PyTorch, the document has no markers, or a program fails or prints something unexpected.
pub(crate) fn run(options: &PeersOptions) -> Result<(), PeersError> {
    let Suite::Nn = options.suite;
    let workspace = Workspace::load()?;
    let path = workspace.root.join(DOCUMENT);
    // Both are asked before the first measurement: the measurements take many minutes.
    let machine = Machine::describe(&options.python)?;
    let is_written = options.only.is_empty();
    if is_written {
        document::load(&path)?;
    }

    let programs = Programs::build(&workspace, options)?;
    let measurements = measure(&programs, &chosen_groups(&options.only), options)?;

    let section = section(options, &machine, &measurements);
    println!("\n{section}");
    if is_written {
        document::write(&path, &section)?;
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
        for round in 0..usize::from(options.rounds) {
            eprintln!("{}, round {} of {}", group.name, round + 1, options.rounds);
            for command in programs.in_order(group, round) {
                let lines = program::output_of(command, group.name)?;
                measurements.extend(lines.into_iter().map(|line| Measurement { round, line }));
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
        "```sh\ncargo xtask peers nn --rounds {rounds} --threads {threads}{settings}\n```\n\n\
         {machine}, {threads} threads each. Each figure is the median over {rounds} rounds of a round's median step, \
         with its smallest\nand largest round; a ratio is the peer's figure over ours in the same round, above 1 where \
         ours is ahead.\n\n{table}",
        threads = options.threads,
    )
}

fn chosen_groups(only: &[String]) -> Vec<&'static Group> {
    let is_chosen = |group: &&Group| only.is_empty() || only.iter().any(|name| name == group.name);
    NN_GROUPS.iter().filter(is_chosen).collect()
}

fn group_names() -> Vec<&'static str> {
    NN_GROUPS.iter().map(|group| group.name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_groups_run_in_order_unless_told_otherwise() {
        let names = |only: &[String]| chosen_groups(only).iter().map(|group| group.name).collect::<Vec<_>>();
        assert_eq!(names(&[]), group_names());
        assert_eq!(names(&["attention".into(), "tables".into()]), ["tables", "attention"]);
    }

    #[test]
    fn every_group_has_its_peer_program() {
        let workspace = Workspace::load().unwrap();
        for group in NN_GROUPS {
            let path = workspace.root.join("benches/peers").join(group.program);
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(text.contains(&format!("\"{}\"", group.name)), "{} has another group", path.display());
        }
    }
}

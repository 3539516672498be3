//! The programs of both sides.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::measurement::{self, Line};
use super::suite::{Amount, Group, Peer};
use super::{PeersError, PeersOptions};
use crate::workspace::{Workspace, cargo_program};

/// Our program and the peers'.
#[derive(Debug)]
pub(super) struct Programs<'a> {
    root: &'a Path,
    options: &'a PeersOptions,
    /// Where files are made that both sides read.
    folder: PathBuf,
}

impl<'a> Programs<'a> {
    /// The programs, ours built.
    ///
    /// # Errors
    ///
    /// If ours cannot be built.
    pub(super) fn build(workspace: &'a Workspace, options: &'a PeersOptions) -> Result<Self, PeersError> {
        let mut command = Command::new(cargo_program());
        command.current_dir(&workspace.root).arg("build").args(options.suite.our_program());
        run(command)?;
        Ok(Self { root: &workspace.root, options, folder: workspace.root.join("target").join("peers") })
    }

    /// Has our program make the file that both sides read.
    ///
    /// # Errors
    ///
    /// If it fails.
    pub(super) fn prepare(&self, group: &Group) -> Result<(), PeersError> {
        match group.amount {
            Amount::Steps { .. } => Ok(()),
            Amount::File { .. } => {
                let mut command = self.ours(group);
                command.arg("--make");
                run(command)
            }
        }
    }

    /// The commands of one round: ours first in even rounds, last in odd ones.
    pub(super) fn in_order(&self, group: &Group, round: usize) -> Vec<Command> {
        let mut commands = vec![self.ours(group)];
        match group.amount {
            Amount::Steps { .. } => {
                commands.extend(self.peer(group, &[]));
                commands.extend(self.options.stock.then(|| self.peer(group, &["--stock"])).flatten());
            }
            Amount::File { peers } => {
                commands
                    .extend(peers.iter().filter_map(|name| self.peer(group, &["--implementation", name])));
            }
        }
        if round % 2 == 1 {
            commands.reverse();
        }
        commands
    }

    fn ours(&self, group: &Group) -> Command {
        let mut command = Command::new(cargo_program());
        command.current_dir(self.root).args(["run", "--quiet"]).args(self.options.suite.our_program());
        command.args(["--", group.name]).args(self.amounts(group));
        command
    }

    fn peer(&self, group: &Group, settings: &[&str]) -> Option<Command> {
        // Relative to where the command was typed, as the option's default is.
        let mut command = Command::new(&self.options.python);
        command.arg(self.root.join("benches").join("peers").join(group.peer.program()?));
        if let Peer::Shared(_) = group.peer {
            command.arg(group.name);
        }
        command.args(self.amounts(group)).args(settings).env("PYTHONDONTWRITEBYTECODE", "1");
        Some(command)
    }

    fn amounts(&self, group: &Group) -> Vec<String> {
        let mut amounts = group.arguments(&self.folder);
        amounts.extend(["--threads".into(), self.options.threads.to_string()]);
        amounts
    }
}

/// Runs a program whose output is of no interest.
fn run(mut command: Command) -> Result<(), PeersError> {
    let status = command.status().map_err(|error| did_not_start(&command, error))?;
    if status.success() { Ok(()) } else { Err(failed(&command, status)) }
}

/// Runs a program to its end, its complaints going where ours go, and reads what it measured of `group`.
///
/// # Errors
///
/// If it does not start, fails, or prints something else than measurements of the group.
pub(super) fn output_of(mut command: Command, group: &str) -> Result<Vec<Line>, PeersError> {
    let output = command.stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| did_not_start(&command, error))?;
    if !output.status.success() {
        return Err(failed(&command, output.status));
    }
    measurement::parse(&String::from_utf8_lossy(&output.stdout), group)
        .map_err(|error| PeersError::Line { command: command_line(&command), error })
}

fn did_not_start(command: &Command, error: std::io::Error) -> PeersError {
    PeersError::Start { command: command_line(command), error }
}

fn failed(command: &Command, status: std::process::ExitStatus) -> PeersError {
    PeersError::Program { command: command_line(command), status: status.to_string() }
}

/// The command as a person would type it.
fn command_line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

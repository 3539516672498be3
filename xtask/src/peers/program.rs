//! The programs of both sides.

use std::path::Path;
use std::process::{Command, Stdio};

use super::measurement::{self, Line};
use super::{Group, PeersError, PeersOptions};
use crate::workspace::{Workspace, cargo_program};

/// What Cargo is told to build and run.
const OUR_PROGRAM: [&str; 5] = ["--release", "-p", "cresset-benches", "--bin", "step_times"];

/// Our program and the peers'.
#[derive(Debug)]
pub(super) struct Programs<'a> {
    root: &'a Path,
    options: &'a PeersOptions,
}

impl<'a> Programs<'a> {
    /// The programs, ours built.
    ///
    /// # Errors
    ///
    /// If ours cannot be built.
    pub(super) fn build(workspace: &'a Workspace, options: &'a PeersOptions) -> Result<Self, PeersError> {
        let mut command = Command::new(cargo_program());
        command.current_dir(&workspace.root).arg("build").args(OUR_PROGRAM);
        let status = command.status().map_err(|error| did_not_start(&command, error))?;
        if !status.success() {
            return Err(failed(&command, status));
        }
        Ok(Self { root: &workspace.root, options })
    }

    /// The commands of one round: ours first in even rounds, last in odd ones.
    pub(super) fn in_order(&self, group: &Group, round: usize) -> Vec<Command> {
        let mut commands = vec![self.ours(group), self.peer(group)];
        if self.options.stock {
            let mut stock = self.peer(group);
            stock.arg("--stock");
            commands.push(stock);
        }
        if round % 2 == 1 {
            commands.reverse();
        }
        commands
    }

    fn ours(&self, group: &Group) -> Command {
        let mut command = Command::new(cargo_program());
        command.current_dir(self.root).args(["run", "--quiet"]).args(OUR_PROGRAM).args(["--", group.name]);
        command.args(self.amounts(group));
        command
    }

    fn peer(&self, group: &Group) -> Command {
        // Relative to where the command was typed, as the option's default is.
        let mut command = Command::new(&self.options.python);
        command.arg(self.root.join("benches").join("peers").join(group.program)).args(self.amounts(group));
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }

    fn amounts(&self, group: &Group) -> [String; 6] {
        let value = |value: usize| value.to_string();
        let threads = value(usize::from(self.options.threads));
        let [steps, warmup] = [value(group.steps), value(group.warmup)];
        ["--steps".into(), steps, "--warmup".into(), warmup, "--threads".into(), threads]
    }
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

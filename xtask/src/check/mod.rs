//! `cargo xtask check`: every step that guards the main branch.
//!
//! The steps are cheap ones first. Each is a function that says nothing when all is well; the first that fails ends the
//! check with a sentence that names it.

mod layers;
mod readme;
mod rules;
mod scratch;
mod source;

use std::ffi::OsStr;
use std::io;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use clap::{Args, ValueEnum};

use crate::workspace::{Workspace, WorkspaceError, cargo_program};

/// The command that the README promises and that the test step runs, with [`FEATURES`].
const TEST_COMMAND: &str = "cargo test --workspace";

/// Optional features that need nothing of the machine. Clippy, documentation and tests see the same ones, so that
/// nothing is built twice; the scratch project is built without them.
const FEATURES: [&str; 2] = ["--features", "cresset-data/arrow2"];

/// Which steps to run.
#[derive(Debug, Args)]
pub(crate) struct CheckOptions {
    /// Run only this step; may be given several times.
    #[arg(long, value_name = "STEP")]
    only: Vec<Step>,
    /// Leave this step out; may be given several times.
    #[arg(long, value_name = "STEP", conflicts_with = "only")]
    skip: Vec<Step>,
}

/// A step of the check, in the order in which they run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Step {
    /// Every file is formatted as rustfmt would.
    Format,
    /// The rules of the house: who may know whom, and tidiness.
    Rules,
    /// Clippy, with warnings denied.
    Clippy,
    /// The documentation builds, with warnings denied.
    Docs,
    /// The README's test command, optional features included.
    Test,
    /// Every publishable crate can be packaged.
    Package,
    /// The README's example runs in a project outside the workspace.
    Scratch,
}

/// A step did not pass.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CheckError {
    /// The workspace could not be described.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// A step failed.
    #[error("step `{step}` failed: {reason}; run it alone with `cargo xtask check --only {step}`")]
    Step {
        /// The step's name on the command line.
        step: &'static str,
        /// What is wrong.
        reason: StepError,
    },
}

/// What is wrong in a step.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StepError {
    /// A program ended with a failure.
    #[error("`{command}` ended with {status}")]
    Program {
        /// The command line.
        command: String,
        /// How it ended.
        status: String,
    },
    /// A file could not be read or written, or a program not started.
    #[error("{path}: {error}")]
    Io {
        /// The file or program.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Rules of the house are broken; each was printed.
    #[error("{0} broken rule(s) of the house, printed above")]
    Rules(usize),
    /// The README lacks something that the check runs.
    #[error("README.md has no {0}")]
    Readme(&'static str),
}

impl StepError {
    /// For `map_err`: says at which path the system complained.
    pub(crate) fn at(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |error| Self::Io { path, error }
    }
}

/// Runs the chosen steps and prints how long each took.
///
/// # Errors
///
/// At the first step that fails.
pub(crate) fn run(options: &CheckOptions) -> Result<(), CheckError> {
    let workspace = Workspace::load()?;
    let started = Instant::now();
    let mut seconds = Vec::new();
    for step in chosen_steps(options) {
        println!("\n== {}", step.name());
        let step_started = Instant::now();
        step.run(&workspace).map_err(|reason| CheckError::Step { step: step.name(), reason })?;
        seconds.push((step.name(), step_started.elapsed().as_secs_f64()));
    }
    println!();
    for (name, seconds) in seconds {
        println!("{name:<8} {seconds:>8.1} s");
    }
    println!("{:<8} {:>8.1} s", "total", started.elapsed().as_secs_f64());
    Ok(())
}

fn chosen_steps(options: &CheckOptions) -> Vec<Step> {
    let is_chosen = |step: &Step| {
        let asked_for = options.only.is_empty() || options.only.contains(step);
        asked_for && !options.skip.contains(step)
    };
    Step::value_variants().iter().copied().filter(is_chosen).collect()
}

impl Step {
    /// The step's name on the command line.
    fn name(self) -> &'static str {
        match self {
            Self::Format => "format",
            Self::Rules => "rules",
            Self::Clippy => "clippy",
            Self::Docs => "docs",
            Self::Test => "test",
            Self::Package => "package",
            Self::Scratch => "scratch",
        }
    }

    fn run(self, workspace: &Workspace) -> Result<(), StepError> {
        match self {
            Self::Format => cargo(workspace, ["fmt", "--all", "--check"]),
            Self::Rules => rules::check(workspace),
            Self::Clippy => clippy(workspace),
            Self::Docs => docs(workspace),
            Self::Test => test(workspace),
            Self::Package => package(workspace),
            Self::Scratch => scratch::check(workspace),
        }
    }
}

fn clippy(workspace: &Workspace) -> Result<(), StepError> {
    let command = ["clippy", "--workspace", "--all-targets"].into_iter().chain(FEATURES);
    cargo(workspace, command.chain(["--", "-D", "warnings"]))
}

fn docs(workspace: &Workspace) -> Result<(), StepError> {
    let mut command = cargo_in(workspace);
    command.env("RUSTDOCFLAGS", "-D warnings").args(["doc", "--workspace", "--no-deps"]).args(FEATURES);
    run_program(command)
}

/// Runs the test command, once the README is seen to promise the same one.
fn test(workspace: &Workspace) -> Result<(), StepError> {
    if !readme::states_command(&readme::load(workspace)?, TEST_COMMAND) {
        return Err(StepError::Readme("fenced block with the line `cargo test --workspace`"));
    }
    cargo(workspace, TEST_COMMAND.split(' ').skip(1).chain(FEATURES))
}

/// Packages what may be published: manifests, file lists and the order among our own crates, without compiling.
fn package(workspace: &Workspace) -> Result<(), StepError> {
    let mut command = cargo_in(workspace);
    command.args(["package", "--workspace", "--no-verify", "--allow-dirty", "--quiet"]);
    for name in workspace.unpublished() {
        command.args(["--exclude", name]);
    }
    run_program(command)
}

fn cargo<S: AsRef<OsStr>>(
    workspace: &Workspace,
    arguments: impl IntoIterator<Item = S>,
) -> Result<(), StepError> {
    let mut command = cargo_in(workspace);
    command.args(arguments);
    run_program(command)
}

fn cargo_in(workspace: &Workspace) -> Command {
    let mut command = Command::new(cargo_program());
    command.current_dir(&workspace.root);
    command
}

/// Runs a program to its end, its output going where ours goes.
fn run_program(mut command: Command) -> Result<(), StepError> {
    println!("{}", command_line(&command));
    let status = command.status().map_err(StepError::at(command.get_program()))?;
    if status.success() {
        return Ok(());
    }
    Err(StepError::Program { command: command_line(&command), status: status.to_string() })
}

/// The command as a person would type it.
fn command_line(command: &Command) -> String {
    let settings = command.get_envs().filter_map(|(key, value)| {
        value.map(|value| format!("{}=\"{}\"", key.to_string_lossy(), value.to_string_lossy()))
    });
    let arguments = command.get_args().map(|argument| argument.to_string_lossy().into_owned());
    settings.chain(["cargo".to_owned()]).chain(arguments).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(only: &[Step], skip: &[Step]) -> Vec<&'static str> {
        let options = CheckOptions { only: only.to_vec(), skip: skip.to_vec() };
        chosen_steps(&options).into_iter().map(Step::name).collect()
    }

    #[test]
    fn all_steps_run_in_order_unless_told_otherwise() {
        let all = ["format", "rules", "clippy", "docs", "test", "package", "scratch"];
        assert_eq!(names(&[], &[]), all);
    }

    #[test]
    fn only_and_skip_keep_the_order() {
        assert_eq!(names(&[Step::Docs, Step::Format], &[]), ["format", "docs"]);
        let rest = ["format", "rules", "clippy", "docs"];
        assert_eq!(names(&[], &[Step::Scratch, Step::Package, Step::Test]), rest);
    }

    #[test]
    fn every_step_is_called_by_its_name_on_the_command_line() {
        for step in Step::value_variants() {
            let named = step.to_possible_value().unwrap();
            assert_eq!(named.get_name(), step.name());
        }
    }

    #[test]
    fn a_failed_step_is_one_sentence_that_says_how_to_run_it_alone() {
        let reason = StepError::Program { command: "cargo clippy".into(), status: "exit status: 101".into() };
        let error = CheckError::Step { step: "clippy", reason };
        let sentence = "step `clippy` failed: `cargo clippy` ended with exit status: 101; \
                        run it alone with `cargo xtask check --only clippy`";
        assert_eq!(error.to_string(), sentence);
    }

    #[test]
    fn a_command_is_printed_as_it_would_be_typed() {
        let mut command = Command::new("cargo");
        command.env("RUSTDOCFLAGS", "-D warnings").args(["doc", "--no-deps"]);
        assert_eq!(command_line(&command), "RUSTDOCFLAGS=\"-D warnings\" cargo doc --no-deps");
    }
}

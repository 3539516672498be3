//! `report`: runs side by side, and how sure their differences are.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use clap::Parser;
use cresset::data::Vocabulary;
use cresset::metrics::statistics::PairedTest;
use cresset::trainers::config::changed_keys;
use cresset::trainers::manifest::Manifest;
use cresset::trainers::results::Results;
use cresset::trainers::{PerUser, RunDir};

use crate::cli::{Common, LogFile};
use crate::failure::Failure;
use crate::fit::TEST_USERS;
use crate::models::Config;

/// Compare trained runs with the first of them, by their results and user by user
#[derive(Debug, Parser)]
#[command(version)]
pub struct Args {
    /// The run directories, the one to compare with first
    #[arg(required = true)]
    runs: Vec<PathBuf>,
    /// Write the report to this file too, as Markdown
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

/// Runs the command.
///
/// # Errors
///
/// If a folder holds no finished run, or a file in it is damaged.
pub fn run(args: &Args) -> Result<(), Failure> {
    args.common.set_up(&LogFile::default())?;
    let runs: Vec<Run> = args.runs.iter().map(|path| Run::open(path)).collect::<Result<_, _>>()?;
    let mut text = table(&runs);
    for run in &runs[1..] {
        let _ = write!(text, "\n{}", comparison(&runs[0], run)?);
    }
    print!("{text}");
    if let Some(file) = &args.output {
        cresset::data::files::atomic_write(file, text.as_bytes())?;
    }
    Ok(())
}

/// What a run directory says of a finished run.
struct Run {
    name: String,
    config: Config,
    manifest: Manifest,
    results: Results,
    per_user: PerUser,
}

impl Run {
    fn open(path: &Path) -> Result<Self, Failure> {
        let name = path.display().to_string();
        if path.join("fold-1").is_dir() {
            return Err(Failure::input(format!(
                "{name} holds a run in folds; name its folds, such as {}",
                path.join("fold-1").display()
            )));
        }
        let run = RunDir::open(path)?;
        let users = Vocabulary::load(&run.file("best_model/uid2idx.json"))?;
        Ok(Self {
            config: run.read_yaml("config.yaml")?,
            manifest: run.read_yaml("manifest.yaml")?,
            results: run.read_yaml("results.yaml")?,
            per_user: PerUser::load(&run.file(TEST_USERS), &users)?,
            name,
        })
    }

    /// Why the numbers of two runs are not of the same thing; nothing where they are.
    fn differs_from(&self, other: &Self) -> Option<String> {
        let what = |run: &Self| {
            let Manifest { data, split, protocol, ties, .. } = &run.manifest;
            [
                ("data", data.fingerprint.clone()),
                ("split", format!("{}, fold {}, seed {}", split.kind, split.fold, split.seed)),
                ("protocol", protocol.clone()),
                ("ties", ties.clone()),
                ("evaluation.relevant_rating", run.config.evaluation.relevant_rating.to_string()),
            ]
        };
        let different: Vec<&str> = what(self)
            .iter()
            .zip(&what(other))
            .filter(|(mine, others)| mine.1 != others.1)
            .map(|(mine, _)| mine.0)
            .collect();
        (!different.is_empty()).then(|| different.join(", "))
    }
}

/// One row for each run, the columns those of the first run's test metrics, and below them the simple recommenders on
/// each test part that they were measured on.
fn table(runs: &[Run]) -> String {
    let keys: Vec<&str> = runs[0].results.test.iter().map(|(key, _)| key).collect();
    let mut text =
        format!("| run | model | parameters | best epoch | seconds | {} | note |\n", keys.join(" | "));
    text += &format!("|{}\n", " --- |".repeat(keys.len() + 6));
    for run in runs {
        let Results { model, n_parameters, best_epoch, seconds, test, test_intervals, .. } = &run.results;
        let cells: Vec<String> = keys
            .iter()
            .map(|key| match (test.get(key), test_intervals.get(*key)) {
                (Some(value), Some([low, high])) => format!("{value:.4} ({low:.4} to {high:.4})"),
                (Some(value), None) => format!("{value:.4}"),
                (None, _) => "-".to_owned(),
            })
            .collect();
        let note = run.config.output.note.replace(['|', '\n'], " ");
        let _ = writeln!(
            text,
            "| {} | {model} | {n_parameters} | {best_epoch} | {seconds:.1} | {} | {note} |",
            run.name,
            cells.join(" | ")
        );
    }
    let parts = runs
        .iter()
        .enumerate()
        .filter(|(place, run)| runs[..*place].iter().all(|before| run.differs_from(before).is_some()));
    for (_, run) in parts {
        for (name, metrics) in &run.results.baselines {
            let cells: Vec<String> = keys
                .iter()
                .map(|key| metrics.get(key).map_or("-".to_owned(), |value| format!("{value:.4}")))
                .collect();
            let _ = writeln!(
                text,
                "| - | {name} | - | - | - | {} | on the split of {} |",
                cells.join(" | "),
                run.name
            );
        }
    }
    text + "\nIn brackets the 95% bootstrap interval over users.\n"
}

/// What was changed against the first run, and what came of it.
fn comparison(first: &Run, run: &Run) -> Result<String, Failure> {
    let mut text = format!("## {} against {}\n\n", run.name, first.name);
    let changed = changed_keys(&first.config, &run.config);
    let changed = if changed.is_empty() { "nothing".to_owned() } else { changed.join(", ") };
    let _ = writeln!(text, "Changed: {changed}.\n");
    if let Some(different) = run.differs_from(first) {
        let _ = writeln!(
            text,
            "Not compared: the two differ in their {different}, so their numbers are not of the same thing."
        );
        return Ok(text);
    }
    let comparison = run.per_user.against(&first.per_user, &PairedTest::default())?;
    text += "| metric | first | this | difference | 95% interval | p | p corrected | users |\n";
    text += &format!("|{}\n", " --- |".repeat(8));
    for metric in &comparison.metrics {
        let difference = &metric.difference;
        let _ = writeln!(
            text,
            "| {} | {:.4} | {:.4} | {:+.4} | {:+.4} to {:+.4} | {:.4} | {:.4} | {} |",
            metric.key,
            metric.baseline,
            metric.candidate,
            difference.estimate,
            difference.low,
            difference.high,
            metric.p_value,
            metric.p_holm,
            metric.n_users
        );
    }
    for left_out in &comparison.left_out {
        let _ = writeln!(text, "\n{left_out}.");
    }
    text += "\nPaired by user: bootstrap interval of the difference, sign-flip test, Holm's correction over the metrics.\n";
    Ok(text)
}

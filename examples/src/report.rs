//! `report`: runs side by side, and how sure their differences are.

mod comparison;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use clap::Parser;
use cresset::data::Vocabulary;
use cresset::data::files::atomic_write;
use cresset::metrics::Metrics;
use cresset::trainers::config::changes;
use cresset::trainers::manifest::Manifest;
use cresset::trainers::results::{FoldResults, Results};
use cresset::trainers::{PerUser, RatingBand, RunDir};

use self::comparison::comparison;
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
    /// Write the report to this file too: as Markdown, or the table alone as CSV where its name ends in .csv
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
    let table = table(&runs);
    let mut text = markdown(&table);
    text += "\nIn brackets the 95% bootstrap interval over users, or the standard deviation over folds.\n";
    for run in &runs[1..] {
        let _ = write!(text, "\n{}", comparison(&runs[0], run)?);
    }
    print!("{text}");
    if let Some(file) = &args.output {
        let is_csv = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
        let content = if is_csv { csv(&table) } else { text };
        atomic_write(file, content.as_bytes())?;
    }
    Ok(())
}

/// What a run directory says of a finished run.
struct Run {
    name: String,
    config: Config,
    /// One, or one of each fold.
    manifests: Vec<Manifest>,
    summary: Summary,
    /// What each user adds, over all folds where there are some.
    per_user: PerUser,
    /// The metrics that users add to in each fold, and not over all.
    left_out: Vec<String>,
}

/// The results of one split, or of all folds.
struct Summary {
    model: String,
    n_parameters: usize,
    best_epoch: String,
    seconds: f64,
    test: Metrics,
    /// What stands in brackets behind a metric.
    spread: BTreeMap<String, String>,
    baselines: BTreeMap<String, Metrics>,
    by_item_ratings: Vec<RatingBand>,
}

impl Run {
    fn open(path: &Path) -> Result<Self, Failure> {
        let name = path.display().to_string();
        if path.join("fold-1").is_dir() {
            return Self::open_folds(path, name);
        }
        let run = RunDir::open(path)?;
        let users = Vocabulary::load(&run.file("best_model/uid2idx.json"))?;
        Ok(Self {
            config: run.read_yaml("config.yaml")?,
            manifests: vec![run.read_yaml("manifest.yaml")?],
            summary: Summary::of(run.read_yaml("results.yaml")?),
            per_user: PerUser::load(&run.file(TEST_USERS), &users)?,
            left_out: Vec::new(),
            name,
        })
    }

    fn open_folds(path: &Path, name: String) -> Result<Self, Failure> {
        let fold = |number: usize| RunDir::open(&path.join(format!("fold-{number}")));
        let (mut folds, run) = (vec![fold(1)?], RunDir::at(path));
        let results: FoldResults = run.read_yaml("results.yaml")?;
        for number in 2..=results.n_folds {
            folds.push(fold(number)?);
        }
        // All folds are of the same data, so that one vocabulary serves them.
        let users = Vocabulary::load(&folds[0].file("best_model/uid2idx.json"))?;
        let of_fold = |fold: &RunDir| PerUser::load(&fold.file(TEST_USERS), &users);
        let of_folds: Vec<PerUser> = folds.iter().map(of_fold).collect::<Result<_, _>>()?;
        let per_user = PerUser::pooled(&of_folds);
        let is_left_out = |key: &&str| per_user.keys().all(|pooled| pooled != *key);
        let left_out = of_folds[0].keys().filter(is_left_out).map(str::to_owned).collect();
        let manifests = folds.iter().map(|fold| fold.read_yaml::<Manifest>("manifest.yaml"));
        Ok(Self {
            config: run.read_yaml("config.yaml")?,
            manifests: manifests.collect::<Result<_, _>>()?,
            summary: Summary::of_folds(results),
            per_user,
            left_out,
            name,
        })
    }

    fn is_in_folds(&self) -> bool {
        self.manifests.len() > 1
    }

    /// Why the numbers of two runs are not of the same thing; nothing where they are.
    fn differs_from(&self, other: &Self) -> Option<String> {
        let what = |run: &Self| {
            let split = |Manifest { split, .. }: &Manifest| {
                format!("{}, fold {}, seed {}", split.kind, split.fold, split.seed)
            };
            [
                ("data", run.told(|manifest| manifest.data.fingerprint.clone())),
                ("split", run.told(split)),
                ("protocol", run.told(|manifest| manifest.protocol.clone())),
                ("ties", run.told(|manifest| manifest.ties.clone())),
                ("evaluation.relevant_rating", vec![run.config.evaluation.relevant_rating.to_string()]),
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

    /// What the manifests say, once where neighbouring folds say the same.
    fn told(&self, of: impl Fn(&Manifest) -> String) -> Vec<String> {
        let mut told: Vec<String> = self.manifests.iter().map(of).collect();
        told.dedup();
        told
    }

    /// What was changed against another run, as `training.epochs: 40 -> 1`.
    fn changes_from(&self, before: &Self) -> String {
        let changes = changes(&before.config, &self.config);
        let told = changes.iter().filter(|change| change.key != "output.note");
        let told: Vec<String> =
            told.map(|change| format!("{}: {} -> {}", change.key, change.before, change.now)).collect();
        if told.is_empty() { "nothing".to_owned() } else { told.join(", ") }
    }
}

impl Summary {
    fn of(results: Results) -> Self {
        let interval = |[low, high]: [f64; 2]| format!("{low:.4} to {high:.4}");
        Self {
            model: results.model,
            n_parameters: results.n_parameters,
            best_epoch: results.best_epoch.to_string(),
            seconds: results.seconds,
            test: results.test,
            spread: results.test_intervals.into_iter().map(|(key, ends)| (key, interval(ends))).collect(),
            baselines: results.baselines,
            by_item_ratings: results.test_by_item_ratings,
        }
    }

    fn of_folds(results: FoldResults) -> Self {
        let spread = |(key, value): (&str, Option<f64>)| {
            Some((key.strip_suffix("_std")?.to_owned(), format!("± {:.4}", value?)))
        };
        Self {
            model: results.model,
            n_parameters: results.n_parameters,
            best_epoch: "-".to_owned(),
            seconds: results.seconds,
            spread: results.test.iter().filter_map(spread).collect(),
            test: results.test,
            baselines: results.baselines,
            by_item_ratings: results.test_by_item_ratings,
        }
    }
}

/// The experiments: a header, one row for each run, and the simple recommenders on each test part that they were
/// measured on.
///
/// The metrics are those of the first run; what was changed is told against the run before.
fn table(runs: &[Run]) -> Vec<Vec<String>> {
    let keys = runs[0].summary.test.iter().map(|(key, _)| key).filter(|key| !key.ends_with("_std"));
    let keys: Vec<&str> = keys.collect();
    let mut header = vec!["id", "date", "run", "model", "changed", "parameters", "best epoch", "seconds"];
    header.extend(&keys);
    header.push("note");
    let mut rows = vec![header.into_iter().map(str::to_owned).collect()];
    for (place, run) in runs.iter().enumerate() {
        let changed = place.checked_sub(1).map_or("-".to_owned(), |before| run.changes_from(&runs[before]));
        rows.push(row(place + 1, run, &keys, changed));
    }
    for (place, run) in runs.iter().enumerate() {
        let is_same = |other: &&Run| other.differs_from(run).is_none();
        if runs[..place].iter().any(|before| is_same(&before)) {
            continue;
        }
        // A run that predicts has means beside it, one that ranks popularity and neighbours.
        let floor = runs[place..].iter().filter(is_same).flat_map(|run| &run.summary.baselines);
        for (name, metrics) in floor.collect::<BTreeMap<_, _>>() {
            let mut row: Vec<String> = ["-", "-", "-", name, "-", "-", "-", "-"].map(str::to_owned).into();
            row.extend(keys.iter().map(|key| value(metrics, key)));
            row.push(format!("on the split of {}", run.name));
            rows.push(row);
        }
    }
    rows
}

fn row(number: usize, run: &Run, keys: &[&str], changed: String) -> Vec<String> {
    let Summary { model, n_parameters, best_epoch, seconds, test, spread, .. } = &run.summary;
    let mut row = vec![
        format!("EXP{number:03}"),
        run.manifests[0].began.clone(),
        run.name.clone(),
        model.clone(),
        changed,
        n_parameters.to_string(),
        best_epoch.clone(),
        format!("{seconds:.1}"),
    ];
    row.extend(keys.iter().map(|key| match spread.get(*key) {
        Some(spread) => format!("{} ({spread})", value(test, key)),
        None => value(test, key),
    }));
    row.push(run.config.output.note.clone());
    row
}

fn value(metrics: &Metrics, key: &str) -> String {
    metrics.get(key).map_or("-".to_owned(), |value| format!("{value:.4}"))
}

fn markdown(rows: &[Vec<String>]) -> String {
    let line = |row: &Vec<String>| {
        let cells: Vec<String> = row.iter().map(|cell| cell.replace(['|', '\n'], " ")).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let mut text = line(&rows[0]);
    text += &format!("|{}\n", " --- |".repeat(rows[0].len()));
    rows[1..].iter().for_each(|row| text += &line(row));
    text
}

fn csv(rows: &[Vec<String>]) -> String {
    let line = |row: &Vec<String>| {
        let cells: Vec<_> = row.iter().map(|cell| crate::recommend::csv_field(cell)).collect();
        cells.join(",") + "\n"
    };
    rows.iter().map(line).collect()
}

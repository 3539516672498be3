//! `train`: from a config to a run directory.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Parser;
use cresset::data::{Dataset, Split, SplitKind};
use cresset::device::{DeviceSpec, on_device};
use cresset::trainers::config::{changed_keys, may_change, trains_on};
use cresset::trainers::manifest::Manifest;
use cresset::trainers::results::{FoldResults, Results, band_table, metric_table};
use cresset::trainers::strategy::StrategyKind;
use cresset::trainers::{RatingBand, RunDir, StopFlag};
use yaml_serde::Value;

use crate::calibrate::Memory;
use crate::cli::{Common, ConfigFile, LogFile, stop_on_interrupt};
use crate::dry_run::DryRun;
use crate::failure::Failure;
use crate::fit::Fit;
use crate::knowledge::{self, Knowledge};
use crate::models::{Config, ModelConfig, check_together};
use crate::out_of_memory;

/// Train a recommender from a config file
#[derive(Debug, Parser)]
#[command(version)]
pub struct Args {
    #[command(flatten)]
    config: ConfigFile,
    /// The run directory; without it outputs/NAME, the name being that of the config, then NAME-2, NAME-3 ...
    #[arg(long, value_name = "RUN_DIR")]
    output: Option<PathBuf>,
    /// Go on with the run in --output
    #[arg(long, requires = "output")]
    resume: bool,
    /// Load the data, build the model and try one batch, then stop
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    common: Common,
}

/// What every fold shares.
struct Plan<'a> {
    config: &'a Config,
    dataset: &'a Dataset,
    knowledge: &'a Knowledge,
    device: DeviceSpec,
    threads: usize,
    log: LogFile,
    stop: StopFlag,
    show_progress: bool,
    resume: bool,
}

/// Runs the command.
///
/// # Errors
///
/// Whatever is wrong with arguments, config, data or files, or ends the training early.
pub fn run(args: &Args) -> Result<(), Failure> {
    let log = LogFile::default();
    let device = args.common.set_up(&log)?;
    out_of_memory::name_the_key(log.clone());
    let result = run_logged(args, &log, device);
    if let Err(failure) = &result {
        log.note(&format!("error: {failure}"));
    }
    result
}

fn run_logged(args: &Args, log: &LogFile, device: DeviceSpec) -> Result<(), Failure> {
    let stop = stop_on_interrupt()?;
    let config = args.config.load()?;
    check_together(&config)?;
    let began = Instant::now();
    let path = args.output.clone().unwrap_or_else(|| default_output(&args.config.path));
    // Reading the data may take minutes: what the run directory alone can tell is told before.
    if !args.dry_run && is_finished(&path, &config, args.resume)? {
        let more = match &config.model {
            ModelConfig::Network(_) if config.training.strategy.kind != StrategyKind::Stages => {
                ": raise training.epochs to train on, and training.patience where that ended it"
            }
            _ => "",
        };
        println!("{} is finished{more}", path.display());
        return Ok(());
    }
    let dataset = Dataset::load(&config.data, &args.common.data)?;
    let knowledge = knowledge::load(&config, &args.common.data, &dataset)?;
    if args.dry_run {
        return on_device(&device, DryRun { config: &config, dataset: &dataset, knowledge: &knowledge })?;
    }
    if stop.is_raised() {
        return Err(Failure::other("interrupted while reading the data, nothing was written; start again"));
    }
    // Data that cannot be split, and a run that cannot fit, leave no run directory behind.
    Memory::of(&config, &dataset, &knowledge).check(&config)?;
    Split::of(&dataset.ratings, &config.data, 0)?;
    let has_folds = config.data.split == SplitKind::KFold;
    let create = if has_folds { RunDir::create_for_folds } else { RunDir::create };
    let run = create(&path, args.resume)?;
    check_same_data(&run, &dataset, &device, args.common.n_threads())?;
    knowledge::check_same(&knowledge, &run)?;
    log.open(&run.file("train.log"))?;
    begin(&run, &config)?;
    announce(&config, &dataset, &knowledge)?;
    let plan = Plan {
        config: &config,
        dataset: &dataset,
        knowledge: &knowledge,
        device,
        threads: args.common.n_threads(),
        log: log.clone(),
        stop,
        show_progress: !args.common.quiet,
        resume: args.resume,
    };
    if has_folds {
        plan.folds(&run)
    } else {
        let results = plan.one(&run, 0, began)?;
        println!("\n{}", results_table(&config, &results));
        print_bands(&results.test_by_item_ratings);
        println!("run directory: {}", run.path().display());
        Ok(())
    }
}

impl Plan<'_> {
    /// One split into one run directory; a fold that is finished already is read.
    fn one(&self, run: &RunDir, fold: usize, began: Instant) -> Result<Results, Failure> {
        let split = Split::of(&self.dataset.ratings, &self.config.data, fold)?;
        let fit = Fit {
            config: self.config,
            dataset: self.dataset,
            knowledge: self.knowledge,
            split,
            fold,
            run,
            device: self.device,
            threads: self.threads,
            stop: self.stop.clone(),
            show_progress: self.show_progress,
            began,
        };
        on_device(&self.device, fit)?
    }

    fn folds(&self, run: &RunDir) -> Result<(), Failure> {
        let n_folds = self.config.data.n_folds;
        let mut results = Vec::new();
        for fold in 0..n_folds {
            tracing::info!("fold {} of {n_folds}", fold + 1);
            results.push(self.fold(run, fold).map_err(|failure| failure.in_fold_of(run))?);
        }
        let summary = FoldResults::over(&results);
        run.write_yaml("results.yaml", &summary)?;
        let mut rows = vec![(self.config.model.kind(), &summary.test)];
        rows.extend(summary.baselines.iter().map(|(name, metrics)| (name.as_str(), metrics)));
        println!("\ntest, mean and standard deviation over {n_folds} folds\n{}", metric_table(&rows));
        print_bands(&summary.test_by_item_ratings);
        println!("run directory: {}", run.path().display());
        Ok(())
    }

    fn fold(&self, run: &RunDir, fold: usize) -> Result<Results, Failure> {
        let path = run.file(&format!("fold-{}", fold + 1));
        let done = self.resume && path.join("results.yaml").exists();
        let run = RunDir::create(&path, self.resume)?;
        if done && !has_more_to_do(&run, self.config)? {
            return Ok(run.read_yaml("results.yaml")?);
        }
        begin(&run, self.config)?;
        self.log.open(&run.file("train.log"))?;
        let results = self.one(&run, fold, Instant::now());
        self.log.close();
        results
    }
}

/// Whether the run in `path` has nothing left to do; an error where `config` cannot go there.
fn is_finished(path: &Path, config: &Config, resume: bool) -> Result<bool, Failure> {
    if !path.join("config.yaml").exists() {
        return Ok(false);
    }
    let run = RunDir::create_for_folds(path, resume)?;
    let before: Config = run.read_yaml("config.yaml")?;
    let mut changed = changed_keys(&before, config);
    changed.retain(|key| !may_change(key, &before.training, &config.training));
    if !changed.is_empty() {
        let (keys, path) = (changed.join(", "), path.display());
        return Err(Failure::input(format!(
            "--resume: {keys} changed since {path} began; put the old values back or choose another --output"
        )));
    }
    if !run.file("results.yaml").exists() || has_more_to_do(&run, config)? {
        return Ok(false);
    }
    // What calls a run finished must be whole.
    run.read_yaml::<Value>("results.yaml")?;
    Ok(true)
}

/// An error where the run began on other data than these, a warning where it began on another machine.
fn check_same_data(
    run: &RunDir,
    dataset: &Dataset,
    device: &DeviceSpec,
    threads: usize,
) -> Result<(), Failure> {
    let written = ["manifest.yaml", "fold-1/manifest.yaml"].into_iter().find(|file| run.file(file).exists());
    let Some(file) = written else { return Ok(()) };
    let before: Manifest = run.read_yaml(file)?;
    warn_of_another_machine(&before, device, threads);
    if before.data.fingerprint == dataset.fingerprint {
        return Ok(());
    }
    let (path, then, now) = (run.path().display(), before.data.n_ratings, dataset.ratings.len());
    Err(Failure::input(format!(
        "--resume: the data changed since {path} began ({then} ratings then, {now} now); restore them or choose \
         another --output"
    )))
}

/// Says where this session differs from the one that began the run, which the promise of equal bits rests on.
fn warn_of_another_machine(before: &Manifest, device: &DeviceSpec, threads: usize) {
    let then = format!("{} with {} threads, Cresset {}", before.device, before.threads, before.cresset);
    let now = format!("{device} with {threads} threads, Cresset {}", cresset::VERSION);
    if then != now {
        tracing::warn!(
            "the run began on {then} and goes on with {now}: its bits may differ from one uninterrupted"
        );
    }
}

/// Marks the run as begun and not finished, in that order: results that a longer run will replace go first, so
/// that a kill in between cannot leave them beside the longer run's config.
fn begin(run: &RunDir, config: &Config) -> Result<(), Failure> {
    run.remove("results.yaml")?;
    Ok(run.write_yaml("config.yaml", config)?)
}

/// Whether `config` allows more training than the run in `run` had.
fn has_more_to_do(run: &RunDir, config: &Config) -> Result<bool, Failure> {
    let before: Config = run.read_yaml("config.yaml")?;
    let has_epochs = matches!(config.model, ModelConfig::Network(_));
    Ok(has_epochs && trains_on(&before.training, &config.training))
}

fn default_output(config: &Path) -> PathBuf {
    let name = config.file_stem().unwrap_or_default().to_string_lossy();
    RunDir::free_name(Path::new("outputs"), &name)
}

fn announce(config: &Config, dataset: &Dataset, knowledge: &Knowledge) -> Result<(), Failure> {
    let text = yaml_serde::to_string(config).map_err(Failure::other)?;
    tracing::info!("{text}");
    tracing::info!("{}", dataset.cleaning);
    tracing::info!(
        "{} users, {} items, {} ratings",
        dataset.n_users(),
        dataset.n_items(),
        dataset.ratings.len()
    );
    knowledge::tell(knowledge).iter().for_each(|line| tracing::info!("{line}"));
    Ok(())
}

fn results_table(config: &Config, results: &Results) -> String {
    let mut rows = vec![(config.model.kind(), &results.test)];
    rows.extend(results.baselines.iter().map(|(name, metrics)| (name.as_str(), metrics)));
    let which = match results.best_epoch {
        0 => "test".to_owned(),
        epoch => format!("test, weights of epoch {epoch} (best {} on validation)", config.training.monitor),
    };
    format!("{which}\n{}", metric_table(&rows))
}

/// Where no rating was predicted there is nothing to print.
fn print_bands(bands: &[RatingBand]) {
    if !bands.is_empty() {
        println!("test ratings by training ratings of the item\n{}", band_table(bands));
    }
}

//! `train`: from a config to a run directory.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Parser;
use cresset::data::{Dataset, Split, SplitKind};
use cresset::device::{DeviceSpec, on_device};
use cresset::trainers::config::{changed_keys, load};
use cresset::trainers::results::{FoldResults, Results, metric_table};
use cresset::trainers::{RunDir, StopFlag};

use crate::cli::{Common, LogFile, stop_on_interrupt};
use crate::dry_run::DryRun;
use crate::failure::Failure;
use crate::fit::Fit;
use crate::models::Config;

/// Train a recommender from a config file
#[derive(Debug, Parser)]
#[command(version)]
pub struct Args {
    /// The config file
    config: PathBuf,
    /// Set a key of the config, such as training.epochs=3; may be given again
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
    /// The run directory [default: outputs/<config name>, then -2, -3 ...]
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
    device: DeviceSpec,
    threads: usize,
    stop: StopFlag,
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
    let config: Config = load(&args.config, &args.sets)?;
    let began = Instant::now();
    let dataset = Dataset::load(&config.data, &args.common.data)?;
    if args.dry_run {
        return on_device(&device, DryRun { config: &config, dataset: &dataset })?;
    }
    let path = args.output.clone().unwrap_or_else(|| default_output(&args.config));
    let (config, finished) = open_run(&path, config, args.resume)?;
    if finished {
        println!("{} is finished: raise training.epochs to train on", path.display());
        return Ok(());
    }
    let run = RunDir::create(&path, args.resume)?;
    log.open(&run.file("train.log"))?;
    run.write_yaml("config.yaml", &config)?;
    announce(&config, &dataset)?;
    let stop = stop_on_interrupt()?;
    let plan =
        Plan { config: &config, dataset: &dataset, device, threads: args.common.n_threads(), stop, resume: args.resume };
    if config.data.split == SplitKind::KFold {
        plan.folds(&run, began)
    } else {
        let results = plan.one(&run, 0, began)?;
        println!("\n{}", results_table(&config, &results));
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
            split,
            fold,
            run,
            device: self.device,
            threads: self.threads,
            stop: self.stop.clone(),
            began,
        };
        on_device(&self.device, fit)?
    }

    fn folds(&self, run: &RunDir, began: Instant) -> Result<(), Failure> {
        let n_folds = self.config.data.n_folds;
        let mut results = Vec::new();
        for fold in 0..n_folds {
            tracing::info!("fold {} of {n_folds}", fold + 1);
            results.push(self.fold(run, fold)?);
        }
        let summary = FoldResults::over(&results, began.elapsed().as_secs_f64());
        run.write_yaml("results.yaml", &summary)?;
        let mut rows = vec![(self.config.model.kind(), &summary.test)];
        rows.extend(summary.baselines.iter().map(|(name, metrics)| (name.as_str(), metrics)));
        println!("\ntest, mean and standard deviation over {n_folds} folds\n{}", metric_table(&rows));
        println!("run directory: {}", run.path().display());
        Ok(())
    }

    fn fold(&self, run: &RunDir, fold: usize) -> Result<Results, Failure> {
        let path = run.file(&format!("fold-{}", fold + 1));
        let done = self.resume && path.join("results.yaml").exists();
        let run = RunDir::create(&path, self.resume)?;
        if done && !has_more_epochs(&run, self.config)? {
            return Ok(run.read_yaml("results.yaml")?);
        }
        run.write_yaml("config.yaml", self.config)?;
        self.one(&run, fold, Instant::now())
    }
}

/// The config to run with, and whether the run in `path` is finished already.
fn open_run(path: &Path, config: Config, resume: bool) -> Result<(Config, bool), Failure> {
    if !resume || !path.join("config.yaml").exists() {
        return Ok((config, false));
    }
    let run = RunDir::create(path, true)?;
    let before: Config = run.read_yaml("config.yaml")?;
    let mut changed = changed_keys(&before, &config);
    changed.retain(|key| key != "training.epochs" || config.training.epochs < before.training.epochs);
    if !changed.is_empty() {
        let (keys, path) = (changed.join(", "), path.display());
        return Err(Failure::input(format!(
            "--resume: {keys} changed since {path} began; put the old values back or choose another --output"
        )));
    }
    let finished = run.file("results.yaml").exists() && !has_more_epochs(&run, &config)?;
    Ok((config, finished))
}

fn has_more_epochs(run: &RunDir, config: &Config) -> Result<bool, Failure> {
    let before: Config = run.read_yaml("config.yaml")?;
    Ok(config.training.epochs > before.training.epochs)
}

fn default_output(config: &Path) -> PathBuf {
    let name = config.file_stem().unwrap_or_default().to_string_lossy();
    RunDir::free_name(Path::new("outputs"), &name)
}

fn announce(config: &Config, dataset: &Dataset) -> Result<(), Failure> {
    let text = yaml_serde::to_string(config).map_err(Failure::other)?;
    tracing::info!("{text}");
    tracing::info!("{}", dataset.cleaning);
    tracing::info!(
        "{} users, {} items, {} ratings",
        dataset.n_users(),
        dataset.n_items(),
        dataset.ratings.len()
    );
    Ok(())
}

fn results_table(config: &Config, results: &Results) -> String {
    let mut rows = vec![(config.model.kind(), &results.test)];
    rows.extend(results.baselines.iter().map(|(name, metrics)| (name.as_str(), metrics)));
    let epoch = results.best_epoch;
    format!(
        "test, weights of epoch {epoch} (best {} on validation)\n{}",
        config.training.monitor,
        metric_table(&rows)
    )
}

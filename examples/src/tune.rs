//! `tune`: the hyperparameters that do best on the validation part.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use clap::Parser;
use cresset::data::files::atomic_write;
use cresset::data::{Dataset, Split};
use cresset::device::{DeviceSpec, on_device};
use cresset::metrics::{Direction, direction};
use cresset::trainers::config::{changed_keys, load, may_change};
use cresset::trainers::search::{
    Rung, SearchConfig, SearchMethod, Trial, TrialRecord, best, survivors, table_csv,
};
use cresset::trainers::{RunDir, StopFlag};

use crate::calibrate::Memory;
use crate::cli::{Common, ConfigFile, LogFile, stop_on_interrupt};
use crate::failure::Failure;
use crate::fit::{self, Fit, Reached};
use crate::knowledge::{self, Knowledge};
use crate::models::{Config, ModelConfig, check_together};

/// Search hyperparameters in the space of the config's section `search`, by the validation part alone
#[derive(Debug, Parser)]
#[command(version)]
pub struct Args {
    #[command(flatten)]
    config: ConfigFile,
    /// The folder of the search; without it outputs/NAME-search, the name being that of the config, then
    /// NAME-search-2 ...
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Go on with the search in --output
    #[arg(long, requires = "output")]
    resume: bool,
    #[command(flatten)]
    common: Common,
}

/// The file of a trial's record, in its folder.
const RECORD: &str = "trial.yaml";

/// Runs the command.
///
/// # Errors
///
/// Whatever is wrong with arguments, config, space, data or files, or an interruption.
pub fn run(args: &Args) -> Result<(), Failure> {
    let log = LogFile::default();
    let device = args.common.set_up(&log)?;
    let stop = stop_on_interrupt()?;
    let config = args.config.load()?;
    check_together(&config)?;
    check(args, &config)?;
    let dataset = Dataset::load(&config.data, &args.common.data)?;
    let knowledge = knowledge::load(&config, &args.common.data, &dataset)?;
    Memory::of(&config, &dataset, &knowledge).check(&config)?;
    if Split::of(&dataset.ratings, &config.data, 0)?.valid.is_empty() {
        return Err(Failure::input(
            "the split has no validation part to choose by: raise data.valid_ratio, or take another data.split",
        ));
    }
    let run = RunDir::create_for_folds(&output(args), args.resume)?;
    check_same_search(&run, &config, &dataset)?;
    run.write_yaml("data.yaml", &dataset.fingerprint)?;
    run.write_yaml("config.yaml", &config)?;
    log.open(&run.file("tune.log"))?;
    let search = Search {
        args,
        direction: direction(&config.training.monitor).unwrap_or(Direction::LowerIsBetter),
        config: &config,
        dataset: &dataset,
        knowledge: &knowledge,
        device,
        threads: args.common.n_threads(),
        stop,
        run: &run,
    };
    search.climb()
}

fn output(args: &Args) -> PathBuf {
    let named = args.output.clone();
    named.unwrap_or_else(|| {
        let name = args.config.path.file_stem().unwrap_or_default().to_string_lossy();
        RunDir::free_name(Path::new("outputs"), &format!("{name}-search"))
    })
}

/// Refuses a space that is none, and every value of it that the config does not take, before the first trial.
fn check(args: &Args, config: &Config) -> Result<(), Failure> {
    let (search, place) = (&config.search, args.config.path.display());
    if search.space.is_empty() {
        return Err(Failure::input(format!(
            "{place}: search.space names no key; give it entries such as {{key: training.learning_rate, values: [0.001, 0.01]}}"
        )));
    }
    if matches!(config.model, ModelConfig::Baseline(_)) && search.method == SearchMethod::Halving {
        let kind = config.model.kind();
        return Err(Failure::input(format!(
            "{place}: search.method is halving, and {kind} has no epochs to halve; take random or grid"
        )));
    }
    for single in search.single_values() {
        load_with(args, std::slice::from_ref(&single))
            .and_then(|config| check_together(&config))
            .map_err(|error| Failure::input(format!("{place}: in search.space: {error}")))?;
    }
    Ok(())
}

fn load_with(args: &Args, values: &[String]) -> Result<Config, Failure> {
    let sets = [&args.config.sets[..], values].concat();
    Ok(load(&args.config.path, &sets)?)
}

/// A search that is resumed is the one that was begun, on the same data.
fn check_same_search(run: &RunDir, config: &Config, dataset: &Dataset) -> Result<(), Failure> {
    if !run.file("config.yaml").exists() {
        return Ok(());
    }
    let before: Config = run.read_yaml("config.yaml")?;
    let fingerprint: String = run.read_yaml("data.yaml")?;
    if fingerprint != dataset.fingerprint {
        return Err(Failure::input(format!(
            "--resume: the data changed since {} began; restore them or choose another --output",
            run.path().display()
        )));
    }
    let mut changed = changed_keys(&before, config);
    let is_search = |key: &str| key.starts_with("search.") && key != "search.parallel";
    let is_longer = |key: &str| ["training.epochs", "training.patience"].contains(&key);
    let (then, now) = (&before.training, &config.training);
    changed.retain(|key| is_search(key) || is_longer(key) || !may_change(key, then, now));
    if changed.is_empty() {
        return Ok(());
    }
    let (keys, path) = (changed.join(", "), run.path().display());
    Err(Failure::input(format!(
        "--resume: {keys} changed since {path} began; put the old values back or choose another --output"
    )))
}

struct Search<'a> {
    args: &'a Args,
    config: &'a Config,
    dataset: &'a Dataset,
    knowledge: &'a Knowledge,
    direction: Direction,
    device: DeviceSpec,
    threads: usize,
    stop: StopFlag,
    run: &'a RunDir,
}

impl Search<'_> {
    fn climb(&self) -> Result<(), Failure> {
        let SearchConfig { method, .. } = self.config.search;
        let mut records = self.records()?;
        let rungs = self.config.search.rungs(records.len(), self.config.training.epochs);
        let mut climbing: Vec<usize> = records.iter().map(|record| record.trial.number).collect();
        for (place, rung) in rungs.iter().enumerate() {
            if place > 0 {
                climbing = survivors(&records, rungs[place - 1].epochs, self.direction, rung.n_trials);
            }
            if method == SearchMethod::Halving {
                tracing::info!("rung {}: {} trials up to epoch {}", place + 1, climbing.len(), rung.epochs);
            }
            self.train_all(&mut records, &climbing, *rung)?;
        }
        self.conclude(&records)
    }

    /// The trials, with what became of them in an earlier session.
    fn records(&self) -> Result<Vec<TrialRecord>, Failure> {
        let trials = self.config.search.trials();
        tracing::info!("{} trials, judged by {} on validation", trials.len(), self.config.training.monitor);
        let record = |trial: Trial| {
            let file = self.folder(trial.number).join(RECORD);
            match file.exists() {
                true => Ok(self.run.read_yaml(&file_below(self.run, &file))?),
                false => Ok(TrialRecord::new(trial)),
            }
        };
        trials.into_iter().map(record).collect()
    }

    fn folder(&self, number: usize) -> PathBuf {
        self.run.file(&format!("trial-{number:03}"))
    }

    /// Trains the trials of these numbers for a rung, as many at once as the config says.
    fn train_all(&self, records: &mut [TrialRecord], numbers: &[usize], rung: Rung) -> Result<(), Failure> {
        let waiting = records
            .iter_mut()
            .filter(|record| numbers.contains(&record.trial.number) && !record.is_done(rung.epochs));
        let waiting = Mutex::new(waiting.collect::<Vec<_>>().into_iter());
        // Nobody begins another trial when somebody asks to stop, or one could not go on.
        let is_over = AtomicBool::new(false);
        let next = || {
            let is_over = is_over.load(Ordering::Relaxed) || self.stop.is_raised();
            if is_over { None } else { waiting.lock().ok()?.next() }
        };
        let work = || -> Result<(), Failure> {
            while let Some(record) = next() {
                self.train(record, rung).inspect_err(|_| is_over.store(true, Ordering::Relaxed))?;
            }
            Ok(())
        };
        // A failure crosses from thread to thread as its sentence and its exit code.
        let told = |failure: Failure| (failure.to_string(), failure.exit_code());
        let ended: Vec<Result<(), (String, u8)>> = std::thread::scope(|scope| {
            let workers: Vec<_> =
                (0..self.config.search.parallel).map(|_| scope.spawn(|| work().map_err(told))).collect();
            let gone = || Err(("a trial ended in a panic, told above".to_owned(), 1));
            workers.into_iter().map(|worker| worker.join().unwrap_or_else(|_| gone())).collect()
        });
        match ended.into_iter().find_map(Result::err) {
            None if self.stop.is_raised() => Err(Failure::other(format!(
                "interrupted, all saved; continue with --resume --output {}",
                self.run.path().display()
            ))),
            None => Ok(()),
            Some((sentence, 2)) => Err(Failure::input(sentence)),
            Some((sentence, _)) => Err(Failure::other(sentence)),
        }
    }

    /// Trains one trial up to a rung, in all folds, and notes what it reached.
    fn train(&self, record: &mut TrialRecord, rung: Rung) -> Result<(), Failure> {
        let (began, trial) = (Instant::now(), &record.trial);
        let config = load_with(self.args, &trial.sets())?;
        let name = format!("trial {}", trial.number);
        tracing::info!("{name}: {}", trial.sets().join(", "));
        let folder = self.folder(trial.number);
        let mut reached: Vec<Reached> = Vec::new();
        for fold in 0..config.data.n_splits() {
            match self.train_fold(&config, &folder, fold, rung) {
                Ok(one) => reached.push(one),
                Err(failure) if failure.of_training().is_some() => {
                    tracing::warn!("{name} failed: {failure}");
                    record.failure = Some(failure.to_string());
                    break;
                }
                Err(failure) => return Err(failure),
            }
        }
        if record.failure.is_none() {
            let (epoch, value) = self.mean(&config, &reached);
            let seconds = began.elapsed().as_secs_f64();
            record.reached(rung.epochs, epoch, value, seconds);
            if value.is_none() {
                let monitor = &config.training.monitor;
                record.failure =
                    Some(format!("training.monitor {monitor} has no value on the validation part"));
            }
            let value = value.map_or("undefined".to_owned(), |value| format!("{value:.4}"));
            tracing::info!("{name}: valid {} {value}, {seconds:.1} s", config.training.monitor);
        }
        Ok(self.run.write_yaml(&file_below(self.run, &folder.join(RECORD)), record)?)
    }

    fn train_fold(
        &self,
        config: &Config,
        folder: &Path,
        fold: usize,
        rung: Rung,
    ) -> Result<Reached, Failure> {
        let path = match config.data.n_splits() {
            1 => folder.to_owned(),
            _ => folder.join(format!("fold-{}", fold + 1)),
        };
        let run = RunDir::create(&path, true)?;
        run.write_yaml("config.yaml", config)?;
        let fit = Fit {
            config,
            dataset: self.dataset,
            knowledge: self.knowledge,
            split: Split::of(&self.dataset.ratings, &config.data, fold)?,
            fold,
            run: &run,
            device: self.device,
            threads: self.threads,
            stop: self.stop.clone(),
            show_progress: false,
            began: Instant::now(),
        };
        let trial = fit::Trial { fit, last_epoch: rung.epochs };
        on_device(&self.device, trial)?.map_err(|failure| failure.in_fold_of(self.run))
    }

    /// The best epoch, of several folds the latest, and the mean of the monitored metric over them.
    fn mean(&self, config: &Config, folds: &[Reached]) -> (u64, Option<f64>) {
        let values: Option<Vec<f64>> =
            folds.iter().map(|fold| fold.valid.get(&config.training.monitor)).collect();
        let mean = values.map(|values| values.iter().sum::<f64>() / values.len().max(1) as f64);
        (folds.iter().map(|fold| fold.best_epoch).max().unwrap_or(0), mean)
    }

    /// The table, and the best config as one that `train` takes.
    fn conclude(&self, records: &[TrialRecord]) -> Result<(), Failure> {
        let table = table_csv(records, &self.config.training.monitor, self.direction);
        atomic_write(&self.run.file("trials.csv"), table.as_bytes())?;
        print!("\n{table}");
        let Some(record) = best(records, self.direction) else {
            return Err(Failure::other("every trial failed; trials.csv says why"));
        };
        let mut config = load_with(self.args, &record.trial.sets())?;
        config.search = SearchConfig::default();
        self.run.write_yaml("best.yaml", &config)?;
        let file = self.run.file("best.yaml");
        println!("\nbest: trial {}, {}", record.trial.number, record.trial.sets().join(", "));
        println!("its config: {file}; train it with `train {file}`", file = file.display());
        Ok(())
    }
}

/// The path of a file below a run's folder, as [`RunDir`] takes it.
fn file_below(run: &RunDir, file: &Path) -> String {
    file.strip_prefix(run.path()).unwrap_or(file).display().to_string()
}

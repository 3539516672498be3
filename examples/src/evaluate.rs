//! `evaluate`: the metrics of trained runs, measured anew, and of what others recommend.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Parser, ValueEnum};
use cresset::data::files::FileError;
use cresset::data::negatives::{CandidateSets, Protocol};
use cresset::data::predictions::Predictions;
use cresset::data::{Ratings, UserItems};
use cresset::device::{OnBackend, on_device};
use cresset::metrics::statistics::{Bootstrap, PairedTest};
use cresset::metrics::{Metric, Metrics, RatingPredictor, Scorer, Ties};
use cresset::nn::AutodiffRecommender;
use cresset::trainers::config::EvaluationConfig;
use cresset::trainers::results::{interval_table, metric_table};
use cresset::trainers::{EvaluationPart, Judged, Measured, TrainingFacts};

use crate::cli::{Common, LogFile};
use crate::failure::Failure;
use crate::floor::Floor;
use crate::saved::Saved;
use crate::served::Served;

/// Measure trained runs on their own split; several are judged as an ensemble too
#[derive(Debug, Parser)]
#[command(version)]
pub struct Args {
    /// The run directories
    #[arg(required = true)]
    runs: Vec<PathBuf>,
    /// The part of the split to measure on
    #[arg(long, value_enum, default_value_t = Part::Test)]
    split: Part,
    /// What to measure instead of what the config names: metrics between commas, or all
    #[arg(long, value_name = "METRICS", value_delimiter = ',')]
    metrics: Vec<String>,
    /// How items of equal score count, instead of what the config says
    #[arg(long, value_enum)]
    ties: Option<TieRule>,
    /// Rank among candidates drawn once by the seed of the split, as uni100 or pop100; the numbers are much larger than
    /// those of the full catalogue and not to be compared with them
    #[arg(long, value_name = "PROTOCOL", default_value_t = Protocol::Full)]
    protocol: Protocol,
    /// Measure the recommendations in this file too, users, items and scores as CSV, Parquet or a TREC run, and compare
    /// them with the first run
    #[arg(long, value_name = "FILE", conflicts_with = "protocol")]
    predictions: Option<PathBuf>,
    /// Write what each user adds to the metrics of the first run
    #[arg(long, value_name = "FILE")]
    per_user: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

/// A part of the split that was not trained on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Valid,
    Test,
}

/// [`Ties`], as the command line spells them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TieRule {
    Expected,
    Optimistic,
    Pessimistic,
}

/// Runs the command.
///
/// # Errors
///
/// If a run or a file cannot be used, or the runs of an ensemble were trained on different data or splits.
pub fn run(args: &Args) -> Result<(), Failure> {
    let device = args.common.set_up(&LogFile::default())?;
    let runs: Vec<Saved> = args.runs.iter().map(|path| Saved::open(path)).collect::<Result<_, _>>()?;
    check_same_data(&runs)?;
    let first = &runs[0];
    let part = part(args, first)?;
    let candidates = candidates(args, first, &part)?;
    let known = match args.split {
        Part::Valid => first.train(),
        Part::Test => first.known_at_test(),
    };
    let measure = Measure { runs: &runs, part: &part, candidates: candidates.as_ref(), known: &known };
    let mut table = on_device(&device, measure)??;
    if let Some(file) = &args.predictions {
        table.rows.push((file.display().to_string(), given(file, first, &part)?));
    }
    if let Some(file) = &args.per_user {
        table.rows[0].1.per_user.save(file, &first.data.users)?;
    }
    print(args, &table)
}

/// What was measured.
struct Table {
    /// The runs, their ensemble, and what a file recommends.
    rows: Vec<(String, Measured)>,
    /// The simple recommenders, unless the config wants none.
    floor: BTreeMap<String, Metrics>,
}

/// The part to measure on, with what is asked of it.
fn part(args: &Args, run: &Saved) -> Result<EvaluationPart, Failure> {
    let (n_users, n_items) = (run.data.users.len(), run.data.items.len());
    let split = &run.data.split;
    let select = |rows: &[u32]| run.data.ratings.select(rows);
    let (ratings, seen) = match args.split {
        Part::Valid => (select(&split.valid), run.train()),
        Part::Test => (select(&split.test), select(&split.before_test())),
    };
    if ratings.is_empty() {
        let path = run.run.path().display();
        return Err(Failure::input(format!(
            "--split valid: {path} was trained without a validation part; take --split test"
        )));
    }
    let facts = TrainingFacts::new(&run.train(), n_users, n_items).with_genres(&run.data.genres);
    let config = asked(args, &run.config.evaluation)?;
    Ok(EvaluationPart::new(ratings, &seen, n_users, &config).with_facts(facts))
}

/// The section `evaluation` of the run with what the command line puts in its place.
fn asked(args: &Args, config: &EvaluationConfig) -> Result<EvaluationConfig, Failure> {
    let mut config = config.clone();
    match args.metrics.as_slice() {
        [] => {}
        [all] if all == "all" => {
            config.metrics = Metric::ALL.iter().map(|metric| metric.name().to_owned()).collect();
        }
        metrics => config.metrics = metrics.to_vec(),
    }
    config.keys().map_err(|error| Failure::input(format!("--metrics: {error}")))?;
    config.ties = match args.ties {
        None => config.ties,
        Some(TieRule::Expected) => Ties::Expected,
        Some(TieRule::Optimistic) => Ties::Optimistic,
        Some(TieRule::Pessimistic) => Ties::Pessimistic,
    };
    Ok(config)
}

/// The candidates of the protocol, those of the run directory where it has them; none for the full catalogue.
fn candidates(args: &Args, run: &Saved, part: &EvaluationPart) -> Result<Option<CandidateSets>, Failure> {
    if args.protocol == Protocol::Full {
        return Ok(None);
    }
    let own = UserItems::from_ratings(&run.data.ratings, run.data.users.len());
    let file = run.run.file(&format!("candidates/{}-{}.json", args.split.name(), args.protocol));
    if file.exists() {
        let sets = CandidateSets::load_json(&file)?;
        sets.check(&file, &own, run.data.items.len())?;
        return Ok(Some(sets));
    }
    let counts = run.train().item_counts(run.data.items.len());
    let users = part.users_with_relevant_items();
    let sets = CandidateSets::draw(args.protocol, &users, &own, &counts, run.config.data.split_seed)?;
    std::fs::create_dir_all(run.run.file("candidates")).map_err(|cause| FileError::write(&file, cause))?;
    sets.save_json(&file)?;
    Ok(Some(sets))
}

/// What a file of recommendations comes to; what it names beside the run's users and items is told.
fn given(file: &Path, run: &Saved, part: &EvaluationPart) -> Result<Measured, Failure> {
    let lists = Predictions::read(file, &run.data.users, &run.data.items)?;
    let name = file.display();
    if lists.n_rows_of_unknown_users > 0 {
        tracing::warn!(
            "{name}: {} rows of users that the run does not know were left out",
            lists.n_rows_of_unknown_users
        );
    }
    if lists.n_unknown_items > 0 {
        tracing::warn!(
            "{name}: {} rows of items that the run does not know hold a place in their lists and are no hits",
            lists.n_unknown_items
        );
    }
    let measured = part.measure_lists(&lists, run.data.items.len())?;
    let counts = measured.counts;
    if counts.seen_items_removed + counts.empty_lists > 0 {
        tracing::warn!(
            "{name}: {} items that their user had before were taken out; {} users have no list and missed everything",
            counts.seen_items_removed,
            counts.empty_lists
        );
    }
    Ok(measured)
}

fn print(args: &Args, Table { rows, floor }: &Table) -> Result<(), Failure> {
    let mut table: Vec<(&str, &Metrics)> =
        rows.iter().map(|(name, measured)| (name.as_str(), &measured.metrics)).collect();
    table.extend(floor.iter().map(|(name, metrics)| (name.as_str(), metrics)));
    let among = match args.protocol {
        Protocol::Full => String::new(),
        protocol => format!(", ranked among {protocol} candidates"),
    };
    println!("{}{among}\n{}", args.split.name(), metric_table(&table));
    for (name, measured) in rows {
        for (key, reason) in measured.metrics.undefined() {
            println!("{key} of {name} is undefined: {reason}");
        }
    }
    let bootstrap = Bootstrap::default();
    let intervals =
        |(name, measured): &(String, Measured)| Ok((name.clone(), measured.intervals(&bootstrap)?));
    let intervals: Vec<_> = rows.iter().map(intervals).collect::<Result<_, Failure>>()?;
    println!("95% intervals, bootstrap over users\n{}", interval_table(&intervals));
    if args.predictions.is_some()
        && let [(name, first), .., (file, given)] = rows.as_slice()
    {
        let comparison = given.per_user.against(&first.per_user, &PairedTest::default())?;
        println!("{file} against {name}, on the same users\n{comparison}\n");
        println!("{file}: {}", given.counts);
    }
    let counts = rows[0].1.counts;
    if !counts.is_empty() {
        println!("{counts}");
    }
    Ok(())
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Test => "test",
        }
    }
}

struct Measure<'a> {
    runs: &'a [Saved],
    part: &'a EvaluationPart,
    candidates: Option<&'a CandidateSets>,
    /// The ratings by which users are known.
    known: &'a Ratings,
}

impl OnBackend for Measure<'_> {
    type Out = Result<Table, Failure>;

    fn run<B: AutodiffRecommender>(self, device: B::Device) -> Self::Out {
        let (mut rows, mut models) = (Vec::new(), Vec::new());
        for run in self.runs {
            let model = run.model::<B>(&device)?.knowing(self.known)?;
            let measured = self.part.measure_with(self.candidates, model.judged())?;
            rows.push((run.run.path().display().to_string(), measured));
            models.push(model);
        }
        let floor = self.floor(Judged {
            predictor: models.iter().find_map(|model| model.predictor()),
            scorer: models.iter().find_map(|model| model.scorer()),
        })?;
        if models.len() > 1 {
            let ensemble = Ensemble { models };
            let measured = self.part.measure_with(self.candidates, ensemble.judged())?;
            rows.push(("ensemble".to_owned(), measured));
        }
        Ok(Table { rows, floor })
    }
}

impl Measure<'_> {
    /// Beside all that any of the runs does.
    fn floor(&self, beside: Judged<'_>) -> Result<BTreeMap<String, Metrics>, Failure> {
        let first = &self.runs[0];
        if !first.config.training.baselines {
            return Ok(BTreeMap::new());
        }
        let floor = Floor {
            train: &first.train(),
            known: self.known,
            n_users: first.data.users.len(),
            n_items: first.data.items.len(),
            split: first.config.data.split,
        };
        floor.measure(self.part, self.candidates, beside)
    }
}

/// The mean of several models' predictions and scores.
struct Ensemble {
    models: Vec<Box<dyn Served>>,
}

impl Ensemble {
    /// By what all of its models can be measured by.
    fn judged(&self) -> Judged<'_> {
        Judged {
            predictor: self.predictors().map(|_| self as &dyn RatingPredictor),
            scorer: self.scorers().map(|_| self as &dyn Scorer),
        }
    }

    fn predictors(&self) -> Option<Vec<&dyn RatingPredictor>> {
        self.models.iter().map(|model| model.predictor()).collect()
    }

    fn scorers(&self) -> Option<Vec<&dyn Scorer>> {
        self.models.iter().map(|model| model.scorer()).collect()
    }
}

/// The mean of rows of equal length, element by element.
fn mean(rows: impl ExactSizeIterator<Item = Vec<f32>>) -> Vec<f32> {
    let n = rows.len() as f32;
    let mut sum: Vec<f32> = Vec::new();
    for row in rows {
        sum.resize(row.len(), 0.0);
        sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
    }
    sum.into_iter().map(|sum| sum / n).collect()
}

impl RatingPredictor for Ensemble {
    fn predict_pairs(&self, users: &[u32], items: &[u32]) -> Vec<f32> {
        let models = self.predictors().unwrap_or_default();
        mean(models.into_iter().map(|model| model.predict_pairs(users, items)))
    }

    fn predict_pairs_at(&self, users: &[u32], items: &[u32], times: &[i64]) -> Vec<f32> {
        let models = self.predictors().unwrap_or_default();
        mean(models.into_iter().map(|model| model.predict_pairs_at(users, items, times)))
    }
}

impl Scorer for Ensemble {
    fn n_items(&self) -> usize {
        self.scorers().map_or(0, |models| models[0].n_items())
    }

    fn score_block(&self, users: &[u32], scores: &mut [f32]) {
        let models = self.scorers().unwrap_or_default();
        let all = mean(models.into_iter().map(|model| {
            let mut own = vec![0.0; scores.len()];
            model.score_block(users, &mut own);
            own
        }));
        scores.copy_from_slice(&all);
    }
}

fn check_same_data(runs: &[Saved]) -> Result<(), Failure> {
    for run in &runs[1..] {
        if run.data != runs[0].data || run.config.evaluation != runs[0].config.evaluation {
            return Err(Failure::input(format!(
                "{} and {} differ in their data, split or `evaluation`; evaluate them one by one",
                runs[0].run.path().display(),
                run.run.path().display()
            )));
        }
    }
    Ok(())
}

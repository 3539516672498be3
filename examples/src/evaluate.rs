//! `evaluate`: the metrics of trained runs, measured anew.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use cresset::device::{DeviceSpec, OnBackend, on_device};
use cresset::metrics::{Metrics, RatingPredictor, Scorer};
use cresset::nn::AutodiffRecommender;
use cresset::trainers::results::metric_table;
use cresset::trainers::{EvaluationPart, Judged, RankingCounts};

use crate::cli::{Common, LogFile};
use crate::failure::Failure;
use crate::fit::baselines;
use crate::saved::{Saved, Served};

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
    #[command(flatten)]
    common: Common,
}

/// A part of the split that was not trained on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Valid,
    Test,
}

/// Runs the command.
///
/// # Errors
///
/// If a run cannot be used, or the runs of an ensemble were trained on different data or splits.
pub fn run(args: &Args) -> Result<(), Failure> {
    let device = args.common.set_up(&LogFile::default())?;
    let runs: Vec<Saved> = args.runs.iter().map(|path| Saved::open(path)).collect::<Result<_, _>>()?;
    check_same_data(&runs)?;
    let (rows, counts) = measure(args, &runs, &device)?;
    let rows: Vec<(&str, &Metrics)> = rows.iter().map(|(name, metrics)| (name.as_str(), metrics)).collect();
    let part = if args.split == Part::Test { "test" } else { "valid" };
    println!("{part}\n{}\n{counts}", metric_table(&rows));
    Ok(())
}

type Rows = Vec<(String, Metrics)>;

fn measure(args: &Args, runs: &[Saved], device: &DeviceSpec) -> Result<(Rows, RankingCounts), Failure> {
    let first = &runs[0];
    let n_users = first.data.users.len();
    let split = &first.data.split;
    let select = |rows: &[u32]| first.data.ratings.select(rows);
    let (ratings, seen) = match args.split {
        Part::Valid => (select(&split.valid), first.train()),
        Part::Test => (select(&split.test), select(&split.before_test())),
    };
    if ratings.is_empty() {
        let path = first.run.path().display();
        return Err(Failure::input(format!(
            "--split valid: {path} was trained without a validation part; take --split test"
        )));
    }
    let part = EvaluationPart::new(ratings, &seen, n_users, &first.config.evaluation);
    let mut rows = on_device(device, Measure { runs, part: &part })??;
    let counts = rows.counts;
    rows.metrics.extend(baselines(&part, &first.train(), n_users, first.data.items.len())?);
    Ok((rows.metrics, counts))
}

struct Measure<'a> {
    runs: &'a [Saved],
    part: &'a EvaluationPart,
}

struct Measured {
    metrics: Rows,
    counts: RankingCounts,
}

impl OnBackend for Measure<'_> {
    type Out = Result<Measured, Failure>;

    fn run<B: AutodiffRecommender>(self, device: B::Device) -> Self::Out {
        let mut measured = Measured { metrics: vec![], counts: RankingCounts::default() };
        let mut models = Vec::new();
        for run in self.runs {
            let model = run.model::<B>(&device)?;
            let (metrics, counts) =
                self.part.measure(Judged { predictor: Some(&*model), scorer: Some(&*model) })?;
            measured.metrics.push((run.run.path().display().to_string(), metrics));
            measured.counts = counts;
            models.push(model);
        }
        if models.len() > 1 {
            let (metrics, counts) = self.part.measure(Judged::both(&Ensemble { models }))?;
            measured.metrics.push(("ensemble".to_owned(), metrics));
            measured.counts = counts;
        }
        Ok(measured)
    }
}

/// The mean of several models' predictions and scores.
struct Ensemble {
    models: Vec<Box<dyn Served>>,
}

impl Ensemble {
    fn mean(&self, mut each: impl FnMut(&dyn Served) -> Vec<f32>) -> Vec<f32> {
        let mut sum: Vec<f32> = Vec::new();
        for model in &self.models {
            let values = each(&**model);
            sum.resize(values.len(), 0.0);
            sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
        }
        let n = self.models.len() as f32;
        sum.into_iter().map(|sum| sum / n).collect()
    }
}

impl RatingPredictor for Ensemble {
    fn predict_pairs(&self, users: &[u32], items: &[u32]) -> Vec<f32> {
        self.mean(|model| model.predict_pairs(users, items))
    }
}

impl Scorer for Ensemble {
    fn n_items(&self) -> usize {
        self.models[0].n_items()
    }

    fn score_block(&self, users: &[u32], scores: &mut [f32]) {
        let n = scores.len();
        let mean = self.mean(|model| {
            let mut scores = vec![0.0; n];
            model.score_block(users, &mut scores);
            scores
        });
        scores.copy_from_slice(&mean);
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

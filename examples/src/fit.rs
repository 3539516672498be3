//! One split, trained and judged into one run directory.

use std::collections::{BTreeMap, HashSet};
use std::time::Instant;

use cresset::baselines::{BaselineConfig, TrainingSet};
use cresset::data::{Batches, Dataset, Ratings, Split};
use cresset::device::{DeviceSpec, OnBackend};
use cresset::kg_mf::{KgMf, KgMfConfig};
use cresset::metrics::statistics::Bootstrap;
use cresset::metrics::{MetricError, Metrics};
use cresset::nn::{AutodiffRecommender, TrainModel};
use cresset::trainers::manifest::{self, DataManifest, Manifest, SplitManifest};
use cresset::trainers::memory::peak_memory_mb;
use cresset::trainers::results::Results;
use cresset::trainers::{
    EvaluationPart, Finished, HeldOut, Progress, RunDir, SavedData, StopFlag, Trainer, TrainingFacts, plot,
};
use cresset::two_tower::{FrozenPairs, TwoTower, TwoTowerConfig};

use crate::failure::Failure;
use crate::floor::{Floor, known_at_test};
use crate::knowledge::{self, Knowledge};
use crate::models::{Config, ModelConfig, NetworkConfig, kg_mf_batches, new_kg_mf};
use crate::saved::WEIGHTS;
use crate::served::{Served, ServedKgMf};
use crate::two_tower::{self, ServedTowers, Started};

/// What each user adds to the metrics of the test part, in the run directory.
pub const TEST_USERS: &str = "test_users.csv";

/// Everything that a fit needs; runs on any backend.
pub struct Fit<'a> {
    /// The effective config.
    pub config: &'a Config,
    /// The cleaned data.
    pub dataset: &'a Dataset,
    /// What the model may read beside them.
    pub knowledge: &'a Knowledge,
    /// Their split.
    pub split: Split,
    /// Which fold, from 0.
    pub fold: usize,
    /// Where the run goes.
    pub run: &'a RunDir,
    /// The device, for the manifest.
    pub device: DeviceSpec,
    /// Threads, for the manifest.
    pub threads: usize,
    /// Raised to stop.
    pub stop: StopFlag,
    /// Whether a terminal shows bars.
    pub show_progress: bool,
    /// When the run began.
    pub began: Instant,
}

/// The parts of a split, each as what it is for.
struct Parts {
    train: Ratings,
    valid: EvaluationPart,
    test: HeldOut<EvaluationPart>,
    /// By which users are known at the test.
    known_at_test: Ratings,
}

/// A model, and how it came to be.
struct Fitted {
    model: Box<dyn Served>,
    n_parameters: usize,
    outcome: Outcome,
}

/// A network after its last epoch.
struct TrainedNetwork<M> {
    model: M,
    outcome: Outcome,
}

/// How training or fitting went.
struct Outcome {
    /// What the test part opens for; nothing where training only paused.
    finished: Option<Finished>,
    /// 0 where there are no epochs.
    best_epoch: u64,
    epochs: u64,
    examples_per_second: f64,
    /// Seconds of the run, those of sessions before a resume too, up to `at`.
    seconds: f64,
    at: Instant,
}

impl Outcome {
    fn fitted(self, model: Box<dyn Served>, n_parameters: usize) -> Fitted {
        Fitted { model, n_parameters, outcome: self }
    }
}

impl OnBackend for Fit<'_> {
    type Out = Result<Results, Failure>;

    fn run<B: AutodiffRecommender>(self, device: B::Device) -> Self::Out {
        let manifest = self.manifest_of_run()?;
        tracing::info!("{}", manifest.split);
        self.run.write_yaml("manifest.yaml", &manifest)?;
        self.run.write_yaml("best_model/config.yaml", self.config)?;
        self.saved_data().save(self.run)?;
        knowledge::save(self.knowledge, self.run)?;
        let parts = self.parts();
        let fitted = self.fit::<B>(&parts, u64::MAX, &device)?;
        self.judge(fitted, parts)
    }
}

/// A fit that goes no further than to the end of an epoch, and is measured on the validation part alone.
pub struct Trial<'a> {
    /// The fit.
    pub fit: Fit<'a>,
    /// The last epoch, from 1.
    pub last_epoch: u64,
}

/// What a trial reached.
#[derive(Debug, Clone)]
pub struct Reached {
    /// The best epoch so far; 0 where there are no epochs.
    pub best_epoch: u64,
    /// Its metrics on the validation part.
    pub valid: Metrics,
}

impl OnBackend for Trial<'_> {
    type Out = Result<Reached, Failure>;

    fn run<B: AutodiffRecommender>(self, device: B::Device) -> Self::Out {
        let parts = self.fit.parts();
        let fitted = self.fit.fit::<B>(&parts, self.last_epoch, &device)?;
        let model = fitted.model.knowing(&parts.train)?;
        let valid = parts.valid.measure(model.judged())?.metrics;
        Ok(Reached { best_epoch: fitted.outcome.best_epoch, valid })
    }
}

impl Fit<'_> {
    fn parts(&self) -> Parts {
        let part = |rows: &[u32]| self.dataset.ratings.select(rows);
        let train = part(&self.split.train);
        let (n_users, n_items) = (self.dataset.n_users(), self.dataset.n_items());
        let facts = TrainingFacts::new(&train, n_users, n_items).with_genres(&self.genres());
        let judge = |part: Ratings, seen: &Ratings| {
            EvaluationPart::new(part, seen, n_users, &self.config.evaluation).with_facts(facts.clone())
        };
        let valid = judge(part(&self.split.valid), &train);
        let test = HeldOut::new(judge(part(&self.split.test), &part(&self.split.before_test())));
        let known_at_test = part(&known_at_test(&self.split, self.config.data.split));
        Parts { train, valid, test, known_at_test }
    }

    fn fit<B: AutodiffRecommender>(
        &self,
        parts: &Parts,
        last_epoch: u64,
        device: &B::Device,
    ) -> Result<Fitted, Failure> {
        match &self.config.model {
            ModelConfig::Network(NetworkConfig::KgMf(model)) => {
                self.kg_mf::<B>(model, parts, last_epoch, device)
            }
            ModelConfig::Network(NetworkConfig::TwoTower(model)) => {
                self.two_tower::<B>(model, parts, last_epoch, device)
            }
            ModelConfig::Baseline(model) => self.baseline(model, parts),
        }
    }

    fn kg_mf<B: AutodiffRecommender>(
        &self,
        config: &KgMfConfig,
        parts: &Parts,
        last_epoch: u64,
        device: &B::Device,
    ) -> Result<Fitted, Failure> {
        let training = &self.config.training;
        let (n_users, n_items) = (self.dataset.n_users(), self.dataset.n_items());
        let of_split = knowledge::with_times(config, self.knowledge.kg_mf.clone(), &parts.train);
        let model = new_kg_mf::<B>(config, self.dataset, &of_split, &parts.train, training.seed, device)?;
        let batches = kg_mf_batches(&model, self.dataset, &parts.train, training)?;
        let n_parameters = config.n_parameters(n_users, n_items, &of_split).iter().map(|(_, n)| n).sum();
        let mut validate = |model: &KgMf<B::InnerBackend>| {
            let model = ServedKgMf::from(model.clone());
            Ok(parts.valid.measure(model.judged())?.metrics)
        };
        let trained = self.train::<B, _, _>(last_epoch, model, &batches, &mut validate, device)?;
        let model = Box::new(ServedKgMf::from(trained.model));
        Ok(trained.outcome.fitted(model, n_parameters))
    }

    fn two_tower<B: AutodiffRecommender>(
        &self,
        config: &TwoTowerConfig,
        parts: &Parts,
        last_epoch: u64,
        device: &B::Device,
    ) -> Result<Fitted, Failure> {
        let training = &self.config.training;
        let sizes = [self.dataset.n_users(), self.dataset.n_items()];
        let Started { model, batches, data } = two_tower::start::<B>(
            config,
            self.knowledge,
            (self.dataset, &self.split.train),
            training,
            device,
        )?;
        let shapes = (data.users.shape(), data.items.shape());
        let n_parameters = config.n_parameters(&shapes.0, &shapes.1).iter().map(|(_, n)| n).sum();
        let frozen = FrozenPairs::draw(parts.valid.ratings(), &parts.train, sizes, training.seed);
        let mut validate = |model: &TwoTower<B::InnerBackend>| {
            let model = ServedTowers::new(model, &data).expect("the data that it was made for");
            let mut metrics = parts.valid.measure(model.judged())?.metrics;
            model.watch(&frozen, &mut metrics);
            Ok(metrics)
        };
        let trained = self.train::<B, _, _>(last_epoch, model, &batches, &mut validate, device)?;
        let model = Box::new(ServedTowers::new(&trained.model, &data)?);
        Ok(trained.outcome.fitted(model, n_parameters))
    }

    /// Trains a model of whatever kind, and draws how it went.
    fn train<B, M, S>(
        &self,
        last_epoch: u64,
        model: M,
        batches: &S,
        validate: &mut dyn FnMut(&M::InnerModule) -> Result<Metrics, MetricError>,
        device: &B::Device,
    ) -> Result<TrainedNetwork<M::InnerModule>, Failure>
    where
        B: AutodiffRecommender,
        M: TrainModel<B>,
        S: Batches<Batch = M::Batch>,
    {
        let training = &self.config.training;
        let trainer = Trainer {
            config: training,
            run: self.run,
            stop: self.stop.clone(),
            show_progress: self.show_progress,
            loader: self.config.data.loader(),
        };
        let before = self.began.elapsed();
        let trained = trainer.fit_until(last_epoch, model, batches, validate, device)?;
        let Progress { history, early_stop, epoch, seconds, strategy, .. } = &trained.progress;
        for ending in self.config.output.plots.endings() {
            let file = |name: &str| self.run.file(&format!("plots/{name}.{ending}"));
            plot::training_history(history, &file("training_history"))?;
            if !strategy.series.rows.is_empty() {
                let modules = &training.strategy.alternating;
                plot::alternation(&strategy.series, modules, &file("alternation"))?;
            }
        }
        let outcome = Outcome {
            finished: trained.finished,
            best_epoch: early_stop.best.map_or(0, |(epoch, _)| epoch),
            epochs: *epoch,
            examples_per_second: trained.examples_per_second,
            seconds: seconds + before.as_secs_f64(),
            at: Instant::now(),
        };
        Ok(TrainedNetwork { model: trained.model, outcome })
    }

    /// There are no epochs, so nothing is resumed: what was interrupted is fitted again.
    fn baseline(&self, config: &BaselineConfig, parts: &Parts) -> Result<Fitted, Failure> {
        let (n_users, n_items) = (self.dataset.n_users(), self.dataset.n_items());
        let before = Instant::now();
        let training = TrainingSet::from_ratings(&parts.train, n_users, n_items);
        let (model, finished) = Finished::fitting(|| config.fit(&training))?;
        let fitting = before.elapsed().as_secs_f64();
        tracing::info!("fitted to {} ratings in {fitting:.2} s", parts.train.len());
        model.save(&self.run.file(WEIGHTS))?;
        let n_parameters = model.n_parameters().iter().map(|(_, n)| n).sum();
        let outcome = Outcome {
            finished: Some(finished),
            best_epoch: 0,
            epochs: 0,
            examples_per_second: parts.train.len() as f64 / fitting,
            seconds: self.began.elapsed().as_secs_f64(),
            at: Instant::now(),
        };
        Ok(outcome.fitted(Box::new(model), n_parameters))
    }

    fn judge(&self, fitted: Fitted, parts: Parts) -> Result<Results, Failure> {
        let Fitted { model, n_parameters, outcome } = fitted;
        model.keep(self.run, self.dataset)?;
        let model = model.knowing(&parts.train)?;
        let valid = parts.valid.measure(model.judged())?.metrics;
        let model = model.knowing(&parts.known_at_test)?;
        let finished =
            outcome.finished.ok_or_else(|| Failure::other("the run is paused, and judged when it ends"))?;
        let test_part = parts.test.open(finished);
        let test = test_part.measure(model.judged())?;
        if !test.counts.is_empty() {
            tracing::info!("{}", test.counts);
        }
        test.per_user.save(&self.run.file(TEST_USERS), &self.dataset.users)?;
        let intervals = test.intervals(&Bootstrap::default())?;
        let baselines = match self.config.training.baselines {
            true => {
                self.floor(&parts.train, &parts.known_at_test).measure(&test_part, None, model.judged())?
            }
            false => BTreeMap::new(),
        };
        let results = Results {
            model: self.config.model.kind().to_owned(),
            n_parameters,
            best_epoch: outcome.best_epoch,
            epochs: outcome.epochs,
            seconds: outcome.seconds + outcome.at.elapsed().as_secs_f64(),
            examples_per_second: outcome.examples_per_second,
            peak_memory_mb: peak_memory_mb(),
            valid,
            test_intervals: intervals.into_iter().map(|(key, it)| (key, [it.low, it.high])).collect(),
            test_by_item_ratings: test.by_item_ratings,
            ranking: test.counts,
            test: test.metrics,
            baselines,
        };
        self.run.write_yaml("results.yaml", &results)?;
        Ok(results)
    }

    fn floor<'p>(&self, train: &'p Ratings, known: &'p Ratings) -> Floor<'p> {
        Floor {
            train,
            known,
            n_users: self.dataset.n_users(),
            n_items: self.dataset.n_items(),
            split: self.config.data.split,
        }
    }

    fn saved_data(&self) -> SavedData {
        SavedData {
            users: self.dataset.users.clone(),
            items: self.dataset.items.clone(),
            titles: self.dataset.titles.clone(),
            genres: self.genres(),
            rating_range: self.dataset.rating_range,
            ratings: self.dataset.ratings.clone(),
            split: self.split.clone(),
        }
    }

    fn genres(&self) -> Vec<Vec<String>> {
        self.dataset.catalogue.items.iter().map(|item| item.genres.clone()).collect()
    }

    /// The manifest; of a run that goes on with when, on what and by which versions it began.
    fn manifest_of_run(&self) -> Result<Manifest, Failure> {
        let now = self.manifest();
        if !self.run.file("manifest.yaml").exists() {
            return Ok(now);
        }
        let Manifest { began, device, threads, cresset, burn, system, git_commit, .. } =
            self.run.read_yaml("manifest.yaml")?;
        Ok(Manifest { began, device, threads, cresset, burn, system, git_commit, ..now })
    }

    fn manifest(&self) -> Manifest {
        let data = &self.config.data;
        let items = |rows: &[u32]| -> HashSet<u32> {
            rows.iter().map(|&row| self.dataset.ratings.item_id[row as usize]).collect()
        };
        let (known, tested) = (items(&self.split.train), items(&self.split.test));
        let unseen = tested.difference(&known).count();
        Manifest {
            began: manifest::now(),
            data: DataManifest {
                source: data.source.name().to_owned(),
                fingerprint: self.dataset.fingerprint.clone(),
                n_users: self.dataset.n_users(),
                n_items: self.dataset.n_items(),
                n_ratings: self.dataset.ratings.len(),
                cleaning: self.dataset.cleaning.to_string(),
            },
            split: SplitManifest {
                kind: self.split.note.method.clone(),
                fold: self.fold + 1,
                seed: data.split_seed,
                train: self.split.train.len(),
                valid: self.split.valid.len(),
                test: self.split.test.len(),
                test_items_unseen: unseen,
                test_items_unseen_share: unseen as f64 / tested.len().max(1) as f64,
                note: self.split.note.to_string(),
            },
            protocol: Manifest::protocol(&self.config.evaluation).to_owned(),
            ties: Manifest::tie_rule(self.config.evaluation.ties).to_owned(),
            seed: self.config.training.seed,
            device: self.device.to_string(),
            threads: self.threads,
            cresset: cresset::VERSION.to_owned(),
            burn: cresset::BURN_VERSION.to_owned(),
            system: manifest::system(),
            git_commit: manifest::git_commit(),
        }
    }
}

//! What the commands need of a two-tower model: what its towers read, its batches, and the vectors that a run keeps.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cresset::data::catalogue::Side;
use cresset::data::features::{FeatureEncoder, Features};
use cresset::data::processed::{self, TrainingNegatives};
use cresset::data::vectors::{self, Vectors, VectorsConfig};
use cresset::data::{Dataset, Ratings, SourceKind, Vocabulary};
use cresset::metrics::{Metrics, RatingPredictor, Scorer};
use cresset::nn::{AutodiffRecommender, RecommenderBackend};
use cresset::trainers::config::TrainingConfig;
use cresset::trainers::{RunDir, SavedData};
use cresset::two_tower::{
    Embeddings, FrozenPairs, NegativesConfig, NegativesKind, OutOfRange, SideData, SideVectors, TwoTower,
    TwoTowerBatches, TwoTowerConfig, TwoTowerData, TwoTowerError, mean_cosine,
};

use crate::failure::Failure;
use crate::knowledge::Knowledge;
use crate::models::Config;
use crate::served::Served;

const USER_VECTORS: &str = "best_model/user_embeddings";
const ITEM_VECTORS: &str = "best_model/item_embeddings";
const USER_FEATURES: &str = "best_model/user_features.json";
const ITEM_FEATURES: &str = "best_model/item_features.json";
const FINGERPRINTS: &str = "best_model/vectors.yaml";
/// Both kinds of files are written, the first is read again.
const FORMATS: [&str; 2] = ["npy", "parquet"];
/// Vectors whose mean cosine is this high have collapsed: any two of them all but coincide.
const COLLAPSED: f64 = 0.98;

/// What the towers read, and how those who come later are described to them.
#[derive(Debug, Clone)]
pub struct Towers {
    /// Of users and items of the data.
    pub data: TwoTowerData,
    user_encoder: FeatureEncoder,
    item_encoder: FeatureEncoder,
    /// The folder whose lists of negatives are trained with, where they are.
    given_in: Option<PathBuf>,
}

/// Reads what the towers of a config ask for.
///
/// # Errors
///
/// If a file is missing or damaged, or a feature is not in the data.
pub fn load(
    model: &TwoTowerConfig,
    config: &Config,
    data_dir: &Path,
    dataset: &Dataset,
) -> Result<Towers, Failure> {
    let all = |n: usize| (0..n as u32).collect::<Vec<u32>>();
    let users = Features::fit(&model.user_features, dataset, Side::Users, &all(dataset.n_users()))?;
    let items = Features::fit(&model.item_features, dataset, Side::Items, &all(dataset.n_items()))?;
    let found = vectors::of_dataset(&config.data, data_dir, dataset)?;
    let (mut of_users, mut of_items) = (Vec::new(), Vec::new());
    for vectors in found {
        let (name, rows) = (vectors.name, Arc::new(vectors.vectors));
        match vectors.of {
            Side::Users => of_users.push(SideVectors { name, rows }),
            Side::Items => of_items.push(SideVectors { name, rows }),
        }
    }
    let side = |n_rows, features, vectors| SideData { n_rows, features, vectors, is_known: None };
    let data = TwoTowerData::new(
        side(dataset.n_users(), users.encoded, of_users),
        side(dataset.n_items(), items.encoded, of_items),
    );
    model.check(&data)?;
    check_batches(model, config, data_dir)?;
    Ok(Towers {
        data: data.with_vectors_of(model),
        user_encoder: users.encoder,
        item_encoder: items.encoder,
        given_in: (model.negatives.kind == NegativesKind::Given
            && config.data.source == SourceKind::TwoTowerFolder)
            .then(|| data_dir.join(config.data.folder())),
    })
}

/// Refuses batches that could not be made, before anything is written.
fn check_batches(model: &TwoTowerConfig, config: &Config, data_dir: &Path) -> Result<(), TwoTowerError> {
    let lists = data_dir.join(config.data.folder()).join(processed::NEGATIVES);
    match model.negatives.kind {
        NegativesKind::InBatch if config.training.batch_size == 1 => Err(TwoTowerError::LonelyBatch { n: 1 }),
        NegativesKind::Given if config.data.source != SourceKind::TwoTowerFolder || !lists.exists() => {
            Err(TwoTowerError::NoGiven)
        }
        _ => Ok(()),
    }
}

/// A model before its first step, its batches, and what both read.
pub struct Started<B: AutodiffRecommender> {
    /// The model.
    pub model: TwoTower<B>,
    /// What it learns from.
    pub batches: TwoTowerBatches,
    /// What its towers read, knowing who has a training rating.
    pub data: TwoTowerData,
}

/// The beginning of a training on some rows of the data.
///
/// # Errors
///
/// A hyperparameter out of range, or data that lack what the config names.
pub fn start<B: AutodiffRecommender>(
    config: &TwoTowerConfig,
    knowledge: &Knowledge,
    (dataset, rows): (&Dataset, &[u32]),
    training: &TrainingConfig,
    device: &B::Device,
) -> Result<Started<B>, Failure> {
    let towers =
        knowledge.towers.as_ref().ok_or_else(|| Failure::other("the towers have nothing to read"))?;
    let TrainingConfig { batch_size, seed, .. } = *training;
    let train = dataset.ratings.select(rows);
    let data = towers.data.clone().known_from(&train);
    if config.out_of_range == OutOfRange::Unknown {
        let unknown =
            |side: &SideData| side.is_known.iter().flat_map(|known| known.iter()).filter(|it| !**it).count();
        let (users, items) = (unknown(&data.users), unknown(&data.items));
        tracing::info!(
            "{users} users and {items} items without a training rating are known by their features alone"
        );
    }
    let model = config.init(&data, seed, device)?;
    let given = match &towers.given_in {
        Some(folder) => TrainingNegatives::read(folder, dataset, rows)?.map(Arc::new),
        None => None,
    };
    let batches = TwoTowerBatches::with_given(config, &data, &train, given, batch_size, seed)?;
    Ok(Started { model, batches, data })
}

/// Values that the rows of a batch have on their way through the towers.
pub fn values_of_a_batch(config: &TwoTowerConfig, n_pairs: f64, n_items: usize) -> f64 {
    let NegativesConfig { kind, n, pool, .. } = config.negatives;
    let drawn = match kind {
        NegativesKind::InBatch => 0.0,
        NegativesKind::Mixed | NegativesKind::Shared => n as f64,
        NegativesKind::Drawn | NegativesKind::Given => n_pairs * n as f64,
        NegativesKind::Hard => pool.min(n_items) as f64,
        NegativesKind::All => n_items as f64,
    };
    let width = |hidden: &[usize], n_inputs: usize, given: usize| {
        config.embedding_dim * (1 + n_inputs) + hidden.iter().sum::<usize>() + given
    };
    let given = |n: usize| n * config.text_feature_dim.unwrap_or(USUAL_WIDTH);
    let (of_users, of_items) = (&config.user_vectors, &config.item_vectors);
    let users = width(
        &config.user_mlp_hidden,
        1 + config.user_features.len() + of_users.len(),
        given(of_users.len()),
    );
    let items = width(
        &config.item_mlp_hidden,
        1 + config.item_features.len() + of_items.len(),
        given(of_items.len()),
    );
    let scores = if kind == NegativesKind::Hard { n_pairs * drawn } else { 0.0 };
    n_pairs * users as f64 + (n_pairs + drawn) * items as f64 + scores
}

/// Values of a text vector whose width nobody has told.
const USUAL_WIDTH: usize = 768;

/// What there is to read, in a line for each.
pub fn tell(towers: &Towers) -> Vec<String> {
    let told = |side: &str, data: &SideData| {
        let vectors = data.vectors.iter().map(move |vectors| {
            let (n, of, dim) = (vectors.rows.n_present(), vectors.rows.present.len(), vectors.rows.dim);
            let zeros = match vectors.rows.n_zero {
                0 => String::new(),
                n_zero => format!("; {n_zero} are zeros alone, as of items without text"),
            };
            format!("{} vectors: {n} of {of} {side}, {dim} wide{zeros}", vectors.name)
        });
        vectors.collect::<Vec<_>>()
    };
    [told("users", &towers.data.users), told("items", &towers.data.items)].concat()
}

/// Keeps in the run directory how those who come later are described to the towers, and what the vectors were; those
/// that an earlier training has left are removed: they are not of the model that is to come.
///
/// # Errors
///
/// If a file cannot be written.
pub fn save(towers: &Towers, run: &RunDir) -> Result<(), Failure> {
    for file in [USER_VECTORS, ITEM_VECTORS] {
        FORMATS.iter().try_for_each(|format| run.remove(&format!("{file}.{format}")))?;
    }
    towers.user_encoder.save(&run.file(USER_FEATURES))?;
    towers.item_encoder.save(&run.file(ITEM_FEATURES))?;
    Ok(run.write_yaml(FINGERPRINTS, &fingerprints(towers))?)
}

/// Whether features and vectors are those that the run in `folder` began with; true where it kept none.
///
/// # Errors
///
/// If a file is damaged.
pub fn is_same(towers: &Towers, folder: &Path) -> Result<bool, Failure> {
    let run = RunDir::at(folder);
    // The last of its files to be written: without it, the first session ended before it was.
    if !run.file(FINGERPRINTS).exists() {
        return Ok(true);
    }
    let vectors: BTreeMap<String, String> = run.read_yaml(FINGERPRINTS)?;
    Ok(vectors == fingerprints(towers)
        && FeatureEncoder::load(&run.file(USER_FEATURES))? == towers.user_encoder
        && FeatureEncoder::load(&run.file(ITEM_FEATURES))? == towers.item_encoder)
}

/// Of all vectors, by the name they go by.
fn fingerprints(towers: &Towers) -> BTreeMap<String, String> {
    let of = |side: &'static str, data: &SideData| {
        let one = move |it: &SideVectors| (format!("{side} {}", it.name), it.rows.fingerprint());
        data.vectors.iter().map(one).collect::<Vec<_>>()
    };
    of("users", &towers.data.users).into_iter().chain(of("items", &towers.data.items)).collect()
}

/// A two-tower model as everybody's vectors.
pub struct ServedTowers<B: RecommenderBackend> {
    embeddings: Embeddings<B>,
    temperature: f64,
}

impl<B: RecommenderBackend> ServedTowers<B> {
    /// The vectors of everybody in the data.
    ///
    /// # Errors
    ///
    /// If the data are not those that the model was made for.
    pub fn new(model: &TwoTower<B>, data: &TwoTowerData) -> Result<Self, TwoTowerError> {
        Ok(Self { embeddings: model.embed(data)?, temperature: model.config().temperature })
    }

    /// The vectors that a run keeps.
    ///
    /// # Errors
    ///
    /// If a file is missing or damaged, or of other users or items.
    pub fn open(
        run: &RunDir,
        config: &TwoTowerConfig,
        data: &SavedData,
        device: &B::Device,
    ) -> Result<Self, Failure> {
        let read = |name: &str, known: &Vocabulary| {
            let file = run.file(&format!("{name}.{}", FORMATS[0]));
            if !file.exists() {
                return Err(Failure::input(format!(
                    "{} is not there: vectors are written when training ends; let the run end, or train again",
                    file.display()
                )));
            }
            let vectors = Vectors::read(&file, &VectorsConfig::default())?;
            if vectors.ids != known.ids() || vectors.dim != config.embedding_dim {
                return Err(Failure::input(format!(
                    "{} holds {} vectors of {} values, and not those of the run's {} of {}; restore it from a copy or train again",
                    file.display(),
                    vectors.len(),
                    vectors.dim,
                    known.len(),
                    config.embedding_dim
                )));
            }
            Ok(vectors.values)
        };
        let (users, items) = (read(USER_VECTORS, &data.users)?, read(ITEM_VECTORS, &data.items)?);
        let embeddings = Embeddings::from_rows(users, items, config.embedding_dim, device);
        Ok(Self { embeddings, temperature: config.temperature })
    }

    /// Adds the binary cross-entropy of frozen pairs, and warns where all vectors have become one.
    pub fn watch(&self, pairs: &FrozenPairs, metrics: &mut Metrics) {
        // Without a validation part nothing is measured, which is how training knows.
        if pairs.is_empty() {
            return;
        }
        metrics.insert("log_loss", pairs.log_loss(&self.embeddings, self.temperature));
        let cosine = mean_cosine(self.embeddings.items.clone());
        metrics.insert("mean_item_cosine", cosine);
        if cosine > COLLAPSED {
            tracing::warn!(
                "the items' vectors have collapsed: the mean cosine of two of them is {cosine:.3}; lower \
                 training.learning_rate or model.temperature, or give model.negatives more to tell pairs from"
            );
        }
    }
}

impl<B: RecommenderBackend> Served for ServedTowers<B> {
    /// A cosine is no rating.
    fn predictor(&self) -> Option<&dyn RatingPredictor> {
        None
    }

    fn scorer(&self) -> Option<&dyn Scorer> {
        Some(&self.embeddings)
    }

    fn score_history(&self, items: &[u32], _ratings: &[f32]) -> Option<Vec<f32>> {
        Some(self.embeddings.score_history(items))
    }

    fn knowing(self: Box<Self>, _now: &Ratings) -> Result<Box<dyn Served>, Failure> {
        Ok(self)
    }

    /// The vectors of all users and items, for this program and for any index.
    fn keep(&self, run: &RunDir, dataset: &Dataset) -> Result<(), Failure> {
        let dim = self.embeddings.items.dims()[1];
        let sides = [
            (USER_VECTORS, &dataset.users, self.embeddings.user_rows()),
            (ITEM_VECTORS, &dataset.items, self.embeddings.item_rows()),
        ];
        for (file, vocabulary, values) in sides {
            let vectors = Vectors { ids: vocabulary.ids().to_vec(), dim, values };
            for format in FORMATS {
                vectors.write(&run.file(&format!("{file}.{format}")))?;
            }
        }
        Ok(())
    }
}

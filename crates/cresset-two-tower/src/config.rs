//! Hyperparameters.

use std::fmt;

use burn::tensor::backend::Backend;
use cresset_data::features::FeatureConfig;
use cresset_nn::ConfigError;
use serde::{Deserialize, Serialize};

use crate::error::TwoTowerError;
use crate::model::TwoTower;
use crate::side::Side;
use crate::side_data::{SideData, SideVectors, TwoTowerData};

/// The vectors whose width `text_feature_dim` is about.
const TEXT: &str = "text";

/// What is minimised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// Cross-entropy of each user's item among the negatives.
    #[default]
    Softmax,
    /// Binary cross-entropy of pairs and negatives, each by itself.
    Bce,
}

/// Where the items come from that stand against a user's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NegativesKind {
    /// The items of the other pairs in the batch.
    #[default]
    InBatch,
    /// Those, and some drawn for the batch (Yang et al., WWW 2020): items that no pair has are met too.
    Mixed,
    /// Drawn for the batch, the same for all its pairs.
    Shared,
    /// Drawn for each pair.
    Drawn,
    /// From the lists of the data's `negatives.json`.
    Given,
    /// The `n` of a pool drawn for the batch that the model, as it is, ranks highest for the user.
    Hard,
    /// The whole catalogue.
    All,
}

/// The items that stand against a user's own.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NegativesConfig {
    /// Where they come from. Default: `in_batch`.
    pub kind: NegativesKind,
    /// How many: for each pair with `drawn`, `given` and `hard`, for the batch with `mixed` and `shared`; at least 1.
    /// Default: 1.
    pub n: usize,
    /// What is drawn is drawn in proportion to an item's training ratings to this power, 0 (all alike) to 8. Default: 0.
    pub power: f64,
    /// Items of the pool of `hard`, at least `n`; as many as there are makes it the whole catalogue. Default: 1,024.
    pub pool: usize,
}

impl Default for NegativesConfig {
    fn default() -> Self {
        Self { kind: NegativesKind::InBatch, n: 1, power: 0.0, pool: 1_024 }
    }
}

/// What a user or item is that has no row of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutOfRange {
    /// One of those that share a learnt row, known by its features alone. Whoever has no training rating is one, too.
    #[default]
    Unknown,
    /// The last one of the table.
    Clamp,
    /// An error.
    Error,
}

/// Hyperparameters of [`TwoTower`]; [`init`](Self::init) checks them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TwoTowerConfig {
    /// Width of every embedding and projection, and of the output, 1 to 8,192. Default: 128.
    pub embedding_dim: usize,
    /// Whether the user tower reads the user's id. Default: true.
    pub user_id: bool,
    /// Whether the item tower reads the item's id. Default: true.
    pub item_id: bool,
    /// Features of users that their tower reads. Default: none.
    pub user_features: Vec<FeatureConfig>,
    /// Features of items that their tower reads. Default: none.
    pub item_features: Vec<FeatureConfig>,
    /// Entries of `data.vectors` that the user tower reads. Default: none.
    pub user_vectors: Vec<String>,
    /// Entries of `data.vectors` that the item tower reads. Default: none.
    pub item_vectors: Vec<String>,
    /// Width that the vectors called `text` must have. Default: null, whatever they have.
    pub text_feature_dim: Option<usize>,
    /// Widths of the user tower's layers before the output. Default: `[256, 128]`.
    pub user_mlp_hidden: Vec<usize>,
    /// Widths of the item tower's layers before the output. Default: `[256, 128]`.
    pub item_mlp_hidden: Vec<usize>,
    /// Share of values dropped after each layer but the last, at least 0 and below 1. Default: 0.1.
    pub dropout: f64,
    /// Standard deviation of the embeddings' first values, at least 0. Default: 0.05.
    pub init_std: f64,
    /// What a user or item is that has no row: `unknown`, `clamp` or `error`. Default: `unknown`.
    pub out_of_range: OutOfRange,
    /// With `unknown`: share of a batch's users and items whose id is taken for unknown, so that the shared row learns, at
    /// least 0 and below 1. Default: 0.1.
    pub id_dropout: f64,
    /// What is minimised: `softmax` or `bce`. Default: `softmax`.
    pub loss: Loss,
    /// Cosines are divided by it, above 0. Default: 0.1.
    pub temperature: f64,
    /// Whether the softmax takes back how often each item is met as a negative (Yi et al., RecSys 2019). Default: true.
    pub log_q: bool,
    /// The items that stand against a user's own.
    pub negatives: NegativesConfig,
}

impl Default for TwoTowerConfig {
    fn default() -> Self {
        Self {
            embedding_dim: 128,
            user_id: true,
            item_id: true,
            user_features: Vec::new(),
            item_features: Vec::new(),
            user_vectors: Vec::new(),
            item_vectors: Vec::new(),
            text_feature_dim: None,
            user_mlp_hidden: vec![256, 128],
            item_mlp_hidden: vec![256, 128],
            dropout: 0.1,
            init_std: 0.05,
            out_of_range: OutOfRange::Unknown,
            id_dropout: 0.1,
            loss: Loss::Softmax,
            temperature: 0.1,
            log_q: true,
            negatives: NegativesConfig::default(),
        }
    }
}

impl TwoTowerConfig {
    /// Checks every value against its documented range, and that those chosen go together.
    ///
    /// # Errors
    ///
    /// The first that is out of range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let dim = self.embedding_dim as f64;
        let share = |name, value: f64| (name, value, (0.0..1.0).contains(&value), "at least 0 and below 1");
        let NegativesConfig { n, power, pool, .. } = self.negatives;
        ConfigError::first_of(&[
            ("embedding_dim", dim, (1.0..=8192.0).contains(&dim), "1 to 8192"),
            share("dropout", self.dropout),
            share("id_dropout", self.id_dropout),
            (
                "init_std",
                self.init_std,
                (0.0..f64::INFINITY).contains(&self.init_std),
                "a finite number of at least 0",
            ),
            (
                "temperature",
                self.temperature,
                self.temperature.is_normal() && self.temperature > 0.0,
                "above 0",
            ),
            ("negatives.n", n as f64, n >= 1, "at least 1"),
            ("negatives.power", power, (0.0..=8.0).contains(&power), "0 to 8"),
            ("negatives.pool", pool as f64, pool >= n, "at least negatives.n"),
        ])?;
        self.check_layers("user_mlp_hidden", &self.user_mlp_hidden)?;
        self.check_layers("item_mlp_hidden", &self.item_mlp_hidden)?;
        self.check_loss()
    }

    fn check_layers(&self, field: &str, widths: &[usize]) -> Result<(), ConfigError> {
        let is_wide = |&width: &usize| (1..=65_536).contains(&width);
        if widths.iter().all(is_wide) {
            return Ok(());
        }
        let (field, value) = (field.to_owned(), format!("{widths:?}"));
        Err(ConfigError { field, value, expected: "widths from 1 to 65536" })
    }

    /// Binary cross-entropy looks at one pair at a time; and a number that nothing reads is a mistake.
    fn check_loss(&self) -> Result<(), ConfigError> {
        use NegativesKind::{All, Drawn, Given, Hard, InBatch, Mixed, Shared};
        let NegativesConfig { kind, n, power, pool } = self.negatives;
        let default = NegativesConfig::default();
        let refused = |field: &str, value: String, expected| {
            Err(ConfigError { field: format!("negatives.{field}"), value, expected })
        };
        if self.loss == Loss::Bce && !matches!(kind, Drawn | Given | Hard) {
            let expected = "drawn, given or hard, which are each pair's own, beside the loss bce";
            return refused("kind", format!("{kind:?}"), expected);
        }
        if n != default.n && matches!(kind, InBatch | All) {
            return refused(
                "n",
                n.to_string(),
                "1 with in_batch and all, which draw nothing; choose another negatives.kind",
            );
        }
        if power != default.power && !matches!(kind, Drawn | Mixed | Shared | Hard) {
            return refused(
                "power",
                power.to_string(),
                "0 unless something is drawn: drawn, mixed, shared or hard",
            );
        }
        if pool != default.pool && kind != Hard {
            return refused("pool", pool.to_string(), "1024 unless negatives.kind is hard");
        }
        Ok(())
    }

    /// A model for users and items of which this is known, its parameters drawn as a function of `seed`.
    ///
    /// # Errors
    ///
    /// A hyperparameter out of range, or data that lack what the config names.
    pub fn init<B: Backend>(
        &self,
        data: &TwoTowerData,
        seed: u64,
        device: &B::Device,
    ) -> Result<TwoTower<B>, TwoTowerError> {
        self.check(data)?;
        Ok(TwoTower {
            user: Side::new(&self.user_side(), &data.users, seed, device)?,
            item: Side::new(&self.item_side(), &data.items, seed, device)?,
            config: self.clone(),
        })
    }

    /// Checks that data have what the config names; [`init`](Self::init) does so too.
    ///
    /// # Errors
    ///
    /// A hyperparameter out of range, or data that lack what the config names.
    pub fn check(&self, data: &TwoTowerData) -> Result<(), TwoTowerError> {
        self.validate()?;
        self.check_widths(&data.users)?;
        self.check_widths(&data.items)?;
        data.users.check(&self.user_side())?;
        data.items.check(&self.item_side())
    }

    fn check_widths(&self, data: &SideData) -> Result<(), TwoTowerError> {
        let Some(expected) = self.text_feature_dim else { return Ok(()) };
        let is_other = |vectors: &&SideVectors| vectors.name == TEXT && vectors.rows.dim != expected;
        match data.vectors.iter().find(is_other) {
            None => Ok(()),
            Some(other) => {
                Err(TwoTowerError::VectorWidth { name: other.name.clone(), found: other.rows.dim, expected })
            }
        }
    }

    /// Parameters by part, for data of this shape, without building them.
    pub fn n_parameters(&self, users: &SideShape, items: &SideShape) -> Vec<(&'static str, usize)> {
        [self.user_side().n_parameters(users), self.item_side().n_parameters(items)].concat()
    }

    pub(crate) fn user_side(&self) -> SideConfig<'_> {
        self.side("user", self.user_id, &self.user_vectors, self.user_features.len(), &self.user_mlp_hidden)
    }

    pub(crate) fn item_side(&self) -> SideConfig<'_> {
        self.side("item", self.item_id, &self.item_vectors, self.item_features.len(), &self.item_mlp_hidden)
    }

    fn side<'a>(
        &'a self,
        name: &'static str,
        has_id: bool,
        vectors: &'a [String],
        n_features: usize,
        hidden: &'a [usize],
    ) -> SideConfig<'a> {
        SideConfig { name, has_id, vectors, n_features, hidden, all: self }
    }
}

/// One of the two towers, as the config has it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SideConfig<'a> {
    /// `user` or `item`.
    pub(crate) name: &'static str,
    pub(crate) has_id: bool,
    pub(crate) vectors: &'a [String],
    pub(crate) n_features: usize,
    pub(crate) hidden: &'a [usize],
    pub(crate) all: &'a TwoTowerConfig,
}

/// How large what a tower reads is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SideShape {
    /// Users, or items.
    pub n_rows: usize,
    /// Codes of each feature that has some.
    pub codes: Vec<CodeShape>,
    /// Features that are numbers.
    pub n_numeric: usize,
    /// Widths of the vectors.
    pub vector_dims: Vec<usize>,
}

/// How many codes a feature has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeShape {
    /// One of so many for each row, of which the first means "unknown".
    One(usize),
    /// Any number of so many for each row.
    Many(usize),
}

impl fmt::Display for SideShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { n_rows, codes, n_numeric, vector_dims } = self;
        write!(
            f,
            "{n_rows} rows, {} features with codes {codes:?}, {n_numeric} numbers, vectors {vector_dims:?}",
            codes.len()
        )
    }
}

impl SideShape {
    /// That of ids alone.
    pub fn of_ids(n_rows: usize) -> Self {
        Self { n_rows, codes: Vec::new(), n_numeric: 0, vector_dims: Vec::new() }
    }
}

impl SideConfig<'_> {
    /// Rows of the table of ids, the shared one last.
    pub(crate) fn id_rows(&self, n_rows: usize) -> usize {
        n_rows + usize::from(self.has_unknown())
    }

    /// Rows of the table of a feature.
    pub(crate) fn code_rows(&self, shape: CodeShape) -> usize {
        match shape {
            CodeShape::One(n) if !self.has_unknown() => (n - 1).max(1),
            CodeShape::One(n) | CodeShape::Many(n) => n,
        }
    }

    /// Whether unknown ids and codes have a row.
    pub(crate) fn has_unknown(&self) -> bool {
        self.all.out_of_range == OutOfRange::Unknown
    }

    /// Width of what the first layer reads, part by part.
    pub(crate) fn input_widths(&self, shape: &SideShape) -> Vec<usize> {
        let n_wide = usize::from(self.has_id) + shape.codes.len() + shape.vector_dims.len();
        let mut widths = vec![self.all.embedding_dim; n_wide];
        widths.extend((shape.n_numeric > 0).then_some(shape.n_numeric));
        widths
    }

    /// Widths of the layers, the output last.
    pub(crate) fn layer_widths(&self) -> Vec<usize> {
        [self.hidden, &[self.all.embedding_dim]].concat()
    }

    fn n_parameters(&self, shape: &SideShape) -> Vec<(&'static str, usize)> {
        let dim = self.all.embedding_dim;
        let names = match self.name {
            "user" => {
                ["user tower, ids", "user tower, features", "user tower, vectors", "user tower, layers"]
            }
            _ => ["item tower, ids", "item tower, features", "item tower, vectors", "item tower, layers"],
        };
        let codes: usize = shape.codes.iter().map(|&shape| self.code_rows(shape)).sum();
        let vectors: usize = shape.vector_dims.iter().map(|width| (width + 1) * dim).sum();
        let inputs: usize = self.input_widths(shape).iter().sum();
        let widths = [vec![inputs], self.layer_widths()].concat();
        let layers = widths.windows(2).map(|pair| (pair[0] + 1) * pair[1]).sum();
        let ids = if self.has_id { self.id_rows(shape.n_rows) * dim } else { 0 };
        names.into_iter().zip([ids, codes * dim, vectors, layers]).filter(|&(_, n)| n > 0).collect()
    }
}

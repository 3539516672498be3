//! What a step learns from, in plain arrays.

use std::sync::Arc;

use cresset_data::negatives::ItemDistribution;
use cresset_data::processed::TrainingNegatives;
use cresset_data::random::DrawKey;
use cresset_data::{Batches, EpochOrder, PairBatch, PairBatches, Ratings, UniqueRows};

use crate::config::{NegativesKind, TwoTowerConfig};
use crate::error::TwoTowerError;
use crate::negatives::{Drawn, Negatives};
use crate::side::{IdRule, SideBatch};
use crate::side_data::TwoTowerData;

/// Pairs of users and items, what stands against them, and what the towers read of all of these.
#[derive(Debug, Clone)]
pub struct TwoTowerBatch {
    pub(crate) users: SideBatch,
    pub(crate) items: SideBatch,
    /// The user of each pair, among the distinct ones: `[n]`.
    pub(crate) user_places: Vec<u32>,
    /// The item of each pair, among the distinct ones: `[n]`.
    pub(crate) positives: Vec<u32>,
    /// Items against each pair: `[n, n_per_pair]`.
    pub(crate) per_pair: Vec<u32>,
    /// Items against all pairs.
    pub(crate) shared: Vec<u32>,
    /// Natural log of each distinct item's chance to be met, where it is taken back: among the items of pairs, and among
    /// those drawn.
    pub(crate) log_q: Option<LogQ>,
    /// With a pool: for each pair the places in it of what its user has, ascending.
    pub(crate) own: Vec<Vec<u32>>,
}

/// How likely the distinct items of a batch were.
#[derive(Debug, Clone)]
pub(crate) struct LogQ {
    /// To be a pair's: `[n_distinct]`.
    pub(crate) of_pairs: Vec<f32>,
    /// To be drawn: `[n_distinct]`.
    pub(crate) of_draws: Vec<f32>,
}

impl TwoTowerBatch {
    /// The number of pairs.
    pub fn len(&self) -> usize {
        self.positives.len()
    }

    /// Whether there is no pair.
    pub fn is_empty(&self) -> bool {
        self.positives.is_empty()
    }

    /// Distinct users and items.
    pub fn n_rows(&self) -> (usize, usize) {
        (self.users.n, self.items.n)
    }
}

/// Pairs in batches of one size, newly shuffled in each epoch, with what stands against them.
#[derive(Debug, Clone)]
pub struct TwoTowerBatches {
    pairs: PairBatches,
    negatives: Negatives,
    /// How often each item is a pair's.
    popularity: ItemDistribution,
    data: TwoTowerData,
    config: TwoTowerConfig,
    seed: u64,
}

impl TwoTowerBatches {
    /// Batches of `batch_size` pairs of `train`; `seed` decides their order and all that is drawn.
    ///
    /// # Errors
    ///
    /// If a user has every item, and nothing is left to tell them from; the batches are too small for their own items; or lists
    /// are asked for and missing.
    ///
    /// # Panics
    ///
    /// If `batch_size` is 0.
    pub fn new(
        config: &TwoTowerConfig,
        data: &TwoTowerData,
        train: &Ratings,
        batch_size: usize,
        seed: u64,
    ) -> Result<Self, TwoTowerError> {
        Self::with_given(config, data, train, None, batch_size, seed)
    }

    /// As [`new`](Self::new), with items for each training row that its user is known not to have chosen: for
    /// [`NegativesKind::Given`].
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    ///
    /// # Panics
    ///
    /// As [`new`](Self::new).
    pub fn with_given(
        config: &TwoTowerConfig,
        data: &TwoTowerData,
        train: &Ratings,
        given: Option<Arc<TrainingNegatives>>,
        batch_size: usize,
        seed: u64,
    ) -> Result<Self, TwoTowerError> {
        config.validate()?;
        let n_in_batch = batch_size.min(train.len());
        if n_in_batch == 1 && config.negatives.kind == NegativesKind::InBatch {
            return Err(TwoTowerError::LonelyBatch { n: n_in_batch });
        }
        Ok(Self {
            pairs: PairBatches::new(train, batch_size, seed),
            negatives: Negatives::new(config, data, train, given, seed)?,
            popularity: ItemDistribution::popularity(&train.item_counts(data.items.n_rows), 1.0)?,
            data: data.clone(),
            config: config.clone(),
            seed,
        })
    }

    /// Which training rows a step's pairs are.
    ///
    /// # Panics
    ///
    /// If `step` is not below [`n_steps`](Batches::n_steps).
    pub fn examples<'o>(&self, order: &'o EpochOrder, step: usize) -> &'o [u32] {
        self.pairs.examples(order, step)
    }

    fn log_q(&self, items: &[u32]) -> Option<LogQ> {
        let is_even = self.config.negatives.power == 0.0;
        let is_asked = self.config.log_q
            && match self.config.negatives.kind {
                NegativesKind::InBatch | NegativesKind::Mixed | NegativesKind::Shared => true,
                // Where all are drawn alike there is nothing to take back.
                NegativesKind::Drawn => !is_even,
                NegativesKind::Given | NegativesKind::Hard | NegativesKind::All => false,
            };
        is_asked.then(|| LogQ {
            of_pairs: items.iter().map(|&item| self.popularity.log_q(item)).collect(),
            of_draws: items.iter().map(|&item| self.negatives.log_q(item)).collect(),
        })
    }

    /// The users and items of a step with what the towers read of them.
    fn read(&self, pairs: &PairBatch, drawn: Drawn, step: u64) -> TwoTowerBatch {
        let ids = [ids_of(&pairs.items), drawn.per_pair, drawn.shared.clone()].concat();
        let items = UniqueRows::of(&ids);
        let mut places = items.positions;
        let mut others = places.split_off(pairs.len());
        let shared = others.split_off(others.len() - drawn.shared.len());
        let own = match self.config.negatives.kind {
            NegativesKind::Hard => {
                let places = |&user: &u32| self.negatives.own_places(user, &drawn.shared);
                ids_of(&pairs.users).iter().map(places).collect()
            }
            _ => Vec::new(),
        };
        let key = |site| Some(DrawKey::new(self.seed, site, step));
        let user_rule = IdRule::new(&self.config.user_side(), self.data.users.n_rows);
        let item_rule = IdRule::new(&self.config.item_side(), self.data.items.n_rows);
        TwoTowerBatch {
            users: self.data.users.read(&pairs.users.ids, user_rule, key("unknown users")),
            items: self.data.items.read(&items.ids, item_rule, key("unknown items")),
            user_places: pairs.users.positions.clone(),
            positives: places,
            per_pair: others,
            shared,
            log_q: self.log_q(&items.ids),
            own,
        }
    }
}

/// The id of each example.
fn ids_of(rows: &UniqueRows) -> Vec<u32> {
    rows.positions.iter().map(|&place| rows.ids[place as usize]).collect()
}

impl Batches for TwoTowerBatches {
    type Batch = TwoTowerBatch;
    type Order = EpochOrder;

    fn n_examples(&self) -> usize {
        self.pairs.n_examples()
    }

    fn n_steps(&self) -> usize {
        self.pairs.n_steps()
    }

    fn order(&self, epoch: u64) -> EpochOrder {
        self.pairs.order(epoch)
    }

    fn batch(&self, order: &EpochOrder, step: usize) -> TwoTowerBatch {
        let pairs = self.pairs.batch(order, step);
        let at = order.epoch * self.n_steps() as u64 + step as u64;
        let drawn =
            self.negatives.draw((order.epoch, at), self.pairs.examples(order, step), &ids_of(&pairs.users));
        self.read(&pairs, drawn, at)
    }
}

//! The items that stand against those of a batch.

use std::sync::Arc;

use cresset_data::negatives::{ItemDistribution, NegativeSampler};
use cresset_data::processed::TrainingNegatives;
use cresset_data::random::{DrawKey, below};
use cresset_data::{Ratings, UserItems};

use crate::config::{NegativesConfig, NegativesKind, OutOfRange, TwoTowerConfig};
use crate::error::TwoTowerError;
use crate::side_data::TwoTowerData;

/// Draws what each batch is told from.
///
/// With [`OutOfRange::Unknown`] nothing but items with a training rating is drawn: the others share one row of the table,
/// which would learn little else than not to be chosen.
#[derive(Debug, Clone)]
pub(crate) struct Negatives {
    config: NegativesConfig,
    /// Items that may be drawn, ascending; what follows knows them by their places here.
    catalogue: Arc<[u32]>,
    items: ItemDistribution,
    /// What each user has.
    own: Arc<UserItems>,
    /// Draws for a user what the user has not, where that is asked for.
    sampler: Option<NegativeSampler>,
    /// Lists of the data, by training row.
    given: Option<Arc<TrainingNegatives>>,
    seed: u64,
}

/// What a batch is told from, in ids.
#[derive(Debug, Clone, Default)]
pub(crate) struct Drawn {
    /// For each pair `n`, one pair's after another's.
    pub(crate) per_pair: Vec<u32>,
    /// For all pairs.
    pub(crate) shared: Vec<u32>,
}

impl Negatives {
    pub(crate) fn new(
        model: &TwoTowerConfig,
        data: &TwoTowerData,
        train: &Ratings,
        given: Option<Arc<TrainingNegatives>>,
        seed: u64,
    ) -> Result<Self, TwoTowerError> {
        let (config, n_items) = (model.negatives, data.items.n_rows);
        check_given(config.kind, train.len(), n_items, given.as_deref())?;
        let counts = train.item_counts(n_items);
        let only_known = model.out_of_range == OutOfRange::Unknown;
        let may_be_drawn = |item: &u32| !only_known || counts[*item as usize] > 0;
        let catalogue: Arc<[u32]> = (0..n_items as u32).filter(may_be_drawn).collect();
        let items = match config.power {
            0.0 => ItemDistribution::uniform(catalogue.len()),
            power => {
                let counts: Vec<u32> = catalogue.iter().map(|&item| counts[item as usize]).collect();
                ItemDistribution::popularity(&counts, power)?
            }
        };
        let own = UserItems::from_ratings(&by_place(train, &catalogue), data.users.n_rows);
        let sampler = match config.kind {
            NegativesKind::Drawn => Some(NegativeSampler::new(items.clone(), own.clone(), seed)?),
            _ => None,
        };
        Ok(Self { config, catalogue, items, own: Arc::new(own), sampler, given, seed })
    }

    /// What the examples of a step, with their users, are told from; `step` counts over the whole run.
    pub(crate) fn draw(&self, (epoch, step): (u64, u64), examples: &[u32], users: &[u32]) -> Drawn {
        match self.config.kind {
            NegativesKind::InBatch => Drawn::default(),
            NegativesKind::Mixed | NegativesKind::Shared => {
                Drawn { shared: self.several(step, self.config.n), ..Drawn::default() }
            }
            NegativesKind::All => Drawn { shared: self.catalogue.to_vec(), ..Drawn::default() },
            NegativesKind::Hard => Drawn { shared: self.pool(step), ..Drawn::default() },
            NegativesKind::Drawn => {
                Drawn { per_pair: self.of_each(epoch, examples, users), ..Drawn::default() }
            }
            NegativesKind::Given => Drawn { per_pair: self.given(epoch, examples), ..Drawn::default() },
        }
    }

    fn several(&self, step: u64, n: usize) -> Vec<u32> {
        let mut chance = DrawKey::new(self.seed, "shared negatives", step).at(0);
        (0..n).map(|_| self.catalogue[self.items.draw(&mut chance) as usize]).collect()
    }

    /// Distinct items; all that may be drawn, where the pool has room for them.
    fn pool(&self, step: u64) -> Vec<u32> {
        if self.config.pool >= self.catalogue.len() {
            return self.catalogue.to_vec();
        }
        let mut pool = self.several(step, self.config.pool);
        pool.sort_unstable();
        pool.dedup();
        pool
    }

    fn of_each(&self, epoch: u64, examples: &[u32], users: &[u32]) -> Vec<u32> {
        let sampler = self.sampler.as_ref().expect("made where it is asked for");
        let mut items = vec![0; examples.len() * self.config.n];
        let of_epoch = sampler.in_epoch(epoch);
        for ((row, &example), &user) in items.chunks_exact_mut(self.config.n).zip(examples).zip(users) {
            of_epoch.fill(user, u64::from(example), row);
        }
        items.iter_mut().for_each(|item| *item = self.catalogue[*item as usize]);
        items
    }

    /// From the list of each example's row.
    fn given(&self, epoch: u64, examples: &[u32]) -> Vec<u32> {
        let lists = self.given.as_ref().expect("checked when it was made");
        let key = DrawKey::new(self.seed, "given negatives", epoch);
        let mut items = Vec::with_capacity(examples.len() * self.config.n);
        for &example in examples {
            let (list, mut chance) = (lists.of(example as usize), key.at(u64::from(example)));
            items.extend((0..self.config.n).map(|_| list[below(list.len() as u64, &mut chance) as usize]));
        }
        items
    }

    /// Places in `pool`, which ascends, of what a user has.
    pub(crate) fn own_places(&self, user: u32, pool: &[u32]) -> Vec<u32> {
        let place = |own: &u32| pool.binary_search(&self.catalogue[*own as usize]).ok();
        self.own.of(user).iter().filter_map(place).map(|place| place as u32).collect()
    }

    /// The natural log of an item's chance to be drawn; of one that never is, that of the rarest.
    pub(crate) fn log_q(&self, item: u32) -> f32 {
        match self.catalogue.binary_search(&item) {
            Ok(place) => self.items.log_q(place as u32),
            Err(_) => -(self.catalogue.len() as f32).ln(),
        }
    }
}

/// The same ratings of items by their places in a list that has all of them.
fn by_place(train: &Ratings, catalogue: &[u32]) -> Ratings {
    let mut train = train.clone();
    let place = |item: u32| catalogue.binary_search(&item).expect("a training item may be drawn") as u32;
    train.item_id.iter_mut().for_each(|item| *item = place(*item));
    train
}

/// Lists are there where they are asked for, one for each row with something in it that there is.
fn check_given(
    kind: NegativesKind,
    n_rows: usize,
    n_items: usize,
    given: Option<&TrainingNegatives>,
) -> Result<(), TwoTowerError> {
    if kind != NegativesKind::Given {
        return Ok(());
    }
    let lists = given.ok_or(TwoTowerError::NoGiven)?;
    if lists.len() != n_rows {
        return Err(TwoTowerError::GivenRows { found: lists.len(), n_rows });
    }
    for row in 0..n_rows {
        let list = lists.of(row);
        if list.is_empty() {
            return Err(TwoTowerError::GivenNothing { row });
        }
        if let Some(&item) = list.iter().find(|&&item| item as usize >= n_items) {
            return Err(TwoTowerError::GivenItem { row, item, n_items });
        }
    }
    Ok(())
}

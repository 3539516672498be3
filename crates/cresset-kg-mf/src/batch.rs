//! What a step learns from, in plain arrays, and from there to tensors.

use std::sync::Arc;

use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor, TensorData};
use cresset_data::graph::{ItemNeighbourhoods, NeighbourhoodBatch};
use cresset_data::random::DrawKey;
use cresset_data::{Batches, EpochOrder, PairBatch, PairBatches, RatingBatch, RatingBatches, UniqueRows};
use cresset_nn::RowIndex;

use crate::parts::graph::FactBatch;
use crate::parts::time::{RatingTimes, TimeBatch, TimeConfig, time_batch};

/// What a step learns from.
#[derive(Debug, Clone)]
pub enum KgMfExamples {
    /// Ratings, to be predicted.
    Ratings(RatingExamples),
    /// What users have, and drawn items that they have not, to be told apart.
    Pairs(PairExamples),
}

impl KgMfExamples {
    /// The number of examples.
    pub fn len(&self) -> usize {
        match self {
            Self::Ratings(examples) => examples.ratings.len(),
            Self::Pairs(examples) => examples.batch.len(),
        }
    }

    /// Whether there is no example.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Items drawn for all examples together.
    pub fn n_negatives(&self) -> usize {
        match self {
            Self::Ratings(_) => 0,
            Self::Pairs(examples) => examples.batch.neg_items().len(),
        }
    }

    /// Distinct users and items.
    pub fn n_rows(&self) -> (usize, usize) {
        let (users, items) = match self {
            Self::Ratings(examples) => (&examples.pairs.users, &examples.pairs.items),
            Self::Pairs(examples) => (&examples.batch.users, &examples.batch.items),
        };
        (users.len(), items.len())
    }
}

/// Ratings, beside what the parts of the model read.
#[derive(Debug, Clone)]
pub struct RatingExamples {
    pub(crate) ratings: Vec<f32>,
    pub(crate) pairs: ScoredPairs,
}

/// Pairs and their negatives; for a model with parts each of them as a pair of its own, positives first.
#[derive(Debug, Clone)]
pub struct PairExamples {
    pub(crate) batch: PairBatch,
    pub(crate) pairs: Option<ScoredPairs>,
}

impl From<RatingBatch> for KgMfExamples {
    /// For a model without parts.
    fn from(batch: RatingBatch) -> Self {
        Reader::default().ratings(batch)
    }
}

impl From<PairBatch> for KgMfExamples {
    /// For a model without parts.
    fn from(batch: PairBatch) -> Self {
        Self::Pairs(PairExamples { batch, pairs: None })
    }
}

/// Pairs of users and items, and what the parts of a model read of them.
#[derive(Debug, Clone)]
pub(crate) struct ScoredPairs {
    pub(crate) users: UniqueRows,
    pub(crate) items: UniqueRows,
    pub(crate) graph: Option<GraphBatch>,
    pub(crate) time: Option<TimeBatch>,
}

/// What the graph says of a batch's items.
#[derive(Debug, Clone)]
pub(crate) struct GraphBatch {
    pub(crate) neighbourhoods: NeighbourhoodBatch,
    pub(crate) facts: Option<FactBatch>,
}

/// Facts of the whole graph, some of which each step draws.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    /// Head, relation, tail.
    pub(crate) all: Arc<[[u32; 3]]>,
    pub(crate) n_drawn: usize,
}

/// Reads for a batch what the parts of a model know: [`KgMf::reader`](crate::KgMf::reader) gives a model's own.
#[derive(Debug, Clone, Default)]
pub struct Reader {
    pub(crate) graph: Option<(Arc<ItemNeighbourhoods>, Option<Facts>)>,
    pub(crate) time: Option<(TimeConfig, Arc<RatingTimes>)>,
}

impl Reader {
    /// Ratings with what the parts read of them.
    pub fn ratings(&self, batch: RatingBatch) -> KgMfExamples {
        self.ratings_at(batch, None)
    }

    fn ratings_at(&self, batch: RatingBatch, key: Option<DrawKey>) -> KgMfExamples {
        let RatingBatch { users, items, ratings, times } = batch;
        KgMfExamples::Ratings(RatingExamples { ratings, pairs: self.read(users, items, Some(&times), key) })
    }

    /// Pairs with what the parts read of them, and of their negatives.
    pub fn pairs(&self, batch: PairBatch) -> KgMfExamples {
        self.pairs_at(batch, None)
    }

    fn pairs_at(&self, batch: PairBatch, key: Option<DrawKey>) -> KgMfExamples {
        if self.graph.is_none() {
            return batch.into();
        }
        let id = |&place: &u32| batch.users.ids[place as usize];
        let users = batch.users.positions.iter().map(id);
        let of_negatives = users.clone().flat_map(|user| std::iter::repeat_n(user, batch.n_negatives));
        let users: Vec<u32> = users.clone().chain(of_negatives).collect();
        let pairs = self.read(UniqueRows::of(&users), batch.items.clone(), None, key);
        KgMfExamples::Pairs(PairExamples { batch, pairs: Some(pairs) })
    }

    /// What the parts read of pairs; facts are drawn where there is a key.
    pub(crate) fn read(
        &self,
        users: UniqueRows,
        items: UniqueRows,
        times: Option<&[i64]>,
        key: Option<DrawKey>,
    ) -> ScoredPairs {
        let graph = self.graph.as_ref().map(|(neighbourhoods, facts)| {
            let drawn = key.zip(facts.as_ref()).map(|(key, facts)| facts.draw(neighbourhoods, key));
            read_graph(neighbourhoods, &items.ids, drawn)
        });
        let time = self.time.as_ref().zip(times).map(|((config, known), at)| {
            let of_rows: Vec<u32> = users.positions.iter().map(|&place| users.ids[place as usize]).collect();
            time_batch(config, known, &of_rows, at)
        });
        ScoredPairs { users, items, graph, time }
    }
}

/// Facts, and an entity for each that stands in for its tail.
struct Drawn {
    facts: Vec<[u32; 3]>,
    others: Vec<u32>,
}

impl Facts {
    fn draw(&self, neighbourhoods: &ItemNeighbourhoods, key: DrawKey) -> Drawn {
        let (mut facts, mut others) = (Vec::with_capacity(self.n_drawn), Vec::with_capacity(self.n_drawn));
        for at in 0..self.n_drawn as u64 {
            let mut chance = key.at(at);
            facts.push(self.all[cresset_data::random::below(self.all.len() as u64, &mut chance) as usize]);
            others.push(cresset_data::random::below(neighbourhoods.n_entities() as u64, &mut chance) as u32);
        }
        Drawn { facts, others }
    }
}

fn read_graph(all: &ItemNeighbourhoods, items: &[u32], drawn: Option<Drawn>) -> GraphBatch {
    let Some(Drawn { facts, others }) = drawn else {
        return GraphBatch { neighbourhoods: all.batch(items, &[]), facts: None };
    };
    let heads = facts.iter().map(|fact| fact[0]);
    let tails = facts.iter().map(|fact| fact[2]);
    let asked: Vec<u32> = heads.chain(tails).chain(others).collect();
    let mut neighbourhoods = all.batch(items, &asked);
    let mut places = std::mem::take(&mut neighbourhoods.others);
    let others = places.split_off(2 * facts.len());
    let tails = places.split_off(facts.len());
    let relations = facts.iter().map(|fact| fact[1]).collect();
    GraphBatch { neighbourhoods, facts: Some(FactBatch { heads: places, relations, tails, others }) }
}

/// Batches of either kind, with what the parts of a model read of them.
#[derive(Debug, Clone)]
pub struct KgMfBatches {
    examples: Examples,
    reader: Reader,
    seed: u64,
}

#[derive(Debug, Clone)]
enum Examples {
    Ratings(RatingBatches),
    Pairs(PairBatches),
}

impl From<RatingBatches> for KgMfBatches {
    /// For a loss of ratings.
    fn from(batches: RatingBatches) -> Self {
        Self { examples: Examples::Ratings(batches), reader: Reader::default(), seed: 0 }
    }
}

impl From<PairBatches> for KgMfBatches {
    /// For a loss of rankings.
    fn from(batches: PairBatches) -> Self {
        Self { examples: Examples::Pairs(batches), reader: Reader::default(), seed: 0 }
    }
}

impl KgMfBatches {
    /// The same, with what `reader` reads; `seed` decides what it draws.
    #[must_use]
    pub fn read_by(self, reader: Reader, seed: u64) -> Self {
        Self { reader, seed, ..self }
    }
}

impl Batches for KgMfBatches {
    type Batch = KgMfExamples;
    type Order = EpochOrder;

    fn n_examples(&self) -> usize {
        match &self.examples {
            Examples::Ratings(batches) => batches.n_examples(),
            Examples::Pairs(batches) => batches.n_examples(),
        }
    }

    fn n_steps(&self) -> usize {
        match &self.examples {
            Examples::Ratings(batches) => batches.n_steps(),
            Examples::Pairs(batches) => batches.n_steps(),
        }
    }

    fn order(&self, epoch: u64) -> EpochOrder {
        match &self.examples {
            Examples::Ratings(batches) => batches.order(epoch),
            Examples::Pairs(batches) => batches.order(epoch),
        }
    }

    fn batch(&self, order: &EpochOrder, step: usize) -> KgMfExamples {
        let at = order.epoch * self.n_steps() as u64 + step as u64;
        let key = Some(DrawKey::new(self.seed, "graph facts", at));
        match &self.examples {
            Examples::Ratings(batches) => self.reader.ratings_at(batches.batch(order, step), key),
            Examples::Pairs(batches) => self.reader.pairs_at(batches.batch(order, step), key),
        }
    }
}

/// Pairs and drawn items on a device.
#[derive(Debug, Clone)]
pub struct KgMfPairs<B: Backend> {
    /// The users of the batch.
    pub users: RowIndex<B>,
    /// The items of the batch, positives and negatives.
    pub items: RowIndex<B>,
    /// Where each positive is among the distinct items, `[batch]`.
    pub positives: Tensor<B, 1, Int>,
    /// Where the negatives are, `[batch, n_negatives]`.
    pub negatives: Tensor<B, 2, Int>,
}

impl<B: Backend> KgMfPairs<B> {
    /// Moves a batch to `device`.
    pub fn new(batch: &PairBatch, device: &B::Device) -> Self {
        let places = |places: &[u32]| places.iter().map(|&place| i64::from(place)).collect::<Vec<_>>();
        let negatives = TensorData::new(places(batch.neg_items()), [batch.len(), batch.n_negatives]);
        Self {
            users: RowIndex::new(&batch.users, device),
            items: RowIndex::new(&batch.items, device),
            positives: Tensor::from_data(TensorData::new(places(batch.pos_items()), [batch.len()]), device),
            negatives: Tensor::from_data(negatives, device),
        }
    }
}

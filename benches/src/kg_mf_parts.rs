//! kg-mf with all its parts, at the size of MovieLens 20M: knowledge graph, tag genome and times.

use std::sync::{Arc, LazyLock};

use cresset::data::graph::{KnowledgeGraph, Triples};
use cresset::data::random::below;
use cresset::data::{TimeKind, Vocabulary, WorldConfig, WorldFilms};
use cresset::kg_mf::{GenomeConfig, GraphConfig, KgMfBatches, Knowledge, TimeConfig};
use cresset::prelude::*;

use crate::inputs::{N_BATCHES, ids, random, zipf_ids};
use crate::train::{train, train_reading};
use crate::{Case, Work};

pub(crate) const N_USERS: usize = 138_493;
pub(crate) const N_ITEMS: usize = 26_744;
const DIM: usize = 64;
const BATCHES: [usize; 3] = [8_192, 16_384, 32_768];
/// Of which a batch is drawn: enough that its users' days are spread as those of 20 million are.
const N_RATINGS: usize = 2_000_000;
/// 2015-01-01 UTC, in seconds.
const FIRST_DAY: i64 = 1_420_070_400;
const SECONDS_PER_DAY: i64 = 86_400;
const N_DAYS: u64 = 1_825;
/// Days on which a user rates.
const DAYS_OF_USER: u64 = 12;

/// Steps by themselves, then with what a loader does beforehand.
pub(crate) fn cases<B: AutodiffRecommender>() -> Vec<Case<B>> {
    let steps = BATCHES.map(|size| {
        Case::new(format!("all parts, batch {size}, zipf"), size, move |device: &B::Device| {
            let (model, batches) = model_and_batches::<B>(size, device);
            let order = batches.order(0);
            train::<B, _>(model, (0..N_BATCHES).map(|step| batches.batch(&order, step)).collect())
        })
    });
    let read = BATCHES.map(|size| {
        Case::new(
            format!("all parts, batch {size}, zipf, reading included"),
            size,
            move |device: &B::Device| start_reading::<B>(size, device),
        )
    });
    steps.into_iter().chain(read).collect()
}

fn start_reading<B: AutodiffRecommender>(size: usize, device: &B::Device) -> Work {
    let (model, batches) = model_and_batches::<B>(size, device);
    let order = batches.order(0);
    train_reading::<B, _>(model, move |step| batches.batch(&order, step as usize % batches.n_steps()))
}

fn model_and_batches<B: AutodiffRecommender>(size: usize, device: &B::Device) -> (KgMf<B>, KgMfBatches) {
    let ratings = ratings();
    let model = all_parts::<B>(&ratings, device);
    let batches = KgMfBatches::from(RatingBatches::new(ratings, size, 42)).read_by(model.reader(), 42);
    (model, batches)
}

/// A model whose every part is on, and knows the times of `ratings`.
pub(crate) fn all_parts<B: AutodiffRecommender>(ratings: &Ratings, device: &B::Device) -> KgMf<B> {
    let config = KgMfConfig {
        embedding_dim: DIM,
        graph: Some(GraphConfig { fusion: true, ..GraphConfig::default() }),
        genome: Some(GenomeConfig::default()),
        time: Some(TimeConfig::default()),
        ..KgMfConfig::default()
    };
    init(&config, ratings, device)
}

/// A model that knows ratings alone.
pub(crate) fn plain<B: AutodiffRecommender>(ratings: &Ratings, device: &B::Device) -> KgMf<B> {
    init(&KgMfConfig { embedding_dim: DIM, ..KgMfConfig::default() }, ratings, device)
}

fn init<B: AutodiffRecommender>(config: &KgMfConfig, ratings: &Ratings, device: &B::Device) -> KgMf<B> {
    static FILMS: LazyLock<Knowledge> = LazyLock::new(of_films);
    let knowledge = FILMS.clone().with_times_of(ratings);
    let scale = RatingScale::of(ratings, (0.5, 5.0));
    config
        .init_knowing(N_USERS, N_ITEMS, scale, &knowledge, 42, device)
        .expect("numbers and knowledge that fit")
}

/// Graph and genome of the films of `configs/kg-mf/ml-20m.yaml`.
fn of_films() -> Knowledge {
    let world = WorldConfig {
        n_items: N_ITEMS,
        n_genres: 20,
        n_directors: 7_000,
        n_actors: 20_000,
        n_tags: 1_128,
        ..WorldConfig::default()
    };
    let films = WorldFilms::generate(&world).expect("a valid world");
    let items = Vocabulary::from_ids((1..=N_ITEMS).map(|id| id.to_string()).collect::<Vec<_>>());
    let graph = KnowledgeGraph::new(Triples::from_world(&films.graph()), &items, false)
        .expect("a graph of the films");
    let genome = films.genome().align(&items);
    Knowledge { genome: Some(Arc::new(genome)), ..Knowledge::default().with_graph(graph) }
}

/// Ratings by users drawn uniformly of items drawn by Zipf's law, on some days of each user.
pub(crate) fn ratings() -> Ratings {
    let mut rng = random("timed ratings");
    let user_id = ids(N_RATINGS, N_USERS, &mut rng);
    let day = |user: u32, nth: u64| (u64::from(user) * 97 + nth * 151) % N_DAYS;
    let time = user_id
        .iter()
        .map(|&user| FIRST_DAY + day(user, below(DAYS_OF_USER, &mut rng)) as i64 * SECONDS_PER_DAY)
        .collect();
    Ratings {
        item_id: zipf_ids(N_RATINGS, N_ITEMS, &mut rng),
        rating: ids(N_RATINGS, 10, &mut rng).into_iter().map(|half| (half + 1) as f32 / 2.0).collect(),
        user_id,
        time,
        time_kind: TimeKind::Timestamp,
        parts: None,
    }
}

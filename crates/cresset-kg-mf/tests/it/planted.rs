//! Whether the model finds the causes that were planted in a world, and whether its explanations name them.

use std::sync::Arc;

use burn::module::AutodiffModule;
use cresset_data::graph::{KnowledgeGraph, PERSON, Triples};
use cresset_data::world::{Relation, Truth, World, WorldConfig};
use cresset_data::{Batches, DataConfig, Dataset, RatingBatches, Ratings};
use cresset_kg_mf::explain::{FidelityConfig, RatedItem, fidelity, relation_effect, relation_paths};
use cresset_kg_mf::{GraphConfig, KgMf, KgMfBatches, KgMfConfig, KgMfInference, Knowledge, RatingScale};
use cresset_nn::optim::{Optimizer, OptimizerConfig};
use cresset_nn::{StepKey, TrainModel};

use crate::small::Cpu;

/// The frozen preset: the world of the quickstart, smaller and with 150 ratings of each user.
fn preset() -> WorldConfig {
    let (n_users, n_items, n_ratings) = (400, 500, 60_000);
    WorldConfig {
        n_users,
        n_items,
        n_ratings,
        n_directors: 60,
        n_actors: 120,
        n_tags: 60,
        ..WorldConfig::default()
    }
}

fn config() -> KgMfConfig {
    let graph =
        GraphConfig { dim: 8, init_std: 0.1, l2_taste: 0.1, l2_entity: 0.01, ..GraphConfig::default() };
    KgMfConfig { embedding_dim: 8, init_std: 0.05, l2: 0.2, graph: Some(graph), ..KgMfConfig::default() }
}

fn trained(data: &Dataset, knowledge: &Knowledge) -> KgMfInference {
    let scale = RatingScale::of(&data.ratings, data.rating_range);
    let (n_users, n_items) = (data.n_users(), data.n_items());
    let model = config().init_knowing(n_users, n_items, scale, knowledge, 42, &Default::default()).unwrap();
    let mut model: KgMf<Cpu> = model.with_cold_rows_at_zero(&data.ratings);
    let batches = KgMfBatches::from(RatingBatches::new(data.ratings.clone(), 512, 42));
    let batches = batches.read_by(model.reader(), 42);
    let mut optimizer = Optimizer::new(OptimizerConfig::default());
    for epoch in 0..12 {
        let order = batches.order(epoch);
        let rate = 0.01 * 0.9f64.powi(epoch as i32);
        for step in 0..batches.n_steps() {
            let pass = model.forward_loss(&batches.batch(&order, step), StepKey::default());
            model = optimizer.step(model, pass, rate);
        }
    }
    model.valid().inference()
}

/// A model trained on the world, and what is true of it.
struct Planted {
    truth: Truth,
    data: Dataset,
    graph: Arc<KnowledgeGraph>,
    model: KgMfInference,
    /// What each user rated.
    histories: Vec<Vec<RatedItem>>,
    /// What each film is truly made of: entity in the graph, relation, entity in the world.
    causes: Vec<Vec<(u32, Relation, usize)>>,
}

/// The place in the world of what has this id.
fn in_world(id: &str) -> usize {
    id.parse::<usize>().unwrap() - 1
}

impl Planted {
    fn new() -> Self {
        let world = World::generate(&preset()).unwrap();
        let config = DataConfig { synthetic: preset(), ..DataConfig::default() };
        let data = Dataset::load(&config, "".as_ref()).unwrap();
        let graph = KnowledgeGraph::new(Triples::from_world(&world.graph), &data.items, false).unwrap();
        let knowledge = Knowledge::default().with_graph(graph);
        let model = trained(&data, &knowledge);
        let mut histories = vec![Vec::new(); data.n_users()];
        let Ratings { user_id, item_id, rating, .. } = &data.ratings;
        for ((&user, &item), &rating) in user_id.iter().zip(item_id).zip(rating) {
            histories[user as usize].push(RatedItem { item, rating });
        }
        let graph = knowledge.graph.unwrap();
        let mut causes = vec![Vec::new(); data.n_items()];
        let mut links = world.graph.iter();
        for film in 0..world.config.n_items {
            let item = data.items.index_of(&(film + 1).to_string());
            for relation in Relation::ALL {
                // The graph names a film's entities in the order in which the truth numbers them.
                for &cause in world.truth.entities(film, relation) {
                    let entity = graph.entities().find(kind_of(relation), &links.next().unwrap().tail);
                    if let (Some(item), Some(entity)) = (item, entity) {
                        causes[item as usize].push((entity, relation, cause as usize));
                    }
                }
            }
        }
        Self { truth: world.truth, data, graph, model, histories, causes }
    }

    /// The relation that most of a user's scores come from, by name.
    fn favourite(&self, user: u32) -> &'static str {
        self.truth.favourite_relation(in_world(self.data.users.id_of(user))).name()
    }

    /// The entity that truly brings most to a user's score of a film, in the middle of the world's years.
    fn cause(&self, user: u32, item: u32) -> u32 {
        let (user, causes) = (in_world(self.data.users.id_of(user)), &self.causes[item as usize]);
        let brings = |&(_, relation, entity): &(u32, Relation, usize)| {
            let n = causes.iter().filter(|cause| cause.1 == relation).count() as f32;
            self.truth.entity_contribution(user, relation, entity, 1_500_000_000) / n.sqrt()
        };
        causes.iter().max_by(|a, b| brings(a).total_cmp(&brings(b))).unwrap().0
    }

    /// The three best films that a user has not rated.
    fn best(&self, user: u32) -> Vec<u32> {
        let mut seen: Vec<u32> = self.histories[user as usize].iter().map(|rated| rated.item).collect();
        seen.sort_unstable();
        let mut scores = vec![0.0; self.data.n_items()];
        let best = self.model.recommend(user, &seen, 3, &mut scores).unwrap();
        best.into_iter().map(|(item, _)| item).collect()
    }
}

fn kind_of(relation: Relation) -> &'static str {
    match relation {
        Relation::Director | Relation::Actor => PERSON,
        other => other.name(),
    }
}

fn share(n: usize, of: usize) -> f64 {
    n as f64 / of as f64
}

#[test]
fn the_planted_favourite_is_found_and_the_planted_cause_is_named() {
    let planted = Planted::new();
    let Planted { data, graph, model, histories, .. } = &planted;
    let all: Vec<u32> = (0..data.n_items() as u32).collect();
    let users = 0..data.n_users() as u32;
    let is_found = |user: u32| {
        let effect = relation_effect(model, graph, user, &all);
        let most = (0..effect.len()).max_by(|&a, &b| effect[a].total_cmp(&effect[b])).unwrap();
        graph.relation_name(most as u32) == planted.favourite(user)
    };
    let found = share(users.clone().filter(|&user| is_found(user)).count(), data.n_users());

    let pairs: Vec<(u32, u32)> =
        users.flat_map(|user| planted.best(user).into_iter().map(move |item| (user, item))).collect();
    let is_named = |&&(user, item): &&(u32, u32)| {
        let found = relation_paths(model, graph, &histories[user as usize], user, item, 1);
        found.paths.first().is_some_and(|path| path.entity() == planted.cause(user, item))
    };
    let named = share(pairs.iter().filter(is_named).count(), pairs.len());

    let history = |user: u32| histories[user as usize].clone();
    let faithful = fidelity(model, graph, &pairs, history, &FidelityConfig::default()).share.unwrap();
    println!("favourite found {found:.3}, cause named {named:.3}, fidelity {faithful:.3}");
    assert!(found >= 0.9, "the favourite of {found} of the users is found");
    assert!(named >= 0.8, "the cause of {named} of the scores is named");
    assert!(faithful > 0.8, "the named entity counts for more in {faithful} of the scores");
}

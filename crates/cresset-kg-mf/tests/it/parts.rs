//! The parts that read a graph, a genome and times: alone, together, in training and in answers.

use burn::backend::Flex;
use burn::module::AutodiffModule;
use cresset_data::UserItems;
use cresset_data::graph::{KnowledgeGraph, Triples};
use cresset_data::negatives::{ItemDistribution, NegativeSampler};
use cresset_data::world::{World, WorldConfig};
use cresset_data::{
    AlignedVectors, Batches, Catalogue, DataConfig, Dataset, ItemInfo, NO_TIME, PairBatches, RatingBatches,
    Vocabulary,
};
use cresset_kg_mf::explain::Reasons;
use cresset_kg_mf::{
    GenomeConfig, GraphConfig, KgMf, KgMfBatches, KgMfConfig, KgMfInference, KgMfLoss, Knowledge,
    RatingScale, TimeConfig,
};
use cresset_metrics::{RatingPredictor, Scorer, rmse};
use cresset_nn::optim::{Optimizer, OptimizerConfig};
use cresset_nn::weights::{named_tensors, restore};
use cresset_nn::{StepKey, TrainModel, scalar};

use crate::small::{Cpu, SCALE, assert_close};

/// A small world, its graph, a genome of three tags that every second film has, and times.
fn world() -> (Dataset, Knowledge) {
    let world = WorldConfig {
        n_users: 120,
        n_items: 60,
        n_ratings: 3_000,
        n_directors: 12,
        n_actors: 20,
        n_tags: 15,
        drift: 0.0,
        ..WorldConfig::default()
    };
    let config = DataConfig { synthetic: world.clone(), ..DataConfig::default() };
    let data = Dataset::load(&config, "".as_ref()).unwrap();
    let triples = Triples::from_world(&World::generate(&world).unwrap().graph);
    let graph = KnowledgeGraph::new(triples, &data.items, false).unwrap();
    let n = data.n_items();
    let genome = AlignedVectors {
        dim: 3,
        values: (0..n)
            .flat_map(|i| if i % 2 == 0 { [0.1, 0.9, (i % 7) as f32 / 7.0] } else { [0.0; 3] })
            .collect(),
        present: (0..n).map(|i| i % 2 == 0).collect(),
        n_unused: 0,
        n_zero: 0,
    };
    let knowledge = Knowledge::default().with_graph(graph).with_genome(genome).with_times_of(&data.ratings);
    (data, knowledge)
}

fn all_parts() -> KgMfConfig {
    let graph = GraphConfig {
        dim: 6,
        fusion: true,
        translation_weight: 0.1,
        translation_facts: 16,
        init_std: 0.3,
        ..GraphConfig::default()
    };
    KgMfConfig {
        embedding_dim: 8,
        init_std: 0.2,
        graph: Some(graph),
        genome: Some(GenomeConfig { hidden_dim: 4 }),
        time: Some(TimeConfig::default()),
        ..KgMfConfig::default()
    }
}

fn init(config: &KgMfConfig, data: &Dataset, knowledge: &Knowledge) -> KgMf<Cpu> {
    let scale = RatingScale::of(&data.ratings, data.rating_range);
    config.init_knowing(data.n_users(), data.n_items(), scale, knowledge, 42, &Default::default()).unwrap()
}

/// Some epochs of training; the model without its graph of gradients.
fn trained(config: &KgMfConfig, data: &Dataset, knowledge: &Knowledge, n_epochs: u64) -> KgMf<Flex> {
    let mut model = init(config, data, knowledge);
    let examples: KgMfBatches = match config.loss.is_ranking() {
        false => RatingBatches::new(data.ratings.clone(), 256, 42).into(),
        true => {
            let own = UserItems::from_ratings(&data.ratings, data.n_users());
            let sampler = NegativeSampler::new(ItemDistribution::uniform(data.n_items()), own, 42).unwrap();
            PairBatches::new(&data.ratings, 256, 42).with_negatives(sampler, config.n_negatives).into()
        }
    };
    let batches = examples.read_by(model.reader(), 42);
    let mut optimizer = Optimizer::new(OptimizerConfig::default());
    for epoch in 0..n_epochs {
        let order = batches.order(epoch);
        for step in 0..batches.n_steps() {
            let pass =
                model.forward_loss(&batches.batch(&order, step), StepKey { seed: 42, step: step as u64 });
            model = optimizer.step(model, pass, 0.01);
        }
    }
    model.valid()
}

fn fit_of(model: &impl RatingPredictor, data: &Dataset) -> f64 {
    let ratings = &data.ratings;
    let found = model.predict_pairs_at(&ratings.user_id, &ratings.item_id, &ratings.time);
    rmse(&found, &ratings.rating).unwrap()
}

#[test]
fn knowledge_that_no_part_asks_for_changes_no_bit() {
    let (data, knowledge) = world();
    let plain = KgMfConfig { embedding_dim: 8, ..KgMfConfig::default() };
    let (with, without) =
        (trained(&plain, &data, &knowledge, 1), trained(&plain, &data, &Knowledge::default(), 1));
    assert_eq!(named_tensors(&with), named_tensors(&without));
}

#[test]
fn the_vectors_of_the_plain_model_begin_the_same_whatever_the_parts() {
    let (data, knowledge) = world();
    let plain = KgMfConfig { graph: None, genome: None, time: None, ..all_parts() };
    let (full, plain) = (
        named_tensors(&init(&all_parts(), &data, &knowledge)),
        named_tensors(&init(&plain, &data, &knowledge)),
    );
    assert!(plain.iter().all(|(name, values)| full[name] == *values));
}

#[test]
fn each_part_helps_to_fit_what_it_reads() {
    let (data, knowledge) = world();
    let plain = KgMfConfig { graph: None, genome: None, time: None, ..all_parts() };
    let fit = |config: &KgMfConfig| fit_of(&trained(config, &data, &knowledge, 12), &data);
    let alone = fit(&plain);
    let graph = fit(&KgMfConfig { graph: all_parts().graph, ..plain.clone() });
    let genome = fit(&KgMfConfig { genome: all_parts().genome, ..plain.clone() });
    let time = fit(&KgMfConfig { time: all_parts().time, ..plain.clone() });
    assert!(graph < alone - 0.02 && genome < alone && time < alone, "{alone} {graph} {genome} {time}");
}

#[test]
fn the_gradient_of_all_parts_together_equals_finite_differences() {
    let (data, knowledge) = world();
    let model = init(&all_parts(), &data, &knowledge);
    let batches =
        KgMfBatches::from(RatingBatches::new(data.ratings.clone(), 24, 7)).read_by(model.reader(), 7);
    let batch = batches.batch(&batches.order(0), 0);
    let loss = |model: &KgMf<Cpu>| scalar(model.forward_loss(&batch, StepKey::default()).loss().inner());
    let (before, rate) = (named_tensors(&model), 1e-3);
    let mut sgd = Optimizer::new(OptimizerConfig {
        kind: cresset_nn::optim::OptimizerKind::Sgd,
        ..OptimizerConfig::default()
    });
    let pass = model.forward_loss(&batch, StepKey::default());
    let model = sgd.step(model, pass, rate);
    let after = named_tensors(&model);
    let mut model = restore(model, before.clone()).unwrap();
    for (name, values) in &before {
        let (old, new) =
            (values.iter::<f32>().collect::<Vec<_>>(), after[name].iter::<f32>().collect::<Vec<_>>());
        // The value that moved furthest tells most of its tensor.
        let Some((at, moved)) = old
            .iter()
            .zip(&new)
            .map(|(a, b)| (a - b) / rate as f32)
            .enumerate()
            .max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()))
        else {
            continue;
        };
        if moved == 0.0 {
            assert!(name.starts_with("genome.") && name.ends_with("tags.weight"), "{name} did not move");
            continue;
        }
        let mut shifted = |by: f32| {
            let mut values = old.clone();
            values[at] += by;
            let mut all = before.clone();
            all.insert(name.clone(), burn::tensor::TensorData::new(values, before[name].shape.clone()));
            model = restore(model.clone(), all).unwrap();
            f64::from(loss(&model))
        };
        let slope = (shifted(0.01) - shifted(-0.01)) / 0.02;
        assert!(
            (slope - f64::from(moved)).abs() < 0.02 * slope.abs().max(0.01),
            "{name}[{at}]: {slope} and {moved}"
        );
    }
}

fn check_inference(model: &KgMf<Flex>, data: &Dataset) {
    let inference = model.inference();
    let (users, items) = (&data.ratings.user_id[..200], &data.ratings.item_id[..200]);
    let times = &data.ratings.time[..200];
    assert_close(&inference.predict_pairs(users, items), &model.predict_pairs(users, items), 1e-4);
    assert_close(
        &inference.predict_pairs_at(users, items, times),
        &model.predict_pairs_at(users, items, times),
        1e-4,
    );
    // A user and an item that nobody knows have what is left.
    let strangers = ([u32::MAX, 0, u32::MAX], [0, u32::MAX, u32::MAX]);
    assert_close(
        &inference.predict_pairs(&strangers.0, &strangers.1),
        &model.predict_pairs(&strangers.0, &strangers.1),
        1e-4,
    );
    let users = [3, 0, 999];
    let (mut ours, mut theirs) = (vec![0.0; 3 * data.n_items()], vec![0.0; 3 * data.n_items()]);
    inference.score_block(&users, &mut ours);
    model.score_block(&users, &mut theirs);
    assert_close(&ours, &theirs, 1e-4);
}

#[test]
fn answers_from_plain_arrays_are_those_of_the_model() {
    let (data, knowledge) = world();
    check_inference(&trained(&all_parts(), &data, &knowledge, 2), &data);
    let even =
        GraphConfig { relation_attention: false, neighbour_attention: false, ..GraphConfig::default() };
    check_inference(&trained(&KgMfConfig { graph: Some(even), ..all_parts() }, &data, &knowledge, 2), &data);
    let plain = KgMfConfig { graph: None, genome: None, time: None, ..all_parts() };
    check_inference(&trained(&plain, &data, &knowledge, 2), &data);
}

#[test]
fn attention_that_leaves_an_items_relations_next_to_nothing_still_divides_all_of_it_among_them() {
    let (data, knowledge) = world();
    let config = KgMfConfig { genome: None, time: None, ..all_parts() };
    let model = trained(&config, &data, &knowledge, 1);
    let mut weights = named_tensors(&model);
    // Beside directors nobody looks at anything.
    let graph = knowledge.graph.as_ref().unwrap();
    let n_relations = graph.n_relations();
    let mut bias = vec![0.0f32; n_relations];
    bias[graph.relation("director").unwrap() as usize] = 400.0;
    let name = "graph.relation_attention.bias".to_owned();
    weights.insert(name, burn::tensor::TensorData::new(bias, [n_relations]));
    let model = restore(model, weights).unwrap();
    let inference = model.inference();
    for item in 0..10 {
        let directors: Vec<u32> = inference
            .contributions(1, item)
            .iter()
            .filter(|link| graph.relation_name(link.relation) == "director")
            .map(|link| link.entity)
            .collect();
        let Some(&director) = directors.first() else { continue };
        // Without its director, what is left of the film is looked at in full.
        let left = inference.score_without(1, item, director);
        assert!(left.is_finite(), "film {item}: {left}");
        let plain = inference.score(1, item)
            - inference.contributions(1, item).iter().map(|link| link.contribution).sum::<f32>();
        assert!((left - plain).abs() > 1e-6, "film {item}: {left} without, {plain} of no relation at all");
    }
}

fn inference(config: &KgMfConfig) -> (Dataset, Knowledge, KgMfInference) {
    let (data, knowledge) = world();
    let inference = trained(config, &data, &knowledge, 3).inference();
    (data, knowledge, inference)
}

#[test]
fn what_the_neighbours_of_an_item_add_is_the_part_of_the_graph() {
    let (data, knowledge, inference) = inference(&all_parts());
    let graph = knowledge.graph.unwrap();
    for (user, item) in [(0, 0), (5, 31), (77, 59), (100_000, 3)] {
        let links = inference.contributions(user, item);
        assert!(
            links.iter().all(|link| graph.neighbours_by_relation(item, link.relation).contains(&link.entity))
        );
        let sum: f32 = links.iter().map(|link| link.contribution).sum();
        // Without each of its neighbours, nothing of the graph is left.
        let mut relations: Vec<u32> = links.iter().map(|link| link.relation).collect();
        relations.dedup();
        let attention: f32 = relations
            .iter()
            .map(|&relation| links.iter().find(|link| link.relation == relation).unwrap().relation_attention)
            .sum();
        assert_close(&[attention], &[1.0], 1e-5);
        let plain = inference.score(user, item) - sum;
        let alone = links.iter().filter(|link| link.entity == links[0].entity).count() == links.len();
        assert!(!alone, "the world has films of more than one neighbour");
        assert!(plain.is_finite());
    }
    assert_eq!(inference.contributions(0, data.n_items() as u32), []);
}

#[test]
fn an_entity_that_is_taken_away_takes_its_part_and_attention_is_taken_anew() {
    let (_, _, inference) = inference(&all_parts());
    for item in 0..10 {
        let links = inference.contributions(1, item);
        let sum: f32 = links.iter().map(|link| link.contribution).sum();
        let plain = inference.score(1, item) - sum;
        for gone in &links {
            let left: Vec<_> = links.iter().filter(|link| link.entity != gone.entity).collect();
            // By hand, from the numbers of the whole: slots that lose all links drop out, others are divided again.
            let mut slots: Vec<u32> = left.iter().map(|link| link.relation).collect();
            slots.dedup();
            let n_before = {
                let mut all: Vec<u32> = links.iter().map(|link| link.relation).collect();
                all.dedup();
                all.len() as f32
            };
            let of_slot = |relation: u32| left.iter().filter(move |link| link.relation == relation);
            let total: f32 = slots.iter().map(|&r| of_slot(r).next().unwrap().relation_attention).sum();
            let expected: f32 = slots
                .iter()
                .map(|&r| {
                    let share: f32 = of_slot(r).map(|link| link.neighbour_attention).sum();
                    of_slot(r).map(|link| link.contribution).sum::<f32>() / share / total / n_before
                        * slots.len() as f32
                })
                .sum();
            assert_close(&[inference.score_without(1, item, gone.entity)], &[plain + expected], 1e-4);
        }
    }
    let whole = inference.score(1, 4);
    assert_close(&[inference.score_without(1, 4, u32::MAX)], &[whole], 1e-5);
}

#[test]
fn attention_over_relations_sums_to_one_and_there_is_none_without_a_graph() {
    let (_, _, inference) = inference(&all_parts());
    for user in [0, 3, 100_000] {
        assert_close(&[inference.relation_attention(user).iter().sum()], &[1.0], 1e-5);
    }
    let (data, knowledge) = world();
    let plain = KgMfConfig { graph: None, ..all_parts() };
    assert_eq!(trained(&plain, &data, &knowledge, 1).inference().relation_attention(0), [] as [f32; 0]);
}

#[test]
fn a_film_without_a_rating_is_scored_by_its_neighbours() {
    let (mut data, knowledge) = world();
    let is_kept: Vec<u32> =
        (0..data.ratings.len() as u32).filter(|&row| data.ratings.item_id[row as usize] != 7).collect();
    data.ratings = data.ratings.select(&is_kept);
    let config = KgMfConfig { genome: None, time: None, ..all_parts() };
    let scale = RatingScale::of(&data.ratings, data.rating_range);
    let fresh: KgMf<Cpu> = config
        .init_knowing(data.n_users(), data.n_items(), scale, &knowledge, 42, &Default::default())
        .unwrap();
    let fresh = fresh.with_cold_rows_at_zero(&data.ratings);
    let batches =
        KgMfBatches::from(RatingBatches::new(data.ratings.clone(), 256, 42)).read_by(fresh.reader(), 42);
    let mut optimizer = Optimizer::new(OptimizerConfig::default());
    let mut model = fresh;
    for epoch in 0..5 {
        for step in 0..batches.n_steps() {
            let pass = model.forward_loss(&batches.batch(&batches.order(epoch), step), StepKey::default());
            model = optimizer.step(model, pass, 0.01);
        }
    }
    let inference = model.valid().inference();
    let scores: Vec<f32> = (0..40).map(|user| inference.score(user, 7)).collect();
    let known: Vec<f32> = (0..40)
        .map(|user| inference.contributions(user, 7).iter().map(|link| link.contribution).sum())
        .collect();
    assert!(known.iter().any(|&part| part.abs() > 0.05), "{known:?}");
    let biases: Vec<f32> = scores.iter().zip(&known).map(|(score, part)| score - part).collect();
    // What is left is the mean and the user's bias: the film has neither bias nor vector.
    assert_close(&[biases[0]], &[inference.score(0, u32::MAX)], 1e-5);
}

#[test]
fn a_ranking_loss_learns_with_the_graph() {
    let (data, knowledge) = world();
    for loss in [KgMfLoss::Bpr, KgMfLoss::Softmax] {
        let config = KgMfConfig { loss, n_negatives: 3, time: None, genome: None, ..all_parts() };
        let first = init(&config, &data, &knowledge).valid();
        let last = trained(&config, &data, &knowledge, 6);
        let margin = |model: &KgMf<Flex>| {
            let mut scores = vec![0.0; data.n_users() * data.n_items()];
            model.score_block(&(0..data.n_users() as u32).collect::<Vec<_>>(), &mut scores);
            let all = scores.iter().sum::<f32>() / scores.len() as f32;
            let own = data.ratings.user_id.iter().zip(&data.ratings.item_id);
            let own: f32 = own.map(|(&u, &i)| scores[u as usize * data.n_items() + i as usize]).sum();
            own / data.ratings.len() as f32 - all
        };
        assert!(margin(&last) > margin(&first) + 0.3, "{loss:?}: {} {}", margin(&first), margin(&last));
    }
}

fn films(genres: &[&[&str]]) -> (Vocabulary, KnowledgeGraph) {
    let film = |(at, genres): (usize, &&[&str])| ItemInfo {
        id: at.to_string(),
        genres: genres.iter().map(|&genre| genre.to_owned()).collect(),
        ..ItemInfo::default()
    };
    let catalogue = Catalogue { items: genres.iter().enumerate().map(film).collect(), users: vec![] };
    let ids: Vec<String> = (0..genres.len()).map(|at| at.to_string()).collect();
    let items = Vocabulary::from_ids(ids.iter().map(String::as_str));
    let graph = KnowledgeGraph::new(Triples::from_genres(&catalogue), &items, false).unwrap();
    (items, graph)
}

fn refused(config: &KgMfConfig, knowledge: &Knowledge, n_items: usize) -> String {
    config.init::<Flex>(2, n_items, SCALE, 1, &Default::default()).unwrap_err();
    let made = config.init_knowing::<Flex>(2, n_items, SCALE, knowledge, 1, &Default::default());
    made.unwrap_err().to_string()
}

#[test]
fn parts_without_anything_to_read_are_refused_with_what_to_do() {
    let graph = KgMfConfig { graph: Some(GraphConfig::default()), ..KgMfConfig::default() };
    assert_eq!(
        refused(&graph, &Knowledge::default(), 2),
        "model.graph is on and there is no knowledge graph; name one under data.graph.sources, or leave model.graph out"
    );
    // Every genre is of one film alone.
    let (_, lonely) = films(&[&["Drama"], &["War"]]);
    assert_eq!(
        refused(&graph, &Knowledge::default().with_graph(lonely.clone()), 2),
        "of 2 links none leads from one of the 2 items to an entity of at least 2 of them; check that data.graph names the items \
         as the ratings do, or lower model.graph.min_items"
    );
    assert_eq!(
        refused(&graph, &Knowledge::default().with_graph(lonely), 3),
        "the graph is of 2 items and the model of 3; read it for the same items"
    );
    let time = KgMfConfig { time: Some(TimeConfig::default()), ..KgMfConfig::default() };
    assert!(
        refused(&time, &Knowledge::default(), 2).starts_with("model.time is on and there is no timestamp")
    );
    let genome = KgMfConfig { genome: Some(GenomeConfig::default()), ..KgMfConfig::default() };
    assert!(
        refused(&genome, &Knowledge::default(), 2)
            .starts_with("model.genome is on and there is no tag genome")
    );
}

#[test]
fn relations_all_of_one_kind_leave_attention_nothing_to_choose() {
    let (_, graph) = films(&[&["Drama"], &["Drama", "War"], &["War"]]);
    let config = KgMfConfig { graph: Some(GraphConfig::default()), ..KgMfConfig::default() };
    let model: KgMf<Flex> = config
        .init_knowing(2, 3, SCALE, &Knowledge::default().with_graph(graph), 1, &Default::default())
        .unwrap();
    let inference = model.inference();
    assert_eq!(inference.relation_attention(0), [1.0]);
    assert!(inference.contributions(0, 1).iter().all(|link| link.relation_attention == 1.0));
    assert!(inference.predict(0, 1, NO_TIME).is_finite());
}

#[test]
fn a_history_of_a_new_user_is_judged_against_what_the_graph_knows() {
    let (_, _, inference) = inference(&all_parts());
    let (data, knowledge) = world();
    let model = trained(&all_parts(), &data, &knowledge, 3);
    let nothing = model.score_history(&[], &[]);
    let expected: Vec<f32> = (0..data.n_items() as u32).map(|item| inference.score(u32::MAX, item)).collect();
    assert_close(&nothing, &expected, 1e-4);
    // Who rated all films half a star above what nobody in particular would, is kind and has no taste.
    let items: Vec<u32> = (0..data.n_items() as u32).collect();
    let kind: Vec<f32> = expected.iter().map(|score| score + 0.5).collect();
    let scores = model.score_history(&items, &kind);
    let mean: f32 = scores.iter().zip(&expected).map(|(a, b)| a - b).sum::<f32>() / items.len() as f32;
    assert!((mean - 0.5).abs() < 0.05, "{mean}");
}

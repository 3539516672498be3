//! What a model may read beside the ratings: found before training, kept in the run directory, found there again.

use std::path::Path;

use cresset::data::features::Genome;
use cresset::data::graph::{self, KnowledgeGraph};
use cresset::data::{AlignedVectors, Dataset, Ratings};
use cresset::kg_mf::{self, KgMfConfig};
use cresset::nn::weights::NamedTensors;
use cresset::trainers::RunDir;

use crate::failure::Failure;
use crate::models::{Config, ModelConfig, NetworkConfig};
use crate::two_tower::{self, Towers};

/// Where a run keeps its graph.
const GRAPH: &str = "best_model/graph";
/// The parameters that hold the genome: it is as large as a model, and kept once.
const TAGS: &str = "genome.tags.weight";

/// What a model may read beside the ratings; what its kind does not read is empty.
#[derive(Debug, Clone, Default)]
pub struct Knowledge {
    /// Of kg-mf.
    pub kg_mf: kg_mf::Knowledge,
    /// Of a two-tower model.
    pub towers: Option<Towers>,
}

/// Reads what the model of a config asks for beside ratings and their times, which are each split's own.
///
/// # Errors
///
/// If a file is missing or damaged.
pub fn load(config: &Config, data_dir: &Path, dataset: &Dataset) -> Result<Knowledge, Failure> {
    match &config.model {
        ModelConfig::Network(NetworkConfig::KgMf(model)) => {
            let kg_mf = load_kg_mf(model, config, data_dir, dataset)?;
            Ok(Knowledge { kg_mf, towers: None })
        }
        ModelConfig::Network(NetworkConfig::TwoTower(model)) => {
            let towers = two_tower::load(model, config, data_dir, dataset)?;
            Ok(Knowledge { towers: Some(towers), ..Knowledge::default() })
        }
        ModelConfig::Baseline(_) => Ok(Knowledge::default()),
    }
}

fn load_kg_mf(
    model: &KgMfConfig,
    config: &Config,
    data_dir: &Path,
    dataset: &Dataset,
) -> Result<kg_mf::Knowledge, Failure> {
    let mut knowledge = kg_mf::Knowledge::default();
    if model.graph.is_some()
        && let Some(graph) = graph::of_dataset(&config.data, data_dir, dataset)?
    {
        knowledge = knowledge.with_graph(graph);
    }
    if model.genome.is_some() {
        let genome = Genome::of_dataset(&config.data, data_dir, &dataset.items)?;
        knowledge = knowledge.with_genome(genome.scores);
    }
    Ok(knowledge)
}

/// Keeps in the run directory what the weights do not.
///
/// # Errors
///
/// If a file cannot be written.
pub fn save(knowledge: &Knowledge, run: &RunDir) -> Result<(), Failure> {
    if let Some(towers) = &knowledge.towers {
        two_tower::save(towers, run)?;
    }
    Ok(knowledge.kg_mf.graph.as_ref().map_or(Ok(()), |graph| graph.save(&run.file(GRAPH)))?)
}

/// Refuses to go on with a run, or the folds of one, that began with another graph, other features or other vectors.
///
/// # Errors
///
/// If the graph is another, or the saved one is damaged.
pub fn check_same(knowledge: &Knowledge, run: &RunDir) -> Result<(), Failure> {
    if let Some(towers) = &knowledge.towers {
        for folder in [run.path().to_owned(), run.file("fold-1")] {
            if !two_tower::is_same(towers, &folder)? {
                return Err(Failure::input(format!(
                    "--resume: features or vectors changed since {} began; restore their files or choose another --output",
                    run.path().display()
                )));
            }
        }
    }
    let Some(graph) = &knowledge.kg_mf.graph else { return Ok(()) };
    for folder in [run.file(GRAPH), run.file("fold-1").join(GRAPH)] {
        // The last of its files to be written: without it, the first session ended before it was.
        let is_whole = folder.join("graph.json").exists();
        if is_whole && KnowledgeGraph::load(&folder)? != **graph {
            return Err(Failure::input(format!(
                "--resume: the graph changed since {} began; restore its files or choose another --output",
                run.path().display()
            )));
        }
    }
    Ok(())
}

/// What there is to read, in a line for each.
pub fn tell(knowledge: &Knowledge) -> Vec<String> {
    let mut lines: Vec<String> = knowledge.towers.iter().flat_map(two_tower::tell).collect();
    if let Some(graph) = &knowledge.kg_mf.graph {
        let told = graph.statistics();
        lines.push(format!(
            "graph: {} facts of {} relations among {} entities; {} of {} items have some",
            told.n_facts,
            graph.n_relations(),
            told.n_entities,
            told.items_with_facts,
            told.n_items
        ));
    }
    if let Some(genome) = &knowledge.kg_mf.genome {
        let n = genome.n_present();
        lines.push(format!("tag genome: {} tags of {n} of {} items", genome.dim, genome.present.len()));
    }
    lines
}

/// What a trained model read, from its run directory, its weights and its training ratings.
///
/// # Errors
///
/// If a file is missing or damaged.
pub fn of_run(
    run: &RunDir,
    config: &KgMfConfig,
    weights: &NamedTensors,
    train: &Ratings,
) -> Result<kg_mf::Knowledge, Failure> {
    let mut knowledge = kg_mf::Knowledge::default();
    if config.graph.is_some() {
        knowledge = knowledge.with_graph(KnowledgeGraph::load(&run.file(GRAPH))?);
    }
    if config.genome.is_some()
        && let Some(tags) = weights.get(TAGS)
    {
        let [n_items, dim] = [tags.shape[0], tags.shape[1]];
        // Of the size of the tags: the weights bring their values.
        let values = vec![0.0; n_items * dim];
        let present = vec![true; n_items];
        knowledge =
            knowledge.with_genome(AlignedVectors { dim, values, present, ..AlignedVectors::default() });
    }
    Ok(with_times(config, knowledge, train))
}

/// The same with the times of training ratings, where the model asks for them.
pub fn with_times(config: &KgMfConfig, knowledge: kg_mf::Knowledge, train: &Ratings) -> kg_mf::Knowledge {
    if config.time.is_some() { knowledge.with_times_of(train) } else { knowledge }
}

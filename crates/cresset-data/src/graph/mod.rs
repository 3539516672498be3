//! Knowledge graphs: what links items to people, genres, tags and the rest of the world.
//!
//! Facts travel one way. A source, a file of some format or what the data set itself says of its items, becomes
//! [`Triples`] under external names. Several sources are joined ([`Triples::union`]). With the items of a data set
//! they become a [`KnowledgeGraph`]: indices from 0, items first, neighbours in compressed rows. [`read`] does all of
//! this as the section `data.graph` of a configuration says.
//!
//! | format | files | heads |
//! | --- | --- | --- |
//! | `recbole` | `NAME.kg`, `NAME.link`, with typed headers | entities; links say which are items |
//! | `kgat` | `kg_final.txt`, `item_list.txt`, `entity_list.txt`, `relation_list.txt` | numbers; items are the first |
//! | `kgcn` | `kg.txt`, `item_index2entity_id.txt` | entities; links say which are items |
//! | `triples` | any, by tab, comma or space, with or without header | item ids, or entities beside a file of links |
//! | `genres`, `tags`, `genome`, `metadata` | those of the data set | item ids |
//! | `synthetic` | none | item ids of the built-in world |
//!
//! Every file may be compressed. Under `on_bad_row: skip` rows that name an unknown entity or relation, lack a field,
//! or link what is linked already are left out and counted by reason; else they end the reading with their line.
//!
//! # Leakage
//!
//! A graph that states facts both ways, as Freebase does, gives away what is held out: see
//! [`Triples::inverse_pairs`] and [`Triples::fold_inverses`] (`data.graph.fold_inverses`).
//!
//! ```
//! use cresset_data::graph::{self, SampleKey};
//! use cresset_data::{Catalogue, DataConfig, Vocabulary};
//!
//! let data_dir = tempfile::tempdir()?;
//! std::fs::create_dir(data_dir.path().join("films"))?;
//! let lines = "1\tdirector\tAnn Lee\n1\tactor\tBo Li\n2\tactor\tAnn Lee\n";
//! std::fs::write(data_dir.path().join("films").join("kg.txt"), lines)?;
//!
//! let config: DataConfig = serde_json::from_str(
//!     r#"{ "name": "films", "graph": { "sources": [{ "format": "triples" }], "inverse": true } }"#,
//! )?;
//! let items = Vocabulary::from_ids(["1", "2", "3"]);
//! let graph = graph::read(&config, data_dir.path(), &items, &Catalogue::default())?.expect("a source is named");
//!
//! let lee = graph.entities().find("person", "Ann Lee").expect("a person of both films");
//! assert_eq!(graph.neighbours(lee).tails, [0, 1]);
//! assert_eq!(graph.statistics().isolated_items(), 1);
//! let sample = graph.sample_neighbours(&[lee], 4, SampleKey::at_step(42, 0));
//! assert!(sample.tails.iter().all(|&film| film < 2));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod adjacency;
mod config;
mod data_set;
mod entities;
mod error;
mod facts;
mod inverse;
mod knowledge;
mod neighbourhoods;
mod readers;
mod sampling;
mod saved;
mod skipped;
mod statistics;
#[cfg(test)]
mod tests;
mod triples;

pub use adjacency::Neighbours;
pub use config::{
    FieldValues, GenomeFacts, GraphConfig, GraphSource, ItemIds, KgatGraph, KgcnGraph, MetadataFacts,
    MetadataField, NoKeys, PlainTriples, RecboleGraph, Separator, TagFacts,
};
pub use data_set::of_dataset;
pub use entities::{ENTITY, Entities, ITEM, PERSON};
pub use error::{GraphError, GraphFault};
pub use facts::ItemFacts;
pub use inverse::{InversePair, inverse_name};
pub use knowledge::KnowledgeGraph;
pub use neighbourhoods::{ItemNeighbourhoods, NeighbourhoodBatch, NeighbourhoodBounds};
pub use sampling::{NeighbourSample, SampleKey};
pub(crate) use saved::SAVED_FILES;
pub use skipped::SkippedRows;
pub use statistics::{Coverage, Distribution, GraphStatistics};
pub use triples::{Fact, Link, Triples};

use std::path::Path;

use crate::config::DataConfig;
use crate::error::DataError;
use crate::vocabulary::Vocabulary;
use crate::world::WorldFilms;
use skipped::Refusals;

/// The graph that `data.graph` describes for the items of a data set; nothing when it names no source.
///
/// # Errors
///
/// [`DataError`] when a file is missing, empty or damaged, a row is bad and `on_bad_row` is `error`, or a source asks
/// for facts that `facts` does not have.
pub fn read(
    config: &DataConfig,
    data_dir: &Path,
    items: &Vocabulary,
    facts: &dyn ItemFacts,
) -> Result<Option<KnowledgeGraph>, DataError> {
    let GraphConfig { sources, inverse, fold_inverses } = &config.graph;
    let read = |source: &GraphSource| read_source(source, config, data_dir, facts);
    let mut all = sources.iter().map(read).collect::<Result<Vec<Triples>, DataError>>()?;
    let triples = match all.len() {
        0 => return Ok(None),
        1 => all.remove(0),
        _ => Triples::union(all)?,
    };
    let triples = match fold_inverses {
        Some(min_share) => triples.fold_inverses(*min_share),
        None => triples,
    };
    Ok(Some(KnowledgeGraph::new(triples, items, *inverse)?))
}

/// The facts of one source.
fn read_source(
    source: &GraphSource,
    config: &DataConfig,
    data_dir: &Path,
    facts: &dyn ItemFacts,
) -> Result<Triples, DataError> {
    let folder = |own: &Option<String>| data_dir.join(own.as_deref().unwrap_or_else(|| config.folder()));
    let refusals = Refusals::new(config.on_bad_row);
    match source {
        GraphSource::Recbole(keys) => readers::read_recbole(&folder(&keys.folder), keys, refusals),
        GraphSource::Kgat(keys) => readers::read_kgat(&folder(&keys.folder), keys, refusals),
        GraphSource::Kgcn(keys) => readers::read_kgcn(&folder(&keys.folder), keys, refusals),
        GraphSource::Triples(keys) => readers::read_plain(&folder(&keys.folder), keys, refusals),
        GraphSource::Genres(_) => Ok(Triples::from_genres(facts.catalogue())),
        GraphSource::Tags(keys) => of_tags(facts, keys),
        GraphSource::Genome(keys) => of_genome(facts, keys),
        GraphSource::Metadata(keys) => Triples::from_metadata(|each| facts.for_each_field(each), keys),
        GraphSource::Synthetic(_) => {
            Ok(Triples::from_world(&WorldFilms::generate(&config.synthetic)?.graph()))
        }
    }
}

fn of_tags(facts: &dyn ItemFacts, config: &TagFacts) -> Result<Triples, DataError> {
    let mut n_skipped = 0;
    let tags = |each: &mut dyn FnMut(&str, &str)| -> Result<(), DataError> {
        n_skipped = facts.for_each_tag(each)?;
        Ok(())
    };
    let mut triples = Triples::from_tags(tags, config)?;
    triples.skipped.malformed = n_skipped;
    Ok(triples)
}

fn of_genome(facts: &dyn ItemFacts, config: &GenomeFacts) -> Result<Triples, DataError> {
    let mut n_skipped = 0;
    let scores = |each: &mut dyn FnMut(&str, &str, f32)| -> Result<(), DataError> {
        n_skipped = facts.for_each_relevance(each)?;
        Ok(())
    };
    let mut triples = Triples::from_genome(scores, config)?;
    triples.skipped.malformed = n_skipped;
    Ok(triples)
}

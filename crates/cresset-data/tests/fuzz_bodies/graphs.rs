//! Knowledge graphs from files.

use cresset_data::graph::{self, SampleKey};
use cresset_data::{Catalogue, DataConfig, OnBadRow, Vocabulary};

use super::folder::{DataDir, SET};
use super::sources::twice;

/// Plain triples, with links and without, and RecBole's.
pub(crate) fn triples(bytes: &[u8]) {
    let dir = DataDir::of(bytes, &["kg.txt", "links.txt", "set.kg", "set.link"]);
    if dir.has("kg.txt") {
        check(&dir, r#"{ "format": "triples" }"#);
        check(&dir, r#"{ "format": "triples", "separator": "comma", "header": true }"#);
        check(&dir, r#"{ "format": "triples", "links": "links.txt" }"#);
    }
    check(&dir, r#"{ "format": "recbole" }"#);
}

/// Reads the graph of one source both ways, and walks all of it.
pub(crate) fn check(dir: &DataDir, source: &str) {
    let graph = serde_json::from_str(&format!(r#"{{ "sources": [{source}], "inverse": true }}"#)).unwrap();
    let strict = DataConfig { name: Some(SET.to_owned()), graph, ..DataConfig::default() };
    let lenient = DataConfig { on_bad_row: OnBadRow::Skip, ..strict.clone() };
    let [strictly, leniently] = [&strict, &lenient].map(|config| read_and_walk(dir, config));
    if strictly.is_some() {
        assert_eq!(leniently, strictly, "where no row is bad none is left out");
    }
}

/// The neighbours of every entity, as they are sampled too.
type Walked = Vec<(Vec<u32>, Vec<u32>)>;

fn read_and_walk(dir: &DataDir, config: &DataConfig) -> Option<Walked> {
    let items = Vocabulary::from_ids(["0", "1", "2", "x"]);
    // A graph shows its vocabulary, whose map has another order each time.
    let read = || {
        let graph = graph::read(config, dir.path(), &items, &Catalogue::default())?;
        Ok(walk(&graph.expect("a source is named")))
    };
    twice(read)
}

fn walk(graph: &graph::KnowledgeGraph) -> Walked {
    assert_eq!(graph.n_items(), 4);
    let facts = graph.facts().inspect(|&fact| drop(graph.named(fact).to_string()));
    assert_eq!(facts.count(), graph.n_facts());
    assert!(!graph.statistics().to_string().is_empty());
    let walk = |entity: u32| {
        let links = graph.neighbours(entity);
        assert_eq!((links.tails.len(), links.relations.len()), (graph.degree(entity), graph.degree(entity)));
        assert!(links.tails.iter().all(|&tail| (tail as usize) < graph.n_entities()));
        assert!(links.relations.iter().all(|&relation| (relation as usize) < graph.n_relations()));
        let sample = graph.sample_neighbours(&[entity], 3, SampleKey::frozen(1));
        (links.tails.to_vec(), sample.tails)
    };
    (0..graph.n_entities() as u32).map(walk).collect()
}

//! The published knowledge graphs, counted. Skipped where they are not: they may not be copied into the repository.

#![expect(clippy::unwrap_used, reason = "helpers of tests stop at what should not fail")]

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Instant;

use cresset_data::graph::{self, GraphStatistics, KnowledgeGraph, MetadataFacts, Triples};
use cresset_data::{Catalogue, DataConfig, Dataset, GraphError, Vocabulary};

/// The directory of data sets if it holds all of `folders`, or nothing and a word.
fn data_dir(folders: &[&str]) -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let data_dir = std::env::var_os("CRESSET_DATA").map_or(beside, PathBuf::from);
    let missing = folders.iter().find(|folder| !data_dir.join(folder).is_dir());
    if let Some(missing) = missing {
        eprintln!("skipped: no folder {}", data_dir.join(missing).display());
        return None;
    }
    Some(data_dir)
}

/// The data set, and its graph from one source.
fn load(source: &str, graph_source: &str) -> Option<(Dataset, KnowledgeGraph)> {
    let json =
        format!(r#"{{ "source": "{source}", "graph": {{ "sources": [{graph_source}], "inverse": true }} }}"#);
    let config: DataConfig = serde_json::from_str(&json).unwrap();
    let data_dir = data_dir(&[config.folder(), "movielens-kg"])?;
    let data = Dataset::load(&config, &data_dir).unwrap();
    let start = Instant::now();
    let graph = graph::read(&config, &data_dir, &data.items, &data.catalogue).unwrap().unwrap();
    eprintln!("{graph_source} in {:?}\n{}", start.elapsed(), graph.statistics());
    eprintln!("{}", graph.coverage(&data.ratings.item_id));
    Some((data, graph))
}

/// The facts of each relation, the most frequent first.
fn by_relation(statistics: &GraphStatistics) -> Vec<(&str, u64)> {
    let mut counts: Vec<(&str, u64)> =
        statistics.facts_of_relation.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    counts.sort_unstable_by_key(|&(_, count)| std::cmp::Reverse(count));
    counts
}

/// Items and interactions with facts, of all.
fn coverage(data: &Dataset, graph: &KnowledgeGraph) -> [usize; 4] {
    let found = graph.coverage(&data.ratings.item_id);
    [found.covered_items, found.n_items, found.covered_interactions, found.n_interactions]
}

const MKR: &str = r#"{ "format": "kgcn", "folder": "movielens-kg/ml-1m-mkr" }"#;
const FREEBASE: &str = r#"{ "format": "recbole", "folder": "movielens-kg/ml-100k-freebase" }"#;

#[test]
fn the_graph_of_mkr_has_its_published_counts() {
    let Some((data, graph)) = load("movielens-1m", MKR) else { return };
    let statistics = graph.statistics();
    assert_eq!(
        by_relation(&statistics),
        [
            ("film.film.genre", 5_271),
            ("film.film.writer", 3_476),
            ("film.film.language", 3_135),
            ("film.film.director", 2_581),
            ("film.film.country", 2_256),
            ("film.film.star", 2_164),
            ("film.film.rating", 1_899),
        ]
    );
    assert_eq!((statistics.n_facts, statistics.n_repeats), (20_782, 0));
    assert_eq!(coverage(&data, &graph), [2_347, 3_706, 656_462, 1_000_209]);
    // 7,008 entities in the files, and the rated films that are none of them.
    assert_eq!(graph.n_entities(), 7_008 + 3_706 - 2_347);
    let is_item = |entity: u32| (entity as usize) < graph.n_items();
    assert_eq!(graph.facts().filter(|fact| is_item(fact[0])).count(), 20_195);
    assert_eq!(graph.facts().filter(|fact| is_item(fact[2])).count(), 0);
    let toy_story = data.items.index_of("1").unwrap();
    assert_eq!(graph.links(toy_story)[0].source_name, "0");
    let covered: BTreeSet<u32> = (0..data.ratings.len())
        .filter(|&row| graph.degree(data.ratings.item_id[row]) > 0)
        .map(|row| data.ratings.user_id[row])
        .collect();
    assert_eq!(covered.len(), 6_040);
}

#[test]
fn the_graph_of_mkr_joins_the_small_edition() {
    let Some((data, graph)) = load("movielens-csv", MKR) else { return };
    if data.ratings.len() != 100_836 {
        return eprintln!("skipped: another edition of latest-small");
    }
    let [items, _, interactions, _] = coverage(&data, &graph);
    assert_eq!((items, interactions), (1_853, 38_678));
}

#[test]
fn the_links_of_mkr_are_films_of_the_20m_edition() {
    let Some(data_dir) = data_dir(&["movielens-kg", "ml-20m-genome"]) else { return };
    let films = text_of(&data_dir.join("ml-20m-genome/movie.csv.gz"));
    let ids = films.lines().skip(1).filter_map(|line| line.split(',').next()).map(|id| id.trim_matches('"'));
    let config: DataConfig =
        serde_json::from_str(&format!(r#"{{ "graph": {{ "sources": [{MKR}] }} }}"#)).unwrap();
    let items = Vocabulary::from_ids(ids);
    let graph = graph::read(&config, &data_dir, &items, &Catalogue::default()).unwrap().unwrap();
    assert_eq!(graph.statistics().items_with_facts, 2_338);
}

#[test]
fn the_graph_of_freebase_has_its_published_counts() {
    let Some((data, graph)) = load("movielens-100k", FREEBASE) else { return };
    let statistics = graph.statistics();
    assert_eq!((statistics.n_facts, statistics.n_repeats), (91_631, 0));
    let counts = by_relation(&statistics);
    assert_eq!(counts[0], ("film.film.actor", 40_152));
    assert_eq!(counts.last(), Some(&("film.actor.film", 6)));
    assert_eq!(coverage(&data, &graph), [1_598, 1_682, 97_554, 100_000]);
    // The entities in the files, and the films that are none of them.
    assert_eq!(graph.n_entities(), 34_628 + 1_682 - 1_598);
    let is_item = |entity: u32| (entity as usize) < graph.n_items();
    assert!(graph.facts().all(|[head, _, tail]| is_item(head) || is_item(tail)));
    let heads: BTreeSet<u32> = graph.facts().map(|fact| fact[0]).filter(|&head| is_item(head)).collect();
    let tails: BTreeSet<u32> = graph.facts().map(|fact| fact[2]).filter(|&tail| is_item(tail)).collect();
    assert_eq!((heads.len(), tails.len()), (1_598, 1_598));
}

#[test]
fn the_inverses_that_freebase_states_are_found_and_folded() {
    let Some(data_dir) = data_dir(&["movielens-kg"]) else { return };
    let config: DataConfig = serde_json::from_str(&format!(
        r#"{{ "graph": {{ "sources": [{FREEBASE}], "fold_inverses": 0.8 }} }}"#
    ))
    .unwrap();
    let graph =
        graph::read(&config, &data_dir, &Vocabulary::default(), &Catalogue::default()).unwrap().unwrap();
    let statistics = graph.statistics();
    eprintln!("{statistics}");
    assert_eq!(statistics.n_facts as u64 + statistics.n_repeats, 91_631);
    // Ten pairs say the same twice; five of the six facts of the eleventh, film.actor.film, are said of the film too.
    let twice = 7_184 + 2_615 + 2_381 + 1_727 + 1_416 + 1_396 + 1_345 + 715 + 312 + 5;
    assert_eq!(statistics.n_repeats, twice);
    let counts = by_relation(&statistics);
    assert_eq!(counts.len(), 24 - 10);
    assert_eq!(counts[..2], [("film.film.actor", 40_153), ("film.film.genre", 7_184)]);
}

/// A file of the graph with readable names.
fn omdb(edition: &str) -> String {
    format!(r#"{{ "format": "triples", "folder": "movielens-kg/ml-omdb", "file": "{edition}.kg.tsv" }}"#)
}

fn tails(graph: &KnowledgeGraph) -> usize {
    graph.facts().map(|fact| fact[2]).collect::<BTreeSet<_>>().len()
}

#[test]
fn the_graph_with_readable_names_has_its_published_counts() {
    let Some((data, graph)) = load("movielens-1m", &omdb("ml-1m")) else { return };
    let statistics = graph.statistics();
    assert_eq!(
        by_relation(&statistics),
        [
            ("actor", 15_403),
            ("genre", 10_552),
            ("writer", 8_754),
            ("language", 5_639),
            ("country", 5_282),
            ("director", 4_254),
            ("decade", 3_883),
            ("content_rating", 3_675),
        ]
    );
    assert_eq!((statistics.n_facts, statistics.isolated_items(), tails(&graph)), (57_442, 0, 14_326));
    assert_eq!(coverage(&data, &graph), [3_706, 3_706, 1_000_209, 1_000_209]);

    let Some((data, graph)) = load("movielens-100k", &omdb("ml-100k")) else { return };
    let statistics = graph.statistics();
    assert_eq!(
        by_relation(&statistics),
        [
            ("actor", 6_662),
            ("genre", 4_579),
            ("writer", 3_841),
            ("language", 2_533),
            ("country", 2_341),
            ("director", 1_831),
            ("decade", 1_682),
            ("content_rating", 1_593),
        ]
    );
    assert_eq!((statistics.n_facts, statistics.isolated_items(), tails(&graph)), (25_062, 0, 7_242));
    assert_eq!(coverage(&data, &graph), [1_682, 1_682, 100_000, 100_000]);
}

/// The text of a compressed file.
fn text_of(path: &Path) -> String {
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text
}

/// The fields of the records in a compressed file of JSON lines, by the file's own ids.
fn records(path: &Path) -> Vec<(String, Vec<(String, String)>)> {
    let record = |line: &str| {
        let fields: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).unwrap();
        let id = fields["id"].to_string();
        let texts = fields.into_iter().filter_map(|(name, value)| Some((name, value.as_str()?.to_owned())));
        (id, texts.collect())
    };
    text_of(path).lines().map(record).collect()
}

fn names(triples: &Triples) -> BTreeSet<String> {
    triples.iter().map(|fact| format!("{}\t{}\t{}", fact.head.1, fact.relation, fact.tail.1)).collect()
}

#[test]
fn the_metadata_of_films_gives_the_graph_with_readable_names() {
    let Some(data_dir) = data_dir(&["ml-1m", "movielens-kg"]) else { return };
    let records = records(&data_dir.join("ml-1m/omdb_metadata_ml1m.jsonl.gz"));
    let read = |each: &mut dyn FnMut(&str, &str, &str)| {
        for (id, fields) in &records {
            fields.iter().for_each(|(name, text)| each(id, name, text));
        }
        Ok::<(), GraphError>(())
    };
    let ours = names(&Triples::from_metadata(read, &MetadataFacts::default()).unwrap());
    let published = text_of(&data_dir.join("movielens-kg/ml-omdb/ml-1m.kg.tsv.gz"));
    let published: BTreeSet<String> = published.lines().map(str::to_owned).collect();
    // The published file was cut at commas before parentheses were taken out, so that it has names such as `000 Leagues
    // Under The Sea")`, from a credit that quotes the title; those films alone may differ.
    let is_cut = |fields: &[(String, String)]| {
        fields.iter().any(|(name, text)| name == "writer" && has_comma_in_parentheses(text))
    };
    let cut: BTreeSet<&str> =
        records.iter().filter(|(_, fields)| is_cut(fields)).map(|(id, _)| id.as_str()).collect();
    let differ: Vec<&String> = ours.symmetric_difference(&published).collect();
    let is_explained =
        |fact: &&String| fact.split_once("\twriter\t").is_some_and(|(head, _)| cut.contains(head));
    assert!(differ.iter().all(is_explained), "{differ:?}");
    eprintln!("{} of our facts, {} published, {} differ", ours.len(), published.len(), differ.len());
}

fn has_comma_in_parentheses(text: &str) -> bool {
    text.split('(').skip(1).any(|rest| rest.split(')').next().is_some_and(|inside| inside.contains(',')))
}

#[test]
fn the_genres_of_movielens_are_facts() {
    let Some((data, graph)) = load("movielens-100k", r#"{ "format": "genres" }"#) else { return };
    assert_eq!((graph.n_facts(), tails(&graph)), (2_891, 18));
    let genre = graph.relation("genre").unwrap();
    let toy_story = data.items.index_of("1").unwrap();
    let genres =
        graph.neighbours_by_relation(toy_story, genre).iter().map(|&tail| graph.entities().name_of(tail));
    assert_eq!(genres.collect::<BTreeSet<_>>(), ["Animation", "Children's", "Comedy"].into());
}

#[test]
fn all_graphs_of_movielens_100k_join() {
    let sources = format!(r#"{FREEBASE}, {}, {{ "format": "genres" }}"#, omdb("ml-100k"));
    let Some((data, graph)) = load("movielens-100k", &sources) else { return };
    assert_eq!(graph.n_facts() as u64 + graph.statistics().n_repeats, 91_631 + 25_062 + 2_891);
    assert_eq!(coverage(&data, &graph), [1_682, 1_682, 100_000, 100_000]);
    let folder = tempfile::tempdir().unwrap();
    graph.save(folder.path()).unwrap();
    assert_eq!(KnowledgeGraph::load(folder.path()).unwrap(), graph);
}

/// The largest amount of memory that this process has had, in MB, where the system says.
fn peak_memory_mb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    Some(line.split_ascii_whitespace().nth(1)?.parse::<u64>().ok()? / 1000)
}

#[test]
#[ignore = "a file of 200 MB, for measuring: run it alone, with --release and --nocapture"]
fn ten_million_triples_are_read_in_seconds() {
    use std::fmt::Write as _;
    const N_TRIPLES: u64 = 10_000_000;
    let data_dir = tempfile::tempdir().unwrap();
    let folder = data_dir.path().join("large");
    std::fs::create_dir(&folder).unwrap();
    let mut lines = String::new();
    for row in 0..N_TRIPLES {
        // 200,000 heads, 20 relations with up to 75,000 tails each, all of which look drawn.
        let mixed = row.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        writeln!(lines, "{}\tr{}\te{}", (mixed >> 40) % 200_000, mixed % 20, (mixed >> 20) % 75_000).unwrap();
    }
    std::fs::write(folder.join("kg.txt"), &lines).unwrap();
    drop(lines);
    let config: DataConfig = serde_json::from_str(
        r#"{ "name": "large", "graph": { "sources": [{ "format": "triples" }], "inverse": true } }"#,
    )
    .unwrap();
    let items = Vocabulary::from_ids((0..200_000).map(|id| id.to_string()));
    eprintln!("before: peak {:?} MB", peak_memory_mb());
    let timed = |what: &str, start: Instant| {
        eprintln!("{what}: {:?}, peak {:?} MB", start.elapsed(), peak_memory_mb());
    };
    let start = Instant::now();
    let graph = graph::read(&config, data_dir.path(), &items, &Catalogue::default()).unwrap().unwrap();
    timed("read and indexed", start);
    assert_eq!(graph.n_facts() as u64 + graph.statistics().n_repeats, N_TRIPLES);
    let start = Instant::now();
    let entities: Vec<u32> = (0..graph.n_entities() as u32).collect();
    let sample = graph.sample_neighbours(&entities, 16, graph::SampleKey::at_step(1, 1));
    timed(&format!("{} neighbours drawn", sample.tails.len()), start);
    let start = Instant::now();
    graph.save(data_dir.path()).unwrap();
    timed("saved", start);
    let start = Instant::now();
    let loaded = KnowledgeGraph::load(data_dir.path()).unwrap();
    timed("loaded", start);
    assert!(loaded == graph);
}

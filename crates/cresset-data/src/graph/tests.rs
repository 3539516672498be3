//! Graphs by hand, and what holds for any graph.

use std::collections::BTreeSet;
use std::fs;

use proptest::prelude::*;

use super::entities::ITEM_KIND;
use super::triples::TripleSink;
use super::*;

/// Facts among items `0` to `3` and entities `a` to `d`, of the relations `r` and `s`; repeats allowed.
type Facts = Vec<(String, String, String)>;

fn any_facts() -> impl Strategy<Value = Facts> {
    prop::collection::vec(("[0-3a-d]", "[rs]", "[0-3a-d]"), 0..60)
}

fn triples(facts: &Facts) -> Triples {
    let mut sink = TripleSink::default();
    let kind = sink.entities.kind(ENTITY);
    for (head, relation, tail) in facts {
        let kind_of = |name: &str| if name < "a" { ITEM_KIND } else { kind };
        let (head, tail) = (sink.entity(kind_of(head), head), sink.entity(kind_of(tail), tail));
        let relation = sink.relation(relation);
        sink.push(head, relation, tail);
    }
    sink.finish().unwrap()
}

/// The items 0, 1, 2; item 3 is not in the data set.
fn graph(facts: &Facts, inverse: bool) -> KnowledgeGraph {
    KnowledgeGraph::new(triples(facts), &Vocabulary::from_ids(["0", "1", "2"]), inverse).unwrap()
}

fn facts(rows: &[(&str, &str, &str)]) -> Facts {
    rows.iter().map(|(h, r, t)| (h.to_string(), r.to_string(), t.to_string())).collect()
}

#[test]
fn items_are_the_first_entities_with_facts_or_without() {
    let graph = graph(&facts(&[("2", "r", "a"), ("3", "s", "a"), ("a", "r", "1")]), false);
    let names: Vec<&str> = (0..5).map(|entity| graph.entities().name_of(entity)).collect();
    assert_eq!(names, ["0", "1", "2", "a", "3"]);
    assert_eq!((graph.n_items(), graph.n_entities(), graph.n_facts()), (3, 5, 3));
    assert_eq!((graph.item("2"), graph.item("3"), graph.item("a")), (Some(2), Some(4), None));
    assert_eq!(graph.neighbours(2).iter().collect::<Vec<_>>(), [(0, 3)]);
    assert_eq!((graph.degree(0), graph.degree(1), graph.degree(3)), (0, 0, 1));
    assert_eq!(graph.named([3, 0, 1]).to_string(), "a r 1");
}

#[test]
fn an_inverse_relation_leads_back() {
    let graph = graph(&facts(&[("2", "r", "a"), ("1", "r", "a"), ("a", "s", "2")]), true);
    assert_eq!(graph.relations().iter().collect::<Vec<_>>(), ["r", "s", "r^-1", "s^-1"]);
    assert_eq!((graph.inverse_of(0), graph.inverse_of(3)), (Some(2), Some(1)));
    assert_eq!(graph.neighbours(3).iter().collect::<Vec<_>>(), [(1, 2), (2, 1), (2, 2)]);
    assert_eq!(graph.neighbours_by_relation(3, 2), [1, 2]);
    assert_eq!(graph.facts().collect::<Vec<_>>(), [[1, 0, 3], [2, 0, 3], [3, 1, 2]]);
    assert_eq!(graph.n_facts(), 3);
}

#[test]
fn an_inverse_whose_name_is_taken_is_refused() {
    let taken = triples(&facts(&[("2", "r", "a"), ("a", "r^-1", "1")]));
    let message = KnowledgeGraph::new(taken, &Vocabulary::from_ids(["1"]), true).unwrap_err().to_string();
    assert!(message.starts_with("relation \"r^-1\" is in the sources"), "{message}");
}

#[test]
fn statistics_count_facts_once_and_items_without_any() {
    let rows = facts(&[("2", "r", "a"), ("2", "s", "b"), ("a", "r", "1"), ("2", "r", "a")]);
    let graph = graph(&rows, true);
    let found = graph.statistics();
    assert_eq!((found.n_facts, found.n_repeats), (3, 1));
    assert_eq!((found.items_with_facts, found.isolated_items()), (2, 1));
    assert_eq!(found.entities_of_kind, [("item".to_owned(), 3), ("entity".to_owned(), 2)]);
    assert_eq!(found.facts_of_relation, [("r".to_owned(), 2), ("s".to_owned(), 1)]);
    assert_eq!((found.item_degree.min, found.item_degree.median, found.item_degree.max), (0, 1, 2));
    assert_eq!(
        found.to_string(),
        "items: 3, 2 with facts, 1 without\nentities: 5 (item 3, entity 2)\nfacts: 3, 1 given again (r 2, s 1)\n\
         facts per item: 0 to 2, median 1, mean 1.0, 90% at most 2\n\
         facts per entity: 0 to 2, median 1, mean 1.2, 90% at most 2"
    );
    let coverage = graph.coverage(&[0, 0, 0, 1, 2]);
    assert_eq!(coverage.to_string(), "2 of 3 items and 2 of 5 interactions have facts");
}

#[test]
fn an_entity_with_fewer_neighbours_has_some_again_and_one_without_has_none() {
    let graph = graph(&facts(&[("2", "r", "a"), ("2", "s", "b")]), false);
    let sample = graph.sample_neighbours(&[2, 0], 3, SampleKey::at_step(1, 0));
    assert_eq!(sample.has_neighbours, [true, false]);
    assert!(sample.tails[..3].iter().all(|&tail| tail == 3 || tail == 4));
    assert_eq!((&sample.tails[3..], &sample.relations[3..]), (&[0, 0, 0][..], &[0, 0, 0][..]));
}

#[test]
fn every_neighbour_is_drawn_about_equally_often_and_steps_differ() {
    let names = ["a", "b", "c", "d"];
    let graph = graph(&names.map(|name| ("0".to_owned(), "r".to_owned(), name.to_owned())).to_vec(), false);
    for n in [2, 6] {
        let mut counts = [0; 4];
        for step in 0..3000 {
            let sample = graph.sample_neighbours(&[0], n, SampleKey::at_step(5, step));
            sample.tails.iter().for_each(|&tail| counts[tail as usize - 3] += 1);
        }
        // 750 for each neighbour drawn, standard deviation under 60.
        let expected = 750 * n as i32;
        assert!(counts.iter().all(|&count: &i32| (count - expected).abs() < 250), "{n}: {counts:?}");
    }
    let frozen = |seed| graph.sample_neighbours(&[0], 2, SampleKey::frozen(seed)).tails;
    assert_eq!(frozen(1), frozen(1));
    assert!((2..20).any(|seed| frozen(seed) != frozen(1)));
}

fn saved(graph: &KnowledgeGraph) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    graph.save(folder.path()).unwrap();
    folder
}

fn load_error(folder: &tempfile::TempDir) -> String {
    let message = KnowledgeGraph::load(folder.path()).unwrap_err().to_string();
    message.replace(&format!("{}/", folder.path().display()), "")
}

#[test]
fn a_saved_graph_whose_parts_do_not_agree_is_refused() {
    let graph_of = |rows: &[(&str, &str, &str)]| graph(&facts(rows), true);
    let folder = saved(&graph_of(&[("2", "r", "a"), ("1", "s", "b")]));
    let other = saved(&graph_of(&[("2", "r", "a"), ("1", "r", "b")]));
    let larger = saved(&graph_of(&[("2", "r", "a"), ("1", "r", "b"), ("1", "r", "c")]));
    let copy = |from: &tempfile::TempDir, name: &str| {
        fs::copy(from.path().join(name), folder.path().join(name)).unwrap();
    };
    let remedy = "save the graph again, or restore the folder that was saved";
    copy(&other, "triples.parquet");
    assert_eq!(
        load_error(&folder),
        format!("graph.json: its digest is not that of entities.parquet and triples.parquet: {remedy}")
    );
    copy(&larger, "triples.parquet");
    assert_eq!(load_error(&folder), format!("graph.json: n_facts is 2 and triples.parquet has 3: {remedy}"));
    fs::copy(folder.path().join("entities.parquet"), folder.path().join("triples.parquet")).unwrap();
    assert_eq!(
        load_error(&folder),
        format!("triples.parquet: no column \"head\" among \"kind\", \"name\": {remedy}")
    );
    fs::write(folder.path().join("triples.parquet"), b"PAR1").unwrap();
    assert!(load_error(&folder).starts_with("triples.parquet: it cannot be read as Parquet ("));
    fs::remove_file(folder.path().join("triples.parquet")).unwrap();
    assert!(load_error(&folder).starts_with("cannot read triples.parquet ("));
    fs::write(folder.path().join("graph.json"), b"{}").unwrap();
    assert!(load_error(&folder).contains("graph.json"));
}

#[test]
fn a_saved_graph_that_breaks_a_rule_is_refused() {
    let graph = graph(&facts(&[("2", "r", "a"), ("1", "s", "b")]), true);
    let check = |from: &str, to: &str, expected: &str| {
        let folder = saved(&graph);
        let path = folder.path().join("graph.json");
        let json = fs::read_to_string(&path).unwrap();
        assert!(json.contains(from), "{json}");
        fs::write(&path, json.replace(from, to)).unwrap();
        let message = load_error(&folder);
        assert!(message.contains(expected), "{message}");
    };
    check("cresset graph 1", "cresset graph 2", "format \"cresset graph 2\" is not \"cresset graph 1\"");
    check("\"n_items\": 3", "\"n_items\": 4", "entity 3 stands among the items and is none");
    check("\"n_items\": 3", "\"n_items\": 9", "n_items 9 is more than there are entities");
    check("\"r\",\n    \"s\"", "\"r\",\n    \"r\"", "it names a relation twice");
    check("\"r\",\n    \"s\"", "\"r\"", "relation 1 is named and there are 1");
    check("\"links\": []", "\"links\": [[99, \"m.1\"]]", "entity 99 is named and there are 5");
}

proptest! {
    #[test]
    fn the_neighbours_are_exactly_the_facts(rows in any_facts(), inverse: bool) {
        let graph = graph(&rows, inverse);
        let mut expected: BTreeSet<(String, String, String)> = rows.iter().cloned().collect();
        prop_assert_eq!(graph.n_facts(), expected.len());
        if inverse {
            let turned: Vec<_> =
                expected.iter().map(|(h, r, t)| (t.clone(), inverse_name(r), h.clone())).collect();
            expected.extend(turned);
        }
        let mut found = BTreeSet::new();
        for head in 0..graph.n_entities() as u32 {
            let of_head: Vec<_> = graph.neighbours(head).iter().collect();
            prop_assert!(of_head.is_sorted_by(|a, b| a < b));
            for relation in 0..graph.n_relations() as u32 {
                let tails: Vec<u32> = of_head.iter().filter(|link| link.0 == relation).map(|link| link.1).collect();
                prop_assert_eq!(graph.neighbours_by_relation(head, relation), tails);
            }
            for (relation, tail) in of_head {
                let fact = graph.named([head, relation, tail]);
                found.insert((fact.head.1.to_owned(), fact.relation.to_owned(), fact.tail.1.to_owned()));
            }
        }
        prop_assert_eq!(found, expected);
        prop_assert_eq!(graph.facts().count(), graph.n_facts());
        prop_assert_eq!(graph.fact_counts().iter().sum::<u32>() as usize, 2 * graph.n_facts());
    }

    #[test]
    fn the_inverse_of_the_inverse_is_the_graph(rows in any_facts(), inverse: bool) {
        let graph = graph(&rows, inverse);
        let turned = graph.inverse();
        let mut expected: Vec<[u32; 3]> = graph.facts().map(|[head, relation, tail]| [tail, relation, head]).collect();
        expected.sort_unstable();
        prop_assert_eq!(turned.facts().collect::<Vec<_>>(), expected);
        prop_assert_eq!(turned.inverse(), graph);
    }

    #[test]
    fn folding_keeps_every_fact_in_one_direction_or_the_other(rows in any_facts(), min_share in 0.1f64..1.0) {
        let folded = triples(&rows).fold_inverses(min_share);
        prop_assert_eq!(folded.len() as u64 + folded.n_repeats(), rows.len() as u64);
        let undirected = |triples: &Triples| {
            let pairs = triples.iter().map(|fact| [fact.head.1.min(fact.tail.1).to_owned(), fact.head.1.max(fact.tail.1).to_owned()]);
            pairs.collect::<BTreeSet<_>>()
        };
        prop_assert_eq!(undirected(&folded), undirected(&triples(&rows)));
    }

    #[test]
    fn sampling_returns_neighbours_alone_wherever_an_entity_stands(
        rows in any_facts(),
        inverse: bool,
        n in 1usize..6,
        seed: u64,
        step: u32,
    ) {
        let graph = graph(&rows, inverse);
        let entities: Vec<u32> = (0..graph.n_entities() as u32).chain([0, 2]).collect();
        for key in [SampleKey::at_step(seed, step), SampleKey::frozen(seed)] {
            let sample = graph.sample_neighbours(&entities, n, key);
            for (place, &entity) in entities.iter().enumerate() {
                let row = place * n..(place + 1) * n;
                let alone = graph.sample_neighbours(&[entity], n, key);
                prop_assert_eq!(&alone.tails[..], &sample.tails[row.clone()]);
                prop_assert_eq!(&alone.relations[..], &sample.relations[row.clone()]);
                prop_assert_eq!(sample.has_neighbours[place], graph.degree(entity) > 0);
                if graph.degree(entity) == 0 {
                    continue;
                }
                let drawn: Vec<_> = alone.relations.into_iter().zip(alone.tails).collect();
                let known: BTreeSet<_> = graph.neighbours(entity).iter().collect();
                prop_assert!(drawn.iter().all(|link| known.contains(link)));
                if known.len() >= n {
                    prop_assert_eq!(drawn.iter().collect::<BTreeSet<_>>().len(), n);
                }
            }
        }
    }

    #[test]
    fn a_union_holds_the_facts_of_its_parts(a in any_facts(), b in any_facts()) {
        let both: Facts = a.iter().chain(&b).cloned().collect();
        let union = Triples::union([triples(&a), triples(&b)]).unwrap();
        let whole = triples(&both);
        prop_assert_eq!(union.iter().collect::<Vec<_>>(), whole.iter().collect::<Vec<_>>());
        prop_assert_eq!(union.n_repeats(), whole.n_repeats());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn loading_is_the_inverse_of_saving(rows in any_facts(), inverse: bool) {
        let mut linked = triples(&rows);
        linked.links = (0..linked.entities.len() as u32)
            .filter(|&entity| linked.is_item(entity))
            .map(|item| Link { item, source_name: format!("m.{item}") })
            .collect();
        let graph = KnowledgeGraph::new(linked, &Vocabulary::from_ids(["0", "1", "2"]), inverse).unwrap();
        let folder = saved(&graph);
        prop_assert_eq!(KnowledgeGraph::load(folder.path()).unwrap(), graph);
    }
}

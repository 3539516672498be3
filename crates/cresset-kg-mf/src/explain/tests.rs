//! Explanations worked out by hand, and what holds for any graph.

use std::collections::{BTreeMap, HashMap};

use cresset_data::graph::{self, KnowledgeGraph};
use cresset_data::{Catalogue, DataConfig, Vocabulary};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// Head, relation, tail.
type Row<'a> = (&'a str, &'a str, &'a str);

/// A graph in which any entity may be a head; `items` come first in it.
fn graph(items: &[&str], facts: &[Row], inverse: bool) -> KnowledgeGraph {
    let data_dir = tempfile::tempdir().unwrap();
    let folder = data_dir.path().join("films");
    std::fs::create_dir(&folder).unwrap();
    let lines = facts.iter().map(|(head, relation, tail)| format!("{head}\t{relation}\t{tail}\n"));
    std::fs::write(folder.join("kg.txt"), lines.collect::<String>()).unwrap();
    let has_facts = |item: &&&str| facts.iter().any(|(head, _, tail)| head == *item || tail == *item);
    let links = items.iter().filter(has_facts).map(|item| format!("{item}\t{item}\n"));
    std::fs::write(folder.join("links.txt"), links.collect::<String>()).unwrap();
    let source = json!({ "format": "triples", "links": "links.txt", "separator": "tab", "header": false });
    let config = json!({ "name": "films", "graph": { "sources": [source], "inverse": inverse } });
    let config: DataConfig = serde_json::from_value(config).unwrap();
    let items = Vocabulary::from_ids(items.iter().copied());
    graph::read(&config, data_dir.path(), &items, &Catalogue::default()).unwrap().unwrap()
}

/// Items 0 to 5: ids are numbered in their order.
const ITEMS: [&str; 6] = ["ant", "bug", "car", "new", "nix", "odd"];
const FACTS: [Row; 10] = [
    ("ant", "director", "Lasseter"),
    ("ant", "genre", "Comedy"),
    ("bug", "genre", "Comedy"),
    ("bug", "studio", "Pixar"),
    ("Pixar", "employs", "Lasseter"),
    ("new", "director", "Lasseter"),
    ("new", "genre", "Comedy"),
    ("new", "sequel", "car"),
    ("new", "language", "French"),
    ("odd", "genre", "Comedy"),
];
const NEW: u32 = 3;

/// A model whose reasons are set by hand, the same for each user.
#[derive(Default)]
struct ByHand {
    links: BTreeMap<u32, Vec<EntityContribution>>,
    /// What removing an entity takes from a user's scores, where it is not what it adds.
    drops: HashMap<(u32, u32), f32>,
    attention: Vec<f32>,
}

impl Reasons for ByHand {
    fn score(&self, user: u32, item: u32) -> f32 {
        3.5 + self.contributions(user, item).iter().map(|link| link.contribution).sum::<f32>()
    }

    fn relation_attention(&self, user: u32) -> Vec<f32> {
        self.attention.iter().map(|&attention| if user == 1 { 1.0 - attention } else { attention }).collect()
    }

    fn contributions(&self, _user: u32, item: u32) -> Vec<EntityContribution> {
        self.links.get(&item).cloned().unwrap_or_default()
    }

    fn score_without(&self, user: u32, item: u32, entity: u32) -> f32 {
        let links = self.contributions(user, item);
        let of_entity = links.iter().filter(|link| link.entity == entity);
        let adds = of_entity.map(|link| link.contribution).sum();
        self.score(user, item) - self.drops.get(&(user, entity)).copied().unwrap_or(adds)
    }
}

fn entity(graph: &KnowledgeGraph, name: &str) -> u32 {
    let found = graph.entities().find("entity", name).or_else(|| graph.item(name));
    found.unwrap_or_else(|| panic!("no entity {name}"))
}

fn by_hand(graph: &KnowledgeGraph) -> ByHand {
    let mut model = ByHand { attention: vec![0.0; graph.n_relations()], ..ByHand::default() };
    // Item, relation, its attention, entity, its attention, contribution.
    for (item, relation, relation_attention, name, neighbour_attention, contribution) in [
        (0, "director", 0.5, "Lasseter", 1.0, 0.5),
        (0, "genre", 0.25, "Comedy", 1.0, 0.25),
        (1, "genre", 0.25, "Comedy", 0.5, 0.125),
        (1, "studio", 0.125, "Pixar", 1.0, 0.0),
        (NEW, "director", 0.5, "Lasseter", 1.0, 0.5),
        (NEW, "genre", 0.25, "Comedy", 1.0, 0.25),
        (NEW, "sequel", 0.125, "car", 1.0, 0.125),
        (NEW, "language", 0.125, "French", 1.0, -0.25),
        (5, "genre", 0.25, "Comedy", 1.0, 0.25),
    ] {
        let relation = graph.relation(relation).unwrap();
        model.attention[relation as usize] = relation_attention;
        model.links.entry(item).or_default().push(EntityContribution {
            entity: entity(graph, name),
            relation,
            relation_attention,
            neighbour_attention,
            contribution,
        });
    }
    model
}

fn rated(rows: &[(u32, f32)]) -> Vec<RatedItem> {
    rows.iter().map(|&(item, rating)| RatedItem { item, rating }).collect()
}

/// The mean is 3.5: Ant is liked by 1.5, Bug and Car by 0.5.
fn history() -> Vec<RatedItem> {
    rated(&[(0, 5.0), (1, 4.0), (2, 4.0), (4, 1.0)])
}

#[test]
fn scores_are_the_shares_of_what_each_entity_adds() {
    let graph = graph(&ITEMS, &FACTS, true);
    let found = relation_paths(&by_hand(&graph), &graph, &history(), 0, NEW, 10);
    assert_eq!((found.score, found.contribution, found.n_found), (4.125, 0.625, 5));
    let expected = [
        // Lasseter, of whom Ant speaks with 1.5 * 0.5 = 0.75 and Bug, by Pixar with 2 links, with 0.5 * 0.125
        // / 2 = 0.03125.
        (0, &["Lasseter", "new"][..], 0.5, 0.5 * 0.75 / 0.78125),
        // Comedy: Ant 1.5 * 0.25 = 0.375, Bug 0.5 * 0.25 * 0.5 = 0.0625.
        (0, &["Comedy", "new"], 0.25, 0.25 * 0.375 / 0.4375),
        (2, &["new"], 0.125, 0.125),
        (1, &["Comedy", "new"], 0.25, 0.25 * 0.0625 / 0.4375),
        (1, &["Pixar", "Lasseter", "new"], 0.5, 0.5 * 0.03125 / 0.78125),
    ];
    assert_eq!(found.paths.len(), expected.len());
    for (path, (liked, through, contribution, score)) in found.paths.iter().zip(expected) {
        let names: Vec<&str> = path.hops.iter().map(|hop| graph.entities().name_of(hop.to)).collect();
        assert_eq!((path.liked.item, &names[..], path.contribution), (liked, through, contribution));
        assert!((path.score - score as f32).abs() < 1e-6, "{names:?}: {} is not {score}", path.score);
    }
    // French takes from the score and is no reason; what the others add is shared out to the last bit of it.
    let total: f32 = found.paths.iter().map(|path| path.score).sum();
    assert!((total - 0.875).abs() < 1e-6, "{total}");
}

#[test]
fn a_graph_without_inverses_gives_the_same_paths() {
    let (both, one) = (graph(&ITEMS, &FACTS, true), graph(&ITEMS, &FACTS, false));
    let paths = |graph: &KnowledgeGraph| {
        let found = relation_paths(&by_hand(graph), graph, &history(), 0, NEW, 10);
        found.paths.iter().map(|path| (path.liked.item, path.hops.clone())).collect::<Vec<_>>()
    };
    assert_eq!(paths(&both), paths(&one));
}

/// Counts how often it is asked for contributions.
struct Counting(ByHand, std::cell::Cell<usize>);

impl Reasons for Counting {
    fn score(&self, user: u32, item: u32) -> f32 {
        self.0.score(user, item)
    }

    fn relation_attention(&self, user: u32) -> Vec<f32> {
        self.0.relation_attention(user)
    }

    fn contributions(&self, user: u32, item: u32) -> Vec<EntityContribution> {
        self.1.set(self.1.get() + 1);
        self.0.contributions(user, item)
    }

    fn score_without(&self, user: u32, item: u32, entity: u32) -> f32 {
        self.0.score_without(user, item, entity)
    }
}

#[test]
fn the_model_is_asked_once_for_the_item_and_once_for_each_liked_one() {
    let graph = graph(&ITEMS, &FACTS, true);
    let model = Counting(by_hand(&graph), 0.into());
    relation_paths(&model, &graph, &history(), 0, NEW, 10);
    assert_eq!(model.1.get(), 1 + 3);
    // Nothing speaks for an item without links, so that no liked item need be asked.
    relation_paths(&model, &graph, &history(), 0, 4, 10);
    assert_eq!(model.1.get(), 4 + 1);
}

#[test]
fn the_best_path_of_each_entity_comes_before_a_second_one() {
    let graph = graph(&ITEMS, &FACTS, true);
    let found = relation_paths(&by_hand(&graph), &graph, &history(), 0, NEW, 3);
    let entities: Vec<&str> =
        found.paths.iter().map(|path| graph.entities().name_of(path.entity())).collect();
    assert_eq!(entities, ["Lasseter", "Comedy", "car"]);
    assert_eq!(found.n_found, 5);
}

#[test]
fn an_item_without_reasons_and_a_user_without_a_history_have_no_path() {
    let graph = graph(&ITEMS, &FACTS, true);
    let model = by_hand(&graph);
    let none = relation_paths(&model, &graph, &history(), 0, 4, 3);
    assert_eq!((none.paths.len(), none.n_found, none.score, none.contribution), (0, 0, 3.5, 0.0));
    // What was rated below the mean is no reason, nor is the item itself.
    for history in [&[][..], &[(3, 5.0)], &[(3, 5.0), (0, 1.0), (4, 3.0)]] {
        let found = relation_paths(&model, &graph, &rated(history), 0, NEW, 3);
        assert!(found.paths.is_empty(), "{history:?}");
        assert_eq!(found.relations.len(), 4);
    }
}

#[test]
fn the_relations_of_an_item_come_by_what_they_add() {
    let graph = graph(&ITEMS, &FACTS, true);
    let found = relation_paths(&by_hand(&graph), &graph, &history(), 0, NEW, 1);
    let relations = found
        .relations
        .iter()
        .map(|share| (graph.relation_name(share.relation), share.attention, share.contribution));
    assert_eq!(
        relations.collect::<Vec<_>>(),
        [("director", 0.5, 0.5), ("genre", 0.25, 0.25), ("sequel", 0.125, 0.125), ("language", 0.125, -0.25)]
    );
}

fn sentences(facts: &[Row], model: impl Fn(&KnowledgeGraph) -> ByHand) -> Vec<String> {
    let graph = graph(&ITEMS, facts, true);
    let (users, items) = (Vocabulary::from_ids(["7"]), Vocabulary::from_ids(ITEMS));
    let titles = ["Antz (1998)", "A Bug's Life (1998)", "", "New", "Nix", "Odd"].map(str::to_owned);
    let labels = Labels { users: &users, items: &items, titles: &titles };
    let found = relation_paths(&model(&graph), &graph, &history(), 0, NEW, 10);
    found.paths.iter().map(|path| sentence(path, &graph, &labels)).collect()
}

#[test]
fn paths_read_as_sentences() {
    assert_eq!(
        sentences(&FACTS, by_hand),
        [
            "because you rated Antz (1998) 5.0 and both are directed by Lasseter",
            "because you rated Antz (1998) 5.0 and both are of the genre Comedy",
            "because you rated car 4.0, which is its sequel",
            "because you rated A Bug's Life (1998) 4.0 and both are of the genre Comedy",
            "because you rated A Bug's Life (1998) 4.0, which has the studio Pixar; Pixar leads to Lasseter (employs), \
             and this one is directed by Lasseter",
        ]
    );
}

#[test]
fn an_entity_in_two_roles_is_told_with_both() {
    let facts = [("ant", "actor", "Eastwood"), ("new", "director", "Eastwood"), ("car", "sequel", "new")];
    let model = |graph: &KnowledgeGraph| {
        let link = |name: &str, relation: &str, contribution: f32| EntityContribution {
            entity: entity(graph, name),
            relation: graph.relation(relation).unwrap(),
            relation_attention: 0.5,
            neighbour_attention: 1.0,
            contribution,
        };
        let of_new = vec![link("Eastwood", "director", 0.5), link("car", "sequel^-1", 0.25)];
        let links = [(0, vec![link("Eastwood", "actor", 0.5)]), (NEW, of_new)];
        ByHand { links: links.into(), ..ByHand::default() }
    };
    assert_eq!(
        sentences(&facts, model),
        [
            "because you rated Antz (1998) 5.0, which stars Eastwood, and this one is directed by Eastwood",
            "because you rated car 4.0, of which this is the sequel",
        ]
    );
}

#[test]
fn the_document_has_nodes_links_paths_and_relations() {
    let graph = graph(&ITEMS, &FACTS, true);
    let (users, items) = (Vocabulary::from_ids(["u7"]), Vocabulary::from_ids(ITEMS));
    let titles = ITEMS.map(str::to_uppercase);
    let labels = Labels { users: &users, items: &items, titles: &titles };
    let found = relation_paths(&by_hand(&graph), &graph, &rated(&[(0, 5.0), (4, 1.0)]), 0, NEW, 2);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("relation_paths.json");
    found.document(&graph, &labels).save(&file).unwrap();
    let written: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let path = |entity: &str, score: f32, words: &str| {
        json!({
            "score": score,
            "contribution": score,
            "nodes": ["user:u7", "rated:ant", format!("shared:entity:{entity}"), "item:new"],
            "sentence": format!("because you rated ANT 5.0 and both {words} {entity}"),
        })
    };
    let link = |source: &str, target: &str, relation: &str, label: &str, weight: f32| {
        json!({
            "source": source, "target": target, "relation": relation, "label": label, "weight": weight,
        })
    };
    let node = |id: &str, kind: &str, name: &str, column: usize| {
        json!({
            "id": id, "kind": kind, "name": name, "column": column,
        })
    };
    let mut ant = node("rated:ant", "item", "ANT", 1);
    ant["rating"] = json!(5.0);
    let relation = |relation: &str, attention: f32, contribution: f32| {
        json!({
            "relation": relation, "attention": attention, "contribution": contribution,
        })
    };
    let expected = json!({
        "user": "u7",
        "item": "new",
        "title": "NEW",
        "score": 4.125,
        "contribution": 0.625,
        "nodes": [
            node("user:u7", "user", "u7", 0),
            ant,
            node("shared:entity:Lasseter", "entity", "Lasseter", 3),
            node("item:new", "item", "NEW", 4),
            node("shared:entity:Comedy", "entity", "Comedy", 3),
        ],
        "links": [
            link("user:u7", "rated:ant", "rated", "rated", 0.75),
            link("rated:ant", "shared:entity:Lasseter", "director", "directed by", 0.5),
            link("shared:entity:Lasseter", "item:new", "director", "directed by", 0.5),
            link("rated:ant", "shared:entity:Comedy", "genre", "genre", 0.25),
            link("shared:entity:Comedy", "item:new", "genre", "genre", 0.25),
        ],
        "paths": [
            path("Lasseter", 0.5, "are directed by"),
            path("Comedy", 0.25, "are of the genre"),
        ],
        "relations": [
            relation("director", 0.5, 0.5),
            relation("genre", 0.25, 0.25),
            relation("sequel", 0.125, 0.125),
            relation("language", 0.125, -0.25),
        ],
    });
    assert_eq!(written, expected);
}

#[test]
fn relations_are_weighed_for_a_user_an_item_and_a_population() {
    let graph = graph(&ITEMS, &FACTS, false);
    let model = by_hand(&graph);
    let place = |relation: &str| graph.relation(relation).unwrap() as usize;
    // User 0 pays a half to directors, and user 1 what is missing to 1.
    let mean = mean_attention(&model, &graph, [0, 1].into_iter());
    assert_eq!((mean[place("director")], mean[place("genre")]), (0.5, 0.5));
    assert_eq!(mean_attention(&model, &graph, std::iter::empty()), vec![0.0; graph.n_relations()]);
    // New has 0.5, 0.25, 0.125 and -0.25: 1.125 in size.
    let shares = item_attention(&model, &graph, 0, NEW);
    assert_eq!((shares[place("director")], shares[place("language")]), (0.5 / 1.125, 0.25 / 1.125));
    let effect = relation_effect(&model, &graph, 0, &[NEW, 1]);
    assert_eq!((effect[place("director")], effect[place("genre")]), (0.25, 0.1875));

    let mut table = RelationHeatmap::new(&graph);
    table.push("New", shares);
    assert_eq!(table.strongest(9).columns, ["director", "genre", "sequel", "language"]);
    // Genre and language are alike in size.
    let table = table.strongest(2);
    assert_eq!(
        (&table.columns[..], table.values[0].len()),
        (&["director".to_owned(), "genre".to_owned()][..], 2)
    );
    let folder = tempfile::tempdir().unwrap();
    table.save(&folder.path().join("attention.json")).unwrap();
    let written = std::fs::read(folder.path().join("attention.json")).unwrap();
    let written: Value = serde_json::from_slice(&written).unwrap();
    assert_eq!(written["rows"], json!(["New"]));
}

#[test]
fn fidelity_is_the_share_of_entities_that_count_less_than_the_named_one() {
    let graph = graph(&ITEMS, &FACTS, true);
    let mut model = by_hand(&graph);
    // For user 1 the score rests on the genre, whatever the model says.
    model.drops.insert((1, entity(&graph, "Comedy")), 0.75);
    let measure = |pairs: &[(u32, u32)], config: &FidelityConfig| {
        fidelity(&model, &graph, pairs, |_| history(), config)
    };
    // Lasseter takes 0.5; Comedy 0.25, then 0.75; Car 0.125; French adds 0.25.
    let found = measure(&[(0, NEW), (1, NEW), (0, 4), (0, 5)], &FidelityConfig::default());
    assert_eq!((found.n_measured, found.n_unexplained, found.n_alone), (2, 1, 1));
    assert!((found.share.unwrap() - f64::midpoint(1.0, 2.0 / 3.0)).abs() < 1e-9);
    assert_eq!(found.mean_drop_named, Some(0.5));
    let random = f64::midpoint(0.125 / 3.0, 0.625 / 3.0);
    assert!((found.mean_drop_random.unwrap() - random).abs() < 1e-9, "{found:?}");

    let one_draw = |seed| measure(&[(1, NEW)], &FidelityConfig { n_draws: 1, seed });
    assert_eq!(one_draw(3), one_draw(3));
    let shares: Vec<f64> = (0..30).map(|seed| one_draw(seed).share.unwrap()).collect();
    assert!(shares.contains(&0.0) && shares.contains(&1.0), "{shares:?}");
    assert_eq!(measure(&[(0, 4)], &FidelityConfig::default()).share, None);
}

/// A model that knows the links of a graph and adds any amount for each.
struct Scattered<'a> {
    graph: &'a KnowledgeGraph,
    seed: u32,
}

impl Reasons for Scattered<'_> {
    fn score(&self, user: u32, item: u32) -> f32 {
        3.0 + self.contributions(user, item).iter().map(|link| link.contribution).sum::<f32>()
    }

    fn relation_attention(&self, _user: u32) -> Vec<f32> {
        vec![1.0 / self.graph.n_relations() as f32; self.graph.n_relations()]
    }

    fn contributions(&self, user: u32, item: u32) -> Vec<EntityContribution> {
        let links = self.graph.neighbours(item);
        let scattered = |entity: u32| {
            let mixed = (entity ^ user.rotate_left(7) ^ self.seed).wrapping_mul(2_654_435_761) >> 20;
            mixed as f32 / 4096.0 - 0.4
        };
        let link = |(relation, entity)| EntityContribution {
            entity,
            relation,
            relation_attention: 1.0 / self.graph.n_relations() as f32,
            neighbour_attention: 1.0 / links.len() as f32,
            contribution: scattered(entity),
        };
        links.iter().map(link).collect()
    }

    fn score_without(&self, user: u32, item: u32, entity: u32) -> f32 {
        let links = self.contributions(user, item);
        let left = links.iter().filter(|link| link.entity != entity);
        3.0 + left.map(|link| link.contribution).sum::<f32>()
    }
}

/// Facts among items `0` to `5` and entities `a` to `f`, one of them of an item.
fn any_facts() -> impl Strategy<Value = Vec<(String, String, String)>> {
    let rows = prop::collection::vec(("[0-5a-f]", "[rs]", "[0-5a-f]"), 0..60);
    (("[0-5]", "[rs]", "[a-f]"), rows).prop_map(|(first, mut rows)| {
        rows.push(first);
        rows
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn paths_go_along_links_and_share_out_what_entities_add(
        rows in any_facts(),
        inverse: bool,
        ratings in prop::collection::vec((0u32..6, 1u8..6), 0..12),
        item in 0u32..6,
        top_k in 0usize..40,
        seed: u32,
    ) {
        let rows: Vec<Row> = rows.iter().map(|(h, r, t)| (h.as_str(), r.as_str(), t.as_str())).collect();
        let items = ["0", "1", "2", "3", "4", "5"];
        let graph = graph(&items, &rows, inverse);
        let model = Scattered { graph: &graph, seed };
        let history: Vec<RatedItem> =
            ratings.iter().map(|&(item, rating)| RatedItem { item, rating: rating.into() }).collect();
        let found = relation_paths(&model, &graph, &history, 0, item, top_k);
        prop_assert_eq!(found.paths.len(), top_k.min(found.n_found));
        let links = model.contributions(0, item);
        for path in &found.paths {
            prop_assert!((1..=3).contains(&path.hops.len()));
            prop_assert!(path.liked.item != item && path.hops[path.hops.len() - 1].to == item);
            prop_assert!(path.score > 0.0 && path.score <= path.contribution * 1.0001);
            prop_assert!(links.iter().any(|link| link.entity == path.entity()));
            let mut from = path.liked.item;
            for hop in &path.hops {
                let (head, tail) = if hop.is_turned { (hop.to, from) } else { (from, hop.to) };
                prop_assert!(graph.neighbours_by_relation(head, hop.relation).contains(&tail));
                from = hop.to;
            }
        }
        let entities: Vec<u32> = found.paths.iter().map(RelationPath::entity).collect();
        let distinct: std::collections::BTreeSet<u32> = entities.iter().copied().collect();
        prop_assert!(distinct.iter().all(|entity| entities[..distinct.len()].contains(entity)));

        let all = relation_paths(&model, &graph, &history, 0, item, usize::MAX);
        for entity in &distinct {
            let ends_there = all.paths.iter().filter(|path| path.entity() == *entity);
            let total: f32 = ends_there.clone().map(|path| path.score).sum();
            let contribution = ends_there.map(|path| path.contribution).next().unwrap();
            prop_assert!((total - contribution).abs() < 1e-4);
        }

        let (users, vocabulary) = (Vocabulary::from_ids(["u"]), Vocabulary::from_ids(items));
        let labels = Labels { users: &users, items: &vocabulary, titles: &[] };
        let document = found.document(&graph, &labels);
        let column_of: HashMap<&str, usize> =
            document.nodes.iter().map(|node| (node.id.as_str(), node.column)).collect();
        prop_assert_eq!(column_of.len(), document.nodes.len());
        for link in &document.links {
            prop_assert!(column_of[link.source.as_str()] < column_of[link.target.as_str()]);
        }
        let config = FidelityConfig::default();
        let measured = fidelity(&model, &graph, &[(0, item)], |_| history.clone(), &config);
        prop_assert_eq!(measured.n_measured + measured.n_alone + measured.n_unexplained, 1);
    }
}

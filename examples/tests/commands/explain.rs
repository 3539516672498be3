//! `explain`: what it tells, and what it refuses.

use yaml_serde::Value;

use crate::desk::Desk;

/// Trains with the graph of the built-in world.
const WITH_GRAPH: [&str; 6] = [
    "--set",
    "data.graph.sources=[{format: synthetic}]",
    "--set",
    "model.graph={dim: 8}",
    "--set",
    "model.time={}",
];

#[test]
fn a_run_with_a_graph_is_explained_in_words_numbers_and_pictures() {
    let desk = Desk::new();
    desk.train(&[&["small.yaml", "--output", "run"][..], &WITH_GRAPH].concat()).done();
    let told = desk.explain(&["run", "--user", "3"]);
    let told = told.done();
    assert!(told.contains("because you rated"), "{told}");
    let paths: Value = yaml_serde::from_str(&desk.read("run/explanation/relation_paths.json")).unwrap();
    assert_eq!(paths["user"], "3");
    let known = ["genre", "director", "actor", "tag"];
    let relations = paths["relations"].as_sequence().unwrap();
    assert!(!relations.is_empty());
    assert!(relations.iter().all(|row| known.contains(&row["relation"].as_str().unwrap())), "{relations:?}");
    for file in ["relation_attention.json", "path_graph.png", "path_graph.svg", "relation_attention.png"] {
        assert!(desk.has(&format!("run/explanation/{file}")), "{file}");
    }
    // What is served is what was measured: all that the model reads lies in its folder.
    let again = desk.evaluate(&["run"]);
    again.done();
}

#[test]
fn a_run_does_not_go_on_with_another_graph() {
    let desk = Desk::new();
    desk.write("data/synthetic/kg.txt", "1\tactor\tAnn Lee\n2\tactor\tAnn Lee\n");
    let train = |more: &[&str]| {
        let sets =
            ["--set", "data.graph.sources=[{format: triples, folder: synthetic}]", "--set", "model.graph={}"];
        desk.train(&[&["small.yaml", "--data", "data", "--output", "run"], &sets[..], more].concat())
    };
    train(&["--set", "training.epochs=2"]).done();
    desk.write("data/synthetic/kg.txt", "1\tactor\tAnn Lee\n3\tactor\tAnn Lee\n");
    train(&["--resume"]).refused(&["--resume: the graph changed since run began", "--output"]);
}

#[test]
fn a_run_with_a_graph_that_was_cut_short_ends_with_the_bits_of_one_that_was_not() {
    let desk = Desk::new();
    let train = |more: &[&str]| {
        let shared = &["small.yaml", "--set", "model.graph.translation_weight=0.1"];
        desk.train(&[shared, &WITH_GRAPH[..2], &WITH_GRAPH[4..], more].concat()).done();
    };
    train(&["--output", "whole"]);
    train(&["--output", "parts", "--set", "training.epochs=2"]);
    train(&["--output", "parts", "--resume"]);
    let weights = "best_model/weights.safetensors";
    assert_eq!(desk.bytes(&format!("whole/{weights}")), desk.bytes(&format!("parts/{weights}")));
}

#[test]
fn a_user_or_an_item_that_the_model_does_not_know_is_named_with_where_to_look() {
    let desk = Desk::with_run();
    desk.explain(&["run", "--user", "999", "--item", "1"]).refused(&["user 999", "uid2idx.json"]);
    desk.explain(&["run", "--user", "1", "--item", "999"]).refused(&["item 999", "iid2idx.json"]);
    desk.explain(&["nowhere", "--user", "1"]).refused(&["nowhere", "config.yaml is missing", "`train`"]);
}

#[test]
fn a_run_without_a_graph_is_refused_with_what_to_train() {
    let desk = Desk::with_run();
    let refused = desk.explain(&["run", "--user", "1", "--item", "1"]);
    refused.refused(&["run holds kg-mf", "no graph to explain by", "data.graph.sources and model.graph"]);
    assert!(!desk.has("run/explanation"));
}

//! `prepare`: files that are a source again, and refusals that leave nothing behind.

use crate::desk::Desk;

#[test]
fn what_is_prepared_is_listed_and_can_be_trained_on() {
    let desk = Desk::new();
    let printed = desk.prepare(&["small.yaml", "--output", "data/films", "--csv"]).done();
    for part in ["rows removed", "duplicate", "200 users, 100 items, 6000 ratings", "cleaned_ratings.csv"] {
        assert!(printed.contains(part), "no {part} in: {printed}");
    }
    for file in
        ["interactions_mapped.parquet", "uid2idx.json", "splits.json", "sequences.txt", "graph/train.txt"]
    {
        assert!(desk.has(&format!("data/films/{file}")), "{file}");
    }
    let source = "data={source: two-tower-folder, name: films}";
    desk.train(&["small.yaml", "--set", source, "--output", "run"]).done();
    assert!(desk.has("run/results.yaml"));
}

#[test]
fn vectors_that_the_config_names_are_written_beside() {
    let desk = Desk::new();
    let vectors = "data.vectors=[{name: text}]";
    let printed =
        desk.prepare(&["small.yaml", "--set", vectors, "--output", "out", "--vectors", "npy"]).done();
    assert!(printed.contains("items_text_emb_32.npy"), "{printed}");
    assert!(desk.has("out/items_text_emb_32.ids.txt"));
    desk.prepare(&["small.yaml", "--set", vectors, "--output", "json"]).done();
    assert!(desk.read("json/items_text_emb_32.json").starts_with("{\n\"1\": ["));
}

#[test]
fn forms_that_are_not_wanted_are_not_written() {
    let desk = Desk::new();
    desk.prepare(&["small.yaml", "--output", "out", "--no-graph", "--no-sequences"]).done();
    let files = [
        "interactions_mapped.parquet",
        "iid2idx.json",
        "items.jsonl",
        "manifest.json",
        "splits.json",
        "uid2idx.json",
        "users.jsonl",
    ];
    let mut expected = files.to_vec();
    expected.sort_unstable();
    assert_eq!(desk.files("out"), expected);
}

#[test]
fn data_that_are_missing_are_refused_and_nothing_is_written() {
    let desk = Desk::new();
    let ended = desk.prepare(&["small.yaml", "--set", "data.source=movielens-100k", "--output", "out"]);
    ended.refused(&["u.data", "ml-100k", "--data DIR"]);
    assert!(!desk.has("out"));
}

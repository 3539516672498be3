//! `tune`: searches that end, are interrupted and go on, and what they refuse.

use crate::desk::Desk;
use crate::outcome::{number, results};

const SPACE: &str = "
data: {source: synthetic, synthetic: {n_users: 200, n_items: 100, n_ratings: 6000}}
model: {kind: kg-mf, embedding_dim: 8}
training: {epochs: 4, batch_size: 256}
search:
  space:
    - {key: training.learning_rate, values: [0.0001, 0.02]}
    - {key: model.embedding_dim, values: [4, 8]}
";

fn with_space() -> Desk {
    let desk = Desk::new();
    desk.write("space.yaml", SPACE);
    desk
}

/// The rows of `trials.csv`, header first.
fn trials(desk: &Desk, below: &str) -> Vec<Vec<String>> {
    let text = desk.read(&format!("{below}/trials.csv"));
    text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

/// The same without the column that measures.
fn decided(desk: &Desk, below: &str) -> Vec<Vec<String>> {
    let rows = trials(desk, below);
    let seconds = rows[0].iter().position(|name| name == "seconds").unwrap();
    let kept =
        |row: Vec<String>| row.into_iter().enumerate().filter(|(at, _)| *at != seconds).map(|(_, cell)| cell);
    rows.into_iter().map(|row| kept(row).collect()).collect()
}

#[test]
fn a_grid_tries_everything_and_its_best_config_trains_to_the_value_in_the_table() {
    let desk = with_space();
    let printed = desk.tune(&["space.yaml", "--output", "search"]).done();
    let rows = trials(&desk, "search");
    assert_eq!(rows[0][..3], ["trial", "training.learning_rate", "model.embedding_dim"]);
    assert_eq!(rows.len(), 5);
    let values: Vec<f64> = rows[1..].iter().map(|row| row[5].parse().unwrap()).collect();
    assert!(values.is_sorted(), "{rows:?}");
    assert_eq!(rows[1][1], "0.02", "a learning rate of 0.0001 learns nothing in four epochs");
    assert!(printed.contains(&format!("best: trial {}", rows[1][0])), "{printed}");
    desk.train(&["search/best.yaml", "--output", "best"]).done();
    let rmse = number(&results(&desk, "best"), &["valid", "rmse"]);
    assert!((rmse - values[0]).abs() < 1e-12, "{rmse} and {values:?}");
    // The choice has not seen the test part: nothing of it is in the folder.
    for file in desk.files("search") {
        assert!(!file.contains("results.yaml") && !file.contains("test"), "{file}");
    }
}

#[test]
fn side_by_side_and_one_after_the_other_find_the_same() {
    let desk = with_space();
    desk.tune(&["space.yaml", "--output", "one"]).done();
    desk.tune(&["space.yaml", "--output", "two", "--set", "search.parallel=2"]).done();
    assert_eq!(decided(&desk, "one"), decided(&desk, "two"));
}

#[test]
fn a_search_that_lost_some_of_its_trials_goes_on_and_ends_the_same() {
    let desk = with_space();
    let sets =
        ["--set", "search.method=halving", "--set", "search.n_trials=4", "--set", "search.min_epochs=1"];
    desk.tune(&[&["space.yaml", "--output", "whole"][..], &sets].concat()).done();
    let again = [&["space.yaml", "--output", "cut"][..], &sets].concat();
    desk.tune(&again).done();
    // As after a kill: one trial has no record, another has not even begun.
    std::fs::remove_file(desk.path("cut/trial-001/trial.yaml")).unwrap();
    std::fs::remove_dir_all(desk.path("cut/trial-003")).unwrap();
    std::fs::remove_file(desk.path("cut/trials.csv")).unwrap();
    desk.tune(&[&again[..], &["--resume"]].concat()).done();
    assert_eq!(decided(&desk, "cut"), decided(&desk, "whole"));
    let epochs: Vec<String> = trials(&desk, "whole")[1..].iter().map(|row| row[3].clone()).collect();
    assert_eq!(epochs, ["4", "1", "1", "1"], "one of four goes on from the first epoch to the fourth");
    desk.tune(&[&again[..], &["--resume", "--set", "search.seed=7"]].concat())
        .refused(&["--resume: search.seed changed", "put the old values back"]);
    desk.tune(&again).refused(&["holds a run already", "--resume"]);
}

#[test]
fn a_trial_that_diverges_is_noted_and_the_search_goes_on() {
    let desk = with_space();
    let sets = ["--set", "training.optimizer.kind=sgd", "--set"];
    let space = "search.space=[{key: training.learning_rate, values: [0.01, 1e9]}]";
    let printed = desk.tune(&[&["space.yaml", "--output", "search"][..], &sets, &[space]].concat()).done();
    let rows = trials(&desk, "search");
    assert_eq!((&rows[1][0][..], &rows[2][0][..]), ("1", "2"), "{printed}");
    assert!(desk.read("search/trials.csv").contains("the loss became"), "{rows:?}");
}

#[test]
fn baselines_and_folds_are_searched_too() {
    let desk = with_space();
    desk.write(
        "mean.yaml",
        "data: {source: synthetic, split: k_fold, n_folds: 2, synthetic: {n_users: 200, n_items: 100, n_ratings: 6000}}\n\
         model: {kind: item-mean}\nsearch: {space: [{key: model.shrinkage, values: [0, 5, 1000]}]}\n",
    );
    desk.tune(&["mean.yaml", "--output", "search"]).done();
    let rows = trials(&desk, "search");
    assert_eq!(rows[3][1], "1000", "shrinking everything to the mean is worst: {rows:?}");
    assert!(desk.has("search/trial-001/fold-2"));
    desk.tune(&["mean.yaml", "--output", "x", "--set", "search.method=halving"])
        .refused(&["item-mean has no epochs to halve"]);
}

#[test]
fn a_space_that_is_none_is_refused_before_anything_is_trained() {
    let desk = with_space();
    let check = |space: &str, parts: &[&str]| {
        let space = format!("search.space={space}");
        desk.tune(&["space.yaml", "--output", "x", "--set", &space]).refused(parts);
        assert!(!desk.has("x"));
    };
    check("[]", &["search.space names no key"]);
    check(
        "[{key: training.learning_rat, values: [1]}]",
        &["training.learning_rat", "did you mean `learning_rate`"],
    );
    check("[{key: training.learning_rate, values: [0.1, -1]}]", &["training.learning_rate = -1", "above 0"]);
    check("[{key: model.embedding_dim, values: [many]}]", &["model.embedding_dim", "`many`"]);
    check(
        "[{key: data.split_seed, values: [1]}]",
        &["search.space[0].key = data.split_seed", "expected a key of `model` or `training`"],
    );
    check("[{key: training.epochs, value: [1]}]", &["search.space"]);
    check("[{key: model.loss, values: [squared_error, bpr]}]", &["training.monitor = rmse", "ndcg@10"]);
    desk.tune(&["space.yaml", "--output", "x", "--set", "data.valid_ratio=0"])
        .refused(&["no validation part", "data.valid_ratio"]);
}

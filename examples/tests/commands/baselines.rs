//! The simple recommenders as models of their own: the same commands, config and run directory.

use crate::desk::Desk;
use crate::outcome::{as_printed, number, results, table_row};

const RANKING: [&str; 4] = ["popularity", "item-neighbours", "ease", "implicit-als"];

/// A folder in which `kind` has been trained into `run`.
fn with_run(kind: &str, sets: &[&str]) -> Desk {
    let desk = Desk::new();
    let data = "data: {source: synthetic, synthetic: {n_users: 200, n_items: 100, n_ratings: 6000}}";
    desk.write("baseline.yaml", format!("{data}\nmodel: {{kind: {kind}}}\n"));
    let sets = sets.iter().flat_map(|set| ["--set", *set]);
    let args: Vec<&str> = ["baseline.yaml", "--output", "run"].into_iter().chain(sets).collect();
    desk.train(&args).done();
    desk
}

#[test]
fn those_that_rank_are_trained_measured_again_and_asked_for_lists() {
    for kind in RANKING {
        let desk = with_run(kind, &[]);
        let results = results(&desk, "run");
        assert_eq!(results["model"], kind);
        assert!(number(&results, &["n_parameters"]) > 0.0);
        for part in ["valid", "test"] {
            let printed = desk.evaluate(&["run", "--split", part]).done();
            assert_eq!(ranking(table_row(&printed, "run")), as_printed(&results[part]), "{kind} on {part}");
        }
        assert_eq!(desk.recommend(&["run", "--user", "1", "--top", "3"]).done().lines().count(), 4);
        assert_eq!(desk.recommend(&["run", "--history", "1,7:3", "--top", "3"]).done().lines().count(), 4);
        desk.predict(&["run", "--user", "1", "--item", "1"]).refused(&[
            kind,
            "predicts no ratings",
            "`recommend`",
        ]);
    }
}

/// The columns that have a value.
fn ranking(row: Vec<(String, String)>) -> Vec<(String, String)> {
    row.into_iter().filter(|(_, cell)| cell != "-").collect()
}

#[test]
fn the_means_predict_ratings_and_those_without_an_order_of_items_refuse_to_rank() {
    for kind in ["global-mean", "user-mean"] {
        let desk = with_run(kind, &[]);
        let printed = desk.evaluate(&["run"]).done();
        assert_eq!(ranking(table_row(&printed, "run")), as_printed(&results(&desk, "run")["test"]));
        let rating: f64 = desk.predict(&["run", "--user", "1", "--item", "1"]).done()[..5].parse().unwrap();
        assert!((1.0..=5.0).contains(&rating), "{kind}: {rating}");
        for whom in [["--user", "1"], ["--history", "1"]] {
            desk.recommend(&[&["run"][..], &whom].concat()).refused(&[kind, "ranks nothing", "`predict`"]);
        }
    }
}

#[test]
fn a_baseline_beats_the_floor_by_nothing_where_it_is_the_floor() {
    let desk = with_run("popularity", &[]);
    let results = results(&desk, "run");
    assert_eq!(results["test"], results["baselines"]["popularity"]);
    assert!(results["baselines"]["item neighbours"].is_mapping());
    assert!(results["baselines"]["item mean"].is_null(), "popularity predicts no rating to compare");
}

#[test]
fn at_the_test_of_a_split_by_time_users_are_known_by_their_validation_items_too() {
    let desk = with_run(
        "item-neighbours",
        &["data.split=leave_one_out", "evaluation.metrics=[hit_rate, ndcg]", "training.monitor=ndcg@10"],
    );
    desk.recommend(&["run", "--all-users", "--before", "test", "--output", "lists.csv"]).done();
    let printed = desk.evaluate(&["run", "--predictions", "lists.csv"]).done();
    assert_eq!(table_row(&printed, "run"), table_row(&printed, "lists.csv"));
    // Lists made of what was known at validation are others.
    desk.recommend(&["run", "--all-users", "--before", "valid", "--output", "early.csv"]).done();
    assert_ne!(desk.read("lists.csv"), desk.read("early.csv"));
}

#[test]
fn the_same_config_gives_the_same_bytes_and_a_run_that_is_finished_stays() {
    let (first, second) = (with_run("implicit-als", &[]), with_run("implicit-als", &[]));
    let weights = |desk: &Desk| desk.bytes("run/best_model/weights.safetensors");
    assert!(!weights(&first).is_empty() && weights(&first) == weights(&second));
    assert_eq!(results(&first, "run")["test"], results(&second, "run")["test"]);
    let again = first.train(&["baseline.yaml", "--output", "run", "--resume"]).done();
    assert!(again.contains("run is finished"), "{again}");
}

#[test]
fn folds_have_means_and_spreads() {
    let desk = with_run("item-mean", &["data.split=k_fold", "data.n_folds=3", "model.shrinkage=2"]);
    let results = results(&desk, "run");
    assert!(number(&results, &["test", "rmse_std"]) > 0.0);
    assert!(number(&results, &["test", "rmse"]) < number(&results, &["baselines", "global mean", "rmse"]));
}

#[test]
fn a_dry_run_fits_and_leaves_no_file() {
    let desk = Desk::new();
    desk.write("ease.yaml", "data: {source: synthetic}\nmodel: {kind: ease}\n");
    let printed = desk.train(&["ease.yaml", "--dry-run"]).done();
    assert!(printed.contains("ease, 1000000 parameters, fitted at once"), "{printed}");
    assert_eq!(desk.files(""), ["ease.yaml", "small.yaml"]);
}

#[test]
fn bad_parameters_and_damaged_files_are_named() {
    let desk = with_run("ease", &[]);
    desk.train(&["baseline.yaml", "--output", "x", "--set", "model.l2=-1"])
        .refused(&["model.l2 = -1", "from 0 up"]);
    desk.train(&["baseline.yaml", "--output", "x", "--set", "model.lambda=1"]).refused(&["model.lambda"]);
    desk.train(&["baseline.yaml", "--output", "y", "--set", "model.l2=much"])
        .refused(&["model.l2", "`much`"]);
    let weights = desk.bytes("run/best_model/weights.safetensors");
    desk.write("run/best_model/weights.safetensors", &weights[..weights.len() / 2]);
    desk.evaluate(&["run"]).refused(&["weights.safetensors", "no whole baseline"]);
    let config = desk.read("run/best_model/config.yaml").replace("kind: ease", "kind: popularity");
    desk.write("run/best_model/weights.safetensors", weights);
    desk.write("run/best_model/config.yaml", config);
    desk.evaluate(&["run"]).refused(&["config.yaml"]);
}

//! `evaluate`: the numbers of a run once more, and those of an ensemble.

use crate::desk::Desk;
use crate::outcome::{as_printed, results, table_row};

#[test]
fn a_run_measured_again_has_the_numbers_of_its_results() {
    let desk = Desk::with_run();
    let results = results(&desk, "run");
    let test = desk.evaluate(&["run"]).done();
    assert_eq!(table_row(&test, "run"), as_printed(&results["test"]));
    let valid = desk.evaluate(&["run", "--split", "valid"]).done();
    assert_eq!(table_row(&valid, "run"), as_printed(&results["valid"]));
    assert_ne!(table_row(&test, "run"), table_row(&valid, "run"));
}

#[test]
fn the_baselines_stand_beside_it_as_in_the_results() {
    let desk = Desk::with_run();
    let printed = desk.evaluate(&["run"]).done();
    let results = results(&desk, "run");
    assert_eq!(table_row(&printed, "item mean"), as_printed(&results["baselines"]["item mean"]));
}

#[test]
fn a_run_needs_no_data_once_it_is_trained() {
    let desk = Desk::new();
    let rows: String = (0..90).map(|row| format!("{}\t{}\t{}\t5\n", row % 9, row / 9, 1 + row % 5)).collect();
    desk.write("ml.yaml", "data: {source: movielens-100k}\nmodel: {kind: kg-mf}\ntraining: {epochs: 2}\n");
    desk.write("data/ml-100k/u.data", rows);
    desk.train(&["ml.yaml", "--output", "run"]).done();
    std::fs::remove_dir_all(desk.path("data")).unwrap();
    let printed = desk.evaluate(&["run"]).done();
    assert_eq!(table_row(&printed, "run"), as_printed(&results(&desk, "run")["test"]));
}

/// A number of a line of the table.
fn value(printed: &str, name: &str, key: &str) -> f64 {
    let row = table_row(printed, name);
    let cell = row.iter().find(|(column, _)| column == key).unwrap_or_else(|| panic!("no {key} in {row:?}"));
    cell.1.parse().unwrap()
}

#[test]
fn every_metric_can_be_asked_for_and_what_is_undefined_says_why() {
    let desk = Desk::with_run();
    let printed = desk.evaluate(&["run", "--metrics", "all"]).done();
    for key in [
        "smape",
        "accuracy@0.5",
        "map@10",
        "gauc",
        "coverage@10",
        "serendipity@10",
        "intra_list_diversity@10",
    ] {
        assert!(value(&printed, "run", key) > 0.0, "{key} in {printed}");
    }
    // Popularity recommends what is popular, which the model does not always.
    assert!(value(&printed, "popularity", "novelty@10") < value(&printed, "run", "novelty@10"), "{printed}");
    assert_eq!(value(&printed, "popularity", "serendipity@10"), 0.0);
    let some = desk.evaluate(&["run", "--metrics", "rmse,ndcg@5"]).done();
    assert_eq!(table_row(&some, "run").len(), 2);
    desk.evaluate(&["run", "--metrics", "ndgc@5"]).refused(&["--metrics", "did you mean \"ndcg@5\"?"]);
}

#[test]
fn a_metric_lies_within_its_interval_and_ties_can_be_judged_otherwise() {
    let desk = Desk::with_run();
    let printed = desk.evaluate(&["run", "--metrics", "rmse,ndcg"]).done();
    let (_, intervals) = printed.split_once("95% intervals").unwrap();
    let line = intervals.lines().find(|line| line.starts_with("run")).unwrap();
    let ends: Vec<f64> = line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    assert!(
        ends[0] < value(&printed, "run", "rmse") && value(&printed, "run", "rmse") < ends[1],
        "{printed}"
    );
    assert!(
        ends[2] < value(&printed, "run", "ndcg@10") && value(&printed, "run", "ndcg@10") < ends[3],
        "{printed}"
    );
    let ndcg = |ties| {
        let printed = desk.evaluate(&["run", "--metrics", "rmse,ndcg", "--ties", ties]).done();
        value(&printed, "popularity", "ndcg@10")
    };
    assert!(ndcg("pessimistic") < ndcg("expected") && ndcg("expected") < ndcg("optimistic"));
}

#[test]
fn recommendations_in_a_file_are_measured_as_the_model_that_made_them() {
    let desk = Desk::with_run();
    desk.recommend(&["run", "--all-users", "--before", "test", "--output", "lists.csv"]).done();
    let printed =
        desk.evaluate(&["run", "--metrics", "rmse,ndcg,recall,mrr", "--predictions", "lists.csv"]).done();
    for key in ["ndcg@10", "recall@10", "mrr@10"] {
        assert_eq!(value(&printed, "run", key), value(&printed, "lists.csv", key), "{printed}");
    }
    assert!(printed.contains("lists.csv against run, on the same users"), "{printed}");
    // Ten rows of a TREC run, of which one names a user and one an item that nobody knows.
    desk.write("other.trec", "1 Q0 1 1 0.5 x\n1 Q0 nothing 2 0.4 x\nnobody Q0 1 1 0.5 x\n");
    let ended = desk.evaluate(&["run", "--predictions", "other.trec"]);
    assert!(ended.err.contains("1 rows of users") && ended.err.contains("1 rows of items"), "{ended:?}");
    assert!(ended.err.contains("users have no list"), "{ended:?}");
    ended.done();
    desk.evaluate(&["run", "--predictions", "none.csv"]).refused(&["none.csv"]);
}

#[test]
fn sampled_candidates_are_drawn_once_and_stored_and_are_easier() {
    let desk = Desk::with_run();
    let full = desk.evaluate(&["run"]).done();
    let sampled = desk.evaluate(&["run", "--protocol", "uni20"]).done();
    assert!(sampled.starts_with("test, ranked among uni20 candidates"), "{sampled}");
    assert!(value(&sampled, "run", "ndcg@10") > value(&full, "run", "ndcg@10"));
    assert_eq!(value(&sampled, "run", "rmse"), value(&full, "run", "rmse"));
    let stored = desk.read("run/candidates/test-uni20.json");
    assert_eq!(desk.evaluate(&["run", "--protocol", "uni20"]).done(), sampled);
    assert_eq!(desk.read("run/candidates/test-uni20.json"), stored);
}

#[test]
fn the_values_of_each_user_are_written_on_request() {
    let desk = Desk::with_run();
    desk.evaluate(&["run", "--per-user", "users.csv"]).done();
    assert_eq!(desk.read("users.csv"), desk.read("run/test_users.csv"));
    assert!(desk.read("users.csv").starts_with("user_id,rmse:sum,rmse:n,"));
}

fn rmse(printed: &str, name: &str) -> f64 {
    table_row(printed, name)[0].1.parse().unwrap()
}

#[test]
fn an_ensemble_is_no_worse_than_its_runs_on_average() {
    let desk = Desk::with_run();
    desk.train(&["small.yaml", "--output", "other", "--set", "training.seed=7"]).done();
    let printed = desk.evaluate(&["run", "other"]).done();
    assert_eq!(table_row(&printed, "other"), as_printed(&results(&desk, "other")["test"]));
    let square = |name| rmse(&printed, name).powi(2);
    // The error of a mean is at most the mean of the errors; printing rounds to four digits.
    assert!(square("ensemble") <= (square("run") + square("other")) / 2.0 + 2e-4, "{printed}");
    assert_ne!(table_row(&printed, "ensemble"), table_row(&printed, "run"));
}

#[test]
fn an_ensemble_of_a_run_and_itself_is_that_run() {
    let desk = Desk::with_run();
    let printed = desk.evaluate(&["run", "run"]).done();
    assert_eq!(table_row(&printed, "ensemble"), table_row(&printed, "run"));
}

#[test]
fn runs_of_different_data_splits_or_measures_are_no_ensemble() {
    let desk = Desk::with_run();
    desk.train(&["small.yaml", "--output", "split", "--set", "data.split_seed=7"]).done();
    desk.train(&["small.yaml", "--output", "world", "--set", "data.synthetic.seed=7"]).done();
    desk.train(&["small.yaml", "--output", "judged", "--set", "evaluation.relevant_rating=3"]).done();
    for other in ["split", "world", "judged"] {
        desk.evaluate(&["run", other]).refused(&[
            "run",
            other,
            "differ in their data, split or `evaluation`",
            "one by one",
        ]);
    }
}

#[test]
fn a_part_that_the_run_does_not_have_is_refused() {
    let desk = Desk::new();
    desk.train(&["small.yaml", "--output", "run", "--set", "data.valid_ratio=0"]).done();
    desk.evaluate(&["run", "--split", "valid"]).refused(&["run", "valid"]);
}

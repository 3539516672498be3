//! kg-mf trained to rank: the commands know that it predicts no ratings.

use crate::desk::Desk;
use crate::outcome::{Outcome, number, results};

const BPR: [&str; 6] =
    ["--set", "model.loss=bpr", "--set", "training.monitor=ndcg@10", "--set", "training.epochs=12"];

#[test]
fn bpr_ranks_above_popularity_and_refuses_to_predict() {
    let desk = Desk::new();
    let printed = desk.train(&[&["small.yaml", "--output", "run"][..], &BPR].concat()).done();
    let results = results(&desk, "run");
    let ndcg = number(&results, &["test", "ndcg@10"]);
    let popularity = number(&results, &["baselines", "popularity", "ndcg@10"]);
    assert!(ndcg > popularity, "{printed}");
    assert!(!desk.has("run/alerts.csv"), "a healthy run: {}", desk.read("run/alerts.csv"));
    assert!(results["test"]["rmse"].is_null() && results["baselines"]["item mean"].is_null());
    desk.predict(&["run", "--user", "1", "--item", "1"]).refused(&["predicts no ratings"]);
    assert_eq!(desk.recommend(&["run", "--history", "1,2", "--top", "3"]).done().lines().count(), 4);
    let printed = desk.train(&[&["small.yaml", "--dry-run"][..], &BPR].concat()).done();
    assert!(printed.contains("256 pairs, 256 negatives"), "{printed}");
}

#[test]
fn a_ranking_run_that_goes_on_equals_one_that_never_paused() {
    let desk = Desk::new();
    let train = |run: &str, epochs: &str| {
        let epochs = format!("training.epochs={epochs}");
        let more = ["--output", run, "--set", &epochs, "--resume"];
        desk.train(&[&["small.yaml"][..], &BPR, &more].concat()).done();
    };
    train("whole", "4");
    train("paused", "2");
    train("paused", "4");
    assert_eq!(Outcome::of(&desk, "paused"), Outcome::of(&desk, "whole"));
}

#[test]
fn a_ranking_loss_that_is_watched_by_ratings_is_refused_before_it_trains_long() {
    let desk = Desk::new();
    desk.train(&["small.yaml", "--output", "run", "--set", "model.loss=bpr"])
        .refused(&["training.monitor = rmse", "ndcg@10"]);
}

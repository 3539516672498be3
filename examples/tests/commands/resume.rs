//! `--resume`: what it goes on with, and what it refuses.

use crate::desk::Desk;
use crate::outcome::{Outcome, number, results};

const RESUME: [&str; 5] = ["small.yaml", "-q", "--output", "run", "--resume"];

fn resume_with(desk: &Desk, args: &[&str]) -> crate::desk::Ended {
    desk.train(&[&RESUME[..], args].concat())
}

#[test]
fn a_finished_run_says_so_and_is_left_as_it_was() {
    let desk = Desk::with_run();
    let before = desk.bytes("run/results.yaml");
    let printed = resume_with(&desk, &[]).done();
    assert!(printed.contains("run is finished") && printed.contains("training.epochs"), "{printed}");
    assert_eq!(desk.bytes("run/results.yaml"), before);
}

#[test]
fn more_epochs_go_on_to_where_one_long_run_ends() {
    let desk = Desk::with_run();
    resume_with(&desk, &["--set", "training.epochs=7"]).done();
    desk.train(&["small.yaml", "--output", "long", "--set", "training.epochs=7"]).done();
    assert_eq!(Outcome::of(&desk, "run"), Outcome::of(&desk, "long"));
    assert_eq!(number(&results(&desk, "run"), &["epochs"]), 7.0);
    let printed = resume_with(&desk, &["--set", "training.epochs=7"]).done();
    assert!(printed.contains("run is finished"), "{printed}");
}

#[test]
fn more_patience_goes_on_where_patience_had_ended_the_run() {
    let desk = Desk::new();
    let impatient = [
        "small.yaml",
        "--output",
        "run",
        "--set",
        "training.learning_rate=0.5",
        "--set",
        "training.epochs=9",
    ];
    desk.train(&[&impatient[..], &["--set", "training.patience=1"]].concat()).done();
    let epochs = number(&results(&desk, "run"), &["epochs"]);
    assert!(epochs < 9.0, "patience ends this run early: {epochs}");
    let resumed = [&impatient[..], &["--resume", "--set", "training.patience=null"]].concat();
    desk.train(&resumed).done();
    assert_eq!(number(&results(&desk, "run"), &["epochs"]), 9.0);
    desk.train(&[&impatient[..], &["--resume", "--set", "training.patience=2"]].concat())
        .refused(&["training.patience"]);
}

#[test]
fn a_changed_config_is_refused_by_the_keys_that_changed() {
    let desk = Desk::with_run();
    let sets = [
        "--set",
        "model.embedding_dim=4",
        "--set",
        "training.learning_rate=0.1",
        "--set",
        "training.epochs=9",
    ];
    let ended = resume_with(&desk, &sets);
    ended.refused(&["--resume", "model.embedding_dim", "training.learning_rate", "run", "--output"]);
    assert!(!ended.err.contains("training.epochs"), "more epochs are no change: {}", ended.err);
    resume_with(&desk, &["--set", "training.epochs=2"]).refused(&["training.epochs"]);
}

#[test]
fn a_run_without_a_checkpoint_starts_from_the_beginning() {
    let desk = Desk::with_run();
    let whole = Outcome::of(&desk, "run");
    std::fs::remove_file(desk.path("run/results.yaml")).unwrap();
    std::fs::remove_file(desk.path("run/checkpoints/last/checkpoint.safetensors")).unwrap();
    resume_with(&desk, &[]).done();
    assert_eq!(Outcome::of(&desk, "run"), whole);
    let fresh = Desk::new();
    resume_with(&fresh, &[]).done();
    assert_eq!(Outcome::of(&fresh, "run"), whole, "nothing to resume is a beginning too");
}

#[test]
fn data_that_changed_since_the_run_began_are_refused() {
    let desk = Desk::new();
    let rows = |n: u32| {
        (0..n).map(|row| format!("{}\t{}\t{}\t5\n", row % 9, row / 9, 1 + row % 5)).collect::<String>()
    };
    desk.write("ml.yaml", "data: {source: movielens-100k}\nmodel: {kind: kg-mf}\ntraining: {epochs: 2}\n");
    desk.write("data/ml-100k/u.data", rows(90));
    desk.train(&["ml.yaml", "--output", "run"]).done();
    desk.write("data/ml-100k/u.data", rows(81));
    let ended = desk.train(&["ml.yaml", "-q", "--output", "run", "--resume", "--set", "training.epochs=4"]);
    ended.refused(&["--resume", "data", "run", "--output"]);
}

#[test]
fn a_run_that_goes_on_keeps_when_and_where_it_began_and_takes_a_note() {
    let desk = Desk::new();
    desk.train(&["small.yaml", "--output", "run", "--set", "training.epochs=2"]).done();
    let text = desk.read("run/manifest.yaml");
    let began = text.lines().find(|line| line.starts_with("began:")).unwrap();
    desk.write("run/manifest.yaml", text.replace(began, "began: 2020-02-20 20:20:20"));
    desk.train(&["small.yaml", "--output", "run", "--set", "output.note=longer", "--resume"]).done();
    assert!(desk.read("run/manifest.yaml").contains("2020-02-20 20:20:20"));
    assert!(desk.read("run/config.yaml").contains("note: longer"));
}

#[test]
fn a_schedule_that_is_shaped_by_the_epochs_is_not_given_more_of_them() {
    let desk = Desk::new();
    let cosine = ["--set", "training.schedule.kind=cosine"];
    desk.train(&[&["small.yaml", "--output", "run"][..], &cosine].concat()).done();
    desk.train(
        &[&["small.yaml", "--output", "run", "--resume", "--set", "training.epochs=8"][..], &cosine].concat(),
    )
    .refused(&["--resume: training.epochs changed"]);
}

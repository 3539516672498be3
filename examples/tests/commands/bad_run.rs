//! Run directories that hold no usable model, and ids that a model does not know.

use crate::desk::{Desk, Ended};

/// Every command that opens a run directory, on `run`.
fn openers(desk: &Desk, run: &str) -> [Ended; 3] {
    [
        desk.evaluate(&[run]),
        desk.recommend(&[run, "--user", "1"]),
        desk.predict(&[run, "--user", "1", "--item", "1"]),
    ]
}

#[track_caller]
fn check(desk: &Desk, run: &str, parts: &[&str]) {
    openers(desk, run).iter().for_each(|ended| ended.refused(parts));
}

#[test]
fn a_folder_without_a_run_is_named_with_what_is_missing() {
    let desk = Desk::new();
    check(&desk, "nowhere", &["nowhere", "config.yaml is missing", "`train`"]);
    desk.write("empty/config.yaml", "");
    check(&desk, "empty", &["empty", "weights.safetensors is missing", "`train`"]);
}

#[test]
fn weights_cut_short_are_named_with_the_remedy() {
    let desk = Desk::with_run();
    let weights = desk.bytes("run/best_model/weights.safetensors");
    for length in [0, 4, 200, weights.len() - 1] {
        desk.write("run/best_model/weights.safetensors", &weights[..length]);
        check(&desk, "run", &["weights.safetensors", "train again or restore it"]);
    }
}

#[test]
fn weights_of_another_config_are_refused_by_the_parameter_that_does_not_fit() {
    let desk = Desk::with_run();
    let config = desk.read("run/best_model/config.yaml").replace("embedding_dim: 8", "embedding_dim: 9");
    desk.write("run/best_model/config.yaml", config);
    check(&desk, "run", &["embedding", "[100, 8]", "[100, 9]", "the config it was trained with"]);
}

#[test]
fn every_other_file_of_the_model_is_named_when_it_is_damaged() {
    let desk = Desk::with_run();
    for file in desk.files("run/best_model") {
        let below = format!("run/best_model/{file}");
        let whole = desk.bytes(&below);
        desk.write(&below, &whole[..whole.len() / 3]);
        check(&desk, "run", &[&file]);
        desk.write(&below, whole);
    }
    openers(&desk, "run").into_iter().for_each(|ended| drop(ended.done()));
}

#[test]
fn a_damaged_checkpoint_is_named_when_the_run_is_resumed() {
    let desk = Desk::with_run();
    let checkpoint = "run/checkpoints/last/checkpoint.safetensors";
    let whole = desk.bytes(checkpoint);
    desk.write(checkpoint, &whole[..whole.len() / 2]);
    let ended =
        desk.train(&["small.yaml", "-q", "--output", "run", "--resume", "--set", "training.epochs=9"]);
    ended.refused(&["checkpoint.safetensors"]);
}

#[test]
fn an_unknown_user_or_item_is_named_with_where_to_look() {
    let desk = Desk::with_run();
    let user = &["user 999", "uid2idx.json"];
    desk.recommend(&["run", "--user", "999"]).refused(user);
    desk.predict(&["run", "--user", "999", "--item", "1"]).refused(user);
    let item = &["item 999", "iid2idx.json"];
    desk.predict(&["run", "--user", "1", "--item", "999"]).refused(item);
    desk.recommend(&["run", "--history", "1,999"]).refused(item);
}

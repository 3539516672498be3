//! Arguments and configs that cannot be used: exit code 2, one sentence, and no run directory.

use crate::desk::{Desk, Ended};

/// Trains `small.yaml` with more arguments.
#[track_caller]
fn check(args: &[&str], parts: &[&str]) {
    let desk = Desk::new();
    desk.train(&[&["small.yaml", "--output", "run"], args].concat()).refused(parts);
    assert!(!desk.has("run"), "a refused run leaves nothing behind");
}

/// Trains a config of that content.
#[track_caller]
fn check_file(content: &str, parts: &[&str]) {
    let desk = Desk::new();
    desk.write("mine.yaml", content);
    desk.train(&["mine.yaml", "--output", "run"]).refused(parts);
    assert!(!desk.has("run"), "a refused run leaves nothing behind");
}

#[test]
fn a_missing_config_file_is_named() {
    let ended = Desk::new().train(&["nowhere.yaml"]);
    ended.refused(&["cannot read nowhere.yaml", "check that the file is there"]);
}

#[test]
fn an_unknown_key_is_named_with_the_nearest_known_one() {
    check_file(
        "model: {kind: kg-mf}\ntraining: {ephocs: 2}\n",
        &["mine.yaml", "`training.ephocs`", "`epochs`"],
    );
    check_file("model: {kind: kg-mf}\ntrainnig: {epochs: 2}\n", &["mine.yaml", "`trainnig`", "`training`"]);
    check(
        &["--set", "model.embeding_dim=4"],
        &["--set model.embeding_dim=4", "`model.embeding_dim`", "`embedding_dim`"],
    );
}

#[test]
fn knowledge_that_the_model_does_not_read_is_refused() {
    check(
        &["--set", "data.graph.sources=[{format: synthetic}]"],
        &["data.graph.sources is set", "kg-mf as it is learns nothing from it", "model.graph={}"],
    );
    check(
        &["--set", "model.graph={}"],
        &["model.graph is on", "there is no knowledge graph", "data.graph.sources"],
    );
    check(&["--set", "model.time={l2: -1}"], &["time.l2", "-1", "at least 0"]);
    check(&["--set", "data.vectors=[{name: text}]"], &["data.vectors is set", "take it out"]);
}

#[test]
fn groups_schedules_and_strategies_that_do_not_fit_are_told_what_there_is_with_the_first_step() {
    for (set, parts) in [
        (
            "training.groups=[{name: slow, parameters: [user_embeding]}]",
            ["`user_embeding`", "user_embedding"],
        ),
        ("training.schedule.warmup_steps=1000000", ["warmup_steps = 1000000", "expected fewer than"]),
        ("training.strategy.curriculum={errors: [[1, 1]]}", ["the term `errors`", "squared_error, penalty"]),
    ] {
        for more in [&[][..], &["--dry-run"]] {
            let ended = Desk::new().train(&[&["small.yaml", "--set", set], more].concat());
            assert_eq!(ended.code, Some(2), "{ended:?}");
            ended.says(&parts);
        }
    }
}

#[test]
fn a_key_like_no_other_is_to_be_removed() {
    check(&["--set", "training.zzzz=1"], &["--set training.zzzz=1", "`training.zzzz`", "remove it"]);
}

#[test]
fn a_value_out_of_range_is_named_with_its_key_and_range() {
    check(&["--set", "training.epochs=0"], &["training.epochs = 0", "at least 1"]);
    check(
        &["--set", "model.embedding_dim=1000000000000000000"],
        &["model.embedding_dim = 1000000000000000000", "1 to 8192"],
    );
    check(&["--set", "training.learning_rate=.nan"], &["training.learning_rate = NaN", "above 0"]);
    check(&["--set", "data.valid_ratio=2"], &["data.valid_ratio = 2", "at least 0 and below 1"]);
    check(&["--set", "data.synthetic.n_users=0"], &["data.synthetic.n_users = 0", "1 to"]);
    check_file(
        "model: {kind: kg-mf, embedding_dim: 0}\n",
        &["mine.yaml", "model.embedding_dim = 0", "1 to 8192"],
    );
}

#[test]
fn a_value_of_the_wrong_type_is_named_with_its_key() {
    check(&["--set", "training.epochs=many"], &["training.epochs", "many"]);
    check(&["--set", "training.epochs=1.5"], &["training.epochs", "1.5"]);
    check_file("model: {kind: kg-mf}\nevaluation: {k: 10}\n", &["mine.yaml", "evaluation.k", "10"]);
}

#[test]
fn a_choice_that_does_not_exist_is_answered_with_those_that_do() {
    check(&["--set", "model.kind=magic"], &["model.kind", "magic", "kg-mf"]);
    check(&["--set", "data.source=netflix"], &["data.source", "netflix", "movielens-100k", "synthetic"]);
    check(&["--set", "data.split=halves"], &["data.split", "halves", "random", "temporal", "k_fold"]);
    check(&["--set", "training.optimizer.kind=magic"], &["training.optimizer.kind", "magic", "sgd", "adam"]);
    check(&["--set", "training.monitor=luck"], &["training.monitor", "luck", "rmse"]);
}

#[test]
fn a_monitor_that_will_not_be_measured_is_refused_before_anything_is_written() {
    check(&["--set", "training.monitor=ndcg@20"], &["training.monitor", "ndcg@20"]);
}

#[test]
fn a_config_that_is_no_yaml_is_named_with_the_line() {
    check_file("model: {kind: kg-mf}\ntraining: [1\n", &["mine.yaml", "not valid YAML", "line 3"]);
    check_file("just words\n", &["mine.yaml", "just words"]);
    check_file("", &["mine.yaml", "model"]);
}

#[test]
fn a_set_without_a_value_is_answered_with_an_example() {
    check(&["--set", "training.epochs"], &["--set training.epochs", "key=value"]);
}

#[test]
fn an_unknown_device_is_answered_with_the_known_ones() {
    check(&["--device", "toaster"], &["--device toaster", "cpu"]);
    check(&["--device", "cpu:1"], &["--device cpu:1", "`1`", "there is one cpu"]);
}

#[test]
fn every_command_refuses_an_unknown_device() {
    let desk = Desk::with_run();
    let device = ["--device", "toaster"];
    let with = |args: &[&'static str]| [args, &device].concat();
    let ended: [Ended; 4] = [
        desk.evaluate(&with(&["run"])),
        desk.recommend(&with(&["run", "--user", "1"])),
        desk.predict(&with(&["run", "--user", "1", "--item", "1"])),
        desk.inspect(&with(&["small.yaml"])),
    ];
    ended.iter().for_each(|ended| ended.refused(&["--device toaster", "cpu"]));
}

#[test]
fn arguments_that_no_command_takes_end_with_2() {
    let desk = Desk::new();
    for args in [
        &[][..],
        &["small.yaml", "--frobnicate"],
        &["small.yaml", "--resume"],
        &["small.yaml", "--threads", "x"],
        &["small.yaml", "--threads", "2000"],
    ] {
        let ended = desk.train(args);
        assert_eq!(ended.code, Some(2), "{args:?}: {ended:?}");
        assert!(ended.err.starts_with("error: "), "{args:?}: {ended:?}");
    }
    assert_eq!(desk.files(""), ["small.yaml"]);
}

#[test]
fn an_output_that_cannot_be_made_is_named() {
    let desk = Desk::new();
    let below_a_file = std::path::Path::new("small.yaml").join("run").display().to_string();
    desk.train(&["small.yaml", "-q", "--output", &below_a_file]).refused(&[&below_a_file, "--output"]);
    desk.train(&["small.yaml", "-q", "--output", "small.yaml"]).refused(&["small.yaml", "--output"]);
    assert_eq!(desk.files(""), ["small.yaml"]);
}

#[test]
fn an_output_that_holds_a_run_is_left_as_it_was() {
    let desk = Desk::with_run();
    let before: Vec<_> =
        desk.files("run").into_iter().map(|file| desk.bytes(&format!("run/{file}"))).collect();
    desk.train(&["small.yaml", "--output", "run"]).refused(&["run holds a run", "--resume", "--output"]);
    let after: Vec<_> =
        desk.files("run").into_iter().map(|file| desk.bytes(&format!("run/{file}"))).collect();
    assert!(before == after, "no file of the run has changed");
}

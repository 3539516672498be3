//! What `train` leaves behind, and what it prints.

use crate::desk::{Desk, Ended};
use crate::outcome::{history, number, results};

#[test]
fn a_run_directory_has_the_files_of_the_contract_and_no_temporary_ones() {
    let desk = Desk::with_run();
    let expected = [
        ".lock",
        "best_model/config.yaml",
        "best_model/data.yaml",
        "best_model/genres.json",
        "best_model/iid2idx.json",
        "best_model/ratings.safetensors",
        "best_model/titles.json",
        "best_model/uid2idx.json",
        "best_model/weights.safetensors",
        "checkpoints/last/checkpoint.safetensors",
        "config.yaml",
        "history.csv",
        "manifest.yaml",
        "plots/training_history.png",
        "plots/training_history.svg",
        "results.yaml",
        "test_users.csv",
        "train.log",
    ];
    assert_eq!(desk.files("run"), expected);
    assert!(desk.bytes("run/plots/training_history.png").starts_with(b"\x89PNG"));
}

#[test]
fn the_results_say_what_was_trained_and_how_long_it_took() {
    let desk = Desk::with_run();
    let results = results(&desk, "run");
    assert_eq!(results["model"], "kg-mf");
    // (200 users + 100 items) x (8 numbers + 1 bias).
    assert_eq!(number(&results, &["n_parameters"]), 2_700.0);
    assert_eq!(number(&results, &["epochs"]), 4.0);
    assert!((1.0..=4.0).contains(&number(&results, &["best_epoch"])));
    assert!(number(&results, &["seconds"]) > 0.0);
    assert!(number(&results, &["examples_per_second"]) > 0.0);
    if cfg!(target_os = "linux") {
        assert!(number(&results, &["peak_memory_mb"]) > 1.0);
    }
    for part in ["valid", "test"] {
        for metric in ["rmse", "mae", "r2", "hit_rate@10", "precision@10", "recall@10", "ndcg@10"] {
            assert!(number(&results, &[part, metric]).is_finite());
        }
    }
}

#[test]
fn the_best_epoch_is_the_one_with_the_lowest_monitored_metric_of_the_history() {
    let desk = Desk::new();
    desk.train(&["small.yaml", "--output", "run", "--set", "training.epochs=12"]).done();
    let rows = history(&desk, "run");
    let column = rows[0].iter().position(|name| name == "valid_rmse").unwrap();
    let rmse = |row: &Vec<String>| row[column].parse::<f64>().unwrap();
    let best = rows[1..].iter().min_by(|a, b| rmse(a).total_cmp(&rmse(b))).unwrap();
    let results = results(&desk, "run");
    assert_eq!(best[0], results["best_epoch"].as_u64().unwrap().to_string());
    assert_eq!(rmse(best), number(&results, &["valid", "rmse"]));
}

#[test]
fn the_history_has_one_row_an_epoch() {
    let desk = Desk::with_run();
    let text = desk.read("run/history.csv");
    let header = text.lines().next().unwrap();
    assert!(header.starts_with("epoch,train_loss,"), "{header}");
    for column in ["learning_rate", "seconds", "examples_per_second", "valid_rmse", "valid_ndcg@10"] {
        assert!(header.split(',').any(|name| name == column), "no {column} in {header}");
    }
    let epochs: Vec<&str> = text.lines().skip(1).map(|row| row.split(',').next().unwrap()).collect();
    assert_eq!(epochs, ["1", "2", "3", "4"]);
}

#[test]
fn the_manifest_counts_the_data_and_the_split_and_names_what_made_them() {
    let desk = Desk::with_run();
    let manifest: yaml_serde::Value = yaml_serde::from_str(&desk.read("run/manifest.yaml")).unwrap();
    let count = |part: &str, key: &str| number(&manifest, &[part, key]);
    assert_eq!(
        ["n_users", "n_items", "n_ratings"].map(|key| count("data", key)),
        [200.0, 100.0, 6_000.0],
        "{manifest:?}"
    );
    assert_eq!(["train", "valid", "test"].map(|key| count("split", key)), [4_800.0, 600.0, 600.0]);
    assert_eq!(manifest["data"]["fingerprint"].as_str().unwrap().len(), 64);
    for key in ["protocol", "ties", "seed", "device", "threads", "cresset", "burn", "system"] {
        assert!(!manifest[key].is_null(), "{key} is missing: {manifest:?}");
    }
}

#[test]
fn the_log_holds_the_config_and_every_epoch_and_so_does_the_screen() {
    let desk = Desk::new();
    let ended = desk.train(&["small.yaml", "--output", "run"]);
    assert_eq!(desk.read("run/train.log"), ended.err);
    for part in ["embedding_dim: 8", "200 users, 100 items, 6000 ratings", "epoch   1/4", "epoch   4/4"] {
        assert!(ended.err.contains(part), "{part}: {}", ended.err);
    }
    ended.done();
}

#[test]
fn quiet_prints_the_result_alone_and_logs_everything() {
    let desk = Desk::new();
    let ended = desk.train(&["small.yaml", "-q", "--output", "run"]);
    assert_eq!(ended.said(), [""; 0]);
    assert!(desk.read("run/train.log").contains("epoch   4/4"));
    let printed = ended.done();
    assert!(printed.contains("rmse") && printed.contains("run directory: run"), "{printed}");
}

#[test]
fn set_goes_over_the_file_and_the_file_over_the_default() {
    let desk = Desk::new();
    let sets =
        ["--set", "training.epochs=2", "--set", "training.num_epochs=1", "--set", "output.note=a first try"];
    desk.train(&[&["small.yaml", "--output", "run"], &sets[..]].concat()).done();
    let config: yaml_serde::Value = yaml_serde::from_str(&desk.read("run/config.yaml")).unwrap();
    assert_eq!(config["training"]["epochs"], 1, "the last --set counts, and an alias is the key itself");
    assert_eq!(config["training"]["batch_size"], 256);
    assert_eq!(config["training"]["seed"], 42);
    assert_eq!(config["output"]["note"], "a first try");
    assert_eq!(number(&results(&desk, "run"), &["epochs"]), 1.0);
}

#[test]
fn without_an_output_the_run_is_named_after_its_config_and_numbered() {
    let desk = Desk::new();
    for _ in 0..3 {
        desk.train(&["small.yaml", "--set", "training.epochs=1"]).done();
    }
    let results: Vec<_> =
        desk.files("outputs").into_iter().filter(|file| file.ends_with("results.yaml")).collect();
    assert_eq!(results, ["small-2/results.yaml", "small-3/results.yaml", "small/results.yaml"]);
}

#[test]
fn plots_and_baselines_are_left_out_where_the_config_says_so() {
    let desk = Desk::new();
    let sets = ["--set", "output.plots=false", "--set", "training.baselines=false"];
    let printed = desk.train(&[&["small.yaml", "--output", "run"], &sets[..]].concat()).done();
    assert!(desk.files("run/plots").is_empty());
    assert!(!printed.contains("popularity"), "{printed}");
    assert!(results(&desk, "run")["baselines"].is_null());
}

#[test]
fn a_plot_is_drawn_in_the_format_that_is_asked_for() {
    let desk = Desk::new();
    desk.train(&["small.yaml", "--output", "run", "--set", "output.plots=svg"]).done();
    assert_eq!(desk.files("run/plots"), ["training_history.svg"]);
    assert!(desk.read("run/plots/training_history.svg").starts_with("<svg"));
}

#[test]
fn how_a_run_failed_is_in_its_log() {
    let desk = Desk::new();
    let sets = ["--set", "training.learning_rate=1e30", "--set", "training.optimizer.kind=sgd"];
    let ended = desk.train(&[&["small.yaml", "--output", "run"], &sets[..]].concat());
    assert_eq!(ended.code, Some(1), "{ended:?}");
    ended.says(&["training.learning_rate"]);
    assert_eq!(desk.read("run/train.log").lines().last(), ended.err.lines().last());
}

#[cfg(target_os = "linux")]
#[test]
fn a_run_that_cannot_have_its_memory_ends_with_the_key_to_lower() {
    let desk = Desk::new();
    let sets = ["model.embedding_dim=8192", "data.synthetic.n_items=10000", "data.synthetic.n_users=3000"];
    let args: Vec<&str> = sets.iter().flat_map(|set| ["--set", set]).collect();
    let train = desk.train_command(&[&["small.yaml", "--output", "run"], &args[..]].concat());
    let mut limited = std::process::Command::new("sh");
    limited.current_dir(desk.path("")).args(["-c", "ulimit -v 700000; exec \"$@\"", "sh"]);
    limited.arg(train.get_program()).args(train.get_args());
    let ended = Ended::from(limited.output().unwrap());
    ended.refused(&["needs about 1", "MiB of memory", "lower model.embedding_dim"]);
    assert!(!desk.has("run"));
}

#[test]
fn what_goes_wrong_is_told_on_the_screen_in_the_log_and_in_a_file_and_a_healthy_run_has_no_alerts() {
    let desk = Desk::with_run();
    assert!(!desk.has("run/alerts.csv"));
    let sets = ["model.l2=0", "model.embedding_dim=64", "training.learning_rate=0.05", "training.epochs=3"];
    let sets = sets.iter().flat_map(|set| ["--set", set]);
    let args: Vec<&str> = ["small.yaml", "--output", "worse"].into_iter().chain(sets).collect();
    let ended = desk.train(&args);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        desk.read("worse/alerts.csv").contains("3,,no_progress,\"valid rmse has not improved since epoch 1")
    );
    for text in [&ended.err, &desk.read("worse/train.log")] {
        assert!(text.contains("alert, epoch 3: valid rmse has not improved since epoch 1"), "{text}");
    }
}

#[test]
fn without_a_validation_part_the_last_epoch_is_kept() {
    let desk = Desk::new();
    let sets = ["--set", "data.valid_ratio=0", "--set", "training.patience=1"];
    desk.train(&[&["small.yaml", "--output", "run"], &sets[..]].concat()).done();
    let results = results(&desk, "run");
    assert_eq!(number(&results, &["best_epoch"]), 4.0);
    assert!(number(&results, &["test", "rmse"]) > 0.0);
}

#[test]
fn a_learning_rate_that_is_too_high_ends_with_1_and_the_key_to_lower() {
    let desk = Desk::new();
    let sets = ["--set", "training.learning_rate=1e6", "--set", "training.optimizer.kind=sgd"];
    let ended = desk.train(&[&["small.yaml", "-q", "--output", "run"], &sets[..]].concat());
    assert_eq!(ended.code, Some(1), "{ended:?}");
    ended.says(&["epoch 1", "lower training.learning_rate", "now 1000000"]);
    assert!(!desk.has("run/results.yaml"));
}

#[test]
fn a_dry_run_prints_its_steps_and_leaves_no_file() {
    let desk = Desk::new();
    let printed = desk.train(&["small.yaml", "--dry-run", "--output", "run"]).done();
    for step in [
        "6000 rows",
        "200 users, 100 items",
        "4800 train",
        "2700 parameters",
        "256 ratings",
        "loss",
        "backward",
    ] {
        assert!(printed.contains(step), "no {step} in: {printed}");
    }
    assert_eq!(desk.files(""), ["small.yaml"]);
    let losses: Vec<f64> = printed
        .lines()
        .filter_map(|line| line.strip_prefix("forward")?.split_whitespace().nth(1)?.parse().ok())
        .collect();
    assert!(matches!(losses[..], [before, after] if after < before), "one step lowers the loss: {printed}");
}

#[test]
fn errors_stand_by_the_training_ratings_of_the_item_and_nothing_is_said_of_a_ranking_that_nobody_asked_for() {
    let desk = Desk::new();
    let ratings_alone = ["--set", "evaluation.metrics=[rmse]"];
    let printed = desk.train(&[&["small.yaml", "--output", "run"][..], &ratings_alone].concat()).done();
    let mut table =
        printed.lines().skip_while(|line| *line != "test ratings by training ratings of the item");
    table.next().unwrap();
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(table.next().unwrap()), ["items", "ratings", "rmse", "mae"]);
    let rows: Vec<Vec<String>> = table.map_while(|line| (!line.is_empty()).then(|| words(line))).collect();
    let n_ratings = |row: &Vec<String>| row[row.len() - 3].parse::<f64>().unwrap();
    let manifest: yaml_serde::Value = yaml_serde::from_str(&desk.read("run/manifest.yaml")).unwrap();
    assert_eq!(rows.iter().map(n_ratings).sum::<f64>(), number(&manifest, &["split", "test"]), "{printed}");
    let bands = results(&desk, "run")["test_by_item_ratings"].clone();
    assert_eq!(bands.as_sequence().unwrap().len(), rows.len());
    assert!(!desk.read("run/train.log").contains("judged on"), "{}", desk.read("run/train.log"));
    assert!(!desk.evaluate(&["run"]).done().contains("judged on"));
    let ranked = desk.train(&["small.yaml", "--output", "ranked"]);
    assert!(ranked.err.contains("ranking judged on"), "{ranked:?}");
}

//! A two-tower model by all commands: what it learns from, what a run of it leaves, and what is refused.

use std::path::Path;

use crate::desk::Desk;
use crate::outcome::{Outcome, number, results, table_row};

const TOWERS: &str = "
data:
  source: synthetic
  synthetic: {n_users: 200, n_items: 100, n_ratings: 6000, text_dim: 12}
  vectors: [{name: text}]
model:
  kind: two-tower
  embedding_dim: 16
  user_mlp_hidden: [16]
  item_mlp_hidden: [16]
  item_features: [{name: genres, kind: multi}, {name: year, kind: numeric}]
  item_vectors: [text]
training: {epochs: 15, batch_size: 128, learning_rate: 0.005, monitor: ndcg@10, patience: null}
evaluation: {metrics: [hit_rate, ndcg], relevant_rating: 0}
";

fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("towers.yaml", TOWERS);
    desk
}

#[test]
fn a_run_ranks_above_popularity_and_leaves_the_vectors_of_everybody() {
    let desk = desk();
    let printed = desk.train(&["towers.yaml", "--output", "run"]).done();
    let found = results(&desk, "run");
    let ndcg = number(&found, &["test", "ndcg@10"]);
    assert!(ndcg > number(&found, &["baselines", "popularity", "ndcg@10"]), "{printed}");
    for side in ["user", "item"] {
        for ending in ["npy", "ids.txt", "parquet"] {
            assert!(desk.has(&format!("run/best_model/{side}_embeddings.{ending}")), "{side}, {ending}");
        }
        assert!(desk.has(&format!("run/best_model/{side}_features.json")));
    }
    let history = desk.read("run/history.csv");
    assert!(history.lines().next().unwrap().contains("valid_log_loss,valid_mean_item_cosine"), "{history}");

    let evaluated = desk.evaluate(&["run"]).done();
    assert_eq!(table_row(&evaluated, "run"), table_row(&printed, "two-tower"));
    assert_eq!(desk.recommend(&["run", "--user", "1", "--top", "3"]).done().lines().count(), 4);
    assert_eq!(desk.recommend(&["run", "--history", "1,2", "--top", "3"]).done().lines().count(), 4);
    desk.predict(&["run", "--user", "1", "--item", "1"]).refused(&["predicts no ratings"]);
}

#[test]
fn every_loss_trains_to_an_end_and_says_what_it_would_do() {
    let desk = desk();
    for (loss, kind) in [("softmax", "mixed"), ("softmax", "all"), ("softmax", "hard"), ("bce", "drawn")] {
        let sets = [
            format!("model.loss={loss}"),
            format!("model.negatives={{kind: {kind}, n: {}}}", if kind == "all" { 1 } else { 4 }),
        ];
        let args = ["towers.yaml", "--set", &sets[0], "--set", &sets[1], "--set", "training.epochs=2"];
        let dry = desk.train(&[&args[..], &["--dry-run"]].concat()).done();
        assert!(dry.contains("two-tower") && dry.contains("128 pairs"), "{dry}");
        let run = format!("{loss}-{kind}");
        desk.train(&[&args[..], &["--output", &run]].concat()).done();
        assert!(number(&results(&desk, &run), &["test", "ndcg@10"]) > 0.0);
    }
}

#[test]
fn a_run_that_goes_on_equals_one_that_never_paused() {
    let desk = desk();
    let train = |run: &str, epochs: &str| {
        let epochs = format!("training.epochs={epochs}");
        let hard = ["--set", "model.negatives={kind: hard, n: 2, pool: 20}"];
        desk.train(&[&["towers.yaml", "--output", run, "--resume", "--set", &epochs][..], &hard].concat())
            .done();
    };
    train("whole", "4");
    train("paused", "2");
    train("paused", "4");
    assert_eq!(Outcome::of(&desk, "paused"), Outcome::of(&desk, "whole"));
    for file in ["user_embeddings.npy", "item_embeddings.npy"] {
        let of = |run: &str| desk.bytes(&format!("{run}/best_model/{file}"));
        assert_eq!(of("paused"), of("whole"));
    }
}

#[test]
fn unmasked_rankings_are_lower_and_the_manifest_says_so() {
    let desk = desk();
    desk.train(&["towers.yaml", "--output", "masked"]).done();
    desk.train(&["towers.yaml", "--output", "unmasked", "--set", "evaluation.mask_seen=false"]).done();
    let ndcg = |run: &str| number(&results(&desk, run), &["test", "ndcg@10"]);
    assert!(ndcg("unmasked") < ndcg("masked"));
    assert!(desk.read("unmasked/manifest.yaml").contains("those that the user has in train among them"));
}

#[test]
fn what_does_not_go_together_is_refused_with_the_key() {
    let desk = desk();
    let check = |set: &str, parts: &[&str]| {
        desk.train(&["towers.yaml", "--output", "run", "--set", set]).refused(parts);
    };
    check("training.monitor=rmse", &["training.monitor = rmse"]);
    check("model.item_vectors=[]", &["data.vectors is set", "model.item_vectors"]);
    check("model.item_vectors=[cover]", &["data.vectors is set"]);
    check("model.text_feature_dim=768", &["vectors text are 12 wide", "768"]);
    check("data.emb_dim=384", &["vectors text are 12 wide", "384"]);
    check("model.item_features=[{name: colour}]", &["colour"]);
    check("model={loss: bce}", &["negatives.kind = InBatch", "drawn"]);
    check("data.neg_ratio=4", &["negatives.n = 4", "in_batch"]);
    check("model.negatives={kind: given}", &["negatives.json"]);
    check("training.batch_size=1", &["training.batch_size"]);
    assert!(!desk.has("run/results.yaml"));
}

#[test]
fn vectors_that_are_gone_or_of_another_run_are_told() {
    let desk = desk();
    desk.train(&["towers.yaml", "--output", "run", "--set", "training.epochs=1"]).done();
    let file = desk.path("run/best_model/user_embeddings.npy");
    std::fs::rename(&file, desk.path("away.npy")).unwrap();
    desk.evaluate(&["run"]).refused(&["user_embeddings.npy", "train again"]);
    std::fs::copy(desk.path("run/best_model/item_embeddings.npy"), &file).unwrap();
    std::fs::copy(
        desk.path("run/best_model/item_embeddings.ids.txt"),
        desk.path("run/best_model/user_embeddings.ids.txt"),
    )
    .unwrap();
    desk.evaluate(&["run"]).refused(&["holds 100 vectors of 16 values", "the run's 200 of 16"]);
}

#[test]
fn the_configs_that_come_with_the_project_build_the_model_they_speak_of() {
    let desk = Desk::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs/two-tower/amazon.yaml");
    let small = [
        "data.synthetic.n_users=300",
        "data.synthetic.n_items=200",
        "data.synthetic.n_ratings=1500",
        "data.synthetic.text_dim=24",
        "model.text_feature_dim=24",
    ];
    let mut args = vec![root.to_str().unwrap(), "--dry-run"];
    small.iter().for_each(|set| args.extend(["--set", set]));
    let printed = desk.train(&args).done();
    assert!(printed.contains("the config trains"), "{printed}");
}

#[test]
fn without_a_validation_part_every_epoch_is_trained() {
    let desk = desk();
    let sets = ["--set", "data.valid_ratio=0", "--set", "training.epochs=3"];
    desk.train(&[&["towers.yaml", "--output", "run"][..], &sets].concat()).done();
    assert_eq!(number(&results(&desk, "run"), &["epochs"]), 3.0);
}

#[test]
fn a_run_that_goes_on_with_other_features_or_vectors_is_refused() {
    let desk = desk();
    desk.write("data/films/ratings.csv", ratings());
    desk.write("data/films/text.csv", "id,a,b\n1,0.5,1\n2,1,0\n3,0,1\n");
    let config = "
data:
  source: movielens-csv
  name: films
  vectors: [{name: text, file: text.csv}]
model: {kind: two-tower, embedding_dim: 4, user_mlp_hidden: [4], item_mlp_hidden: [4], item_vectors: [text]}
training: {epochs: 2, batch_size: 8, monitor: ndcg@10}
evaluation: {metrics: [hit_rate, ndcg], relevant_rating: 0}
";
    desk.write("mine.yaml", config);
    let train = |epochs: &str| {
        desk.train(&["mine.yaml", "--data", "data", "--output", "run", "--resume", "--set", epochs])
    };
    train("training.epochs=1").done();
    desk.write("data/films/text.csv", "id,a,b\n1,0.5,1\n2,1,0\n3,0,0.5\n");
    train("training.epochs=2").refused(&["features or vectors changed since run began"]);
}

/// Ten users with four of nine films each.
fn ratings() -> String {
    let rows = (1..=10).flat_map(|user| (0..4).map(move |nth| (user, (user * 3 + nth * 2) % 9 + 1)));
    let lines = rows.map(|(user, film)| format!("{user},{film},4.0,{}\n", 1000 + user * film));
    std::iter::once("userId,movieId,rating,timestamp\n".to_owned()).chain(lines).collect()
}

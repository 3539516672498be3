//! The first command of the README.

use std::path::Path;

use crate::desk::Desk;
use crate::outcome::{as_printed, number, results, table_row};

#[test]
fn the_quickstart_beats_every_baseline_in_the_table_it_prints() {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs/quickstart.yaml");
    let desk = Desk::new();
    let printed = desk.train(&[config.to_str().unwrap(), "--output", "run"]).done();
    let results = results(&desk, "run");

    let rmse = number(&results, &["test", "rmse"]);
    for mean in ["global mean", "user mean", "item mean"] {
        let baseline = number(&results, &["baselines", mean, "rmse"]);
        assert!(rmse < baseline, "rmse {rmse} is not below {baseline} of the {mean}");
    }
    let ndcg = number(&results, &["test", "ndcg@10"]);
    let popularity = number(&results, &["baselines", "popularity", "ndcg@10"]);
    assert!(ndcg > popularity, "ndcg@10 {ndcg} is not above {popularity} of the popularity list");

    assert_eq!(table_row(&printed, "kg-mf"), as_printed(&results["test"]));
    let in_table = |name: &str, metric: &str| {
        let row = table_row(&printed, name);
        row.into_iter().find(|(column, _)| column == metric).map(|(_, cell)| cell)
    };
    let item_mean = number(&results, &["baselines", "item mean", "rmse"]);
    assert_eq!(in_table("item mean", "rmse"), Some(format!("{item_mean:.4}")));
    assert_eq!(
        in_table("popularity", "rmse"),
        Some("-".to_owned()),
        "the popularity list predicts no rating"
    );
}

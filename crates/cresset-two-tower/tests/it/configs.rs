//! Hyperparameters: their ranges, their page, and the parameters they come to.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use cresset_data::features::{FeatureConfig, FeatureKind};
use cresset_nn::weights::named_tensors;
use cresset_two_tower::{
    CodeShape, Loss, NegativesConfig, NegativesKind, SideData, SideShape, TwoTowerBatches, TwoTowerConfig,
    TwoTowerData,
};
use serde_json::Value;

use crate::small::{Cpu, clamped, config, data, model, train};

#[test]
fn at_the_sizes_of_the_reference_the_model_has_exactly_as_many_parameters() {
    let feature = |name: &str| FeatureConfig::new(name, FeatureKind::Categorical);
    let config = clamped(TwoTowerConfig {
        item_features: vec![feature("category"), feature("brand")],
        item_vectors: vec!["text".to_owned()],
        ..TwoTowerConfig::default()
    });
    let users = SideShape::of_ids(93_543);
    let items = SideShape {
        // One category and one brand, beside what is unknown.
        codes: vec![CodeShape::One(2); 2],
        vector_dims: vec![768],
        ..SideShape::of_ids(159_279)
    };
    let parts = config.n_parameters(&users, &items);
    let of =
        |side: &str| parts.iter().filter(|(name, _)| name.starts_with(side)).map(|(_, n)| n).sum::<usize>();
    assert_eq!((of("user"), of("item")), (12_055_936, 20_667_136));
    assert_eq!(of(""), 32_723_072);
}

#[test]
fn parameters_are_counted_without_building_the_tables() {
    for config in [config(), clamped(config()), TwoTowerConfig { item_id: false, ..config() }] {
        let (users, items) = (data().users.shape(), data().items.shape());
        let counted: usize = config.n_parameters(&users, &items).iter().map(|(_, n)| n).sum();
        let built = named_tensors::<Cpu, _>(&model(&config));
        assert_eq!(built.values().map(|tensor| tensor.shape.num_elements()).sum::<usize>(), counted);
    }
}

#[track_caller]
fn check_refused(change: impl FnOnce(&mut TwoTowerConfig), expected: &str) {
    let mut config = config();
    change(&mut config);
    let error = config.init::<Cpu>(&data(), 0, &Default::default()).map(|_| ()).unwrap_err();
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_hyperparameter_out_of_range_is_named_with_value_and_range() {
    check_refused(|it| it.embedding_dim = 0, "embedding_dim = 0, expected 1 to 8192");
    check_refused(|it| it.dropout = 1.0, "dropout = 1, expected at least 0 and below 1");
    check_refused(|it| it.id_dropout = -0.1, "id_dropout = -0.1, expected at least 0 and below 1");
    check_refused(|it| it.temperature = 0.0, "temperature = 0, expected above 0");
    check_refused(|it| it.negatives.n = 0, "negatives.n = 0, expected at least 1");
    check_refused(|it| it.negatives.power = 9.0, "negatives.power = 9, expected 0 to 8");
    check_refused(
        |it| (it.negatives.n, it.negatives.pool) = (5, 4),
        "negatives.pool = 4, expected at least negatives.n",
    );
    check_refused(
        |it| it.negatives.n = 5,
        "negatives.n = 5, expected 1 with in_batch and all, which draw nothing; choose another negatives.kind",
    );
    check_refused(
        |it| it.negatives.power = 0.5,
        "negatives.power = 0.5, expected 0 unless something is drawn: drawn, mixed, shared or hard",
    );
    check_refused(
        |it| it.negatives.pool = 50,
        "negatives.pool = 50, expected 1024 unless negatives.kind is hard",
    );
    check_refused(
        |it| it.item_mlp_hidden = vec![8, 0],
        "item_mlp_hidden = [8, 0], expected widths from 1 to 65536",
    );
    check_refused(
        |it| it.loss = Loss::Bce,
        "negatives.kind = InBatch, expected drawn, given or hard, which are each pair's own, beside the loss bce",
    );
}

#[test]
fn data_that_lack_what_the_config_names_are_refused_with_the_name() {
    check_refused(
        |it| it.item_vectors = vec!["cover".to_owned()],
        "model.item_vectors names cover, and the data have text; add it to data.vectors or leave it out of the model",
    );
    check_refused(
        |it| it.text_feature_dim = Some(768),
        "the vectors text are 3 wide, and model.text_feature_dim is 768; take the file of that encoder, or set \
         model.text_feature_dim=3",
    );
    check_refused(
        |it| it.user_id = false,
        "the user tower reads nothing; set model.user_id, or name features or vectors for it",
    );
    check_refused(
        |it| drop(it.item_features.pop()),
        "the model reads 2 features of items, and the data have 3; encode those that the config names",
    );
}

#[test]
fn a_batch_of_one_has_nothing_to_be_told_from_within_the_batch() {
    let refused = TwoTowerBatches::new(&config(), &data(), &train(), 1, 5).map(|_| ()).unwrap_err();
    assert!(refused.to_string().contains("raise training.batch_size"), "{refused}");
    let drawn = NegativesConfig { kind: NegativesKind::Drawn, ..NegativesConfig::default() };
    let config = TwoTowerConfig { negatives: drawn, ..config() };
    assert!(TwoTowerBatches::new(&config, &data(), &train(), 1, 5).is_ok());
}

#[test]
fn a_user_who_has_everything_is_named() {
    let data = TwoTowerData::new(SideData::of_ids(9), SideData::of_ids(1));
    let config = TwoTowerConfig { embedding_dim: 2, ..TwoTowerConfig::default() };
    let mut train = train();
    train.item_id.fill(0);
    let drawn = NegativesConfig { kind: NegativesKind::Drawn, ..NegativesConfig::default() };
    let config = TwoTowerConfig { negatives: drawn, ..config };
    let refused = TwoTowerBatches::new(&config, &data, &train, 4, 5);
    assert!(refused.map(|_| ()).unwrap_err().to_string().starts_with("user 0 has all 1 items"));
}

/// Key and default of every row of the page's tables about this model.
fn documented() -> BTreeMap<String, String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/config.md");
    let page = fs::read_to_string(file).unwrap();
    let section = page.split("### `kind: two-tower`").nth(1).unwrap();
    let section = section.split("\n### ").next().unwrap();
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|').split(" | ").map(|cell| cell.trim().replace('`', "")).collect()
    };
    let rows = section.lines().filter(|line| line.starts_with("| `model.")).map(cells);
    rows.map(|row| (row[0].clone(), row[1].clone())).collect()
}

fn keys_of(path: &str, tree: &Value, keys: &mut BTreeMap<String, String>) {
    match tree {
        Value::Object(section) => {
            section.iter().for_each(|(name, value)| keys_of(&format!("{path}.{name}"), value, keys));
        }
        Value::String(text) => drop(keys.insert(path.to_owned(), text.clone())),
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(Value::to_string).collect();
            keys.insert(path.to_owned(), format!("[{}]", values.join(", ")));
        }
        other => drop(keys.insert(path.to_owned(), other.to_string())),
    }
}

#[test]
fn the_page_of_the_config_has_every_key_with_its_default_and_no_other() {
    let mut keys = BTreeMap::new();
    keys_of("model", &serde_json::to_value(TwoTowerConfig::default()).unwrap(), &mut keys);
    assert_eq!(documented(), keys);
}

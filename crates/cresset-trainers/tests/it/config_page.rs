//! `docs/config.md` says what the code does: its tables hold every key, default and alias, and no other.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use cresset_trainers::config::{ALIASES, RunConfig, load};
use serde_json::Value;
use tempfile::tempdir;

use crate::config::AnyModel;

fn page() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/config.md");
    fs::read_to_string(file).unwrap()
}

/// The rows of all tables of the page, each as its cells without back quotes.
fn rows() -> Vec<Vec<String>> {
    let cells =
        |line: &str| line.trim_matches('|').split(" | ").map(|cell| cell.trim().replace('`', "")).collect();
    page().lines().filter(|line| line.starts_with("| `")).map(cells).collect()
}

/// Key and default of every row that describes a key; the keys of a model are its own crate's affair.
fn documented() -> BTreeMap<String, String> {
    let keys = rows().into_iter().filter(|row| row.len() == 4 && !row[0].starts_with("model."));
    keys.map(|row| (row[0].clone(), row[1].clone())).collect()
}

fn collect(path: &str, tree: &Value, keys: &mut BTreeMap<String, String>) {
    match tree {
        Value::Object(section) => {
            for (name, value) in section {
                let full = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                collect(&full, value, keys);
            }
        }
        Value::String(text) if !text.is_empty() => drop(keys.insert(path.to_owned(), text.clone())),
        other => drop(keys.insert(path.to_owned(), other.to_string())),
    }
}

#[test]
fn the_page_has_every_key_with_its_default_and_no_other() {
    let defaults = RunConfig::defaults(AnyModel::Plain(Default::default()));
    let mut keys = BTreeMap::new();
    collect("", &serde_json::to_value(defaults).unwrap(), &mut keys);
    assert_eq!(keys.remove("model.kind").as_deref(), Some("plain"));
    assert_eq!(documented(), keys);
}

#[test]
fn the_page_has_every_alias_and_no_other() {
    let in_page: BTreeSet<(String, String)> =
        rows().into_iter().filter(|row| row.len() == 2).map(|row| (row[0].clone(), row[1].clone())).collect();
    let in_code = ALIASES.iter().map(|alias| (alias.name.to_owned(), alias.means.to_owned()));
    assert_eq!(in_page, in_code.collect());
}

#[test]
fn the_stages_that_the_page_shows_can_be_read() {
    let page = page();
    let blocks = page.split("```").filter_map(|block| block.strip_prefix("yaml\n"));
    let [stages] = blocks.filter(|block| block.starts_with("training:")).collect::<Vec<_>>()[..] else {
        panic!("the page shows one section `training`");
    };
    let folder = tempdir().unwrap();
    let file = folder.path().join("run.yaml");
    fs::write(&file, format!("model: {{kind: small}}\n{stages}")).unwrap();
    let strategy = load::<AnyModel>(&file, &[]).unwrap().training.strategy;
    assert_eq!(strategy.stages.len(), 4);
    assert!(strategy.alternates());
}

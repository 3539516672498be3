//! Configs as trees of keys.

use serde::Serialize;
use yaml_serde::{Mapping, Value};

use super::RunConfig;

/// The tree in which only `key` (`training.epochs`) is set.
pub(super) fn nest(key: &str, value: Value) -> Value {
    key.rsplit('.').fold(value, |tree, name| {
        let mut level = Mapping::new();
        level.insert(Value::String(name.to_owned()), tree);
        Value::Mapping(level)
    })
}

/// The value of `key`, if it is there.
pub(super) fn at<'a>(tree: &'a Value, key: &str) -> Option<&'a Value> {
    key.split('.').try_fold(tree, |level, name| level.get(name))
}

/// Lays `above` over `below`, key by key; an empty section changes nothing, but where the default is to have no such
/// section at all, null says that.
pub(super) fn merge(below: &mut Value, above: &Value, defaults: &Value) {
    match (below, above) {
        (Value::Mapping(below), Value::Mapping(above)) => {
            for (key, value) in above {
                let default = defaults.get(key).unwrap_or(&UNKNOWN);
                match below.get_mut(key) {
                    Some(old) => merge(old, value, default),
                    None => drop(below.insert(key.clone(), value.clone())),
                }
            }
        }
        (Value::Mapping(_), Value::Null) if !defaults.is_null() => {}
        (below, above) => *below = above.clone(),
    }
}

/// Stands for the default of a key that has none.
const UNKNOWN: Value = Value::Bool(false);

/// Every key of `tree` that is no section of `shape`, in order.
pub(super) fn leaves(tree: &Value, shape: &Value) -> Vec<String> {
    let mut keys = Vec::new();
    collect_leaves("", tree, shape, &mut keys);
    keys
}

fn collect_leaves(path: &str, tree: &Value, shape: &Value, keys: &mut Vec<String>) {
    let (Value::Mapping(tree), Value::Mapping(shape)) = (tree, shape) else {
        return keys.push(path.to_owned());
    };
    for (key, value) in tree {
        collect_leaves(&join(path, key), value, shape.get(key).unwrap_or(&Value::Null), keys);
    }
}

/// The full name of a key in the section `path`.
pub(super) fn join(path: &str, key: &Value) -> String {
    let name = match key {
        Value::String(name) => name.clone(),
        other => yaml_serde::to_string(other).unwrap_or_default().trim().to_owned(),
    };
    if path.is_empty() { name } else { format!("{path}.{name}") }
}

/// A value in a few words.
pub(super) fn describe(value: &Value) -> String {
    match value {
        Value::Null => "empty".to_owned(),
        Value::Mapping(_) => "a section".to_owned(),
        Value::Sequence(_) => "a list".to_owned(),
        Value::String(text) if text.chars().count() > 40 || text.contains('\n') => "a text".to_owned(),
        Value::String(text) => format!("`{text}`"),
        other => format!("`{}`", yaml_serde::to_string(other).unwrap_or_default().trim()),
    }
}

/// A key whose values differ between two configs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The key, with its section.
    pub key: String,
    /// What it was, on one line.
    pub before: String,
    /// What it is.
    pub now: String,
}

/// What differs between two configs, key by key.
pub fn changes<M: Serialize>(before: &RunConfig<M>, now: &RunConfig<M>) -> Vec<Change> {
    let tree = |config| yaml_serde::to_value(config).unwrap_or(Value::Null);
    let (old, new) = (tree(before), tree(now));
    let of = |tree: &Value, key: &str| {
        at(tree, key).map_or("-".to_owned(), |value| serde_json::to_string(value).unwrap_or_default())
    };
    let change = |key: String| Change { before: of(&old, &key), now: of(&new, &key), key };
    changed_keys(before, now).into_iter().map(change).collect()
}

/// Keys whose values differ between two configs, with their sections.
pub fn changed_keys<M: Serialize>(before: &RunConfig<M>, now: &RunConfig<M>) -> Vec<String> {
    let tree = |config| yaml_serde::to_value(config).unwrap_or(Value::Null);
    let mut changed = Vec::new();
    compare("", &tree(before), &tree(now), &mut changed);
    changed
}

/// Keys whose values differ between two trees, each with a description of both values.
pub(crate) fn differences(before: &impl Serialize, now: &impl Serialize) -> Vec<(String, String, String)> {
    let [before, now] =
        [yaml_serde::to_value(before), yaml_serde::to_value(now)].map(Result::unwrap_or_default);
    let mut changed = Vec::new();
    compare("", &before, &now, &mut changed);
    let value = |tree, key: &str| describe(at(tree, key).unwrap_or(&Value::Null));
    let both = |key: String| {
        let (before, now) = (value(&before, &key), value(&now, &key));
        (key, before, now)
    };
    changed.into_iter().map(both).collect()
}

fn compare(path: &str, before: &Value, now: &Value, changed: &mut Vec<String>) {
    if before == now {
        return;
    }
    let (Value::Mapping(old), Value::Mapping(new)) = (before, now) else {
        return changed.push(path.to_owned());
    };
    let added = new.keys().filter(|key| !old.contains_key(*key));
    for key in old.keys().chain(added) {
        let at = |tree: &Mapping| tree.get(key).cloned().unwrap_or(Value::Null);
        compare(&join(path, key), &at(old), &at(new), changed);
    }
}

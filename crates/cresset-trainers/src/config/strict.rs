//! Strict loading: a key that nobody reads is an error, never a silent default.

use std::path::Path;

use cresset_data::files::{FileError, read_bytes};
use cresset_nn::ConfigError;
use serde::Serialize;
use yaml_serde::{Mapping, Value};

use super::{ModelSection, RunConfig};

/// A key of the reference documents and the key it stands for here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alias {
    /// The section it appears in.
    pub section: &'static str,
    /// The other name.
    pub name: &'static str,
    /// Our name.
    pub means: &'static str,
}

/// Every alias; `docs/config.md` prints the same table.
pub const ALIASES: &[Alias] = &[
    Alias { section: "training", name: "num_epochs", means: "epochs" },
    Alias { section: "training", name: "lr", means: "learning_rate" },
    Alias { section: "training", name: "early_stopping_patience", means: "patience" },
    Alias { section: "model", name: "emb_dim", means: "embedding_dim" },
];

/// Why a config cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigFileError {
    /// The file could not be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file is not YAML.
    #[error("{file} is not valid YAML: {cause}; mend that line")]
    Syntax {
        /// The file.
        file: String,
        /// What the parser said, with line and column.
        cause: String,
    },
    /// A key that does not exist.
    #[error("{place}: unknown key `{key}`{}", nearest.as_ref().map_or_else(|| "; remove it".to_owned(), |known| format!(", did you mean `{known}`?")))]
    UnknownKey {
        /// The file, or the `--set` argument.
        place: String,
        /// The key, with its section.
        key: String,
        /// The known key most like it.
        nearest: Option<String>,
    },
    /// A section that must be a mapping is something else, or a `--set` argument has no `=`.
    #[error("{place}: `{key}` is {found}, expected {expected}")]
    Shape {
        /// The file, or the `--set` argument.
        place: String,
        /// The key, with its section.
        key: String,
        /// What is there.
        found: String,
        /// What should be.
        expected: String,
    },
    /// A value of the wrong type.
    #[error("{file}: `{key}`: {cause}")]
    Type {
        /// The file.
        file: String,
        /// The key, with its section.
        key: String,
        /// What was found and what was expected.
        cause: String,
    },
    /// A value outside its documented range.
    #[error("{file}: {source}")]
    Range {
        /// The file.
        file: String,
        /// The key, value and range.
        source: ConfigError,
    },
    /// The data section cannot be used.
    #[error("{file}: {cause}")]
    Data {
        /// The file.
        file: String,
        /// The key, value and range.
        cause: String,
    },
}

/// The config of `file`, with `sets` (`key=value`) over it and the documented defaults beneath.
///
/// # Errors
///
/// A file that cannot be read or is no YAML, an unknown key, a value of the wrong type or outside its range.
pub fn load<M: ModelSection>(file: &Path, sets: &[String]) -> Result<RunConfig<M>, ConfigFileError> {
    let place = file.display().to_string();
    let text = String::from_utf8_lossy(&read_bytes(file)?).into_owned();
    let mut given = parse(&place, &text)?;
    resolve_aliases(&mut given);
    let mut origin = vec![(place.clone(), given.clone())];
    for set in sets {
        let tree = parse_set(set)?;
        merge(&mut given, &tree);
        origin.push((format!("--set {set}"), tree));
    }
    let known = Value::Mapping(defaults_for::<M>(&place, &given)?);
    for (place, tree) in &origin {
        check_keys(place, "", tree, &known)?;
    }
    let mut effective = known;
    merge(&mut effective, &given);
    let config: RunConfig<M> = serde_path_to_error::deserialize(effective).map_err(|e| ConfigFileError::Type {
        file: place.clone(),
        key: e.path().to_string(),
        cause: e.inner().to_string(),
    })?;
    validate(&place, &config)?;
    Ok(config)
}

fn validate<M: ModelSection>(file: &str, config: &RunConfig<M>) -> Result<(), ConfigFileError> {
    let sections = [
        ("model", config.model.validate()),
        ("training", config.training.validate()),
        ("evaluation", config.evaluation.validate()),
    ];
    for (section, checked) in sections {
        checked.map_err(|e| ConfigFileError::Range {
            file: file.to_owned(),
            source: ConfigError { field: format!("{section}.{}", e.field), ..e },
        })?;
    }
    config
        .data
        .validate()
        .map_err(|e| ConfigFileError::Data { file: file.to_owned(), cause: e.to_string() })
}

fn parse(place: &str, text: &str) -> Result<Value, ConfigFileError> {
    let value: Value = yaml_serde::from_str(text)
        .map_err(|e| ConfigFileError::Syntax { file: place.to_owned(), cause: e.to_string() })?;
    match value {
        Value::Mapping(_) => Ok(value),
        other => Err(shape_error(place, "the file", &other, "sections such as `model:`")),
    }
}

/// `training.epochs=3` as the tree `training: {epochs: 3}`.
fn parse_set(set: &str) -> Result<Value, ConfigFileError> {
    let place = format!("--set {set}");
    let Some((key, value)) = set.split_once('=') else {
        let found = Value::String(set.to_owned());
        return Err(shape_error(&place, "the argument", &found, "key=value, such as training.epochs=3"));
    };
    let value: Value = yaml_serde::from_str(value)
        .map_err(|e| ConfigFileError::Syntax { file: place, cause: e.to_string() })?;
    let nest = |tree: Value, name: &str| {
        let mut level = Mapping::new();
        level.insert(Value::String(name.to_owned()), tree);
        Value::Mapping(level)
    };
    let mut tree = key.trim().rsplit('.').fold(value, nest);
    resolve_aliases(&mut tree);
    Ok(tree)
}

fn resolve_aliases(tree: &mut Value) {
    for alias in ALIASES {
        let Some(Value::Mapping(section)) = tree.get_mut(alias.section) else { continue };
        if let Some(value) = section.remove(alias.name) {
            section.entry(Value::String(alias.means.to_owned())).or_insert(value);
        }
    }
}

/// The tree of documented defaults for the kind of model that `given` names.
fn defaults_for<M: ModelSection>(place: &str, given: &Value) -> Result<Mapping, ConfigFileError> {
    let kind = given.get("model").and_then(|model| model.get("kind")).unwrap_or(&Value::Null);
    let model = kind.as_str().and_then(M::defaults).ok_or_else(|| {
        shape_error(place, "model.kind", kind, &format!("one of {}", M::KINDS.join(", ")))
    })?;
    match yaml_serde::to_value(RunConfig::defaults(model)) {
        Ok(Value::Mapping(tree)) => Ok(tree),
        other => unreachable!("a config is written as a mapping, not {other:?}"),
    }
}

fn check_keys(place: &str, path: &str, given: &Value, known: &Value) -> Result<(), ConfigFileError> {
    let Value::Mapping(known) = known else { return Ok(()) };
    let Value::Mapping(given) = given else {
        // `training:` with nothing beneath it is an empty section.
        if given.is_null() {
            return Ok(());
        }
        return Err(shape_error(place, path, given, "a section with keys"));
    };
    for (key, value) in given {
        let key = key.as_str().unwrap_or_default();
        let full = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        match known.get(key) {
            Some(known) => check_keys(place, &full, value, known)?,
            None => {
                let mut names: Vec<&str> = known.keys().filter_map(Value::as_str).collect();
                names.extend(ALIASES.iter().filter(|alias| alias.section == path).map(|alias| alias.name));
                let nearest = nearest(key, &names);
                return Err(ConfigFileError::UnknownKey { place: place.to_owned(), key: full, nearest });
            }
        }
    }
    Ok(())
}

fn nearest(key: &str, names: &[&str]) -> Option<String> {
    names
        .iter()
        .map(|&name| (strsim::jaro_winkler(key, name), name))
        .filter(|&(likeness, _)| likeness > 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name.to_owned())
}

fn merge(below: &mut Value, above: &Value) {
    match (below, above) {
        (Value::Mapping(below), Value::Mapping(above)) => {
            for (key, value) in above {
                match below.get_mut(key) {
                    Some(old) => merge(old, value),
                    None => drop(below.insert(key.clone(), value.clone())),
                }
            }
        }
        (Value::Mapping(_), Value::Null) => {}
        (below, above) => *below = above.clone(),
    }
}

fn shape_error(place: &str, key: &str, found: &Value, expected: &str) -> ConfigFileError {
    let found = match found {
        Value::Null => "not set".to_owned(),
        other => format!("`{}`", yaml_serde::to_string(other).unwrap_or_default().trim()),
    };
    ConfigFileError::Shape { place: place.to_owned(), key: key.to_owned(), found, expected: expected.to_owned() }
}

/// Keys whose values differ between two configs, with their sections.
pub fn changed_keys<M: Serialize>(before: &RunConfig<M>, now: &RunConfig<M>) -> Vec<String> {
    let tree = |config| yaml_serde::to_value(config).unwrap_or(Value::Null);
    let mut changed = Vec::new();
    compare("", &tree(before), &tree(now), &mut changed);
    changed
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
        let name = key.as_str().unwrap_or_default();
        let full = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        let at = |tree: &Mapping| tree.get(key).cloned().unwrap_or(Value::Null);
        compare(&full, &at(old), &at(new), changed);
    }
}

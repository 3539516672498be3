//! Strict loading: a key that nobody reads is an error, never a silent default.

use std::path::Path;

use cresset_data::DataError;
use cresset_nn::ConfigError;
use yaml_serde::{Mapping, Value};

use super::alias::{ALIASES, Alias};
use super::error::ConfigFileError;
use super::layer::{Layer, place_of};
use super::tree::{at, describe, join, leaves, merge, nest};
use super::{ModelSection, RunConfig};

/// The config of `file`, with `sets` (`key=value`) over it and the documented defaults beneath.
///
/// # Errors
///
/// A file that cannot be read or is no YAML, an unknown key, a value of the wrong type or outside its range.
pub fn load<M: ModelSection>(file: &Path, sets: &[String]) -> Result<RunConfig<M>, ConfigFileError> {
    let mut layers = vec![Layer::from_file(file)?];
    for set in sets {
        layers.push(Layer::from_set(set)?);
    }
    // What there is no default for yet is known once the kind of model is.
    let no_defaults = Value::Mapping(Mapping::new());
    let defaults = defaults_for::<M>(&layers, &all_of(&layers, &no_defaults))?;
    let given = all_of(&layers, &defaults);
    for layer in &layers {
        KeyCheck { place: &layer.place, known: &defaults }.section("", &layer.tree, &defaults)?;
    }
    let mut effective = defaults.clone();
    merge(&mut effective, &given, &defaults);
    match yaml_serde::from_value(effective) {
        Ok(config) => check_ranges(&layers, &config).map(|()| config),
        Err(cause) => Err(type_error::<M>(&layers, &given, &defaults, &cause)),
    }
}

/// All layers, one over the other.
fn all_of(layers: &[Layer], defaults: &Value) -> Value {
    let mut given = Value::Mapping(Mapping::new());
    layers.iter().for_each(|layer| merge(&mut given, &layer.tree, defaults));
    given
}

/// The tree of documented defaults for the kind of model that `given` names.
fn defaults_for<M: ModelSection>(layers: &[Layer], given: &Value) -> Result<Value, ConfigFileError> {
    let kind = at(given, "model.kind").unwrap_or(&Value::Null);
    let model = kind.as_str().and_then(M::defaults).ok_or_else(|| ConfigFileError::Shape {
        place: place_of(layers, "model.kind"),
        key: "model.kind".to_owned(),
        found: if kind.is_null() { "not set".to_owned() } else { describe(kind) },
        expected: format!("one of {}", M::KINDS.join(", ")),
    })?;
    Ok(yaml_serde::to_value(RunConfig::defaults(model)).expect("a config is written as a mapping"))
}

/// Holds the keys of one layer against those that exist.
struct KeyCheck<'a> {
    place: &'a str,
    known: &'a Value,
}

impl KeyCheck<'_> {
    fn section(&self, path: &str, given: &Value, known: &Value) -> Result<(), ConfigFileError> {
        let Value::Mapping(known) = known else { return Ok(()) };
        let given = match given {
            Value::Mapping(given) => given,
            // `training:` with nothing beneath it is an empty section.
            Value::Null => return Ok(()),
            other => {
                let expected =
                    format!("a section with keys such as `{}`", names(known).next().unwrap_or_default());
                let (place, found) = (self.place.to_owned(), describe(other));
                return Err(ConfigFileError::Shape { place, key: path.to_owned(), found, expected });
            }
        };
        for (key, value) in given {
            let full = join(path, key);
            let Some(known_value) = known.get(key) else {
                let nearest = key.as_str().and_then(|key| self.nearest(path, key, known));
                return Err(ConfigFileError::UnknownKey { place: self.place.to_owned(), key: full, nearest });
            };
            self.section(&full, value, known_value)?;
        }
        Ok(())
    }

    /// The key of that name in another section, else the one in this section that reads most like it.
    fn nearest(&self, path: &str, key: &str, here: &Mapping) -> Option<String> {
        let named_so = |full: &String| full.rsplit('.').next() == Some(key);
        let elsewhere = leaves(self.known, self.known).into_iter().find(named_so);
        elsewhere.or_else(|| {
            let aliases = ALIASES.iter().map(Alias::section_and_key).filter(|it| it.0 == path).map(|it| it.1);
            let likeness = |name: &str| strsim::jaro_winkler(key, name);
            let best = names(here).chain(aliases).max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
            best.filter(|name| likeness(name) > 0.7).map(str::to_owned)
        })
    }
}

fn names(section: &Mapping) -> impl Iterator<Item = &str> {
    section.keys().filter_map(Value::as_str)
}

/// The first given value that does not fit, found by trying each alone over the defaults: where `kind` tells the
/// models apart, the parser itself does not say in which key it stumbled.
fn type_error<M: ModelSection>(
    layers: &[Layer],
    given: &Value,
    defaults: &Value,
    whole: &yaml_serde::Error,
) -> ConfigFileError {
    let try_alone = |key: String| {
        let value = at(given, &key)?.clone();
        let mut tree = defaults.clone();
        merge(&mut tree, &nest(&key, value), defaults);
        yaml_serde::from_value::<RunConfig<M>>(tree).err().map(|cause| (key, cause.to_string()))
    };
    let (key, cause) = leaves(given, defaults)
        .into_iter()
        .find_map(try_alone)
        .unwrap_or_else(|| ("model".to_owned(), whole.to_string()));
    let describe_at = |tree| describe(at(tree, &key).unwrap_or(&Value::Null));
    ConfigFileError::Type {
        place: place_of(layers, &key),
        found: describe_at(given),
        default: describe_at(defaults),
        key,
        cause,
    }
}

fn check_ranges<M: ModelSection>(layers: &[Layer], config: &RunConfig<M>) -> Result<(), ConfigFileError> {
    let sections = [
        ("model", config.model.validate()),
        ("training", config.training.validate()),
        ("evaluation", config.evaluation.validate()),
        ("search", config.search.validate()),
    ];
    for (section, checked) in sections {
        checked.map_err(|error| {
            let key = format!("{section}.{}", error.field);
            // A place in a list has no layer of its own.
            let place = place_of(layers, key.split('[').next().unwrap_or(&key));
            ConfigFileError::Range { place, cause: ConfigError { field: key, ..error }.to_string() }
        })?;
    }
    check_metrics(layers, config)?;
    config.data.validate().map_err(|error| {
        let key = match &error {
            DataError::Config { key, .. } => *key,
            DataError::World(error) => &error.key,
            _ => "data",
        };
        ConfigFileError::Range { place: place_of(layers, key), cause: error.to_string() }
    })
}

/// A metric that there is not, or that is monitored and not measured, would be noticed after the first epoch, which may
/// take hours.
fn check_metrics<M>(layers: &[Layer], config: &RunConfig<M>) -> Result<(), ConfigFileError> {
    let refused = |key: &str, cause: String| ConfigFileError::Range { place: place_of(layers, key), cause };
    let keys = config.evaluation.keys();
    let keys = keys.map_err(|error| refused("evaluation.metrics", format!("evaluation.metrics: {error}")))?;
    let monitor = &config.training.monitor;
    let measured: Vec<String> = keys.iter().map(ToString::to_string).collect();
    if measured.contains(monitor) {
        return Ok(());
    }
    let measured = measured.join(", ");
    let cause = format!(
        "training.monitor = {monitor}, expected one that evaluation.metrics and evaluation.k name: {measured}"
    );
    Err(refused("training.monitor", cause))
}

//! Where a value was given: the file, or one `--set`. Later layers lie over earlier ones.

use std::path::Path;

use cresset_data::files::read_bytes;
use yaml_serde::{Mapping, Value};

use super::alias::ALIASES;
use super::error::ConfigFileError;
use super::tree::{at, describe, merge, nest};

/// What one place says.
#[derive(Debug)]
pub(super) struct Layer {
    /// The file, or the `--set` argument.
    pub(super) place: String,
    /// Its keys, aliases resolved.
    pub(super) tree: Value,
}

impl Layer {
    pub(super) fn from_file(file: &Path) -> Result<Self, ConfigFileError> {
        let place = file.display().to_string();
        let tree = match parse(&place, &read_bytes(file)?)? {
            Value::Null => Value::Mapping(Mapping::new()),
            tree @ Value::Mapping(_) => tree,
            other => return Err(ConfigFileError::NoSections { file: place, found: describe(&other) }),
        };
        Self { place, tree }.with_aliases_resolved()
    }

    /// `training.epochs=3` is the tree `training: {epochs: 3}`.
    pub(super) fn from_set(set: &str) -> Result<Self, ConfigFileError> {
        let place = format!("--set {set}");
        let Some((key, value)) = set.split_once('=').filter(|(key, _)| !key.trim().is_empty()) else {
            return Err(ConfigFileError::NoPair(set.to_owned()));
        };
        let tree = nest(key.trim(), parse(&place, value.as_bytes())?);
        Self { place, tree }.with_aliases_resolved()
    }

    fn with_aliases_resolved(mut self) -> Result<Self, ConfigFileError> {
        for alias in ALIASES {
            let (section, name) = alias.section_and_key();
            let Some(Value::Mapping(section)) = self.tree.get_mut(section) else { continue };
            let Some(value) = section.remove(name) else { continue };
            if at(&self.tree, alias.means).is_some_and(|given| *given != value) {
                let (alias, key) = (alias.name.to_owned(), alias.means.to_owned());
                return Err(ConfigFileError::Twice { place: self.place, alias, key });
            }
            merge(&mut self.tree, &nest(alias.means, value), &Value::Null);
        }
        Ok(self)
    }
}

/// The layer whose value of `key` counts; the file where nobody gave one.
pub(super) fn place_of(layers: &[Layer], key: &str) -> String {
    let giver = layers.iter().rev().find(|layer| at(&layer.tree, key).is_some());
    giver.or(layers.first()).map(|layer| layer.place.clone()).unwrap_or_default()
}

fn parse(place: &str, text: &[u8]) -> Result<Value, ConfigFileError> {
    yaml_serde::from_slice(text)
        .map_err(|e| ConfigFileError::Syntax { place: place.to_owned(), cause: e.to_string() })
}

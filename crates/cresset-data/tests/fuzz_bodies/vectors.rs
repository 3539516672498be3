//! Vectors and the ids that they are joined by.

use std::collections::HashSet;
use std::path::Path;

use cresset_data::Vocabulary;
use cresset_data::vectors::{IdMap, IdMapConfig, Vectors, VectorsConfig};

use super::folder::DataDir;
use super::sources::twice;

/// JSON, JSON lines, tables, and the map from items to vectors.
pub(crate) fn text(bytes: &[u8]) {
    let dir = DataDir::of(bytes, &["a.json", "a.csv", "a.tsv", "map.csv"]);
    for name in ["a.json", "a.csv", "a.tsv"] {
        if dir.has(name) {
            check(&dir.file(name));
        }
    }
    let map = || IdMap::read(&dir.file("map.csv"), &IdMapConfig::default()).map(|map| map.len());
    twice(map);
}

pub(crate) fn npy(bytes: &[u8]) {
    check(&DataDir::of(bytes, &["a.npy", "a.ids.txt"]).file("a.npy"));
}

pub(crate) fn safetensors(bytes: &[u8]) {
    check(&DataDir::of(bytes, &["a.safetensors", "a.ids.txt"]).file("a.safetensors"));
}

fn check(path: &Path) {
    let Some(vectors) = twice(|| Vectors::read(path, &VectorsConfig::default())) else { return };
    assert_eq!(vectors.values.len(), vectors.len() * vectors.dim);
    assert!(vectors.values.iter().all(|value| value.is_finite()));
    assert!(vectors.dim > 0 && !vectors.ids.iter().any(String::is_empty));
    assert_eq!(vectors.ids.iter().collect::<HashSet<_>>().len(), vectors.len(), "no id is there twice");
    let aligned = vectors.align(&Vocabulary::from_ids(["1", "2"]));
    assert_eq!(aligned.n_present() + aligned.n_unused, vectors.len());
}

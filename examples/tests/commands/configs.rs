//! The config files that are shipped.

use std::fs;
use std::path::{Path, PathBuf};

use cresset::trainers::config::load;
use cresset_examples::models::Config;

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
fn every_shipped_config_is_read_strictly() {
    let mut found = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs"), &mut found);
    assert!(found.len() > 8, "{found:?}");
    for file in found {
        let config: Config = load(&file, &[]).unwrap_or_else(|error| panic!("{error}"));
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("# "), "{} says what it reaches", file.display());
        assert!(text.contains(&format!("kind: {}", config.model.kind())));
    }
}

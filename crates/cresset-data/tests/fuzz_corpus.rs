//! Replays the corpus of every fuzz target: files by hand, and those that once broke a reader.

#![expect(clippy::unwrap_used, reason = "helpers of tests stop at what should not fail")]

mod fuzz_bodies;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The folder of the fuzz crate, which a published crate does not have.
fn fuzz_crate() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let is_there = folder.is_dir();
    if !is_there {
        eprintln!("skipped: no folder {}", folder.display());
    }
    is_there.then_some(folder)
}

fn names_in(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

#[test]
fn the_corpus_of_every_target_breaks_no_promise() {
    let Some(fuzz) = fuzz_crate() else { return };
    for (name, body) in fuzz_bodies::TARGETS {
        let mut files: Vec<PathBuf> = fs::read_dir(fuzz.join("corpus").join(name))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        assert!(!files.is_empty(), "{name} has a corpus");
        for file in files {
            eprintln!("{}", file.display());
            body(&fs::read(&file).unwrap());
        }
    }
}

#[test]
fn every_target_is_one_of_the_fuzz_crate_and_has_a_corpus() {
    let Some(fuzz) = fuzz_crate() else { return };
    let expected: BTreeSet<String> =
        fuzz_bodies::TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names_in(&fuzz.join("fuzz_targets")), expected);
    assert_eq!(names_in(&fuzz.join("corpus")), expected);
    let manifest = fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    for name in &expected {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} is built");
    }
}

#[test]
fn bytes_that_are_cut_anywhere_break_no_promise() {
    let Some(fuzz) = fuzz_crate() else { return };
    for (name, body) in fuzz_bodies::TARGETS {
        let bytes = fs::read(fuzz.join("corpus").join(name).join("plain")).unwrap();
        for end in (0..bytes.len()).step_by(7) {
            body(&bytes[..end]);
        }
    }
}

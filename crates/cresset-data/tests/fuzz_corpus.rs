//! Replays the corpus of every fuzz target: files by hand, and those that once broke a reader.

#![expect(clippy::unwrap_used, reason = "helpers of tests stop at what should not fail")]

mod fuzz_bodies;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::sample::Index;

/// The folder of the fuzz crate, which a published crate does not have.
fn fuzz_crate() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let is_there = folder.is_dir();
    if !is_there {
        eprintln!("skipped: no folder {}", folder.display());
    }
    is_there.then_some(folder)
}

/// The files of a target's corpus, by name.
fn corpus_of(fuzz: &Path, target: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(fuzz.join("corpus").join(target)).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{target} has a corpus");
    files
}

fn names_in(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

#[test]
fn the_corpus_of_every_target_breaks_no_promise() {
    let Some(fuzz) = fuzz_crate() else { return };
    for (name, body) in fuzz_bodies::TARGETS {
        for file in corpus_of(&fuzz, name) {
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

/// What stands where it should not, in one format or another.
const PIECES: [&str; 32] = [
    "\n",
    "\r\n",
    "\t",
    ",",
    ";",
    "::",
    "|",
    " ",
    "\"",
    "'",
    ":",
    "{",
    "}",
    "[",
    "]",
    "\\",
    "\0",
    "\u{feff}",
    "é",
    "",
    "0",
    "-1",
    "1e39",
    "NaN",
    "inf",
    "null",
    "18446744073709551615",
    "4294967296",
    "9223372036854775807",
    "1048575",
    ">>> x\n",
    "\u{fffd}",
];

/// A change of some bytes: from a place on, so many are replaced by a piece, or by others from elsewhere.
#[derive(Debug, Clone)]
struct Edit {
    at: Index,
    n_removed: usize,
    piece: &'static str,
    copied: Option<(Index, usize)>,
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let copied = prop::option::weighted(0.3, (any::<Index>(), 1usize..20));
    let edit = (any::<Index>(), 0usize..6, prop::sample::select(&PIECES[..]), copied)
        .prop_map(|(at, n_removed, piece, copied)| Edit { at, n_removed, piece, copied });
    prop::collection::vec(edit, 1..5)
}

fn edited(bytes: &[u8], edits: &[Edit]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for Edit { at, n_removed, piece, copied } in edits {
        let range = |at: &Index, n: usize| {
            let start = at.index(bytes.len() + 1);
            start..(start + n).min(bytes.len())
        };
        let new = match copied {
            Some((from, n)) => bytes[range(from, *n)].to_vec(),
            None => piece.as_bytes().to_vec(),
        };
        let old = range(at, *n_removed);
        bytes.splice(old, new);
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 200, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn bytes_that_are_changed_anywhere_break_no_promise(
        target in any::<Index>(),
        file in any::<Index>(),
        edits in edits(),
    ) {
        let Some(fuzz) = fuzz_crate() else { return Ok(()) };
        let (name, body) = fuzz_bodies::TARGETS[target.index(fuzz_bodies::TARGETS.len())];
        let files = corpus_of(&fuzz, name);
        body(&edited(&fs::read(&files[file.index(files.len())]).unwrap(), &edits));
    }
}

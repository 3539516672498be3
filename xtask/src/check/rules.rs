//! The rules step: the layers of the house, and tidiness.

use std::fs;
use std::path::{Path, PathBuf};

use super::StepError;
use super::layers::{self, LAYERS};
use super::source::{self, Finding};
use crate::files::files_below;
use crate::workspace::Workspace;

/// Folders with Rust source of ours.
const SOURCE_FOLDERS: &[&str] = &["crates", "examples", "benches", "xtask"];

/// Where a backend may be named in library code.
const BACKEND_PLACES: &[&str] = &["cresset-nn/src/kernels/", "cresset/src/device.rs"];

/// The files that every model crate has.
const MODEL_FILES: &[&str] = &["lib.rs", "config.rs", "error.rs", "batch.rs", "model.rs", "loss.rs"];

/// Prints every broken rule.
///
/// # Errors
///
/// If a rule is broken or a file cannot be read.
pub(crate) fn check(workspace: &Workspace) -> Result<(), StepError> {
    let mut broken = layers::violations(&workspace.packages);
    broken.extend(table_missing_from_docs(workspace)?);
    broken.extend(missing_model_files(&workspace.root.join("crates")));
    broken.extend(source_violations(&workspace.root)?);
    for sentence in &broken {
        println!("{sentence}");
    }
    if broken.is_empty() { Ok(()) } else { Err(StepError::Rules(broken.len())) }
}

fn table_missing_from_docs(workspace: &Workspace) -> Result<Option<String>, StepError> {
    let path = workspace.root.join("docs").join("architecture.md");
    let text = fs::read_to_string(&path).map_err(StepError::at(path))?;
    Ok(table_missing_from(&text))
}

fn table_missing_from(architecture: &str) -> Option<String> {
    let table = layers::markdown_table();
    let is_there = architecture.replace("\r\n", "\n").contains(&table);
    (!is_there).then(|| {
        format!("docs/architecture.md has another table of layers than xtask/src/check/layers.rs, expected:\n{table}")
    })
}

fn missing_model_files(crates: &Path) -> Vec<String> {
    let models = LAYERS.iter().filter(|layer| layer.model && crates.join(layer.name).is_dir());
    let files = models.flat_map(|model| MODEL_FILES.iter().map(move |file| (model.name, file)));
    files
        .filter(|(model, file)| !crates.join(model).join("src").join(file).is_file())
        .map(|(model, file)| {
            format!("crates/{model}/src has no {file}, expected the files of every model crate")
        })
        .collect()
}

fn source_violations(root: &Path) -> Result<Vec<String>, StepError> {
    let mut broken = Vec::new();
    for folder in SOURCE_FOLDERS {
        let folder = root.join(folder);
        for path in files_below(&folder).map_err(StepError::at(folder))? {
            if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).map_err(StepError::at(&path))?;
                broken.extend(file_violations(&shown(root, path), &text));
            }
        }
    }
    Ok(broken)
}

/// The path as it is shown on every system: from the root, with slashes.
fn shown(root: &Path, path: PathBuf) -> String {
    let below = path.strip_prefix(root).map(Path::to_path_buf).unwrap_or(path);
    below.to_string_lossy().replace('\\', "/")
}

fn file_violations(path: &str, text: &str) -> Vec<String> {
    let mut findings = source::untidy(text);
    if is_backend_free(path) {
        findings.extend(source::backend_names(text));
    }
    let with_place = |Finding { line, sentence }| format!("{path}:{line}: {sentence}");
    findings.into_iter().map(with_place).collect()
}

/// Whether a file is library code in which no backend may be named.
fn is_backend_free(path: &str) -> bool {
    let Some(below) = path.strip_prefix("crates/") else { return false };
    let is_library_code = below.split('/').nth(1) == Some("src") && !below.ends_with("/tests.rs");
    is_library_code && !BACKEND_PLACES.iter().any(|place| below.starts_with(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backend_may_be_named_in_kernels_the_device_file_tests_and_binaries_only() {
        let using = "use burn::backend::Flex;\n";
        for free in
            ["crates/cresset-kg-mf/src/model.rs", "crates/cresset/src/lib.rs", "crates/cresset-nn/src/mlp.rs"]
        {
            let found = file_violations(free, using);
            assert_eq!(found.len(), 1, "{free}");
            assert!(found[0].starts_with(&format!("{free}:1: `Flex` names a backend")), "{found:?}");
        }
        for place in [
            "crates/cresset-nn/src/kernels/flex/mod.rs",
            "crates/cresset/src/device.rs",
            "crates/cresset-nn/tests/rows.rs",
            "crates/cresset-kg-mf/src/model/tests.rs",
            "crates/cresset-kg-mf/examples/small.rs",
            "examples/src/lib.rs",
        ] {
            assert_eq!(file_violations(place, using), [""; 0], "{place}");
        }
    }

    #[test]
    fn unfinished_work_is_found_everywhere() {
        let found = file_violations("examples/src/bin/train.rs", "fn main() {\n    todo!()\n}\n");
        assert_eq!(
            found,
            ["examples/src/bin/train.rs:2: `todo!` marks unfinished work; finish it or take it out"]
        );
    }

    #[test]
    fn a_model_crate_without_one_of_the_common_files_is_named() {
        let crates = tempfile::tempdir().unwrap();
        let source = crates.path().join("cresset-two-tower").join("src");
        fs::create_dir_all(&source).unwrap();
        for file in MODEL_FILES.iter().filter(|file| **file != "loss.rs") {
            fs::write(source.join(file), "").unwrap();
        }
        let expected = "crates/cresset-two-tower/src has no loss.rs, expected the files of every model crate";
        assert_eq!(missing_model_files(crates.path()), [expected]);
    }

    #[test]
    fn the_table_in_the_docs_must_be_the_one_in_the_code() {
        let table = layers::markdown_table();
        assert_eq!(table_missing_from(&format!("# Title\n\n{table}\nMore.\n")), None);
        assert_eq!(table_missing_from(&table.replace('\n', "\r\n")), None);
        let other = table.replace("| `cresset-nn` | `cresset-data` |", "| `cresset-nn` | everything |");
        assert!(table_missing_from(&other).is_some());
    }
}

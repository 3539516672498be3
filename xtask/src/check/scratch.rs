//! The README's example as a project of its own, outside the workspace.
//!
//! The project depends on the facade as a user's would, by nothing but a line in its manifest. The lock file and the
//! dev profiles are the workspace's, and so is the target folder: what the tests have built with the same features is
//! used again. The rest is compiled the first time, since no test's dependency lends the facade a feature here; that is
//! what the step is for.

use std::fs;
use std::path::Path;

use super::{StepError, cargo_in, readme, run_program};
use crate::workspace::Workspace;

/// Builds and runs the README's example in a temporary folder.
///
/// # Errors
///
/// If the README has no example, or the example does not build or does not run.
pub(crate) fn check(workspace: &Workspace) -> Result<(), StepError> {
    let program = readme::rust_example(&readme::load(workspace)?)
        .ok_or(StepError::Readme("Rust example (a ```rust block with a `fn main`)"))?;
    let folder = tempfile::tempdir().map_err(StepError::at("the system's temporary folder"))?;
    write_project(workspace, folder.path(), &program)?;
    let mut command = cargo_in(workspace);
    command.current_dir(folder.path());
    command.arg("run").arg("--target-dir").arg(&workspace.target_directory);
    run_program(command)
}

fn write_project(workspace: &Workspace, folder: &Path, program: &str) -> Result<(), StepError> {
    let workspace_manifest = workspace.root.join("Cargo.toml");
    let text = fs::read_to_string(&workspace_manifest).map_err(StepError::at(workspace_manifest))?;
    write(&folder.join("Cargo.toml"), &manifest(&text, &workspace.root.join("crates/cresset")))?;
    write(&folder.join("src/main.rs"), program)?;
    let lock = workspace.root.join("Cargo.lock");
    fs::copy(&lock, folder.join("Cargo.lock")).map_err(StepError::at(lock))?;
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), StepError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(StepError::at(folder))?;
    }
    fs::write(path, text).map_err(StepError::at(path))
}

/// The project's manifest: one dependency, and the dev profiles of the workspace.
fn manifest(workspace_manifest: &str, facade: &Path) -> String {
    // A debug string escapes as a basic TOML string does: quotes and backslashes.
    let facade = format!("{:?}", facade.display().to_string());
    let profiles = dev_profiles(workspace_manifest);
    format!(
        "[package]\nname = \"cresset-scratch\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n\
         [dependencies]\ncresset = {{ path = {facade} }}\n\n\
         # Not a member of any workspace above it.\n[workspace]\n\n{profiles}"
    )
}

/// The `[profile.dev...]` tables of a manifest, as they stand.
fn dev_profiles(manifest: &str) -> String {
    let mut inside = false;
    let mut tables = String::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line.starts_with("[profile.dev]") || line.starts_with("[profile.dev.");
        }
        if inside {
            tables.push_str(line);
            tables.push('\n');
        }
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORKSPACE: &str = "\
[workspace]
members = []

[profile.dev]
opt-level = 1

[profile.dev.package.\"*\"]
opt-level = 2

[profile.release]
debug = false
";

    #[test]
    fn the_dev_profiles_and_nothing_else_are_taken_over() {
        let expected = "[profile.dev]\nopt-level = 1\n\n[profile.dev.package.\"*\"]\nopt-level = 2\n\n";
        assert_eq!(dev_profiles(WORKSPACE), expected);
    }

    #[test]
    fn a_path_with_backslashes_and_quotes_is_still_toml() {
        let manifest = manifest(WORKSPACE, Path::new(r#"C:\a "b"\cresset"#));
        assert!(manifest.contains(r#"cresset = { path = "C:\\a \"b\"\\cresset" }"#), "{manifest}");
    }
}

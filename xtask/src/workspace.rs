//! What Cargo says about the workspace.

use std::env;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

/// The workspace as `cargo metadata --no-deps` describes it.
#[derive(Debug, Deserialize)]
pub(crate) struct Workspace {
    /// The folder that holds the virtual manifest.
    #[serde(rename = "workspace_root")]
    pub(crate) root: PathBuf,
    /// Where Cargo puts what it builds.
    pub(crate) target_directory: PathBuf,
    /// The members.
    pub(crate) packages: Vec<Package>,
}

/// A member of the workspace.
#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    /// Its name in the manifest.
    pub(crate) name: String,
    /// Its dependencies of all kinds.
    pub(crate) dependencies: Vec<Dependency>,
    /// The registries it may go to: all when absent, none when empty.
    pub(crate) publish: Option<Vec<String>>,
}

/// One line of a dependency table.
#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    /// The package depended on, whatever it is renamed to.
    pub(crate) name: String,
    /// `dev` or `build`; absent for an ordinary dependency.
    pub(crate) kind: Option<String>,
    /// Features that the line turns on.
    #[serde(default)]
    pub(crate) features: Vec<String>,
    /// Whether a feature must ask for it.
    #[serde(default)]
    pub(crate) optional: bool,
}

/// Cargo could not describe the workspace.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WorkspaceError {
    /// The program did not start.
    #[error("`cargo metadata` did not start ({0}); is cargo on the PATH?")]
    Start(io::Error),
    /// The program found a fault in a manifest.
    #[error("`cargo metadata` failed: {0}")]
    Refused(String),
    /// Its answer has another form than expected.
    #[error("`cargo metadata` answered in a form that xtask does not know ({0}); is this cargo too old?")]
    Form(#[from] serde_json::Error),
}

impl Workspace {
    /// Asks Cargo about the workspace that this program belongs to.
    ///
    /// # Errors
    ///
    /// If Cargo cannot be started or finds a fault in a manifest.
    pub(crate) fn load() -> Result<Self, WorkspaceError> {
        let manifest = own_folder().join("Cargo.toml");
        let output = Command::new(cargo_program())
            .args(["metadata", "--no-deps", "--format-version", "1", "--manifest-path"])
            .arg(manifest)
            .output()
            .map_err(WorkspaceError::Start)?;
        if !output.status.success() {
            let complaint = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(WorkspaceError::Refused(complaint));
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// Names of the members that may not be published, in order.
    pub(crate) fn unpublished(&self) -> Vec<&str> {
        let is_kept_home = |package: &&Package| package.publish.as_ref().is_some_and(Vec::is_empty);
        self.packages.iter().filter(is_kept_home).map(|package| package.name.as_str()).collect()
    }
}

impl Dependency {
    /// Whether only tests, examples and benches see it.
    pub(crate) fn is_dev(&self) -> bool {
        self.kind.as_deref() == Some("dev")
    }
}

/// The Cargo that runs this program, or the one on the PATH.
pub(crate) fn cargo_program() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// This package's folder: as Cargo tells it at run time, so that a checkout may be moved after it was built.
fn own_folder() -> PathBuf {
    env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf(), PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_workspace_keeps_its_tools_home_and_publishes_its_facade() {
        let workspace = Workspace::load().unwrap();
        let unpublished = workspace.unpublished();
        assert!(unpublished.contains(&"xtask"), "{unpublished:?}");
        assert!(!unpublished.contains(&"cresset"), "{unpublished:?}");
        assert!(workspace.root.join("Cargo.lock").is_file());
    }
}

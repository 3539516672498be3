//! The folder of a run: what lies in it and how it comes to be.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cresset_data::files::{FileError, atomic_write, read_bytes};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::run_lock::RunLock;

/// Why a run directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RunDirError {
    /// A file in it could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// It cannot be made.
    #[error("cannot create {path} ({cause}); choose a folder that can be written to with --output")]
    Create {
        /// The folder.
        path: String,
        /// What the system said.
        cause: std::io::Error,
    },
    /// It holds a run already.
    #[error("{0} holds a run already; continue it with --resume or choose another folder with --output")]
    Taken(String),
    /// Somebody else writes into it.
    #[error("{path} is in use by {holder}; wait until that ends, or choose another folder with --output")]
    InUse {
        /// The folder.
        path: String,
        /// Who it is.
        holder: String,
    },
    /// It holds no run.
    #[error("{0} holds no trained run ({1} is missing); name a folder that `train` has written")]
    NotARun(String, &'static str),
    /// A file in it cannot be understood.
    #[error("{file} cannot be understood ({cause}); restore it or train again")]
    Content {
        /// The file.
        file: String,
        /// What the parser said.
        cause: String,
    },
}

/// The folder of one run.
///
/// ```text
/// config.yaml  manifest.yaml  history.csv  alerts.csv  results.yaml  train.log  plots/  best_model/  checkpoints/last/
/// ```
#[derive(Debug, Clone)]
pub struct RunDir {
    path: PathBuf,
    /// Held, and never looked at.
    _lock: Option<Arc<RunLock>>,
}

/// Removes what `atomic_write` was writing when the process was killed.
fn remove_temporaries(folder: &Path) -> Result<(), RunDirError> {
    let entries = fs::read_dir(folder).map_err(|cause| FileError::read(folder, cause))?;
    for entry in entries.flatten() {
        if is_temporary(&entry.file_name().to_string_lossy()) {
            let path = entry.path();
            fs::remove_file(&path).map_err(|cause| FileError::write(&path, cause))?;
        }
    }
    Ok(())
}

const FOLDERS: [&str; 3] = ["plots", "best_model", "checkpoints/last"];

impl RunDir {
    /// A new folder for a run, with its subfolders; on `resume` freed of what a kill left half-written.
    ///
    /// It is this process's until the last clone of the `RunDir` is dropped.
    ///
    /// # Errors
    ///
    /// If the folder is in use, holds a run already and `resume` is false, or cannot be made or written to.
    pub fn create(path: &Path, resume: bool) -> Result<Self, RunDirError> {
        Self::create_with(path, resume, &FOLDERS)
    }

    /// A new folder for the runs of several folds, without subfolders of its own.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub fn create_for_folds(path: &Path, resume: bool) -> Result<Self, RunDirError> {
        Self::create_with(path, resume, &[""])
    }

    fn create_with(path: &Path, resume: bool, folders: &[&str]) -> Result<Self, RunDirError> {
        let config = path.join("config.yaml");
        if !resume && config.exists() {
            RunLock::check_free(path)?;
            return Err(RunDirError::Taken(path.display().to_string()));
        }
        for folder in folders {
            let made = fs::create_dir_all(path.join(folder));
            made.map_err(|cause| RunDirError::Create { path: path.display().to_string(), cause })?;
        }
        let lock = RunLock::take(path)?.map(Arc::new);
        if config.exists() {
            remove_temporaries(path)?;
            for folder in folders {
                remove_temporaries(&path.join(folder))?;
            }
        }
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// A folder as it is, to read from: nothing in it is asked for.
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned(), _lock: None }
    }

    /// The folder of a finished run, to read from.
    ///
    /// # Errors
    ///
    /// If it holds no trained model.
    pub fn open(path: &Path) -> Result<Self, RunDirError> {
        let run = Self::at(path);
        for needed in ["config.yaml", "best_model/weights.safetensors"] {
            if !run.file(needed).exists() {
                return Err(RunDirError::NotARun(path.display().to_string(), needed));
            }
        }
        Ok(run)
    }

    /// The first of `outputs/<name>`, `outputs/<name>-2`, ... that is not there yet.
    pub fn free_name(outputs: &Path, name: &str) -> PathBuf {
        let mut path = outputs.join(name);
        for n in 2.. {
            if !path.exists() {
                break;
            }
            path = outputs.join(format!("{name}-{n}"));
        }
        path
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A file in it, by its path below.
    pub fn file(&self, below: &str) -> PathBuf {
        self.path.join(below)
    }

    /// Writes a value as YAML, whole or not at all.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn write_yaml(&self, below: &str, value: &impl Serialize) -> Result<(), RunDirError> {
        let file = self.file(below);
        let text = yaml_serde::to_string(value)
            .map_err(|e| RunDirError::Content { file: file.display().to_string(), cause: e.to_string() })?;
        Ok(atomic_write(&file, text.as_bytes())?)
    }

    /// Removes a file, if it is there.
    ///
    /// # Errors
    ///
    /// If it is there and cannot be removed.
    pub fn remove(&self, below: &str) -> Result<(), RunDirError> {
        let file = self.file(below);
        match fs::remove_file(&file) {
            Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
                Err(FileError::write(&file, cause).into())
            }
            _ => Ok(()),
        }
    }

    /// Reads a YAML file.
    ///
    /// # Errors
    ///
    /// If the file is not there or holds something else.
    pub fn read_yaml<T: DeserializeOwned>(&self, below: &str) -> Result<T, RunDirError> {
        let file = self.file(below);
        let text = read_bytes(&file)?;
        yaml_serde::from_slice(&text)
            .map_err(|e| RunDirError::Content { file: file.display().to_string(), cause: e.to_string() })
    }
}

/// Whether `atomic_write` makes such names: `.<name>.<process>-<count>.tmp`.
fn is_temporary(name: &str) -> bool {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let middle = name.strip_prefix('.').and_then(|rest| rest.strip_suffix(".tmp"));
    let writer = middle.and_then(|rest| rest.rsplit_once('.')).and_then(|(_, writer)| writer.split_once('-'));
    writer.is_some_and(|(process, count)| number(process) && number(count))
}

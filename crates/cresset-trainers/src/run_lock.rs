//! One process at a time in a run directory.
//!
//! The system holds the lock, on a file that stays: it ends with the process however that ends, so that a kill leaves no
//! stale one. What is in the file only tells others who it is.

use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::Path;

use cresset_data::files::FileError;

use crate::run_dir::RunDirError;

const FILE: &str = ".lock";

/// The right to write into a run directory, until it is dropped.
#[derive(Debug)]
pub(crate) struct RunLock {
    _file: File,
}

impl RunLock {
    /// The lock of a folder, for this process; none where the file system knows no locks.
    pub(crate) fn take(folder: &Path) -> Result<Option<Self>, RunDirError> {
        let path = folder.join(FILE);
        // Not truncated: it may be somebody else's.
        let opened = File::options().create(true).truncate(false).write(true).read(true).open(&path);
        let mut file = opened.map_err(|cause| FileError::write(&path, cause))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(in_use(folder)),
            Err(TryLockError::Error(cause)) => {
                tracing::debug!("{} cannot be locked ({cause})", path.display());
                return Ok(None);
            }
        }
        // On a full disk the lock is as good without the name of its holder.
        let _ = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
        Ok(Some(Self { _file: file }))
    }

    /// An error if somebody holds the lock of a folder.
    pub(crate) fn check_free(folder: &Path) -> Result<(), RunDirError> {
        let Ok(file) = File::open(folder.join(FILE)) else { return Ok(()) };
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => Err(in_use(folder)),
            _ => Ok(()),
        }
    }
}

fn in_use(folder: &Path) -> RunDirError {
    let id = fs::read_to_string(folder.join(FILE)).unwrap_or_default();
    let holder = match id.parse::<u32>() {
        Ok(id) => format!("process {id}"),
        // Just begun, or on a system where a locked file cannot be read.
        Err(_) => "another process".to_owned(),
    };
    RunDirError::InUse { path: folder.display().to_string(), holder }
}

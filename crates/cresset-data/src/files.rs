//! Files written whole or not at all, and text files that may be compressed.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use flate2::bufread::MultiGzDecoder;

const BUFFER_BYTES: usize = 1 << 17;

/// A file that could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// Reading failed.
    #[error("cannot read {} ({cause}): check that the file is there, whole and readable", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// Writing failed; nothing was left under the file's name that was not there before.
    #[error(
        "cannot write {} ({cause}): check that its folder exists, may be written to and has space, or choose another",
        path.display()
    )]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
}

impl FileError {
    /// A failed read of `path`.
    pub fn read(path: &Path, cause: impl Into<io::Error>) -> Self {
        Self::Read { path: path.to_owned(), cause: cause.into() }
    }

    /// A failed write of `path`.
    pub fn write(path: &Path, cause: impl Into<io::Error>) -> Self {
        Self::Write { path: path.to_owned(), cause: cause.into() }
    }
}

/// Writes `bytes` to `path`, replacing what is there; a kill at any moment leaves the old file or the new one.
///
/// ```
/// use cresset_data::files::atomic_write;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("results.yaml");
/// atomic_write(&path, b"rmse: 0.93\n")?;
/// assert_eq!(std::fs::read(&path)?, b"rmse: 0.93\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`FileError::Write`] when the folder is missing, read-only or full; what `path` held is then untouched.
pub fn atomic_write(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    atomic_write_with(path, |file| file.write_all(bytes))
}

/// As [`atomic_write`], for content that `fill` writes piece by piece.
///
/// # Errors
///
/// [`FileError::Write`] when `fill` or the system fails; what `path` held is then untouched.
pub fn atomic_write_with(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<(), FileError> {
    let temporary = temporary_beside(path);
    let written = fill_and_sync(&temporary, fill).and_then(|()| replace(&temporary, path));
    written.map_err(|cause| {
        // The write has failed already; a leftover under a temporary name does no harm.
        let _ = fs::remove_file(&temporary);
        FileError::write(path, cause)
    })
}

/// A name in the same folder that no other writer of this machine uses at the same time.
fn temporary_beside(path: &Path) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}-{}.tmp", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
    path.with_file_name(name)
}

fn fill_and_sync(path: &Path, fill: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> io::Result<()> {
    let mut file = BufWriter::with_capacity(BUFFER_BYTES, File::create(path)?);
    fill(&mut file)?;
    file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
}

fn replace(temporary: &Path, path: &Path) -> io::Result<()> {
    let mut tries_left = if cfg!(windows) { 10 } else { 0 };
    loop {
        match fs::rename(temporary, path) {
            // On Windows a virus scanner or indexer may hold the old file open for a moment.
            Err(cause) if cause.kind() == ErrorKind::PermissionDenied && tries_left > 0 => {
                tries_left -= 1;
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(cause) => return Err(cause),
            Ok(()) => return sync_folder_of(path),
        }
    }
}

/// Makes the new name itself last through a power cut; only Unix lets a folder be synced.
fn sync_folder_of(path: &Path) -> io::Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    match File::open(folder)?.sync_all() {
        // Some network file systems refuse to sync a folder; the rename has happened all the same.
        Err(cause) if matches!(cause.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        synced => synced,
    }
}

/// The bytes of a file.
///
/// # Errors
///
/// [`FileError::Read`].
pub fn read_bytes(path: &Path) -> Result<Vec<u8>, FileError> {
    fs::read(path).map_err(|cause| FileError::read(path, cause))
}

/// A file opened for reading, decompressed on the way.
pub struct TextFile {
    /// The file that was found: the path asked for, or the same with `.gz` or `.zst`.
    pub path: PathBuf,
    /// Its text.
    pub reader: Box<dyn BufRead + Send>,
}

impl std::fmt::Debug for TextFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TextFile").field("path", &self.path).finish_non_exhaustive()
    }
}

/// How the bytes of a file are packed, as the end of its name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    Plain,
    Gzip,
    Zstd,
}

impl Packing {
    /// By the end of the file's name, `.gz` or `.zst`.
    pub(crate) fn of(path: &Path) -> Self {
        match path.extension() {
            Some(end) if end.eq_ignore_ascii_case("gz") => Self::Gzip,
            Some(end) if end.eq_ignore_ascii_case("zst") => Self::Zstd,
            _ => Self::Plain,
        }
    }
}

/// Opens `path`, or `path` with `.gz` or `.zst` appended; `None` when none of them is there.
///
/// A file whose name ends in `.gz` or `.zst` is decompressed, whichever way it was asked for.
///
/// # Errors
///
/// [`FileError::Read`] when a file is there but cannot be opened.
pub fn open_text(path: &Path) -> Result<Option<TextFile>, FileError> {
    for end in ["", ".gz", ".zst"] {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        let path = PathBuf::from(name);
        if let Some(file) = open_if_there(&path)? {
            let reader = unpacked(&path, file).map_err(|cause| FileError::read(&path, cause))?;
            return Ok(Some(TextFile { path, reader }));
        }
    }
    Ok(None)
}

fn unpacked(path: &Path, file: File) -> io::Result<Box<dyn BufRead + Send>> {
    let file = BufReader::with_capacity(BUFFER_BYTES, file);
    Ok(match Packing::of(path) {
        Packing::Plain => Box::new(file),
        Packing::Gzip => Box::new(BufReader::with_capacity(BUFFER_BYTES, MultiGzDecoder::new(file))),
        Packing::Zstd => {
            let text = zstd::stream::read::Decoder::with_buffer(file)?;
            Box::new(BufReader::with_capacity(BUFFER_BYTES, text))
        }
    })
}

fn open_if_there(path: &Path) -> Result<Option<File>, FileError> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(FileError::read(path, cause)),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn names_in(folder: &Path) -> Vec<OsString> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect()
    }

    #[test]
    fn a_file_is_replaced_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        atomic_write(&path, b"old").unwrap();
        atomic_write(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(names_in(folder.path()), ["a.txt"]);
    }

    #[test]
    fn a_writer_that_fails_half_way_leaves_the_old_file_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        atomic_write(&path, b"old").unwrap();
        let failed = atomic_write_with(&path, |file| {
            file.write_all(b"half")?;
            Err(io::Error::other("disk full"))
        });
        assert!(failed.unwrap_err().to_string().contains("disk full"));
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names_in(folder.path()), ["a.txt"]);
    }

    #[test]
    fn a_missing_folder_is_an_error_that_names_the_file_and_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("nowhere").join("a.txt");
        let message = atomic_write(&path, b"x").unwrap_err().to_string();
        assert!(message.contains(&path.display().to_string()), "{message}");
        assert!(message.contains("check that its folder exists"), "{message}");
    }

    fn check_found(path: &Path, expected: &str) {
        let mut text = String::new();
        let mut found = open_text(path).unwrap().unwrap();
        found.reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "1\t2\t3\t4\n");
        assert!(found.path.ends_with(expected), "{}", found.path.display());
    }

    #[test]
    fn a_compressed_file_is_found_under_its_plain_name_and_under_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let plain = folder.path().join("u.data");
        assert!(open_text(&plain).unwrap().is_none());
        let zst = zstd::encode_all(b"1\t2\t3\t4\n".as_slice(), 1).unwrap();
        fs::write(folder.path().join("u.data.zst"), zst).unwrap();
        check_found(&plain, "u.data.zst");
        let gz = File::create(folder.path().join("u.data.gz")).unwrap();
        let mut gz = flate2::write::GzEncoder::new(gz, flate2::Compression::fast());
        gz.write_all(b"1\t2\t3\t4\n").unwrap();
        gz.finish().unwrap();
        check_found(&plain, "u.data.gz");
        check_found(&folder.path().join("u.data.zst"), "u.data.zst");
    }
}

//! Bytes as the files of a folder.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// Begins a line that names the file of the lines below it.
const MARK: &[u8] = b">>> ";
/// The folder of the data set, and the name that its files have where a format asks for one.
pub(crate) const SET: &str = "set";

/// A data directory in memory, where there is such a place, with one data set.
pub(crate) struct DataDir {
    root: TempDir,
    names: Vec<&'static str>,
}

impl DataDir {
    /// The files that the bytes spell, of those that a format has.
    ///
    /// A line `>>> NAME` begins the file of that name; what stands above the first such line is the first of `names`.
    pub(crate) fn of(bytes: &[u8], names: &[&'static str]) -> Self {
        let files = files_in(bytes, names);
        let dir = Self::empty();
        for (name, content) in &files {
            dir.write(name, content);
        }
        Self { names: files.into_iter().map(|(name, _)| name).collect(), ..dir }
    }

    fn empty() -> Self {
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let root = tempfile::Builder::new().prefix("cresset-").tempdir_in(parent).unwrap();
        fs::create_dir(root.path().join(SET)).unwrap();
        Self { root, names: Vec::new() }
    }

    pub(crate) fn write(&self, name: &str, content: &[u8]) {
        fs::write(self.file(name), content).unwrap();
    }

    /// The folder above that of the data set.
    pub(crate) fn path(&self) -> &Path {
        self.root.path()
    }

    pub(crate) fn set(&self) -> PathBuf {
        self.root.path().join(SET)
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.set().join(name)
    }

    /// Whether the bytes spelt this file.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.names.contains(&name)
    }
}

/// Names and contents; a name that is there twice counts twice, and the last is what will be read.
fn files_in<'b>(bytes: &'b [u8], names: &[&'static str]) -> Vec<(&'static str, &'b [u8])> {
    let mut files = Vec::new();
    let (mut name, mut start, mut at) = (names[0], 0, 0);
    while at < bytes.len() {
        let end =
            bytes[at..].iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |line| at + line + 1);
        if let Some(next) = named(&bytes[at..end], names) {
            if at > 0 {
                files.push((name, &bytes[start..at]));
            }
            (name, start) = (next, end);
        }
        at = end;
    }
    files.push((name, &bytes[start..]));
    files
}

/// The file that a line names, where it is such a line.
fn named(line: &[u8], names: &[&'static str]) -> Option<&'static str> {
    let name = line.strip_prefix(MARK)?.trim_ascii_end();
    names.iter().find(|it| it.as_bytes() == name).copied()
}

//! Walking a folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Every regular file below `folder`, sorted, as paths that begin with `folder`.
///
/// Links to files count as files; links to folders are not followed. Folders named `target` or beginning with a dot
/// are passed over.
///
/// # Errors
///
/// If a folder cannot be read.
pub(crate) fn files_below(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_path_buf()];
    while let Some(current) = waiting.pop() {
        for entry in fs::read_dir(&current)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                if !is_passed_over(&entry.file_name().to_string_lossy()) {
                    waiting.push(entry.path());
                }
            } else if entry.path().is_file() {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

fn is_passed_over(folder_name: &str) -> bool {
    folder_name == "target" || folder_name.starts_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_sorted_and_without_build_output_or_hidden_folders() {
        let folder = tempfile::tempdir().unwrap();
        for path in ["b/two.rs", "a/one.rs", "target/debug/three.rs", ".git/four"] {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let expected = ["a/one.rs", "b/two.rs"].map(|path| folder.path().join(path));
        assert_eq!(files_below(folder.path()).unwrap(), expected);
    }
}

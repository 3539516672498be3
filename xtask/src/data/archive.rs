//! Unpacking a zip file.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use zip::ZipArchive;
use zip::read::ZipFile;

use super::DataError;

/// Unpacks the files below the archive's folder `top` into the folder `target`; other entries are left out.
///
/// # Errors
///
/// If the archive is damaged, holds a path that leads outside, or has nothing below `top`, or if the disk fails.
pub(crate) fn unpack(zip: &Path, top: &str, target: &Path) -> Result<(), DataError> {
    let refuse = |reason: String| DataError::Archive { file: zip.into(), reason };
    let opened = File::open(zip).map_err(DataError::at(zip))?;
    let mut archive = ZipArchive::new(opened).map_err(|error| refuse(error.to_string()))?;
    let mut n_files = 0;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(|error| refuse(error.to_string()))?;
        let place = place_below(&entry, top).map_err(refuse)?;
        if let Some(place) = place {
            write_entry(&mut entry, &target.join(place))?;
            n_files += 1;
        }
    }
    if n_files == 0 { Err(refuse(format!("it has no file below {top}/"))) } else { Ok(()) }
}

/// Where an entry goes below the target; `None` for folders and for what lies beside `top`.
fn place_below<R: io::Read>(entry: &ZipFile<'_, R>, top: &str) -> Result<Option<PathBuf>, String> {
    let path = entry.enclosed_name().ok_or_else(|| format!("its entry {:?} leads outside", entry.name()))?;
    let place = path.strip_prefix(top).ok().map(Path::to_path_buf);
    Ok(place.filter(|_| entry.is_file()))
}

fn write_entry<R: io::Read>(entry: &mut ZipFile<'_, R>, path: &Path) -> Result<(), DataError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(DataError::at(folder))?;
    }
    let mut file = File::create(path).map_err(DataError::at(path))?;
    io::copy(entry, &mut file).map_err(DataError::at(path))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::write::{SimpleFileOptions, ZipWriter};

    use super::*;

    /// Packs the entries, unpacks the archive's folder `letters`, and gives back the folder that holds all of it.
    fn pack_and_unpack(entries: &[(&str, &str)]) -> (tempfile::TempDir, Result<(), DataError>) {
        let folder = tempfile::tempdir().unwrap();
        let zip = folder.path().join("letters.zip");
        let mut writer = ZipWriter::new(File::create(&zip).unwrap());
        let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
        writer.add_directory("letters/", options).unwrap();
        for (name, content) in entries {
            writer.start_file(*name, options).unwrap();
            writer.write_all(content.as_bytes()).unwrap();
        }
        writer.finish().unwrap();
        let unpacked = unpack(&zip, "letters", &folder.path().join("target"));
        (folder, unpacked)
    }

    #[test]
    fn files_below_the_top_folder_are_unpacked_without_it() {
        let long = "abc".repeat(10_000);
        let entries = [("letters/a.txt", long.as_str()), ("letters/inner/b.txt", "b"), ("beside/c.txt", "c")];
        let (folder, unpacked) = pack_and_unpack(&entries);
        unpacked.unwrap();
        let target = folder.path().join("target");
        assert_eq!(fs::read_to_string(target.join("a.txt")).unwrap(), long);
        assert_eq!(fs::read_to_string(target.join("inner/b.txt")).unwrap(), "b");
        assert_eq!(crate::files::files_below(&target).unwrap().len(), 2);
    }

    #[test]
    fn an_entry_that_leads_outside_is_refused() {
        let (folder, unpacked) = pack_and_unpack(&[("letters/../../escaped.txt", "x")]);
        let sentence = unpacked.unwrap_err().to_string();
        assert!(sentence.contains("leads outside"), "{sentence}");
        assert!(!folder.path().parent().unwrap().join("escaped.txt").exists());
    }

    #[test]
    fn an_archive_of_something_else_is_refused() {
        let (_folder, unpacked) = pack_and_unpack(&[("numbers/1.txt", "1")]);
        let sentence = unpacked.unwrap_err().to_string();
        assert!(sentence.contains("it has no file below letters/"), "{sentence}");
    }

    #[test]
    fn what_is_no_zip_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("letters.zip");
        fs::write(&path, "plain text").unwrap();
        let error = unpack(&path, "letters", &folder.path().join("target")).unwrap_err();
        assert!(matches!(error, DataError::Archive { .. }), "{error}");
    }
}

//! `cargo xtask data NAME`: a public data set, fetched from its owner or taken from a local copy.
//!
//! Everything happens in a temporary folder beside the final one; only a verified data set is renamed to its name.

mod archive;
mod fetch;
mod folder;
mod pin;
mod sets;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::PossibleValuesParser;
use tempfile::TempDir;

use folder::Verified;
use sets::DataSet;

/// Which data set, from where and to where.
#[derive(Debug, Args)]
pub(crate) struct DataOptions {
    /// The data set's name at its owner's.
    #[arg(value_parser = PossibleValuesParser::new(sets::names()))]
    name: String,
    /// A local copy to take instead of fetching: the unpacked folder, or the owner's zip file.
    #[arg(long, value_name = "PATH")]
    from: Option<PathBuf>,
    /// The folder that holds data sets; this one goes into DIR/NAME.
    #[arg(long, value_name = "DIR", env = "CRESSET_DATA", default_value = "data")]
    data: PathBuf,
}

/// Why a data set is not there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DataError {
    /// Something stands under the data set's name already.
    #[error("{0} exists and is not overwritten; remove it, or name another folder with --data")]
    Exists(PathBuf),
    /// `--from` names nothing.
    #[error("--from {0} does not exist; give the unpacked folder or the owner's zip file")]
    NoSource(PathBuf),
    /// A folder lacks a file of the data set.
    #[error("{folder} has no {file}, which is part of {name}; give the folder that holds {file} itself")]
    MissingFile {
        /// Where it was looked for.
        folder: PathBuf,
        /// The file.
        file: &'static str,
        /// The data set.
        name: &'static str,
    },
    /// A file has another size than its owner's.
    #[error(
        "{file} has {found} bytes, expected {expected}; it is cut short or another edition: fetch it again"
    )]
    Size {
        /// The file.
        file: PathBuf,
        /// Its bytes.
        found: u64,
        /// The owner's file's bytes.
        expected: u64,
    },
    /// A file has another content than its owner's.
    #[error(
        "{file} has SHA-256 {found}, expected {expected}; it is damaged or another edition: fetch it again"
    )]
    Checksum {
        /// The file.
        file: PathBuf,
        /// Its checksum.
        found: String,
        /// The owner's file's checksum.
        expected: &'static str,
    },
    /// A zip file cannot be unpacked.
    #[error("{file} cannot be unpacked ({reason}); fetch it again")]
    Archive {
        /// The zip file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// curl is not there.
    #[error(
        "`curl` did not start ({error}); install curl, or fetch {url} with a browser and pass --from ZIP"
    )]
    NoCurl {
        /// What the system said.
        error: io::Error,
        /// What was to be fetched.
        url: String,
    },
    /// curl failed.
    #[error(
        "fetching {url} failed (curl: {status}); try again, or fetch it with a browser and pass --from ZIP, which is \
         verified all the same"
    )]
    Fetch {
        /// What was to be fetched.
        url: String,
        /// How curl ended.
        status: String,
    },
    /// The folder for data sets cannot be written.
    #[error("{folder} cannot be written ({error}); name another folder with --data")]
    Unwritable {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// A file could not be read or written.
    #[error("{path}: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

impl DataError {
    /// 2 for what the arguments or the data got wrong, 1 for the network and the disk.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::NoCurl { .. } | Self::Fetch { .. } | Self::Io { .. } => 1,
            _ => 2,
        }
    }

    /// For `map_err`: says at which path the system complained.
    fn at(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |error| Self::Io { path, error }
    }
}

/// Puts the data set into its folder, or says why not.
///
/// # Errors
///
/// If the folder is taken, the source is missing or not the owner's, or the network or the disk fails.
pub(crate) fn run(options: &DataOptions) -> Result<(), DataError> {
    let set = sets::find(&options.name);
    let target = options.data.join(set.name);
    if target.symlink_metadata().is_ok() {
        return Err(DataError::Exists(target));
    }
    let verified = match &options.from {
        None => from_owner(set, &options.data)?,
        Some(path) if path.is_dir() => from_folder(set, path, &options.data)?,
        Some(path) if path.is_file() => from_zip(set, path, &options.data)?,
        Some(path) => return Err(DataError::NoSource(path.clone())),
    };
    println!("{} is in {}: {verified}", set.name, target.display());
    println!(
        "Its owner is GroupLens: research use, no commercial use, no redistribution; terms in its README"
    );
    Ok(())
}

fn from_owner(set: &DataSet, data: &Path) -> Result<Verified, DataError> {
    let workshop = workshop(set, data)?;
    let zip = workshop.path().join("fetched.zip");
    println!("fetching {} ({:.1} MB)", set.url(), set.zip.bytes as f64 / 1e6);
    fetch::fetch(&set.url(), &zip)?;
    unpack_verified(set, &zip, &workshop, data)
}

fn from_zip(set: &DataSet, zip: &Path, data: &Path) -> Result<Verified, DataError> {
    let workshop = workshop(set, data)?;
    unpack_verified(set, zip, &workshop, data)
}

fn unpack_verified(
    set: &DataSet,
    zip: &Path,
    workshop: &TempDir,
    data: &Path,
) -> Result<Verified, DataError> {
    set.zip.verify(zip)?;
    println!("size and SHA-256 are the owner's");
    let unpacked = workshop.path().join(set.name);
    archive::unpack(zip, set.name, &unpacked)?;
    let verified = folder::verify(set, &unpacked)?;
    finish(&unpacked, &data.join(set.name))?;
    Ok(verified)
}

fn from_folder(set: &DataSet, source: &Path, data: &Path) -> Result<Verified, DataError> {
    let verified = folder::verify(set, source)?;
    let files = folder::list(source)?;
    let workshop = workshop(set, data)?;
    let copy = workshop.path().join(set.name);
    folder::copy(source, &files, &copy)?;
    finish(&copy, &data.join(set.name))?;
    Ok(verified)
}

/// A temporary folder on the same disk as the final one, removed on the way out whatever happens.
fn workshop(set: &DataSet, data: &Path) -> Result<TempDir, DataError> {
    let unwritable = |error| DataError::Unwritable { folder: data.into(), error };
    fs::create_dir_all(data).map_err(unwritable)?;
    let prefix = format!(".{}-", set.name);
    tempfile::Builder::new().prefix(&prefix).tempdir_in(data).map_err(unwritable)
}

fn finish(ready: &Path, target: &Path) -> Result<(), DataError> {
    fs::rename(ready, target).map_err(DataError::at(target))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn options(name: &str, from: Option<PathBuf>, data: &Path) -> DataOptions {
        DataOptions { name: name.into(), from, data: data.to_path_buf() }
    }

    fn names_in(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
    }

    #[track_caller]
    fn check_refused(options: &DataOptions, expected: &str) {
        let error = run(options).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(error.exit_code(), 2);
    }

    #[test]
    fn a_taken_name_is_not_overwritten() {
        let data = tempfile::tempdir().unwrap();
        fs::create_dir(data.path().join("ml-100k")).unwrap();
        check_refused(&options("ml-100k", None, data.path()), "exists and is not overwritten");
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let (set, zip) = packed_set(folder.path());
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let error = from_zip(&set, &zip, &file.join("data")).unwrap_err();
        assert!(error.to_string().contains("name another folder with --data"), "{error}");
        assert_eq!(error.exit_code(), 2);
    }

    #[test]
    fn a_source_that_is_not_there_is_named() {
        let data = tempfile::tempdir().unwrap();
        let missing = data.path().join("nowhere");
        check_refused(&options("ml-100k", Some(missing), data.path()), "nowhere does not exist");
    }

    #[test]
    fn a_folder_without_the_ratings_is_refused_and_leaves_nothing() {
        let data = tempfile::tempdir().unwrap();
        let empty = tempfile::tempdir().unwrap();
        let options = options("ml-100k", Some(empty.path().into()), data.path());
        check_refused(&options, "has no u.data, which is part of ml-100k");
        assert!(names_in(data.path()).is_empty());
    }

    #[test]
    fn a_zip_file_that_is_not_the_owners_is_refused_and_leaves_nothing() {
        let data = tempfile::tempdir().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let zip = folder.path().join("ml-100k.zip");
        fs::write(&zip, "not a zip").unwrap();
        check_refused(&options("ml-100k", Some(zip), data.path()), "has 9 bytes, expected 4924029");
        assert!(names_in(data.path()).is_empty());
    }

    /// A data set of one file, its zip file in `folder`.
    fn packed_set(folder: &Path) -> (DataSet, PathBuf) {
        let zip = folder.join("letters.zip");
        let mut writer = zip::ZipWriter::new(fs::File::create(&zip).unwrap());
        writer.start_file("letters/abc.txt", zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(b"abc").unwrap();
        writer.finish().unwrap();
        let layouts = &[&[sets::KeyFile { name: "abc.txt", known: sets::Known::Name }] as &[_]];
        (DataSet { name: "letters", zip: pin::pin_of(&zip), layouts }, zip)
    }

    #[test]
    fn a_zip_file_of_the_owners_stands_unpacked_under_the_data_sets_name_and_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (set, zip) = packed_set(folder.path());
        let data = folder.path().join("data");
        from_zip(&set, &zip, &data).unwrap();
        assert_eq!(fs::read_to_string(data.join("letters/abc.txt")).unwrap(), "abc");
        assert_eq!(names_in(&data), ["letters"]);
    }

    #[test]
    fn a_zip_file_with_one_byte_changed_is_refused_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (set, zip) = packed_set(folder.path());
        let mut bytes = fs::read(&zip).unwrap();
        bytes[40] ^= 1;
        fs::write(&zip, bytes).unwrap();
        let data = folder.path().join("data");
        let error = from_zip(&set, &zip, &data).unwrap_err();
        assert!(matches!(error, DataError::Checksum { .. }), "{error}");
        assert!(names_in(&data).is_empty());
    }

    #[test]
    fn the_real_data_sets_at_hand_are_the_owners() {
        let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
        let home = std::env::var_os("CRESSET_DATA").map_or(beside, PathBuf::from);
        for name in sets::names() {
            let folder = home.join(name);
            if folder.is_dir() {
                folder::verify(sets::find(name), &folder).unwrap();
            } else {
                eprintln!("skipped: no {}", folder.display());
            }
        }
    }
}

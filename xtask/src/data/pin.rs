//! A file known by its size and checksum.

use std::fmt::Write;
use std::fs::{self, File};
use std::io;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::DataError;

/// Size and SHA-256 of an owner's file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pin {
    /// Its bytes.
    pub(crate) bytes: u64,
    /// Its SHA-256, 64 lower-case hexadecimal digits.
    pub(crate) sha256: &'static str,
}

impl Pin {
    /// Compares a file with the owner's, the size first because it costs nothing.
    ///
    /// # Errors
    ///
    /// If it differs or cannot be read.
    pub(crate) fn verify(&self, file: &Path) -> Result<(), DataError> {
        verify_size(file, self.bytes)?;
        let mut opened = File::open(file).map_err(DataError::at(file))?;
        let mut hasher = Sha256::new();
        io::copy(&mut opened, &mut hasher).map_err(DataError::at(file))?;
        let found = hexadecimal(&hasher.finalize());
        if found == self.sha256 {
            return Ok(());
        }
        Err(DataError::Checksum { file: file.into(), found, expected: self.sha256 })
    }
}

/// Compares the size of a file with the owner's.
///
/// # Errors
///
/// If it differs or cannot be read.
pub(crate) fn verify_size(file: &Path, expected: u64) -> Result<(), DataError> {
    let found = fs::metadata(file).map_err(DataError::at(file))?.len();
    if found == expected { Ok(()) } else { Err(DataError::Size { file: file.into(), found, expected }) }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The pin of a file that a test has made.
#[cfg(test)]
pub(crate) fn pin_of(file: &Path) -> Pin {
    let content = fs::read(file).unwrap();
    let sha256 = hexadecimal(&Sha256::digest(&content));
    Pin { bytes: content.len() as u64, sha256: sha256.leak() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of FIPS 180-2: the SHA-256 of `abc`.
    const ABC: Pin =
        Pin { bytes: 3, sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" };

    fn verify(content: &str) -> Result<(), DataError> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, content).unwrap();
        ABC.verify(&file)
    }

    #[test]
    fn the_owners_file_passes() {
        assert!(verify("abc").is_ok());
    }

    #[test]
    fn a_file_cut_short_is_told_by_its_size() {
        let sentence = verify("ab").unwrap_err().to_string();
        assert!(sentence.contains("has 2 bytes, expected 3"), "{sentence}");
    }

    #[test]
    fn a_changed_file_of_the_same_size_is_told_by_its_checksum() {
        let sentence = verify("abd").unwrap_err().to_string();
        assert!(sentence.contains(ABC.sha256), "{sentence}");
        assert!(
            sentence.contains("a52d159f262b2c6ddb724a61840befc36eb30c88877a4030b65cbe86298449c9"),
            "{sentence}"
        );
    }
}

//! Fetching a file with `curl`, which Linux, macOS and Windows have.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use super::DataError;

/// Fetches `url` into the file `output`, showing a progress bar.
///
/// # Errors
///
/// If curl is not there, or fails.
pub(crate) fn fetch(url: &str, output: &Path) -> Result<(), DataError> {
    let status = Command::new("curl")
        .args(arguments(url, output))
        .status()
        .map_err(|error| DataError::NoCurl { error, url: url.to_owned() })?;
    if status.success() {
        return Ok(());
    }
    Err(DataError::Fetch { url: url.to_owned(), status: status.to_string() })
}

/// Fails on an HTTP error, never leaves HTTPS, tries again thrice, and gives up on a line that has gone quiet.
fn arguments(url: &str, output: &Path) -> Vec<OsString> {
    let fixed = "--fail --location --proto =https --proto-redir =https --retry 3 --connect-timeout 30 \
                 --speed-limit 1024 --speed-time 60 --progress-bar --output";
    let mut arguments: Vec<OsString> = fixed.split_whitespace().map(OsString::from).collect();
    arguments.push(output.into());
    arguments.push(url.into());
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_with_a_space_stays_one_argument() {
        let arguments = arguments("https://example.org/a.zip", Path::new("some where/a.zip"));
        let [.., option, output, url] = arguments.as_slice() else { panic!("too few arguments") };
        assert_eq!(
            [option, output, url].map(|a| a.to_str().unwrap()),
            ["--output", "some where/a.zip", "https://example.org/a.zip"]
        );
    }

    #[test]
    fn plain_http_is_refused_by_curl_before_anything_is_sent() {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("a.zip");
        let error = fetch("http://127.0.0.1:9/a.zip", &output).unwrap_err();
        assert_eq!(error.exit_code(), 1);
        assert!(error.to_string().contains("http://127.0.0.1:9/a.zip"), "{error}");
        assert!(!output.exists());
    }
}

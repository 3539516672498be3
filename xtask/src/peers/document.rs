//! The document that holds the comparison between two markers.

use std::fs;
use std::path::Path;

use super::PeersError;

/// What stands before and after the comparison of a suite.
fn markers(suite: &str) -> [String; 2] {
    ["begin", "end"].map(|place| format!("<!-- peers {suite}: {place} -->"))
}

/// The document's text, once it is seen to have a place for the comparison of `suite`.
///
/// # Errors
///
/// If it cannot be read, or has not each marker once and in order.
pub(super) fn load(path: &Path, suite: &str) -> Result<String, PeersError> {
    let text = fs::read_to_string(path).map_err(PeersError::at(path))?;
    let markers = markers(suite);
    match with_section(&text, "", &markers) {
        Ok(_) => Ok(text),
        Err(found) => {
            let [begin, end] = markers;
            Err(PeersError::Markers { path: path.into(), found, begin, end })
        }
    }
}

/// Puts `section` between the markers and leaves the rest as it is.
///
/// # Errors
///
/// As [`load`], or if the document cannot be written.
pub(super) fn write(path: &Path, suite: &str, section: &str) -> Result<(), PeersError> {
    // Read again: the measurements took long, and somebody may have written elsewhere in the document meanwhile.
    let text = load(path, suite)?;
    let written = with_section(&text, section, &markers(suite)).expect("load has seen the markers");
    fs::write(path, written).map_err(PeersError::at(path))
}

/// `text` with `section` between the markers, or what is wrong with the markers.
fn with_section(text: &str, section: &str, [begin, end]: &[String; 2]) -> Result<String, &'static str> {
    let (before, rest) = text.split_once(begin).ok_or("no first marker")?;
    let (_, after) = rest.split_once(end).ok_or("no last marker after the first")?;
    if [before, after].iter().any(|part| part.contains(begin) || part.contains(end)) || rest.contains(begin) {
        return Err("a marker twice");
    }
    Ok(format!("{before}{begin}\n\n{}\n\n{end}{after}", section.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: &str = "<!-- peers nn: begin -->";
    const END: &str = "<!-- peers nn: end -->";

    fn with_section(text: &str, section: &str) -> Result<String, &'static str> {
        super::with_section(text, section, &markers("nn"))
    }

    #[test]
    fn only_what_stands_between_the_markers_is_replaced() {
        let text = format!("# A\n{BEGIN}\nold\n{END}\n\n# B\n");
        let expected = format!("# A\n{BEGIN}\n\nnew\n\n{END}\n\n# B\n");
        assert_eq!(with_section(&text, "new\n").as_deref(), Ok(expected.as_str()));
        assert_eq!(with_section(&expected, "new\n").as_deref(), Ok(expected.as_str()), "the same again");
    }

    #[test]
    fn a_document_without_each_marker_once_and_in_order_is_refused() {
        let check = |text: String, expected| assert_eq!(with_section(&text, "new"), Err(expected), "{text}");
        check("# A".into(), "no first marker");
        check(format!("{BEGIN} old"), "no last marker after the first");
        check(format!("{END} {BEGIN}"), "no last marker after the first");
        check(format!("{BEGIN} {BEGIN} {END}"), "a marker twice");
        check(format!("{END} {BEGIN} {END}"), "a marker twice");
        check(format!("{BEGIN} {END} {BEGIN} {END}"), "a marker twice");
    }

    #[test]
    fn a_refused_document_is_named_and_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("benchmarks.md");
        fs::write(&path, "# A").unwrap();
        let error = write(&path, "nn", "new").unwrap_err();
        assert!(error.to_string().contains("benchmarks.md has no first marker"), "{error}");
        assert_eq!(error.exit_code(), 2);
        assert_eq!(fs::read_to_string(&path).unwrap(), "# A");
    }

    #[test]
    fn a_section_is_written_into_its_document() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("benchmarks.md");
        fs::write(&path, format!("# A\n{BEGIN}{END}\n")).unwrap();
        write(&path, "nn", "new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("# A\n{BEGIN}\n\nnew\n\n{END}\n"));
    }
}

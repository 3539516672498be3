//! Many lines of text, formatted on all threads and written in order.

use std::io::Write;
use std::path::Path;

use rayon::prelude::*;

use crate::files::{FileError, atomic_write_with};

/// Entries whose lines are formatted as one block.
const BLOCK: usize = 1 << 14;

/// Writes `head`, then what `format` appends for each of `n` entries in order.
///
/// # Errors
///
/// [`FileError::Write`].
pub(super) fn write_lines(
    path: &Path,
    head: &str,
    n: usize,
    format: impl Fn(usize, &mut String) + Sync,
) -> Result<(), FileError> {
    let blocks: Vec<usize> = (0..n).step_by(BLOCK).collect();
    atomic_write_with(path, |file| {
        file.write_all(head.as_bytes())?;
        // A few blocks a thread at a time: memory holds no more text than that.
        for window in blocks.chunks(4 * rayon::current_num_threads().max(1)) {
            let texts: Vec<String> = window.par_iter().map(|&start| block(start, n, &format)).collect();
            texts.iter().try_for_each(|text| file.write_all(text.as_bytes()))?;
        }
        Ok(())
    })
}

fn block(start: usize, n: usize, format: &impl Fn(usize, &mut String)) -> String {
    let mut text = String::new();
    (start..n.min(start + BLOCK)).for_each(|entry| format(entry, &mut text));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_in_order_over_many_blocks() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines.txt");
        let n = 3 * BLOCK + 5;
        write_lines(&path, "head\n", n, |entry, text| text.push_str(&format!("{entry}\n"))).unwrap();
        let expected: String = (0..n).map(|entry| format!("{entry}\n")).collect();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("head\n{expected}"));
    }
}

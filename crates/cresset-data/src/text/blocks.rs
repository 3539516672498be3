//! A file of text in blocks of whole lines, so that many threads can parse it and each knows its line numbers.

use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};

use memchr::{memchr, memchr_iter, memrchr};

use super::at::At;
use super::quoting::{Extent, Quotes, first_row};
use crate::error::DataError;
use crate::files::{FileError, TextFile};

/// Large enough that a block's own dictionary of ids is small beside its rows, small enough for many at once.
const BLOCK_BYTES: usize = 4 << 20;
/// A line this long is no line of a table: the file is of another kind.
const MAX_LINE_BYTES: usize = 256 << 20;

/// Whole lines of a file.
pub(crate) struct Block {
    bytes: Vec<u8>,
    first_line: u64,
}

/// The blocks of a file, in order.
pub(crate) struct Blocks {
    path: PathBuf,
    reader: Box<dyn BufRead + Send>,
    quotes: Quotes,
    /// What was read beyond the last block's end.
    rest: Vec<u8>,
    /// Memory of blocks that were parsed, for the next: fresh pages cost more than the reading.
    spare: Vec<Vec<u8>>,
    next_line: u64,
    is_at_end: bool,
}

impl Blocks {
    pub(crate) fn of(file: TextFile, quotes: Quotes) -> Self {
        let TextFile { path, reader } = file;
        Self { path, reader, quotes, rest: Vec::new(), spare: Vec::new(), next_line: 1, is_at_end: false }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Up to `n` further blocks; none at the end of the file.
    pub(crate) fn take(&mut self, n: usize) -> Result<Vec<Block>, DataError> {
        let mut blocks = Vec::with_capacity(n);
        while blocks.len() < n {
            let Some(block) = self.next()? else { break };
            blocks.push(block);
        }
        Ok(blocks)
    }

    /// Takes back blocks that nobody needs any more.
    pub(crate) fn recycle(&mut self, blocks: Vec<Block>) {
        self.spare.extend(blocks.into_iter().map(|block| block.bytes));
    }

    /// The first line that is not blank and its number, taken off what [`take`](Self::take) gives next: a header.
    pub(crate) fn take_line(&mut self) -> Result<Option<(u64, Vec<u8>)>, DataError> {
        while let Some(block) = self.next()? {
            let (mut rest, mut number, mut found) = (&block.bytes[..], block.first_line, None);
            while found.is_none() && !rest.is_empty() {
                let (line, n_ends) = first_lines(rest, self.quotes);
                let text = without_end(line);
                found = (!text.trim_ascii().is_empty()).then(|| (number, text.to_vec()));
                rest = &rest[line.len()..];
                number += n_ends;
            }
            if found.is_some() {
                self.give_back(rest, number);
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Makes `lines`, the first of them numbered `number`, the next to be handed out.
    fn give_back(&mut self, lines: &[u8], number: u64) {
        let mut bytes = lines.to_vec();
        bytes.append(&mut self.rest);
        self.rest = bytes;
        self.next_line = number;
    }

    /// An error when the file had no line.
    pub(crate) fn refuse_empty(&self, n_lines: u64) -> Result<(), DataError> {
        if n_lines == 0 { Err(DataError::EmptyFile { file: self.path.clone() }) } else { Ok(()) }
    }

    pub(crate) fn next(&mut self) -> Result<Option<Block>, DataError> {
        let mut bytes = self.spare.pop().unwrap_or_default();
        bytes.clear();
        bytes.reserve(self.rest.len() + BLOCK_BYTES + 1);
        bytes.append(&mut self.rest);
        while !self.is_at_end {
            let read = self.reader.by_ref().take(BLOCK_BYTES as u64).read_to_end(&mut bytes);
            self.is_at_end = read.map_err(|cause| FileError::read(&self.path, cause))? == 0;
            let Some(end) = end_of_rows(&bytes, self.quotes).filter(|_| !self.is_at_end) else {
                self.refuse_endless_line(&bytes)?;
                continue;
            };
            self.rest.extend_from_slice(&bytes[end..]);
            bytes.truncate(end);
            break;
        }
        if bytes.is_empty() {
            return Ok(None);
        }
        let first_line = self.next_line;
        self.next_line += memchr_iter(b'\n', &bytes).count() as u64;
        if first_line == 1 && bytes.starts_with(b"\xef\xbb\xbf") {
            // The byte-order mark that some editors put before the first line.
            bytes.drain(..3);
        }
        Ok(Some(Block { bytes, first_line }))
    }

    fn refuse_endless_line(&self, bytes: &[u8]) -> Result<(), DataError> {
        if bytes.len() <= MAX_LINE_BYTES || self.is_at_end {
            return Ok(());
        }
        let at = At { file: &self.path, line: self.next_line };
        Err(at.bad_field("row", bytes, "one that ends within 256 MiB"))
    }
}

/// Where the last whole row ends.
fn end_of_rows(bytes: &[u8], quotes: Quotes) -> Option<usize> {
    if quotes == Quotes::Plain || memchr(b'"', bytes).is_none() {
        return memrchr(b'\n', bytes).map(|at| at + 1);
    }
    let mut end = 0;
    while let Extent::Whole { len, .. } = first_row(&bytes[end..], quotes) {
        end += len;
    }
    (end > 0).then_some(end)
}

impl Block {
    /// About as many lines as there are, if they are as long as the first.
    pub(crate) fn n_lines_estimated(&self) -> usize {
        const SHORTEST: usize = 8;
        let length = memchr(b'\n', &self.bytes).unwrap_or(self.bytes.len());
        self.bytes.len() / length.max(SHORTEST)
    }

    /// Calls `each` on every line that is not blank, without its end, and returns how many there were.
    ///
    /// # Errors
    ///
    /// What `each` returns first.
    pub(crate) fn for_each_line<'b>(
        &'b self,
        path: &Path,
        quotes: Quotes,
        mut each: impl FnMut(At<'_>, &'b [u8]) -> Result<(), DataError>,
    ) -> Result<u64, DataError> {
        // Most tables have no quote anywhere, and then no line need be searched for one.
        let quotes = if memchr(b'"', &self.bytes).is_none() { Quotes::Plain } else { quotes };
        let (mut rest, mut number, mut n_lines) = (&self.bytes[..], self.first_line, 0);
        while !rest.is_empty() {
            let (line, n_ends) = first_lines(rest, quotes);
            let text = without_end(line);
            if !text.iter().all(u8::is_ascii_whitespace) {
                n_lines += 1;
                each(At { file: path, line: number }, text)?;
            }
            rest = &rest[line.len()..];
            number += n_ends;
        }
        Ok(n_lines)
    }
}

/// The lines of the first row with their ends, and how many these are: more than one within quotes.
fn first_lines(bytes: &[u8], quotes: Quotes) -> (&[u8], u64) {
    let (len, n_lines) = match first_row(bytes, quotes) {
        Extent::Whole { len, n_lines } => (len, n_lines),
        Extent::Cut => (bytes.len(), 1),
        // Nothing follows that could close the quotes.
        Extent::Open => (memchr(b'\n', bytes).map_or(bytes.len(), |end| end + 1), 1),
    };
    (&bytes[..len], n_lines)
}

/// The text of a line, without `\n` or `\r\n`.
fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CSV: Quotes = Quotes::Csv(b',');

    fn file(text: &str) -> TextFile {
        let reader = Box::new(std::io::Cursor::new(text.as_bytes().to_vec()));
        TextFile { path: "a.csv".into(), reader }
    }

    fn lines(text: &str, quotes: Quotes) -> Vec<(u64, String)> {
        let mut blocks = Blocks::of(file(text), quotes);
        let mut found = Vec::new();
        while let Some(block) = blocks.next().unwrap() {
            let keep = |at: At<'_>, line: &[u8]| {
                found.push((at.line, String::from_utf8_lossy(line).into_owned()));
                Ok(())
            };
            block.for_each_line(Path::new("a.csv"), quotes, keep).unwrap();
        }
        found
    }

    fn numbered(lines: &[(u64, &str)]) -> Vec<(u64, String)> {
        lines.iter().map(|&(number, line)| (number, line.to_owned())).collect()
    }

    #[test]
    fn blank_lines_are_counted_and_left_out_and_the_last_needs_no_end() {
        assert_eq!(lines("a\r\n\n b\nc", Quotes::Plain), numbered(&[(1, "a"), (3, " b"), (4, "c")]));
        assert_eq!(lines("", Quotes::Plain), []);
    }

    #[test]
    fn a_byte_order_mark_is_no_text() {
        assert_eq!(lines("\u{feff}a\nb", Quotes::Plain), numbered(&[(1, "a"), (2, "b")]));
    }

    #[test]
    fn a_line_end_in_quotes_is_text_where_quotes_count() {
        let text = "1,\"two\nlines\"\n2,x\n";
        assert_eq!(lines(text, CSV), numbered(&[(1, "1,\"two\nlines\""), (3, "2,x")]));
        assert_eq!(lines(text, Quotes::Plain).len(), 3);
    }

    #[test]
    fn a_quote_that_is_never_closed_is_its_line_alone_and_is_read_in_no_time() {
        for n_lines in [500_000, 5_000_000] {
            let text = format!("1,\"two\n{}", "3,4\n".repeat(n_lines));
            let found = lines(&text, CSV);
            assert_eq!(found.len(), n_lines + 1);
            assert_eq!(found[..2], numbered(&[(1, "1,\"two"), (2, "3,4")]));
        }
    }

    #[test]
    fn the_header_is_taken_off_and_the_lines_below_keep_their_numbers() {
        let mut blocks = Blocks::of(file("\nuser,item\n1,2\n"), CSV);
        assert_eq!(blocks.take_line().unwrap(), Some((2, b"user,item".to_vec())));
        let block = blocks.next().unwrap().unwrap();
        assert_eq!((block.first_line, &block.bytes[..]), (3, b"1,2\n".as_slice()));
        assert!(blocks.next().unwrap().is_none());
    }

    #[test]
    fn blocks_are_cut_between_lines_however_long_the_file() {
        let text: String = (0..900_000).map(|line| format!("{line},\"a b\"\n")).collect();
        assert!(text.len() > 2 * BLOCK_BYTES);
        for quotes in [Quotes::Plain, CSV] {
            let found = lines(&text, quotes);
            assert_eq!(found.len(), 900_000);
            assert!(found.iter().all(|(number, line)| *line == format!("{},\"a b\"", number - 1)));
        }
    }

    #[test]
    fn a_line_with_a_quote_out_of_place_is_a_line_wherever_blocks_end() {
        let row = |line: usize| match line % 1000 {
            0 => format!("{line},7\" single"),
            1 => format!("{line},\"two\nlines\""),
            _ => format!("{line},x"),
        };
        let text: String = (0..1_000_000).map(|line| row(line) + "\n").collect();
        assert!(text.len() > 2 * BLOCK_BYTES);
        let found = lines(&text, CSV);
        assert_eq!(found.len(), 1_000_000);
        assert!(found.iter().enumerate().all(|(line, (_, text))| *text == row(line)));
        // A thousand rows have two lines.
        assert_eq!(found.last().unwrap().0, 1_001_000);
    }
}

//! The tokens of a JSON text, one after another from a stream.

use std::io::{BufRead, Read};
use std::path::PathBuf;

use crate::error::{DataError, Place};
use crate::files::{FileError, TextFile};
use crate::vectors::error::VectorsError;

/// No vector has so much text; a list that does not end is not read on and on.
const MAX_LIST_BYTES: u64 = 1 << 26;
/// No id or key has so much text.
const MAX_STRING_BYTES: usize = 1 << 16;

pub(super) struct Scanner {
    path: PathBuf,
    reader: Box<dyn BufRead>,
    line: u64,
}

impl Scanner {
    pub(super) fn new(file: TextFile) -> Self {
        Self { path: file.path, reader: file.reader, line: 1 }
    }

    /// Passes over the byte-order mark that some editors put before the text.
    pub(super) fn skip_mark(&mut self) -> Result<(), DataError> {
        for mark in b"\xef\xbb\xbf" {
            if self.byte()? == Some(*mark) {
                self.reader.consume(1);
            }
        }
        Ok(())
    }

    /// The line of the next token, from 1.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// The first byte of the next token; `None` at the end of the file.
    pub(super) fn peek(&mut self) -> Result<Option<u8>, DataError> {
        loop {
            let Some(byte) = self.byte()? else { return Ok(None) };
            match byte {
                b'\n' => self.line += 1,
                b' ' | b'\t' | b'\r' => {}
                _ => return Ok(Some(byte)),
            }
            self.reader.consume(1);
        }
    }

    /// The next byte, not yet consumed.
    fn byte(&mut self) -> Result<Option<u8>, DataError> {
        let buffer = self.reader.fill_buf().map_err(|cause| FileError::read(&self.path, cause))?;
        Ok(buffer.first().copied())
    }

    /// Consumes the token `wanted` where it is the next.
    pub(super) fn take_if(&mut self, wanted: u8) -> Result<bool, DataError> {
        let is_next = self.peek()? == Some(wanted);
        if is_next {
            self.reader.consume(1);
        }
        Ok(is_next)
    }

    pub(super) fn expect(&mut self, wanted: u8, expected: &'static str) -> Result<(), DataError> {
        if self.take_if(wanted)? { Ok(()) } else { Err(self.unexpected(expected)) }
    }

    /// Refuses some tokens as the next.
    pub(super) fn refuse(&mut self, unwanted: &[u8], expected: &'static str) -> Result<(), DataError> {
        match self.peek()? {
            Some(byte) if unwanted.contains(&byte) => Err(self.unexpected(expected)),
            _ => Ok(()),
        }
    }

    /// Whether a comma is next; else `end` must be.
    pub(super) fn another(&mut self, end: u8, expected: &'static str) -> Result<bool, DataError> {
        if self.take_if(b',')? {
            return Ok(true);
        }
        self.expect(end, expected).map(|()| false)
    }

    pub(super) fn expect_end(&mut self) -> Result<(), DataError> {
        match self.peek()? {
            None => Ok(()),
            Some(_) => Err(self.unexpected("the end of the file")),
        }
    }

    /// A text in quotes.
    pub(super) fn string(&mut self, expected: &'static str) -> Result<String, DataError> {
        let mut raw = Vec::new();
        if self.peek()? != Some(b'"') {
            return Err(self.unexpected(expected));
        }
        self.quoted(|byte| {
            if raw.len() < MAX_STRING_BYTES {
                raw.push(byte);
            }
        })?;
        let shown = || String::from_utf8_lossy(&raw).chars().take(40).collect();
        serde_json::from_slice(&raw).map_err(|_| self.fault_at(self.line, shown(), "a text in quotes"))
    }

    /// Passes on the bytes of a string, its quotes included.
    fn quoted(&mut self, mut each: impl FnMut(u8)) -> Result<(), DataError> {
        let mut is_open = false;
        let mut is_escaped = false;
        while let Some(byte) = self.byte()? {
            self.reader.consume(1);
            each(byte);
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = true,
                b'"' if is_open => return Ok(()),
                b'"' => is_open = true,
                b'\n' => self.line += 1,
                _ => {}
            }
        }
        Err(self.unexpected("the end of a text in quotes"))
    }

    /// An id, in quotes or as a number.
    pub(super) fn id(&mut self) -> Result<String, DataError> {
        const EXPECTED: &str = "an id, in quotes or a number,";
        match self.peek()? {
            Some(b'"') => self.string(EXPECTED),
            Some(b'0'..=b'9' | b'-') => self.bare(),
            _ => Err(self.unexpected(EXPECTED)),
        }
    }

    /// The text up to a comma, bracket or space.
    fn bare(&mut self) -> Result<String, DataError> {
        let mut text = String::new();
        while let Some(byte) = self.byte()? {
            if matches!(byte, b',' | b'}' | b']')
                || byte.is_ascii_whitespace()
                || text.len() > MAX_STRING_BYTES
            {
                break;
            }
            text.push(char::from(byte));
            self.reader.consume(1);
        }
        Ok(text)
    }

    /// Appends the text of a list whose bracket was consumed, up to the closing one.
    pub(super) fn list(&mut self, text: &mut Vec<u8>) -> Result<(), DataError> {
        let start = text.len();
        let mut limited = self.reader.by_ref().take(MAX_LIST_BYTES);
        limited.read_until(b']', text).map_err(|cause| FileError::read(&self.path, cause))?;
        if text.pop_if(|last| *last == b']').is_none() {
            return Err(self.unexpected("the end of a list of numbers"));
        }
        self.line += memchr::memchr_iter(b'\n', &text[start..]).count() as u64;
        Ok(())
    }

    /// Passes over a value of any kind.
    pub(super) fn skip_value(&mut self) -> Result<(), DataError> {
        let mut depth = 0u32;
        loop {
            match self.peek()? {
                Some(b'"') => self.quoted(|_| ())?,
                Some(b'{' | b'[') => {
                    self.reader.consume(1);
                    depth += 1;
                }
                Some(b'}' | b']') if depth > 0 => {
                    self.reader.consume(1);
                    depth -= 1;
                }
                Some(b',' | b':') if depth > 0 => {
                    self.reader.consume(1);
                    continue;
                }
                Some(b',' | b':' | b'}' | b']') | None => return Err(self.unexpected("a value")),
                // A byte at which no text begins, such as a form feed, would never be passed.
                Some(_) if self.bare()?.is_empty() => return Err(self.unexpected("a value")),
                Some(_) => {}
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }

    /// The error of finding something else than `expected` at the next byte.
    fn unexpected(&mut self, expected: &'static str) -> DataError {
        let found = match self.byte() {
            Ok(Some(byte)) => format!("\"{}\"", byte.escape_ascii()),
            Ok(None) => "the end of the file".to_owned(),
            Err(error) => return error,
        };
        self.fault_at(self.line, found, expected)
    }

    pub(super) fn fault_at(&self, line: u64, found: String, expected: &'static str) -> DataError {
        let place = Place::Line { file: self.path.clone(), line };
        VectorsError::Json { place, found, expected }.into()
    }
}

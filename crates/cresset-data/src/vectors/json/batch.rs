//! Lists as text, collected until there are enough for all cores to turn into numbers.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::numbers::{NumberFault, parse_numbers};
use crate::error::DataError;
use crate::vectors::error::{Position, VectorPlace, VectorsError};
use crate::vectors::raw::plain_len;

/// Text that is held at most, and a list more.
const FULL_BYTES: usize = 16 << 20;

pub(super) struct Batch {
    file: PathBuf,
    /// The lists not yet parsed, without brackets, one after another.
    pub(super) text: Vec<u8>,
    /// End of each list in the text, and the line it began on.
    rows: Vec<(usize, u64)>,
    /// Of all rows, parsed or not.
    pub(super) ids: Vec<String>,
    pub(super) dim: Option<usize>,
    pub(super) values: Vec<f32>,
}

impl Batch {
    pub(super) fn new(file: &Path) -> Self {
        Self {
            file: file.to_owned(),
            text: Vec::new(),
            rows: Vec::new(),
            ids: Vec::new(),
            dim: None,
            values: Vec::new(),
        }
    }

    /// Ends the row whose text was appended last.
    pub(super) fn end_row(&mut self, id: String, line: u64) -> Result<(), DataError> {
        self.ids.push(id);
        self.rows.push((self.text.len(), line));
        if self.text.len() < FULL_BYTES { Ok(()) } else { self.flush() }
    }

    /// Turns the text into numbers.
    pub(super) fn flush(&mut self) -> Result<(), DataError> {
        let Some(&(first_end, _)) = self.rows.first() else { return Ok(()) };
        let dim = self.dim.unwrap_or_else(|| width_of(&self.text[..first_end]));
        self.dim = Some(dim);
        // Widths first: only then is it known how much room the numbers need.
        self.refuse_widths(dim)?;
        if self.values.is_empty() {
            self.make_room(dim);
        }
        let start = self.values.len();
        self.values.resize(start + self.rows.len() * dim, 0.0);
        let (text, rows) = (&self.text, &self.rows);
        let out = self.values[start..].par_chunks_mut(dim).enumerate();
        let fault = out.find_map_first(|(row, out)| Some((row, fill(text_of(text, rows, row), out).err()?)));
        if let Some((row, fault)) = fault {
            return Err(fault.of(self.place(row)).into());
        }
        self.text.clear();
        self.rows.clear();
        Ok(())
    }

    fn refuse_widths(&self, dim: usize) -> Result<(), VectorsError> {
        let widths = (0..self.rows.len()).into_par_iter();
        let widths = widths.map(|row| (row, width_of(text_of(&self.text, &self.rows, row))));
        match widths.find_first(|&(_, width)| width != dim || width == 0) {
            Some((row, 0)) => Err(VectorsError::Empty { place: self.place(row) }),
            Some((row, found)) => Err(VectorsError::Width { place: self.place(row), found, expected: dim }),
            None => Ok(()),
        }
    }

    /// Makes room for as many rows as the file seems to have: growing would hold the values twice for a moment.
    fn make_room(&mut self, dim: usize) {
        let n_bytes = usize::try_from(plain_len(&self.file)).unwrap_or_default();
        let n_rows = n_bytes / (self.text.len() / self.rows.len()).max(1);
        // A number and its comma are two bytes at least.
        self.values.reserve_exact(n_rows.saturating_mul(dim).min(n_bytes / 2));
    }

    /// The place of a row that is not yet parsed.
    fn place(&self, row: usize) -> VectorPlace {
        let first_row = self.ids.len() - self.rows.len();
        VectorPlace::new(&self.file, Position::Line(self.rows[row].1), &self.ids[first_row + row])
    }
}

fn text_of<'t>(text: &'t [u8], rows: &[(usize, u64)], row: usize) -> &'t [u8] {
    let start = if row == 0 { 0 } else { rows[row - 1].0 };
    &text[start..rows[row].0]
}

/// The number of fields between commas.
fn width_of(text: &[u8]) -> usize {
    if text.trim_ascii().is_empty() { 0 } else { 1 + memchr::memchr_iter(b',', text).count() }
}

/// Parses a list into a row of the matrix that has its width.
fn fill(text: &[u8], row: &mut [f32]) -> Result<(), NumberFault> {
    let mut slots = row.iter_mut();
    parse_numbers(text, |value| {
        if let Some(slot) = slots.next() {
            *slot = value;
        }
    })
}

//! Lines cut into a fixed number of named fields.

use crate::error::DataError;
use crate::files::TextFile;
use crate::graph::config::Separator;
use crate::graph::error::{GraphError, GraphFault};
use crate::graph::skipped::Refusals;
use crate::text::{At, Dialect, Row, beginning, for_each_line};

/// How a file's lines are laid out.
#[derive(Clone, Copy)]
pub(super) struct Layout<const N: usize> {
    /// Between the fields; `None` to find it in the first line.
    pub(super) separator: Option<Separator>,
    /// Whether the first line names the columns.
    pub(super) header: Header<N>,
}

/// What the first line is.
#[derive(Clone, Copy)]
pub(super) enum Header<const N: usize> {
    /// A record, and every record has exactly the wanted fields.
    Absent,
    /// Any names, and every record has exactly the wanted fields.
    Ignored,
    /// Names, which are ignored if there are some: each wanted column has one of the names that are listed for it.
    Guessed([&'static [&'static str]; N]),
    /// Names of columns in any order, a type behind a colon aside; further columns are ignored.
    Named([&'static str; N]),
}

/// Calls `each` with the number and the wanted fields of every record, and refuses records that are none.
///
/// # Errors
///
/// A bad row under `on_bad_row: error`, a failed read, [`DataError::EmptyFile`] without a record,
/// [`GraphError::NothingUsable`] when all were refused.
pub(super) fn for_each_record<const N: usize>(
    file: TextFile,
    columns: [&'static str; N],
    layout: Layout<N>,
    refusals: &mut Refusals,
    mut each: impl FnMut(u64, [&str; N]) -> Result<(), GraphFault>,
) -> Result<(), DataError> {
    let path = file.path.clone();
    let mut cutter: Option<Cutter<N>> = None;
    let (mut n_records, mut n_refused) = (0u64, 0u64);
    for_each_line(file, |at, line| {
        let cutter = match &mut cutter {
            Some(cutter) => cutter,
            None => {
                let (first, is_header) = Cutter::from_first_line(at, line, layout)?;
                let cutter = cutter.insert(first);
                if is_header {
                    return Ok(());
                }
                cutter
            }
        };
        n_records += 1;
        let record = cutter.cut(at, line).and_then(|record| full(columns, record));
        record.and_then(|record| each(at.line, record)).or_else(|fault| {
            n_refused += 1;
            refusals.refuse(at.file, at.line, fault)
        })
    })?;
    match n_records {
        0 => Err(DataError::EmptyFile { file: path }),
        _ if n_records == n_refused => {
            Err(GraphError::NothingUsable { file: path, skipped: refusals.skipped }.into())
        }
        _ => Ok(()),
    }
}

/// A record none of whose fields is empty.
fn full<'r, const N: usize>(
    columns: [&'static str; N],
    record: [&'r str; N],
) -> Result<[&'r str; N], GraphFault> {
    match record.iter().position(|field| field.is_empty()) {
        Some(field) => Err(GraphFault::Empty { column: columns[field] }),
        None => Ok(record),
    }
}

/// Cuts lines into fields and picks the wanted ones.
struct Cutter<const N: usize> {
    separator: Separator,
    /// Place of each wanted field.
    places: [usize; N],
    n_fields: usize,
    quoted: Row,
}

impl<const N: usize> Cutter<N> {
    /// What the first line tells, and whether it is a header.
    fn from_first_line(at: At<'_>, line: &[u8], layout: Layout<N>) -> Result<(Self, bool), DataError> {
        let separator = match layout.separator {
            Some(separator) => separator,
            None => separator_of::<N>(line)
                .ok_or_else(|| GraphError::NoSeparator { place: at.place(), row: beginning(line) })?,
        };
        let in_order = Self {
            separator,
            places: std::array::from_fn(|field| field),
            n_fields: N,
            quoted: Row::default(),
        };
        match layout.header {
            Header::Absent => Ok((in_order, false)),
            Header::Ignored => Ok((in_order, true)),
            Header::Guessed(names) => {
                let mut cutter = in_order;
                let is_header = cutter.cut(at, line).is_ok_and(|fields| are_names(fields, names));
                Ok((cutter, is_header))
            }
            Header::Named(names) => Ok((in_order.with_columns(at, line, names)?, true)),
        }
    }

    fn with_columns(self, at: At<'_>, line: &[u8], names: [&'static str; N]) -> Result<Self, DataError> {
        let header = String::from_utf8_lossy(line);
        let columns: Vec<&str> = match self.separator {
            Separator::Space => header.split_ascii_whitespace().collect(),
            Separator::Tab => header.split('\t').collect(),
            Separator::Comma => header.split(',').collect(),
        };
        let mut places = [0; N];
        for (place, name) in places.iter_mut().zip(names) {
            let found = columns.iter().position(|column| without_type(column).eq_ignore_ascii_case(name));
            *place = found.ok_or_else(|| DataError::MissingColumn {
                file: at.file.to_owned(),
                column: name.to_owned(),
                header: header.clone().into_owned(),
            })?;
        }
        Ok(Self { places, n_fields: columns.len(), ..self })
    }

    fn cut<'l>(&'l mut self, at: At<'_>, line: &'l [u8]) -> Result<[&'l str; N], GraphFault> {
        let text = std::str::from_utf8(line).map_err(|_| GraphFault::NotUtf8 { row: beginning(line) })?;
        match self.separator {
            Separator::Tab => self.pick(text, text.split('\t')),
            Separator::Space => self.pick(text, text.split_ascii_whitespace()),
            Separator::Comma if line.contains(&b'"') => self.pick_quoted(at, text),
            Separator::Comma => self.pick(text, text.split(',')),
        }
    }

    fn pick<'l>(
        &self,
        text: &str,
        fields: impl Iterator<Item = &'l str>,
    ) -> Result<[&'l str; N], GraphFault> {
        let mut record = [""; N];
        let mut found = 0;
        for field in fields {
            for (slot, &place) in record.iter_mut().zip(&self.places) {
                if place == found {
                    *slot = field.trim_ascii();
                }
            }
            found += 1;
        }
        if found == self.n_fields { Ok(record) } else { Err(self.miscounted(text, found)) }
    }

    fn pick_quoted<'l>(&'l mut self, at: At<'_>, text: &str) -> Result<[&'l str; N], GraphFault> {
        if self.quoted.split_whole(at, text.as_bytes(), Dialect::CSV, 0).is_err() {
            return Err(GraphFault::BadQuote { row: beginning(text.as_bytes()) });
        }
        let row = &self.quoted;
        // Text cut at commas and quotes stays UTF-8.
        self.pick(text, (0..row.len()).map(|field| std::str::from_utf8(&row[field]).unwrap_or_default()))
    }

    fn miscounted(&self, text: &str, found: usize) -> GraphFault {
        let separator = match self.separator {
            Separator::Tab => "a tab",
            Separator::Comma => "a comma",
            Separator::Space => "spaces",
        };
        GraphFault::FieldCount { found, expected: self.n_fields, separator, row: beginning(text.as_bytes()) }
    }
}

/// The first separator that cuts a line into `N` fields.
fn separator_of<const N: usize>(line: &[u8]) -> Option<Separator> {
    let count = |separator: u8| line.split(|&byte| byte == separator).count();
    let words = || line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).count();
    match () {
        () if count(b'\t') == N => Some(Separator::Tab),
        () if count(b',') == N || (line.contains(&b'"') && count(b',') > N) => Some(Separator::Comma),
        () if words() == N => Some(Separator::Space),
        () => None,
    }
}

fn are_names<const N: usize>(fields: [&str; N], names: [&[&str]; N]) -> bool {
    fields
        .iter()
        .zip(names)
        .all(|(field, names)| names.iter().any(|name| without_type(field).eq_ignore_ascii_case(name)))
}

/// The name of a column `name:type`.
fn without_type(column: &str) -> &str {
    column.split(':').next().unwrap_or_default().trim_ascii()
}

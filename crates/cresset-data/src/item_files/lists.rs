//! The lists of items and users that belong to a source.

use super::report::ItemFileReport;
use crate::config::{DataConfig, OnBadRow};
use crate::error::DataError;
use crate::files::TextFile;
use crate::source::{RawData, Unreadable};
use crate::text::{At, Dialect, Header, Row, for_each_parsed, for_each_parsed_row};

/// Reads a source's own lists; lines that cannot be read are counted where they may be skipped.
pub(crate) struct OwnLists {
    on_bad_row: OnBadRow,
    reports: Vec<ItemFileReport>,
}

impl OwnLists {
    pub(crate) fn new(config: &DataConfig) -> Self {
        Self { on_bad_row: config.on_bad_row, reports: Vec::new() }
    }

    /// What `parse` makes of each line that is not blank, in order.
    ///
    /// # Errors
    ///
    /// As [`for_each_parsed`].
    pub(crate) fn lines<T: Send>(
        &mut self,
        file: TextFile,
        parse: impl Fn(At<'_>, &[u8]) -> Result<T, DataError> + Sync,
    ) -> Result<Vec<T>, DataError> {
        let (mut found, report) = (Vec::new(), report_of(&file));
        let unreadable = for_each_parsed(file, self.on_bad_row, parse, |entry| found.push(entry))?;
        self.keep(report, found.len(), unreadable);
        Ok(found)
    }

    /// What `parse` makes of each row of a table, in order.
    ///
    /// # Errors
    ///
    /// As [`for_each_parsed_row`].
    pub(crate) fn rows<C: Sync, T: Send>(
        &mut self,
        file: TextFile,
        dialect: Dialect,
        columns: impl FnOnce(&Header) -> Result<C, DataError>,
        parse: impl Fn(At<'_>, &C, &Row) -> Result<T, DataError> + Sync,
    ) -> Result<Vec<T>, DataError> {
        let (mut found, report) = (Vec::new(), report_of(&file));
        let each = |entry| found.push(entry);
        let unreadable = for_each_parsed_row(file, dialect, self.on_bad_row, columns, parse, each)?;
        self.keep(report, found.len(), unreadable);
        Ok(found)
    }

    /// A list of which nothing was left out needs no report.
    fn keep(&mut self, mut report: ItemFileReport, n_records: usize, unreadable: Unreadable) {
        if unreadable.n_lines > 0 {
            report.n_records = n_records as u64;
            report.add_unreadable(unreadable);
            self.reports.push(report);
        }
    }

    /// Adds what was left out to what the source holds.
    pub(crate) fn report_to(self, raw: &mut RawData) {
        raw.item_files.extend(self.reports);
    }
}

fn report_of(file: &TextFile) -> ItemFileReport {
    ItemFileReport::new(&file.path.file_name().unwrap_or_default().to_string_lossy())
}

//! Rows of a graph's files that were left out, counted by reason.

use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::{GraphError, GraphFault};
use crate::config::OnBadRow;
use crate::error::DataError;
use crate::text::At;

/// How many rows `on_bad_row: skip` left out of a graph, and why.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SkippedRows {
    /// With another number of fields, a quote out of place or bytes that are no UTF-8; of tags and genome, all that cannot
    /// be read.
    pub malformed: u64,
    /// With an empty field.
    pub empty: u64,
    /// With an entity out of the list.
    pub unknown_entity: u64,
    /// With a relation out of the list.
    pub unknown_relation: u64,
    /// With an item, entity or number that an earlier row has.
    pub repeated: u64,
    /// Links to an entity without a triple.
    pub link_without_facts: u64,
}

impl SkippedRows {
    /// The number of rows left out.
    pub fn total(&self) -> u64 {
        self.malformed
            + self.empty
            + self.unknown_entity
            + self.unknown_relation
            + self.repeated
            + self.link_without_facts
    }

    fn count(&mut self, fault: &GraphFault) {
        *match fault {
            GraphFault::FieldCount { .. } | GraphFault::BadQuote { .. } | GraphFault::NotUtf8 { .. } => {
                &mut self.malformed
            }
            GraphFault::Empty { .. } => &mut self.empty,
            GraphFault::UnknownEntity { .. } => &mut self.unknown_entity,
            GraphFault::UnknownRelation { .. } => &mut self.unknown_relation,
            GraphFault::Repeated { .. } => &mut self.repeated,
            GraphFault::LinkWithoutFacts { .. } => &mut self.link_without_facts,
        } += 1;
    }
}

impl std::ops::AddAssign for SkippedRows {
    fn add_assign(&mut self, other: Self) {
        self.malformed += other.malformed;
        self.empty += other.empty;
        self.unknown_entity += other.unknown_entity;
        self.unknown_relation += other.unknown_relation;
        self.repeated += other.repeated;
        self.link_without_facts += other.link_without_facts;
    }
}

impl fmt::Display for SkippedRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} rows left out: {} malformed, {} with an empty field, {} of an unknown entity, {} of an unknown \
             relation, {} repeated, {} linked to an entity without facts",
            self.total(),
            self.malformed,
            self.empty,
            self.unknown_entity,
            self.unknown_relation,
            self.repeated,
            self.link_without_facts
        )
    }
}

/// What is done with bad rows, and how many there were.
#[derive(Debug)]
pub(super) struct Refusals {
    on_bad_row: OnBadRow,
    pub(super) skipped: SkippedRows,
}

impl Refusals {
    pub(super) fn new(on_bad_row: OnBadRow) -> Self {
        Self { on_bad_row, skipped: SkippedRows::default() }
    }

    /// Counts a bad row, or ends the reading with it.
    pub(super) fn refuse(&mut self, file: &Path, line: u64, fault: GraphFault) -> Result<(), DataError> {
        if self.on_bad_row == OnBadRow::Error {
            return Err(GraphError::BadRow { place: At { file, line }.place(), fault }.into());
        }
        self.skipped.count(&fault);
        Ok(())
    }
}

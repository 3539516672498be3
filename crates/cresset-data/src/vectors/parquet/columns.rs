//! Which columns hold the ids and the vectors, and what they hold.

use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::Float32Type;
use arrow_array::{Array, ArrayRef, Float32Array, RecordBatch};
use arrow_cast::cast;
use arrow_schema::{ArrowError, DataType, Schema};

use crate::vectors::config::VectorsConfig;
use crate::vectors::error::{Position, VectorPlace, VectorsError};

/// Root columns of a file, by their number in its schema.
pub(super) struct Columns {
    pub(super) id: Option<usize>,
    values: Values,
}

enum Values {
    /// One column of lists.
    List(usize),
    /// One column a dimension.
    Each(Vec<usize>),
}

/// What is wrong with a row of a batch.
#[derive(Debug)]
pub(super) struct RowFault {
    row: usize,
    id: String,
    kind: FaultKind,
}

#[derive(Debug)]
enum FaultKind {
    NoId,
    Empty,
    Width { found: usize, expected: usize },
    Number { dimension: usize, value: &'static str },
    Other(String),
}

impl RowFault {
    /// The error, for a batch that begins at row `start` of a row group.
    pub(super) fn at(self, file: &Path, group: usize, start: usize) -> VectorsError {
        let row = start + self.row;
        let place = VectorPlace::new(file, Position::RowGroup { group, row }, &self.id);
        match self.kind {
            FaultKind::NoId => VectorsError::NoId { file: file.to_owned(), row },
            FaultKind::Empty => VectorsError::Empty { place },
            FaultKind::Width { found, expected } => VectorsError::Width { place, found, expected },
            FaultKind::Number { dimension, value } => {
                VectorsError::BadNumber { place, dimension, value: value.to_owned() }
            }
            FaultKind::Other(fault) => {
                let fault = format!("row {row} of row group {group}: {fault}");
                VectorsError::NotOfFormat { file: file.to_owned(), format: "Parquet", fault }
            }
        }
    }
}

impl Columns {
    /// The columns by the names asked for or usual, or by their types where only one fits.
    pub(super) fn find(file: &Path, schema: &Schema, config: &VectorsConfig) -> Result<Self, VectorsError> {
        let columns = || schema.fields().iter().enumerate();
        let missing = |expected, key| {
            let names: Vec<String> =
                columns().map(|(_, field)| format!("{} ({})", field.name(), field.data_type())).collect();
            let found = format!("the columns {}", names.join(", "));
            VectorsError::NoColumn { file: file.to_owned(), found, expected, key }
        };
        let id = columns().position(|(_, field)| config.is_id(field.name()) && is_id(field.data_type()));
        if id.is_none() && config.id_column.is_some() {
            return Err(missing("a column of ids, text or whole numbers", "id_column"));
        }
        let lists: Vec<usize> =
            columns().filter(|(_, field)| is_list(field.data_type())).map(|(column, _)| column).collect();
        let named = lists.iter().find(|&&column| config.is_vector(schema.field(column).name()));
        if let Some(&list) = named {
            return Ok(Self { id: id.or_else(|| only_other(schema, list)), values: Values::List(list) });
        }
        if config.vector_column.is_some() || lists.len() > 1 {
            return Err(missing("one column of lists of numbers", "vector_column"));
        }
        if let [list] = lists[..] {
            return Ok(Self { id: id.or_else(|| only_other(schema, list)), values: Values::List(list) });
        }
        let each: Vec<usize> = columns()
            .filter(|&(column, field)| Some(column) != id && field.data_type().is_floating())
            .map(|(column, _)| column)
            .collect();
        if each.is_empty() {
            return Err(missing(
                "a column of lists, or one column of floating-point numbers a dimension",
                "vector_column",
            ));
        }
        Ok(Self { id, values: Values::Each(each) })
    }

    /// The numbers of all columns that are read.
    pub(super) fn all(&self) -> Vec<usize> {
        let mut all: Vec<usize> = self.id.into_iter().collect();
        match &self.values {
            Values::List(list) => all.push(*list),
            Values::Each(each) => all.extend(each),
        }
        all
    }

    /// The place of a column within a batch, whose columns are those read in the order of the schema.
    fn in_batch<'b>(&self, batch: &'b RecordBatch, column: usize) -> &'b ArrayRef {
        batch.column(self.all().iter().filter(|&&other| other < column).count())
    }

    /// The width of a batch's first vector; 0 where it is missing.
    pub(super) fn width_of_first(&self, batch: &RecordBatch) -> usize {
        match &self.values {
            Values::Each(each) => each.len(),
            Values::List(list) if batch.num_rows() > 0 => width(self.in_batch(batch, *list), 0),
            Values::List(_) => 0,
        }
    }

    /// The ids of a batch; none where there is no such column.
    pub(super) fn ids(&self, batch: &RecordBatch) -> Result<Vec<String>, RowFault> {
        let Some(column) = self.id else { return Ok(Vec::new()) };
        let texts = cast(self.in_batch(batch, column), &DataType::Utf8).map_err(|cause| other(&cause))?;
        let texts = texts.as_string::<i32>();
        let id = |row: usize| match texts.is_valid(row) {
            true => Ok(texts.value(row).to_owned()),
            false => Err(RowFault { row, id: String::new(), kind: FaultKind::NoId }),
        };
        (0..texts.len()).map(id).collect()
    }

    /// Copies the vectors of a batch to `out`, one after another.
    pub(super) fn values(&self, batch: &RecordBatch, dim: usize, out: &mut [f32]) -> Result<(), RowFault> {
        let copied = match &self.values {
            Values::List(list) => copy_lists(self.in_batch(batch, *list), dim, out),
            Values::Each(each) if each.len() != dim => {
                Err(fault(0, FaultKind::Width { found: each.len(), expected: dim }))
            }
            Values::Each(each) => each
                .iter()
                .enumerate()
                .try_for_each(|(at, &column)| copy_column(self.in_batch(batch, column), at, dim, out)),
        };
        copied.map_err(|fault| {
            let id = self.ids(batch).ok().and_then(|ids| ids.get(fault.row).cloned());
            RowFault { id: id.unwrap_or_default(), ..fault }
        })
    }
}

fn is_id(kind: &DataType) -> bool {
    match kind {
        DataType::Dictionary(_, values) => is_id(values),
        other => other.is_integer() || other.is_string(),
    }
}

fn is_list(kind: &DataType) -> bool {
    use DataType::{FixedSizeList, LargeList, List};
    matches!(kind, List(item) | LargeList(item) | FixedSizeList(item, _) if item.data_type().is_numeric())
}

/// The only column beside the list, if it can be ids.
fn only_other(schema: &Schema, list: usize) -> Option<usize> {
    let other = 1 - list.min(1);
    (schema.fields().len() == 2 && is_id(schema.field(other).data_type())).then_some(other)
}

fn fault(row: usize, kind: FaultKind) -> RowFault {
    RowFault { row, id: String::new(), kind }
}

fn other(cause: &ArrowError) -> RowFault {
    fault(0, FaultKind::Other(cause.to_string()))
}

/// The width of one list of a column; 0 for a missing one.
fn width(lists: &ArrayRef, row: usize) -> usize {
    if lists.is_null(row) {
        return 0;
    }
    match lists.data_type() {
        DataType::FixedSizeList(_, width) => usize::try_from(*width).unwrap_or_default(),
        DataType::LargeList(_) => lists.as_list::<i64>().value_length(row) as usize,
        _ => lists.as_list::<i32>().value_length(row) as usize,
    }
}

fn copy_lists(lists: &ArrayRef, dim: usize, out: &mut [f32]) -> Result<(), RowFault> {
    let odd = (0..lists.len()).find(|&row| width(lists, row) != dim);
    if let Some(row) = odd {
        let found = width(lists, row);
        let kind = if found == 0 { FaultKind::Empty } else { FaultKind::Width { found, expected: dim } };
        return Err(fault(row, kind));
    }
    if lists.is_empty() {
        return Ok(());
    }
    // Every list is there and of the same width, so that the values of the rows are one piece.
    let (values, start) = match lists.data_type() {
        DataType::FixedSizeList(..) => {
            let lists = lists.as_fixed_size_list();
            (lists.values(), lists.value_offset_at(0))
        }
        DataType::LargeList(_) => {
            let lists = lists.as_list::<i64>();
            (lists.values(), lists.value_offsets()[0] as usize)
        }
        _ => {
            let lists = lists.as_list::<i32>();
            (lists.values(), lists.value_offsets()[0] as usize)
        }
    };
    let values = floats(&values.slice(start, lists.len() * dim))?;
    if let Some(at) = first_null(&values) {
        return Err(fault(at / dim, FaultKind::Number { dimension: at % dim, value: "null" }));
    }
    out.copy_from_slice(values.values());
    Ok(())
}

/// Copies a column to dimension `at` of each row.
fn copy_column(column: &ArrayRef, at: usize, dim: usize, out: &mut [f32]) -> Result<(), RowFault> {
    let values = floats(column)?;
    if let Some(row) = first_null(&values) {
        return Err(fault(row, FaultKind::Number { dimension: at, value: "null" }));
    }
    for (row, &value) in out.chunks_exact_mut(dim).zip(values.values()) {
        row[at] = value;
    }
    Ok(())
}

/// Any kind of number as `f32`.
fn floats(array: &ArrayRef) -> Result<Float32Array, RowFault> {
    if let Some(floats) = array.as_primitive_opt::<Float32Type>() {
        return Ok(floats.clone());
    }
    Ok(cast(array, &DataType::Float32).map_err(|cause| other(&cause))?.as_primitive().clone())
}

fn first_null(values: &Float32Array) -> Option<usize> {
    if values.null_count() == 0 { None } else { (0..values.len()).find(|&at| values.is_null(at)) }
}

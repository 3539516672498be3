//! Which columns hold the ids and the vectors, and what they hold.

use std::path::Path;

use arrow_array::types::Float32Type;
use arrow_array::{Array, PrimitiveArray};
use arrow_schema::{DataType, Schema};

use crate::arrow::column::Column;
use crate::error::DataError;
use crate::parquet_io::PartBatch;
use crate::vectors::config::VectorsConfig;
use crate::vectors::error::{VectorPlace, VectorsError};

/// Root columns of a file, by their number in its schema.
pub(super) struct Columns {
    id: Option<usize>,
    values: Values,
}

enum Values {
    /// One column of lists.
    List(usize),
    /// One column a dimension.
    Each(Vec<usize>),
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

    /// The numbers of all columns that are read: the ids, where there are any, then the values.
    pub(super) fn all(&self) -> Vec<usize> {
        let values = match &self.values {
            Values::List(list) => std::slice::from_ref(list),
            Values::Each(each) => each,
        };
        self.id.iter().chain(values).copied().collect()
    }

    /// Whether there is a column of ids.
    pub(super) fn has_ids(&self) -> bool {
        self.id.is_some()
    }

    /// The width of a batch's first vector; 0 where it is missing.
    pub(super) fn width_of_first(&self, part: &PartBatch) -> Result<usize, DataError> {
        match &self.values {
            Values::Each(each) => Ok(each.len()),
            Values::List(_) if part.batch.num_rows() == 0 => Ok(0),
            Values::List(_) => Ok(self.value_column(part, 0).lists()?.range(0).len()),
        }
    }

    /// The ids of a batch whose first row has the number `first_row` in its file; none where there is no such column.
    pub(super) fn ids(&self, part: &PartBatch, first_row: usize) -> Result<Vec<String>, DataError> {
        if !self.has_ids() {
            return Ok(Vec::new());
        }
        let file = || part.place.file.as_deref().map(Path::to_owned).unwrap_or_default();
        let no_id = |row: usize| VectorsError::NoId { file: file(), row: first_row + row };
        let texts = column(part, 0).texts()?;
        let id = |(row, id): (usize, Option<&str>)| id.map(str::to_owned).ok_or_else(|| no_id(row));
        Ok(texts.iter().enumerate().map(id).collect::<Result<_, _>>()?)
    }

    /// Copies the vectors of a batch, whose ids are given where it has any, to `out`, one after another.
    pub(super) fn values(
        &self,
        part: &PartBatch,
        ids: &[String],
        dim: usize,
        out: &mut [f32],
    ) -> Result<(), DataError> {
        let place =
            |row: usize| VectorPlace::in_batch(&part.place, row, ids.get(row).map_or("", String::as_str));
        match &self.values {
            Values::List(_) => copy_lists(&self.value_column(part, 0), dim, out, place),
            Values::Each(each) if each.len() != dim => {
                Err(VectorsError::Width { place: place(0), found: each.len(), expected: dim }.into())
            }
            Values::Each(each) => (0..each.len())
                .try_for_each(|at| copy_column(&self.value_column(part, at), at, dim, out, place)),
        }
    }

    /// The column of lists, or that of dimension `at`.
    fn value_column<'p>(&self, part: &'p PartBatch, at: usize) -> Column<'p> {
        column(part, at + usize::from(self.has_ids()))
    }
}

/// A column of a batch, by its place among those read.
fn column(part: &PartBatch, number: usize) -> Column<'_> {
    let name = part.batch.schema_ref().field(number).name();
    Column { array: part.batch.column(number).clone(), name, place: &part.place }
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

fn copy_lists(
    column: &Column<'_>,
    dim: usize,
    out: &mut [f32],
    place: impl Fn(usize) -> VectorPlace,
) -> Result<(), DataError> {
    let lists = column.lists()?;
    let width = |row: usize| lists.range(row).len();
    if let Some(row) = (0..lists.len()).find(|&row| width(row) != dim) {
        let (place, found) = (place(row), width(row));
        let error = match found {
            0 => VectorsError::Empty { place },
            _ => VectorsError::Width { place, found, expected: dim },
        };
        return Err(error.into());
    }
    if lists.len() == 0 {
        return Ok(());
    }
    // Every list is there and of the same width, so that the values of the rows are one piece.
    let array = lists.values.slice(lists.range(0).start, lists.len() * dim);
    let values = Column { array, ..*column }.f32s()?;
    match first_null(&values) {
        None => out.copy_from_slice(values.values()),
        Some(at) => return Err(no_number(place(at / dim), at % dim)),
    }
    Ok(())
}

/// Copies a column to dimension `at` of each row.
fn copy_column(
    column: &Column<'_>,
    at: usize,
    dim: usize,
    out: &mut [f32],
    place: impl Fn(usize) -> VectorPlace,
) -> Result<(), DataError> {
    let values = column.f32s()?;
    if let Some(row) = first_null(&values) {
        return Err(no_number(place(row), at));
    }
    for (row, &value) in out.chunks_exact_mut(dim).zip(values.values()) {
        row[at] = value;
    }
    Ok(())
}

fn no_number(place: VectorPlace, dimension: usize) -> DataError {
    VectorsError::BadNumber { place, dimension, value: "null".to_owned() }.into()
}

fn first_null(values: &PrimitiveArray<Float32Type>) -> Option<usize> {
    if values.null_count() == 0 { None } else { (0..values.len()).find(|&at| values.is_null(at)) }
}

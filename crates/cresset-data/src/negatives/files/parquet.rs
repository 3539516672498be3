//! Candidate sets as Parquet.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::Path;
use std::sync::Arc;

use arrow_array::builder::{ListBuilder, UInt32Builder};
use arrow_array::{Array, RecordBatch, UInt32Array};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};

use super::{PROTOCOL, Parsed, SEED, damaged};
use crate::arrow::ColumnError;
use crate::arrow::column::Column;
use crate::files::FileError;
use crate::negatives::{CandidateSets, NegativesError, Origin};
use crate::parquet_io::{ParquetError, ParquetOptions, ParquetTable, PartBatch, write_parquet_batches};

const USER: &str = "user_id";
const ITEMS: &str = "candidates";
/// Users whose sets are made into a record batch at a time.
const USERS_AT_ONCE: usize = 1 << 16;

pub(super) fn write(file: &Path, sets: &CandidateSets) -> Result<(), FileError> {
    let schema = Arc::new(schema(sets));
    let users: Vec<(u32, &[u32])> = sets.iter().collect();
    let batches = users.chunks(USERS_AT_ONCE).map(|users| {
        to_batch(&schema, users).map_err(|cause| FileError::write(file, io::Error::other(cause)))
    });
    write_parquet_batches(file, &schema, batches, &ParquetOptions::default())
}

pub(super) fn read(file: &Path) -> Result<Parsed, NegativesError> {
    let told = |error: ParquetError| error.told_by(damaged);
    let table = ParquetTable::open(file).map_err(told)?;
    let seed_of = |seed: &String| seed.parse().map_err(|_| damaged(file, format!("its seed is \"{seed}\"")));
    let mut parsed = Parsed {
        protocol: table.metadata().get(PROTOCOL).cloned(),
        seed: table.metadata().get(SEED).map(seed_of).transpose()?,
        sets: BTreeMap::new(),
    };
    for part in table.read(&[USER, ITEMS]).map_err(told)? {
        let (users, lists) = columns_of(&part).map_err(|error| told(error.into()))?;
        for (user, items) in users.into_iter().zip(lists) {
            if parsed.sets.insert(user, items).is_some() {
                return Err(damaged(file, format!("user {user} is there twice")));
            }
        }
    }
    Ok(parsed)
}

fn schema(sets: &CandidateSets) -> Schema {
    let items = Field::new("item", DataType::UInt32, true);
    let fields = vec![
        Field::new(USER, DataType::UInt32, false),
        Field::new(ITEMS, DataType::List(items.into()), false),
    ];
    let origin = sets.origin().map(|Origin { protocol, seed }| {
        [(PROTOCOL.to_owned(), protocol.to_string()), (SEED.to_owned(), seed.to_string())]
    });
    Schema::new(fields).with_metadata(origin.into_iter().flatten().collect::<HashMap<_, _>>())
}

fn to_batch(schema: &SchemaRef, sets: &[(u32, &[u32])]) -> Result<RecordBatch, ArrowError> {
    let users: UInt32Array = sets.iter().map(|set| set.0).collect();
    let mut items = ListBuilder::new(UInt32Builder::new());
    for (_, of_user) in sets {
        items.values().append_slice(of_user);
        items.append(true);
    }
    RecordBatch::try_new(schema.clone(), vec![Arc::new(users), Arc::new(items.finish())])
}

/// The users of a batch and the candidates of each, none of them null.
fn columns_of(part: &PartBatch) -> Result<(Vec<u32>, Vec<Vec<u32>>), ColumnError> {
    let column = |name| Column::of(&part.batch, name, &part.place);
    let (users, candidates) = (column(USER)?, column(ITEMS)?);
    candidates.refuse_nulls()?;
    let lists = candidates.lists()?;
    let nulls = lists.values.logical_nulls();
    let has_null =
        |&row: &usize| nulls.as_ref().is_some_and(|nulls| lists.range(row).any(|at| nulls.is_null(at)));
    if let Some(row) = (0..lists.len()).find(has_null) {
        return Err(candidates.bad_value(row, "a list without nulls"));
    }
    let values = Column { array: lists.values.clone(), ..candidates }.into_u32s()?;
    let of_row = |row: usize| values[lists.range(row)].to_vec();
    Ok((users.into_u32s()?, (0..lists.len()).map(of_row).collect()))
}

//! A processed folder as a source: its rows under external ids, with the parts that it gives.

use std::path::Path;

use super::SPLITS;
use super::error::FolderError;
use super::folder::ProcessedFolder;
use crate::config::{DataConfig, OnBadRow};
use crate::error::DataError;
use crate::interactions::{IdColumn, Interactions};
use crate::source::{RawData, Unreadable};
use crate::vocabulary::Vocabulary;

/// Reads the folder; under [`OnBadRow::Skip`] rows in no part are left out and counted.
pub(crate) fn read_two_tower_folder(folder: &Path, config: &DataConfig) -> Result<RawData, DataError> {
    let read = ProcessedFolder::read(folder)?;
    let rows = read.rows_with_part(folder, config.on_bad_row == OnBadRow::Skip)?;
    let n_left_out = (read.ratings.len() - rows.len()) as u64;
    let first = read.parts.as_ref().and_then(|parts| parts.iter().position(Option::is_none));
    let first = first.map(|row| FolderError::NoPart { file: folder.join(SPLITS), row }.to_string());
    let unreadable = Unreadable { n_lines: n_left_out, first };
    let ratings = read.ratings.select(&rows);
    let parts = read.parts.map(|parts| rows.iter().filter_map(|&row| parts[row as usize]).collect());
    let interactions = Interactions {
        users: named(&ratings.user_id, &read.users),
        items: named(&ratings.item_id, &read.items),
        ratings: ratings.rating,
        times: ratings.time,
        time_kind: ratings.time_kind,
        parts,
    };
    let catalogue = read.catalogue.unwrap_or_default();
    Ok(RawData {
        interactions,
        catalogue,
        rating_range: read.rating_range,
        unreadable,
        sampled_negatives: 0,
        item_files: Vec::new(),
    })
}

/// The external id of each row.
fn named(indices: &[u32], vocabulary: &Vocabulary) -> IdColumn {
    let mut ids = IdColumn::default();
    let mut code_of: Vec<Option<u32>> = vec![None; vocabulary.len()];
    for &index in indices {
        let code = *code_of[index as usize].get_or_insert_with(|| ids.code_for(vocabulary.id_of(index)));
        ids.push_code(code);
    }
    ids
}

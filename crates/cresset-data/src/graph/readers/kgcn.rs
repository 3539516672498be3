//! `kg.txt` and `item_index2entity_id.txt` of KGCN, `RippleNet` and MKR.

use std::path::Path;

use super::ids::{Ids, LinkRows};
use super::records::{Header, Layout, for_each_record};
use super::{LINK, finish, read_triples};
use crate::error::DataError;
use crate::files::TextFile;
use crate::graph::config::{ItemIds, KgcnGraph, Separator};
use crate::graph::skipped::Refusals;
use crate::graph::triples::Triples;
use crate::source::{open_any, open_required};

/// The names of the one file of triples in the three programs' folders.
const TRIPLES: [&str; 2] = ["kg.txt", "kg_rehashed.txt"];
/// The films of `RippleNet` are in two files.
const TRIPLES_IN_PARTS: [[&str; 2]; 2] =
    [["kg_part1.txt", "kg_part1_rehashed.txt"], ["kg_part2.txt", "kg_part2_rehashed.txt"]];
const LINKS: [&str; 2] = ["item_index2entity_id.txt", "item_index2entity_id_rehashed.txt"];

/// Triples and links, tab-separated and without header.
pub(in crate::graph) fn read(
    folder: &Path,
    config: &KgcnGraph,
    mut refusals: Refusals,
) -> Result<Triples, DataError> {
    let links = open_required(folder, &LINKS)?;
    let triples = open_triples(folder)?;
    let path = triples[0].path.clone();
    let mut ids = Ids::default();
    let link_rows = read_links(links, config.item_ids, &mut ids, &mut refusals)?;
    for file in triples {
        read_triples(file, layout(), &mut ids, &mut refusals)?;
    }
    finish(ids, &link_rows, &path, refusals)
}

fn layout<const N: usize>() -> Layout<N> {
    Layout { separator: Some(Separator::Tab), header: Header::Absent }
}

fn open_triples(folder: &Path) -> Result<Vec<TextFile>, DataError> {
    if let Some(first) = open_any(folder, &TRIPLES_IN_PARTS[0])? {
        return Ok(vec![first, open_required(folder, &TRIPLES_IN_PARTS[1])?]);
    }
    Ok(vec![open_required(folder, &TRIPLES)?])
}

/// As the general links, save that the remapped id of an item is the number of its line, from 0.
fn read_links(
    file: TextFile,
    item_ids: ItemIds,
    ids: &mut Ids,
    refusals: &mut Refusals,
) -> Result<LinkRows, DataError> {
    if item_ids == ItemIds::Original {
        return super::read_links(file, layout(), ids, refusals);
    }
    let mut links = LinkRows::new(&file.path);
    for_each_record(file, LINK, layout(), refusals, |line, [_, entity]| {
        ids.link(&(line - 1).to_string(), entity, entity)?;
        links.push(line);
        Ok(())
    })?;
    Ok(links)
}

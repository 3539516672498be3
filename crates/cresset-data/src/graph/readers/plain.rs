//! Lines `head relation tail`, with or without a header.

use std::collections::BTreeMap;
use std::path::Path;

use super::ids::Ids;
use super::records::{Header, Layout, for_each_record};
use super::{TRIPLE, finish, plain_name, read_links, read_triples};
use crate::error::DataError;
use crate::files::TextFile;
use crate::graph::config::PlainTriples;
use crate::graph::entities::ITEM_KIND;
use crate::graph::skipped::Refusals;
use crate::graph::triples::{TripleSink, Triples};
use crate::source::open_required;

/// What headers call the columns of a triple.
const NAMES: [&[&str]; 3] = [
    &["head", "head_id", "h", "subject", "source", "src", "item", "item_id", "itemid", "movieid", "movie_id"],
    &["relation", "relation_id", "rel", "r", "predicate", "property", "edge"],
    &["tail", "tail_id", "t", "object", "target", "dst", "entity", "entity_id", "name", "value"],
];
/// What headers call the columns of a link.
const LINK_NAMES: [&[&str]; 2] =
    [&["item", "item_id", "itemid", "movieid", "movie_id"], &["entity", "entity_id", "entityid"]];

/// Triples whose heads are item ids, or, with links, entities of one name space.
pub(in crate::graph) fn read(
    folder: &Path,
    config: &PlainTriples,
    mut refusals: Refusals,
) -> Result<Triples, DataError> {
    let file = open_required(folder, &[plain_name(&config.file)])?;
    let header = match config.header {
        Some(true) => Header::Ignored,
        Some(false) => Header::Absent,
        None => Header::Guessed(NAMES),
    };
    let layout = Layout { separator: config.separator, header };
    let Some(links) = &config.links else {
        let mut facts = read_item_facts(file, layout, &config.tail_kinds, &mut refusals)?;
        facts.skipped = refusals.skipped;
        return Ok(facts);
    };
    let path = file.path.clone();
    let mut ids = Ids::default();
    let link_layout = Layout { separator: None, header: Header::Guessed(LINK_NAMES) };
    let link_rows =
        read_links(open_required(folder, &[plain_name(links)])?, link_layout, &mut ids, &mut refusals)?;
    read_triples(file, layout, &mut ids, &mut refusals)?;
    finish(ids, &link_rows, &path, refusals)
}

/// Triples whose heads are items and whose tails have the kind that their relation says.
fn read_item_facts(
    file: TextFile,
    layout: Layout<3>,
    tail_kinds: &BTreeMap<String, String>,
    refusals: &mut Refusals,
) -> Result<Triples, DataError> {
    let mut sink = TripleSink::default();
    let mut kind_of_relation: Vec<u32> = Vec::new();
    for_each_record(file, TRIPLE, layout, refusals, |_, [head, name, tail]| {
        let relation = sink.relation(name);
        if relation as usize == kind_of_relation.len() {
            let kind = tail_kinds.get(name).map_or(name, String::as_str);
            kind_of_relation.push(sink.entities.kind(kind));
        }
        let head = sink.entity(ITEM_KIND, head);
        let tail = sink.entity(kind_of_relation[relation as usize], tail);
        sink.push(head, relation, tail);
        Ok(())
    })?;
    Ok(sink.finish()?)
}

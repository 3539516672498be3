//! Files of triples and links, by format.

mod ids;
mod kgat;
mod kgcn;
mod plain;
mod recbole;
mod records;
#[cfg(test)]
mod tests;

pub(super) use kgat::read as read_kgat;
pub(super) use kgcn::read as read_kgcn;
pub(super) use plain::read as read_plain;
pub(super) use recbole::read as read_recbole;

use std::path::Path;

use super::skipped::Refusals;
use super::triples::Triples;
use crate::error::DataError;
use crate::files::TextFile;
use ids::{Ids, LinkRows};
use records::{Layout, for_each_record};

/// The columns of a triple, as errors call them.
const TRIPLE: [&str; 3] = ["head", "relation", "tail"];
/// The columns of a link, as errors call them.
const LINK: [&str; 2] = ["item", "entity"];

/// The name under which a compressed file is asked for.
fn plain_name(name: &str) -> &str {
    name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(name)
}

/// Reads a file of triples whose entities and relations `ids` knows or learns.
fn read_triples(
    file: TextFile,
    layout: Layout<3>,
    ids: &mut Ids,
    refusals: &mut Refusals,
) -> Result<(), DataError> {
    for_each_record(file, TRIPLE, layout, refusals, |_, [head, relation, tail]| {
        let head = ids.entity("head", head)?;
        let tail = ids.entity("tail", tail)?;
        let relation = ids.relation(relation)?;
        ids.push(head, relation, tail);
        Ok(())
    })
}

/// Reads a file of links `item entity`, before the triples.
fn read_links(
    file: TextFile,
    layout: Layout<2>,
    ids: &mut Ids,
    refusals: &mut Refusals,
) -> Result<LinkRows, DataError> {
    let mut links = LinkRows::new(&file.path);
    for_each_record(file, LINK, layout, refusals, |line, [item, entity]| {
        ids.link(item, entity, entity)?;
        links.push(line);
        Ok(())
    })?;
    Ok(links)
}

/// The facts of linked triples, once the links were held against them.
fn finish(ids: Ids, links: &LinkRows, triples: &Path, mut refusals: Refusals) -> Result<Triples, DataError> {
    let mut facts = ids.finish()?;
    links.check(&mut facts, triples, &mut refusals)?;
    facts.skipped = refusals.skipped;
    Ok(facts)
}

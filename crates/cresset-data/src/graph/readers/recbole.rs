//! RecBole's atomic files `NAME.kg` and `NAME.link`.

use std::fs;
use std::path::{Path, PathBuf};

use super::ids::Ids;
use super::records::{Header, Layout};
use super::{finish, plain_name, read_links, read_triples};
use crate::error::DataError;
use crate::files::FileError;
use crate::graph::config::{RecboleGraph, Separator};
use crate::graph::error::GraphError;
use crate::graph::skipped::Refusals;
use crate::graph::triples::Triples;
use crate::source::open_required;

const ENDING: &str = ".kg";

/// Triples from the file `.kg`, items from the file `.link`; columns are found by the names in the headers.
pub(in crate::graph) fn read(
    folder: &Path,
    config: &RecboleGraph,
    mut refusals: Refusals,
) -> Result<Triples, DataError> {
    let name = match &config.file {
        Some(name) => plain_name(name).to_owned(),
        None => only_file(folder)?,
    };
    let links_name = match &config.links {
        Some(links) => plain_name(links).to_owned(),
        None => format!("{}.link", name.strip_suffix(ENDING).unwrap_or(&name)),
    };
    let links = open_required(folder, &[&links_name])?;
    let triples = open_required(folder, &[&name])?;
    let path = triples.path.clone();
    let mut ids = Ids::default();
    let link_rows = read_links(links, named(["item_id", "entity_id"]), &mut ids, &mut refusals)?;
    let columns = named(["head_id", "relation_id", "tail_id"]);
    read_triples(triples, columns, &mut ids, &mut refusals)?;
    finish(ids, &link_rows, &path, refusals)
}

fn named<const N: usize>(names: [&'static str; N]) -> Layout<N> {
    Layout { separator: Some(Separator::Tab), header: Header::Named(names) }
}

/// The folder's only file of triples.
fn only_file(folder: &Path) -> Result<String, DataError> {
    let missing = || DataError::Missing { folder: folder.to_owned(), looked_for: format!("NAME{ENDING}") };
    let Ok(entries) = fs::read_dir(folder) else { return Err(missing()) };
    let mut found = Vec::new();
    for entry in entries {
        let name = entry.map_err(|cause| FileError::read(folder, cause))?.file_name();
        found.extend(name.to_str().map(plain_name).filter(|name| name.ends_with(ENDING)).map(str::to_owned));
    }
    found.sort_unstable();
    found.dedup();
    match found.len() {
        0 => Err(missing()),
        1 => Ok(found.remove(0)),
        n => {
            Err(GraphError::AmbiguousFile { folder: PathBuf::from(folder), ending: ENDING, found: n }.into())
        }
    }
}

//! The folder of RippleNet, KGCN and MKR: `ratings_final.txt`, items numbered as the graph's entities.

use std::path::Path;

use super::ids::{Ids, words_of};
use crate::catalogue::{Catalogue, ItemInfo};
use crate::config::DataConfig;
use crate::error::DataError;
use crate::files::open_text;
use crate::item_files::OwnLists;
use crate::source::{RawData, open_required};
use crate::text::{RatingRow, RatingSink};

/// Interactions from `ratings_final.txt`, without times; `item_index2entity_id.txt` gives the items' ids from
/// before.
///
/// A line is a user, an item and a label. Label 1 is an interaction. Label 0 is an item that the preprocessing drew
/// for the user as a negative: no row is made of it, and the
/// [`CleaningReport`](crate::CleaningReport::sampled_negatives) says how many there were. Items have the numbers of
/// their entities; the ids that they had in the rating file become titles and the attribute `org_id`.
///
/// # Errors
///
/// [`DataError`] when `ratings_final.txt` is missing, a file is empty, or a line is not of its format.
///
/// # Source
///
/// Wang et al., WWW 2019, <https://doi.org/10.1145/3308558.3313417>.
pub fn read(folder: &Path, config: &DataConfig) -> Result<RawData, DataError> {
    let mut sink = RatingSink::new(None, config);
    sink.read_lines(open_required(folder, &["ratings_final.txt"])?, |at, line, rows| {
        let [user, item, label] = words_of(at, line, "a user, an item and a label alone")?;
        let user = Ids::From0.check(at, "user id", user)?;
        let item = Ids::From0.check(at, "item id", item)?;
        match label {
            b"1" => rows.push(at, &RatingRow { user, item, ..RatingRow::default() }),
            b"0" => {
                rows.leave_out_negative();
                Ok(())
            }
            _ => Err(at.bad_field("label", label, "1 for an interaction or 0 for a sampled negative")),
        }
    })?;
    let mut lists = OwnLists::new(config);
    let mut raw = sink.finish(Catalogue { items: read_items(folder, &mut lists)?, users: Vec::new() });
    lists.report_to(&mut raw);
    Ok(raw)
}

fn read_items(folder: &Path, lists: &mut OwnLists) -> Result<Vec<ItemInfo>, DataError> {
    let Some(file) = open_text(&folder.join("item_index2entity_id.txt"))? else { return Ok(Vec::new()) };
    lists.lines(file, |at, line| {
        let [title, id] = words_of(at, line, "an item id and an entity id alone")?;
        let id = at.utf8("entity id", Ids::From0.check(at, "entity id", id)?)?.to_owned();
        let title = at.utf8("item id", title)?.to_owned();
        let attributes = vec![("org_id".to_owned(), title.clone())];
        Ok(ItemInfo { id, title, attributes, ..ItemInfo::default() })
    })
}

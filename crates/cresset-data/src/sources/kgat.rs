//! KGAT's folder, also that of LightGCN and their successors: `train.txt`, `test.txt`, users and items numbered
//! from 0.

use std::path::Path;

use super::described::{DescribedColumns, read_items, read_users, titled_by};
use super::ids::{Ids, words};
use crate::catalogue::Catalogue;
use crate::config::DataConfig;
use crate::error::DataError;
use crate::files::{TextFile, open_text};
use crate::item_files::OwnLists;
use crate::source::{RawData, open_required};
use crate::split::Part;
use crate::text::{Dialect, RatingRow, RatingSink, is_tabbed};

/// `org_id remap_id`, and for items perhaps `freebase_id`.
const COLUMNS: DescribedColumns =
    DescribedColumns { id: &["remap_id"], title: &[], genres: &[], ids: Ids::From0 };

/// Interactions from `train.txt`, `valid.txt` if any, and `test.txt`, each row with its part and none with a time.
///
/// A line is a user and the user's items; one without items is no row. Ids are the numbers in these files, items as
/// the graph's first entities. The ids from before (`org_id` of `item_list.txt` and `user_list.txt`) become titles
/// and attributes, `freebase_id` an attribute.
///
/// # Errors
///
/// [`DataError`] when `train.txt` or `test.txt` is missing, a file is empty, or a line is not of its format.
///
/// # Source
///
/// Wang et al., KDD 2019, <https://doi.org/10.1145/3292500.3330989>.
pub fn read(folder: &Path, config: &DataConfig) -> Result<RawData, DataError> {
    let mut sink = RatingSink::new(None, config);
    push_lists(open_required(folder, &["train.txt"])?, Part::Train, &mut sink)?;
    if let Some(valid) = open_text(&folder.join("valid.txt"))? {
        push_lists(valid, Part::Valid, &mut sink)?;
    }
    push_lists(open_required(folder, &["test.txt"])?, Part::Test, &mut sink)?;
    let mut lists = OwnLists::new(config);
    let mut raw = sink.finish(read_catalogue(folder, &mut lists)?);
    lists.report_to(&mut raw);
    Ok(raw)
}

/// Appends the rows of a file of `user item item ...` lines.
fn push_lists(file: TextFile, part: Part, sink: &mut RatingSink) -> Result<(), DataError> {
    sink.read_lines(file, |at, line, rows| {
        let mut words = words(line);
        let user = Ids::From0.check(at, "user id", words.next().unwrap_or_default())?;
        for item in words {
            let item = Ids::From0.check(at, "item id", item)?;
            rows.push(at, &RatingRow { user, item, part: Some(part), ..RatingRow::default() })?;
        }
        Ok(())
    })
}

fn read_catalogue(folder: &Path, lists: &mut OwnLists) -> Result<Catalogue, DataError> {
    let mut catalogue = Catalogue::default();
    if let Some((file, dialect)) = open_list(folder, "item_list.txt")? {
        catalogue.items = titled_by("org_id", read_items(file, dialect, COLUMNS, lists)?);
    }
    if let Some((file, dialect)) = open_list(folder, "user_list.txt")? {
        catalogue.users = read_users(file, dialect, COLUMNS, lists)?;
    }
    Ok(catalogue)
}

/// A list and what stands between its fields: single spaces, or tabs where ids hold spaces.
fn open_list(folder: &Path, name: &str) -> Result<Option<(TextFile, Dialect)>, DataError> {
    let path = folder.join(name);
    let Some(file) = open_text(&path)? else { return Ok(None) };
    let dialect = if is_tabbed(file)? { Dialect::TSV } else { Dialect::SPACES };
    Ok(open_text(&path)?.map(|file| (file, dialect)))
}

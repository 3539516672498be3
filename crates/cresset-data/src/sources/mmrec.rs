//! MMRec: `NAME.inter` with the part of each row, users and items numbered from 0.

use std::path::Path;

use super::described::{DescribedColumns, read_items, read_users, titled_by};
use super::folder::data_set_name;
use super::ids::Ids;
use super::recbole::{InterFormat, push_inter};
use crate::catalogue::Catalogue;
use crate::config::DataConfig;
use crate::error::DataError;
use crate::files::open_text;
use crate::item_files::OwnLists;
use crate::source::{RawData, open_required};
use crate::text::{Dialect, RatingSink};

const USER: [&str; 2] = ["userID", "user_id"];
const ITEM: [&str; 2] = ["itemID", "item_id"];
const FORMAT: InterFormat = InterFormat { user: &USER, item: &ITEM, part: &["x_label"], ids: Ids::From0 };
const ITEM_COLUMNS: DescribedColumns =
    DescribedColumns { id: &["itemID"], title: &[], genres: &[], ids: Ids::From0 };
const USER_COLUMNS: DescribedColumns = DescribedColumns { id: &["userID"], ..ITEM_COLUMNS };

/// Interactions from `NAME.inter`, the ids before they were numbered from `i_id_mapping.csv` and
/// `u_id_mapping.csv`.
///
/// NAME is the folder's name, or that of the only data set in it. The columns `userID` and `itemID` are needed,
/// with or without types; `rating`, `timestamp` and `x_label` (0 train, 1 valid, 2 test) are read when they are
/// there. Ids are whole numbers from 0, and an item's id is the number of its row in `image_feat.npy` and
/// `text_feat.npy`. The columns beside an id in the mappings are its attributes, and an item's `asin` is its title.
///
/// # Errors
///
/// [`DataError`] when the interactions or a column of theirs are missing, the folder has several data sets, a file
/// is empty, or a row is not of its format.
///
/// # Source
///
/// Zhou, ACM MM Asia Workshops 2023, <https://doi.org/10.1145/3611380.3628561>.
pub fn read(folder: &Path, config: &DataConfig) -> Result<RawData, DataError> {
    let name = data_set_name(folder, ".inter", &[])?;
    let mut sink = RatingSink::new(None, config);
    push_inter(open_required(folder, &[&format!("{name}.inter")])?, &FORMAT, None, &mut sink)?;
    let (mut catalogue, mut lists) = (Catalogue::default(), OwnLists::new(config));
    if let Some(file) = open_text(&folder.join("i_id_mapping.csv"))? {
        catalogue.items = titled_by("asin", read_items(file, Dialect::TSV, ITEM_COLUMNS, &mut lists)?);
    }
    if let Some(file) = open_text(&folder.join("u_id_mapping.csv"))? {
        catalogue.users = read_users(file, Dialect::TSV, USER_COLUMNS, &mut lists)?;
    }
    let mut raw = sink.finish(catalogue);
    lists.report_to(&mut raw);
    Ok(raw)
}

//! RecBole's atomic files: `NAME.inter`, or `NAME.train.inter` and so on, with `NAME.item` and `NAME.user`.

mod header;
mod inter;

use std::path::Path;

pub(super) use header::{FieldType, TypedHeader};
pub(super) use inter::{InterFormat, push_inter};

use super::described::{DescribedColumns, read_items, read_users};
use super::folder::data_set_name;
use super::ids::Ids;
use crate::catalogue::Catalogue;
use crate::config::DataConfig;
use crate::error::DataError;
use crate::files::open_text;
use crate::item_files::OwnLists;
use crate::source::{RawData, open_required};
use crate::split::Part;
use crate::text::{Dialect, RatingSink};

const USER: [&str; 4] = ["user_id", "userID", "user", "session_id"];
const ITEM: [&str; 3] = ["item_id", "itemID", "item"];
const FORMAT: InterFormat = InterFormat { user: &USER, item: &ITEM, part: &[], ids: Ids::Text };
const ITEM_COLUMNS: DescribedColumns = DescribedColumns {
    id: &ITEM,
    title: &["title", "movie_title", "name", "item_name"],
    genres: &["genre", "genres", "class", "categories"],
    ids: Ids::Text,
};
const USER_COLUMNS: DescribedColumns = DescribedColumns { id: &USER, ..ITEM_COLUMNS };

/// Interactions from `NAME.inter`, items from `NAME.item`, users from `NAME.user`.
///
/// NAME is the folder's name, or that of the only data set in it. The columns `user_id` (or `session_id`) and
/// `item_id` are needed; `rating`, or `label` where there is none, gives ratings, else each is 1; `timestamp` gives
/// times in seconds, of which the whole part counts. Where `NAME.train.inter` is there, it, `NAME.valid.inter` if
/// any and `NAME.test.inter` are read in place of `NAME.inter`, and each row has its part.
///
/// # Errors
///
/// [`DataError`] when the interactions or a column of theirs are missing, the folder has several data sets, a file
/// is empty, a column holds histories, or a row is not of its format.
///
/// # Source
///
/// Zhao et al., CIKM 2021, <https://doi.org/10.1145/3459637.3482016>.
pub fn read(folder: &Path, config: &DataConfig) -> Result<RawData, DataError> {
    let name = data_set_name(folder, ".inter", &[".train", ".valid", ".test"])?;
    let mut sink = RatingSink::new(None, config);
    match open_text(&folder.join(format!("{name}.train.inter")))? {
        Some(train) => {
            push_inter(train, &FORMAT, Some(Part::Train), &mut sink)?;
            if let Some(valid) = open_text(&folder.join(format!("{name}.valid.inter")))? {
                push_inter(valid, &FORMAT, Some(Part::Valid), &mut sink)?;
            }
            let test = open_required(folder, &[&format!("{name}.test.inter")])?;
            push_inter(test, &FORMAT, Some(Part::Test), &mut sink)?;
        }
        None => {
            let whole = [format!("{name}.inter"), format!("{name}.train.inter")];
            let whole = open_required(folder, &whole.each_ref().map(String::as_str))?;
            push_inter(whole, &FORMAT, None, &mut sink)?;
        }
    }
    let mut lists = OwnLists::new(config);
    let mut raw = sink.finish(read_catalogue(folder, &name, &mut lists)?);
    lists.report_to(&mut raw);
    Ok(raw)
}

fn read_catalogue(folder: &Path, name: &str, lists: &mut OwnLists) -> Result<Catalogue, DataError> {
    let mut catalogue = Catalogue::default();
    if let Some(file) = open_text(&folder.join(format!("{name}.item")))? {
        catalogue.items = read_items(file, Dialect::TSV, ITEM_COLUMNS, lists)?;
    }
    if let Some(file) = open_text(&folder.join(format!("{name}.user")))? {
        catalogue.users = read_users(file, Dialect::TSV, USER_COLUMNS, lists)?;
    }
    Ok(catalogue)
}

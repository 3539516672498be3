//! Pictures, by their paths.

use std::path::Path;

use crate::catalogue::ItemInfo;
use crate::error::DataError;
use crate::item_files::{ItemFileReport, ItemMerge};
use crate::part_files::entries;

const FOLDER: &str = "image";
const ENDINGS: [&str; 7] = ["jpg", "jpeg", "png", "webp", "gif", "bmp", "tiff"];

/// Adds the path of each picture, `image/ID.jpg` and the like, as the attribute `image` of its item; of several of one
/// item the first by name.
pub(super) fn merge(folder: &Path, merge: &mut ItemMerge<'_>) -> Result<(), DataError> {
    let images = folder.join(FOLDER);
    if !images.is_dir() {
        return Ok(());
    }
    let mut report = ItemFileReport::new(FOLDER);
    for path in entries(&images)? {
        if let Some(item) = item_of(&path) {
            merge.add(item, &mut report);
        }
    }
    merge.reports.push(report);
    Ok(())
}

fn item_of(path: &Path) -> Option<ItemInfo> {
    let ending = path.extension()?.to_str()?;
    if !ENDINGS.iter().any(|it| it.eq_ignore_ascii_case(ending)) {
        return None;
    }
    let (name, id) = (path.file_name()?.to_str()?, path.file_stem()?.to_str()?);
    let attributes = vec![("image".to_owned(), format!("{FOLDER}/{name}"))];
    Some(ItemInfo { id: id.to_owned(), attributes, ..ItemInfo::default() })
}

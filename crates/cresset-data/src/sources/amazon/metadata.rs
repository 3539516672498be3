//! What the products are: titles, categories, brands, prices, pictures.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::files::metadata;
use super::parse;
use crate::catalogue::ItemInfo;
use crate::config::DataConfig;
use crate::error::DataError;
use crate::item_files::{ItemFileReport, ItemMerge};
use crate::json::{JsonError, joined, text_of};
use crate::source::RawData;
use crate::text::{At, for_each_parsed};

/// The fields of a product that are kept, as the editions call them.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Product {
    asin: Value,
    parent_asin: Value,
    title: Value,
    brand: Value,
    store: Value,
    categories: Value,
    category: Value,
    main_category: Value,
    main_cat: Value,
    description: Value,
    price: Value,
    #[serde(rename = "imUrl")]
    im_url: Value,
    #[serde(rename = "imageURLHighRes")]
    image_url_high_res: Value,
    #[serde(rename = "imageURL")]
    image_url: Value,
    image: Value,
    images: Value,
}

/// Reads the files of metadata into the catalogue.
///
/// # Errors
///
/// [`DataError`] when a file is missing, empty or not of its format.
pub(super) fn read(folder: &Path, config: &DataConfig, raw: &mut RawData) -> Result<(), DataError> {
    let files = metadata(folder, config)?;
    let mut merge = ItemMerge::of(raw);
    for file in files {
        let name = file.path.file_name().unwrap_or_default().to_string_lossy();
        let mut report = ItemFileReport::new(&name);
        let each = |item| merge.add(item, &mut report);
        let unreadable = for_each_parsed(file.open()?, config.on_bad_row, item_of, each)?;
        report.add_unreadable(unreadable);
        merge.reports.push(report);
    }
    Ok(())
}

fn item_of(at: At<'_>, line: &[u8]) -> Result<ItemInfo, DataError> {
    let product: Product = parse(at, line)?;
    let id = first_text(&[&product.parent_asin, &product.asin]);
    if id.is_empty() {
        return Err(JsonError::missing_key(at, line, "asin or parent_asin").into());
    }
    let values = [
        ("brand", first_text(&[&product.brand, &product.store])),
        ("main_category", first_text(&[&product.main_category, &product.main_cat])),
        ("price", price_of(&product.price)),
        ("description", description_of(&product.description)),
        ("image", image_of(&product)),
    ];
    let given = values.into_iter().filter(|(_, value)| !value.is_empty());
    let attributes = given.map(|(name, value)| (name.to_owned(), value)).collect();
    Ok(ItemInfo { id, title: text_of(&product.title), genres: categories_of(&product), attributes })
}

fn first_text(values: &[&Value]) -> String {
    values.iter().map(|value| text_of(value)).find(|text| !text.is_empty()).unwrap_or_default()
}

/// Every category that is named on any level, once, in the order of first sight.
fn categories_of(product: &Product) -> Vec<String> {
    let mut names = Vec::new();
    for value in [&product.categories, &product.category] {
        push_names(value, &mut names);
    }
    names
}

/// Appends the texts of a list, or of lists within it, that are not there yet.
fn push_names(value: &Value, names: &mut Vec<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| push_names(value, names)),
        value => {
            let name = text_of(value);
            if !name.is_empty() && !names.contains(&name) {
                names.push(name);
            }
        }
    }
}

/// The price as it is, without the words that stand for none.
fn price_of(value: &Value) -> String {
    let text = text_of(value);
    if matches!(text.as_str(), "None" | "—") { String::new() } else { text }
}

/// A description's paragraphs, one a line.
fn description_of(value: &Value) -> String {
    match value {
        Value::Array(paragraphs) => joined(paragraphs, "\n"),
        value => text_of(value),
    }
}

/// The address of the first picture, the largest that is given.
fn image_of(product: &Product) -> String {
    let candidates =
        [&product.im_url, &product.image_url_high_res, &product.image_url, &product.image, &product.images];
    candidates.into_iter().map(address_of).find(|address| !address.is_empty()).unwrap_or_default()
}

/// The first address in a text, a list, or an object of sizes.
fn address_of(value: &Value) -> String {
    match value {
        Value::Array(values) => {
            values.iter().map(address_of).find(|address| !address.is_empty()).unwrap_or_default()
        }
        Value::Object(sizes) => {
            let by_size = ["hi_res", "large", "thumb"].iter().filter_map(|size| sizes.get(*size));
            by_size.map(address_of).find(|address| !address.is_empty()).unwrap_or_default()
        }
        value => text_of(value),
    }
}

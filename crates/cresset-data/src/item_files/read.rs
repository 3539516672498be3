//! The formats of files that describe items.

use std::collections::HashSet;
use std::io::Read;
use std::path::Path;

use serde::de::{Deserializer as _, Error as _, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::config::{ItemFileConfig, ItemFormat};
use super::error::ItemFileError;
use super::fields::{FieldValue, set_field};
use super::merge::ItemMerge;
use super::report::ItemFileReport;
use crate::catalogue::ItemInfo;
use crate::config::OnBadRow;
use crate::error::DataError;
use crate::files::{FileError, TextFile, open_text};
use crate::json::{JsonError, parse_line};
use crate::source::Unreadable;
use crate::text::{At, Dialect, Header, Row, for_each_headless_row, for_each_parsed, for_each_parsed_row};

const OBJECT: &str = "one JSON object from item ids to texts or to objects";

/// Reads one file into the catalogue; what it held.
pub(super) fn merge_file(
    config: &ItemFileConfig,
    folder: &Path,
    on_bad_row: OnBadRow,
    merge: &mut ItemMerge<'_>,
) -> Result<ItemFileReport, DataError> {
    let mut report = ItemFileReport::new(&config.file);
    let path = folder.join(&config.file);
    let file = open_text(&path)?.ok_or(ItemFileError::Missing { file: path, key: "data.items" })?;
    let each = |item| merge.add(item, &mut report);
    let unreadable = match config.format {
        ItemFormat::JsonLines => {
            for_each_parsed(file, on_bad_row, |at, line| item_of_line(at, line, config), each)?
        }
        ItemFormat::JsonObject => read_object(file, config, each)?,
        ItemFormat::Delimited => {
            let dialect = Dialect { quotes: crate::text::Quotes::Plain, ..Dialect::of(config.separator()) };
            let names = &config.columns;
            let parse = |at: At<'_>, row: &Row| item_of_row(at, names, row, config);
            for_each_headless_row(file, dialect, names.len(), on_bad_row, parse, each)?
        }
        ItemFormat::Csv => {
            let dialect = Dialect::of(config.separator());
            let columns = |header: &Header| names_of(header, config);
            let parse = |at: At<'_>, names: &Vec<String>, row: &Row| item_of_row(at, names, row, config);
            for_each_parsed_row(file, dialect, on_bad_row, columns, parse, each)?
        }
    };
    report.add_unreadable(unreadable);
    Ok(report)
}

fn item_of_line(at: At<'_>, line: &[u8], config: &ItemFileConfig) -> Result<ItemInfo, DataError> {
    let fields: Map<String, Value> = parse_line(at, line)?;
    let item = item_of_fields(&fields, config);
    if item.id.is_empty() {
        return Err(JsonError::missing_key(at, line, &format!("item id under \"{}\"", config.id)).into());
    }
    Ok(item)
}

fn item_of_fields(fields: &Map<String, Value>, config: &ItemFileConfig) -> ItemInfo {
    let mut item = ItemInfo::default();
    // Whether a map keeps the order of its file is a feature of serde_json that any crate of a build may set.
    let mut fields: Vec<_> = fields.iter().collect();
    fields.sort_unstable_by_key(|&(name, _)| name);
    for (name, value) in fields {
        set_field(&mut item, config, name, &FieldValue::Json(value));
    }
    item
}

/// The header's names, each spelt as the configuration spells it; those that it names must be there.
fn names_of(header: &Header, config: &ItemFileConfig) -> Result<Vec<String>, DataError> {
    header.require(&[&config.id])?;
    for column in &config.columns {
        header.require(&[column])?;
    }
    let named = || config.columns.iter().chain([&config.id]).chain(config.rename.keys());
    let spelt = |name: &String| named().find(|it| it.eq_ignore_ascii_case(name)).unwrap_or(name).clone();
    Ok(header.names().iter().map(spelt).collect())
}

fn item_of_row(
    at: At<'_>,
    names: &[String],
    row: &Row,
    config: &ItemFileConfig,
) -> Result<ItemInfo, DataError> {
    let mut item = ItemInfo::default();
    for (column, name) in names.iter().enumerate() {
        let text = at.utf8("description", &row[column])?;
        set_field(&mut item, config, name, &FieldValue::Text(text));
    }
    if item.id.is_empty() {
        return Err(at.bad_field("item id", b"", "an id"));
    }
    Ok(item)
}

/// Reads one object entry by entry, so that only one is in memory beside what is kept.
fn read_object(
    file: TextFile,
    config: &ItemFileConfig,
    each: impl FnMut(ItemInfo),
) -> Result<Unreadable, DataError> {
    let TextFile { path, mut reader } = file;
    let mut json = serde_json::Deserializer::from_reader(reader.by_ref());
    let visitor = Entries { config, each, seen: HashSet::new() };
    let read = (&mut json).deserialize_map(visitor).and_then(|n_entries| json.end().map(|()| n_entries));
    match read {
        Ok(0) => Err(DataError::EmptyFile { file: path }),
        Ok(_) => Ok(Unreadable::default()),
        Err(cause) if cause.is_io() => Err(FileError::read(&path, std::io::Error::from(cause)).into()),
        Err(cause) => Err(JsonError::file(&path, &cause, OBJECT).into()),
    }
}

/// Visits the entries of an object from ids to texts or to objects.
struct Entries<'c, F> {
    config: &'c ItemFileConfig,
    each: F,
    seen: HashSet<String>,
}

impl<'de, F: FnMut(ItemInfo)> Visitor<'de> for Entries<'_, F> {
    type Value = u64;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(OBJECT)
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<u64, A::Error> {
        let mut n_entries = 0;
        while let Some((id, value)) = entries.next_entry::<String, Value>()? {
            if id.is_empty() || !self.seen.insert(id.clone()) {
                return Err(A::Error::custom(format!("item id \"{id}\" is empty or there twice")));
            }
            (self.each)(item_of_entry(id, &value, self.config));
            n_entries += 1;
        }
        Ok(n_entries)
    }
}

fn item_of_entry(id: String, value: &Value, config: &ItemFileConfig) -> ItemInfo {
    let mut item = match value {
        Value::Object(fields) => item_of_fields(fields, config),
        value => {
            let mut item = ItemInfo::default();
            let name = config.columns.first().map_or("text", String::as_str);
            set_field(&mut item, config, name, &FieldValue::Json(value));
            item
        }
    };
    item.id = id;
    item
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Catalogue;
    use crate::interactions::Interactions;
    use crate::source::RawData;

    /// The items and the report after a file was read over the interactions of the items 1 and 2.
    fn read(
        config: &ItemFileConfig,
        content: &str,
        on_bad_row: OnBadRow,
    ) -> Result<(Vec<ItemInfo>, ItemFileReport), String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("items"), content).unwrap();
        let config = ItemFileConfig { file: "items".to_owned(), ..config.clone() };
        config.validate().unwrap();
        let mut interactions = Interactions::default();
        interactions.push("ann", "1", 1.0, 0);
        interactions.push("ann", "2", 1.0, 0);
        let mut raw = RawData {
            interactions,
            catalogue: Catalogue::default(),
            rating_range: (1.0, 1.0),
            unreadable: Unreadable::default(),
            sampled_negatives: 0,
            item_files: Vec::new(),
        };
        let report = merge_file(&config, folder.path(), on_bad_row, &mut ItemMerge::of(&mut raw));
        let prefix = format!("{}{}", folder.path().display(), std::path::MAIN_SEPARATOR);
        let report = report.map_err(|error| error.to_string().replace(&prefix, ""))?;
        Ok((raw.catalogue.items, report))
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    fn delimited() -> ItemFileConfig {
        let columns = names(&["id", "title", "plot"]);
        ItemFileConfig { format: ItemFormat::Delimited, columns, ..ItemFileConfig::default() }
    }

    #[test]
    fn lines_of_named_fields_are_read() {
        let (items, report) =
            read(&delimited(), "1::A: B::\"Rain\n2::C::\n9::D::x\n", OnBadRow::Error).unwrap();
        assert_eq!((items[0].title.as_str(), items[0].attribute("plot")), ("A: B", Some("\"Rain")));
        assert_eq!((items[1].title.as_str(), items[1].attribute("plot")), ("C", None));
        assert_eq!((report.n_records, report.n_unrated, report.fields["plot"]), (3, 1, 2));
    }

    #[test]
    fn a_table_is_read_by_its_header_and_only_the_columns_named_are_taken() {
        let columns = names(&["plot"]);
        let rename = [("plot".to_owned(), "text".to_owned())].into();
        let id = "movie".to_owned();
        let config =
            ItemFileConfig { format: ItemFormat::Csv, id, columns, rename, ..ItemFileConfig::default() };
        let (items, _) = read(&config, "Movie,title,Plot\n1,A,\"x, y\"\n", OnBadRow::Error).unwrap();
        assert_eq!((items[0].title.as_str(), items[0].attribute("text")), ("", Some("x, y")));
        let message = read(&config, "movie,title\n1,A\n", OnBadRow::Error).unwrap_err();
        assert_eq!(
            message,
            "items:1: no column \"plot\" in the header \"movie,title\": name the columns in the first line"
        );
    }

    #[test]
    fn an_object_of_texts_or_of_objects_is_read() {
        let format = ItemFormat::JsonObject;
        let config = ItemFileConfig { format, columns: names(&["abstract"]), ..ItemFileConfig::default() };
        let (items, report) = read(&config, r#"{"2": "Rain.", "7": ""}"#, OnBadRow::Error).unwrap();
        assert_eq!((items[0].id.as_str(), items[0].attribute("abstract")), ("2", Some("Rain.")));
        assert_eq!((report.n_records, report.n_unrated), (2, 1));
        let config = ItemFileConfig { columns: Vec::new(), ..config };
        let (items, _) = read(&config, r#"{"1": {"title": "A", "year": 1995}}"#, OnBadRow::Error).unwrap();
        assert_eq!((items[0].title.as_str(), items[0].attribute("year")), ("A", Some("1995")));
    }

    #[test]
    fn a_line_that_cannot_be_read_is_an_error_or_is_counted() {
        let config = ItemFileConfig::default();
        let content = "{\"id\": 1, \"title\": \"A\"}\n{\"title\": \"B\"}\n";
        let message = "items:2: no item id under \"id\" in \"{\"title\": \"B\"}\": add the key to the line, or delete \
                       the line";
        assert_eq!(read(&config, content, OnBadRow::Error).unwrap_err(), message);
        let (items, report) = read(&config, content, OnBadRow::Skip).unwrap();
        assert_eq!((items.len(), report.n_records, report.n_unreadable), (1, 1, 1));
        assert_eq!(report.first_unreadable.unwrap().rsplit('/').next().unwrap(), message);
    }

    #[test]
    fn files_that_are_cut_empty_or_of_another_form_are_refused() {
        let object = ItemFileConfig { format: ItemFormat::JsonObject, ..ItemFileConfig::default() };
        let remedy = "expected one JSON object from item ids to texts or to objects; replace the file, or name another \
                      in the configuration";
        for (content, fault) in [
            (r#"{"1": "Ra"#, "EOF while parsing a string at line 1 column 9"),
            (r#"{"1": "a", "1": "b"}"#, "item id \"1\" is empty or there twice at line 1 column 20"),
            (
                "[1]",
                "invalid type: sequence, expected one JSON object from item ids to texts or to objects at line 1 column 1",
            ),
        ] {
            let message = read(&object, content, OnBadRow::Error).unwrap_err();
            assert_eq!(message, format!("items: {fault}: {remedy}"));
        }
        let empty = "items has no rows: replace it by a complete copy of the file";
        assert_eq!(read(&object, "{}", OnBadRow::Error).unwrap_err(), empty);
        assert_eq!(read(&delimited(), "", OnBadRow::Error).unwrap_err(), empty);
        assert_eq!(
            read(&delimited(), "1::A\n", OnBadRow::Error).unwrap_err(),
            "items:1: 2 of 3 fields in \"1::A\": complete or delete the line"
        );
    }
}

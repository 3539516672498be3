//! One entry of `data.items`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::config::require;
use crate::error::DataError;
use crate::text::Separator;

/// A file that describes items, and how it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ItemFileConfig {
    /// Its path below the data set's folder, or an absolute one; `.gz` and `.zst` may be left off. Needed.
    pub file: String,
    /// How it is written. Default: `json_lines`.
    pub format: ItemFormat,
    /// The field that holds the item's id, as in the interactions; `json_object` does not read it. Default: `id`.
    pub id: String,
    /// What stands between two fields of `delimited` and `csv`. Default: null, `::` and `,`.
    pub separator: Option<String>,
    /// For `delimited` the names of the fields, in order. For `json_object` whose values are texts, the one name that
    /// these get. For the others the fields to take. Default: empty, all fields (`text` for `json_object`).
    pub columns: Vec<String>,
    /// Other names for fields: `{ ml_title: title }` makes the field `ml_title` the title. Default: none.
    pub rename: BTreeMap<String, String>,
}

impl Default for ItemFileConfig {
    fn default() -> Self {
        Self {
            file: String::new(),
            format: ItemFormat::default(),
            id: "id".to_owned(),
            separator: None,
            columns: Vec::new(),
            rename: BTreeMap::new(),
        }
    }
}

/// How a file that describes items is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemFormat {
    /// One JSON object a line, its id among its fields.
    #[default]
    JsonLines,
    /// One JSON object in all, from ids to texts or to objects of fields.
    JsonObject,
    /// Lines cut at a separator, without a header and without quotes.
    Delimited,
    /// A table with a header, whose fields may stand in quotes where the separator is a comma or a semicolon.
    Csv,
}

impl ItemFileConfig {
    /// The separator of `delimited` and `csv`.
    pub(crate) fn separator(&self) -> Separator {
        let default = if self.format == ItemFormat::Csv { "," } else { "::" };
        let text = self.separator.as_deref().unwrap_or(default);
        Separator::of(text).expect("validate has seen the separator")
    }

    /// Checks what no file is needed for.
    ///
    /// # Errors
    ///
    /// [`DataError::Config`] with the key, the value and what would be right.
    pub(crate) fn validate(&self) -> Result<(), DataError> {
        require(!self.file.is_empty(), "data.items.file", &"\"\"", "the path of a file")?;
        if let Some(separator) = &self.separator {
            let is_one = Separator::of(separator).is_some();
            require(is_one, "data.items.separator", separator, "one character, once or repeated")?;
        }
        let columns = format!("[{}]", self.columns.join(", "));
        match self.format {
            ItemFormat::Delimited => {
                let has_id = self.columns.contains(&self.id);
                let expected =
                    format!("the names of all fields in order, \"{}\" (data.items.id) among them", self.id);
                require(has_id, "data.items.columns", &columns, &expected)
            }
            ItemFormat::JsonLines | ItemFormat::JsonObject | ItemFormat::Csv => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(config: &ItemFileConfig, expected: &str) {
        assert_eq!(config.validate().unwrap_err().to_string(), expected);
    }

    #[test]
    fn an_entry_without_a_file_or_the_id_among_its_columns_is_refused() {
        let base = ItemFileConfig { file: "a.dat".to_owned(), ..ItemFileConfig::default() };
        base.validate().unwrap();
        check(&ItemFileConfig::default(), "data.items.file = \"\": expected the path of a file");
        check(
            &ItemFileConfig {
                format: ItemFormat::Delimited,
                columns: vec!["title".to_owned()],
                ..base.clone()
            },
            "data.items.columns = [title]: expected the names of all fields in order, \"id\" (data.items.id) among \
             them",
        );
        check(
            &ItemFileConfig { separator: Some(", ".to_owned()), ..base },
            "data.items.separator = , : expected one character, once or repeated",
        );
    }
}

//! Named fields of a record, as title, genres and attributes.

use serde_json::Value;

use super::config::ItemFileConfig;
use crate::catalogue::ItemInfo;
use crate::json::text_of;

/// How OMDb spells that it has no value.
const NONE: &str = "N/A";

/// The value of a field.
pub(crate) enum FieldValue<'v> {
    Text(&'v str),
    Json(&'v Value),
}

impl FieldValue<'_> {
    fn text(&self) -> String {
        let text = match self {
            Self::Text(text) => text.trim().to_owned(),
            Self::Json(value) => text_of(value),
        };
        if text == NONE { String::new() } else { text }
    }

    /// The values of a list, or the parts of a text between `|` or, where it has none, commas.
    fn list(&self) -> Vec<String> {
        if let Self::Json(Value::Array(values)) = self {
            return values.iter().map(text_of).filter(|text| !text.is_empty()).collect();
        }
        let text = self.text();
        let separator = if text.contains('|') { '|' } else { ',' };
        text.split(separator).map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }
}

/// Puts one field of a record where it belongs, unless the configuration leaves it out.
pub(crate) fn set_field(item: &mut ItemInfo, config: &ItemFileConfig, name: &str, value: &FieldValue<'_>) {
    if name == config.id {
        item.id = value.text();
        return;
    }
    if !config.columns.is_empty() && !config.columns.iter().any(|column| column == name) {
        return;
    }
    match config.rename.get(name).map_or(name, String::as_str) {
        "title" => item.title = value.text(),
        "genre" | "genres" => item.genres = value.list(),
        name => {
            let text = value.text();
            if !text.is_empty() {
                item.attributes.push((name.to_owned(), text));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_go_where_their_names_say() {
        let rename = [("ml_title".to_owned(), "title".to_owned())].into();
        let config = ItemFileConfig { rename, ..ItemFileConfig::default() };
        let mut item = ItemInfo::default();
        let fields =
            json!({ "id": 7, "ml_title": "Seven", "genre": "Crime, Drama", "year": 1995, "rated": "N/A" });
        for (name, value) in fields.as_object().unwrap() {
            set_field(&mut item, &config, name, &FieldValue::Json(value));
        }
        assert_eq!((item.id.as_str(), item.title.as_str()), ("7", "Seven"));
        assert_eq!(item.genres, ["Crime", "Drama"]);
        assert_eq!(item.attributes, [("year".to_owned(), "1995".to_owned())]);
    }

    #[test]
    fn genres_are_cut_at_bars_before_commas_and_a_list_is_not_cut() {
        assert_eq!(FieldValue::Text("Film, noir|Drama").list(), ["Film, noir", "Drama"]);
        assert_eq!(FieldValue::Json(&json!(["Film, noir", "Drama"])).list(), ["Film, noir", "Drama"]);
        assert!(FieldValue::Text("").list().is_empty());
    }
}

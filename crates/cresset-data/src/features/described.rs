//! What one item or user says of itself under the name of a feature.

use crate::catalogue::{ItemInfo, Side, UserInfo};

/// Name of the list of genres that items have beside their attributes.
const GENRES: &str = "genres";
/// Name of the attribute that is read from a title where it is missing.
const YEAR: &str = "year";

/// An item or a user, whose features can be encoded.
pub trait Described {
    /// Which of the two.
    const SIDE: Side;

    /// External id.
    fn id(&self) -> &str;

    /// Names and values.
    fn attributes(&self) -> &[(String, String)];

    /// Title, empty where there is none.
    fn title(&self) -> &str {
        ""
    }

    /// Genres, empty where there are none.
    fn genres(&self) -> &[String] {
        &[]
    }
}

impl Described for ItemInfo {
    const SIDE: Side = Side::Items;

    fn id(&self) -> &str {
        &self.id
    }

    fn attributes(&self) -> &[(String, String)] {
        &self.attributes
    }

    fn title(&self) -> &str {
        &self.title
    }

    fn genres(&self) -> &[String] {
        &self.genres
    }
}

impl Described for UserInfo {
    const SIDE: Side = Side::Users;

    fn id(&self) -> &str {
        &self.id
    }

    fn attributes(&self) -> &[(String, String)] {
        &self.attributes
    }
}

/// The value of a feature, or several.
#[derive(Clone, Copy)]
pub(super) enum Value<'r> {
    Text(&'r str),
    List(&'r [String]),
}

impl<'r> Value<'r> {
    /// What a row has under a name, if it has anything.
    pub(super) fn of<R: Described>(row: &'r R, name: &str) -> Option<Self> {
        let attribute = row.attributes().iter().find(|(it, _)| it == name).map(|(_, value)| value.trim());
        match attribute.filter(|value| !value.is_empty()) {
            Some(value) => Some(Self::Text(value)),
            None if name == GENRES && !row.genres().is_empty() => Some(Self::List(row.genres())),
            None if name == YEAR => year_of(row.title()).map(Self::Text),
            None => None,
        }
    }

    /// The value as one text: of several the first.
    pub(super) fn text(self) -> Option<&'r str> {
        match self {
            Self::Text(text) => Some(text),
            Self::List(texts) => texts.iter().map(|text| text.trim()).find(|text| !text.is_empty()),
        }
    }

    /// The value as several texts, a text divided at a separator.
    pub(super) fn texts(self, separator: &str) -> Vec<&'r str> {
        let texts: Vec<&str> = match self {
            Self::Text(text) => text.split(separator).collect(),
            Self::List(texts) => texts.iter().map(String::as_str).collect(),
        };
        texts.into_iter().map(str::trim).filter(|text| !text.is_empty()).collect()
    }
}

/// The names under which some rows have a value, in order of first sight.
pub(super) fn names_in<R: Described>(rows: &[R]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for row in rows {
        let stated = row.attributes().iter().map(|(name, _)| name.as_str());
        for name in stated.chain([GENRES, YEAR]) {
            if !names.contains(&name) && Value::of(row, name).is_some() {
                names.push(name);
            }
        }
    }
    names
}

/// The last year in parentheses, in "Heat (1995)" as in "Heat (1995) (V)".
fn year_of(title: &str) -> Option<&str> {
    let years = title.rsplit('(').filter_map(|piece| piece.split_once(')')).map(|(inside, _)| inside);
    years.into_iter().find(|inside| inside.len() == 4 && inside.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_year_of_a_title_is_the_last_four_digits_in_parentheses() {
        assert_eq!(year_of("Heat (1995)"), Some("1995"));
        assert_eq!(year_of("Seven (a.k.a. Se7en) (1995) "), Some("1995"));
        assert_eq!(year_of("Heat (1995) (V)"), Some("1995"));
        for none in ["Heat", "1995", "Heat (95)", "Heat (199x)", "Heat 1995)", "Heat (1995", ""] {
            assert_eq!(year_of(none), None, "{none}");
        }
    }

    #[test]
    fn an_attribute_comes_before_what_is_read_from_the_title() {
        let year = vec![("year".to_owned(), "1996".to_owned())];
        let item = ItemInfo { title: "Heat (1995)".to_owned(), attributes: year, ..ItemInfo::default() };
        assert_eq!(Value::of(&item, "year").and_then(Value::text), Some("1996"));
        let item = ItemInfo { attributes: Vec::new(), ..item };
        assert_eq!(Value::of(&item, "year").and_then(Value::text), Some("1995"));
        assert_eq!(names_in(&[item]), ["year"]);
    }
}

//! Configuration keys of the sources whose columns have no fixed names: `data.columns`, `data.files` and the like.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::DataError;
use crate::split::Part;
use crate::text::At;

/// Which columns hold what, for the sources `csv` and `parquet`; other sources do not read it.
///
/// A column is named as the header spells it, in any case, or by its number from 0. Where a key is null the usual
/// names are looked for; a name that is given must be there.
///
/// ```
/// use cresset_data::ColumnsConfig;
///
/// let columns: ColumnsConfig = serde_json::from_str(r#"{ "user": "visitor", "item": 3 }"#)?;
/// assert_eq!(columns.user.unwrap().to_string(), "visitor");
/// assert_eq!(columns.item.unwrap().to_string(), "3");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ColumnsConfig {
    /// Who. Default: null, `user_id`, `userId`, `user`, `uid` or `reviewerID`.
    pub user: Option<ColumnRef>,
    /// What. Default: null, `item_id`, `itemId`, `item`, `iid`, `movieId`, `movie_id`, `parent_asin` or `asin`.
    pub item: Option<ColumnRef>,
    /// How much. Default: null, `rating`, `score`, `stars` or `overall`; without such a column every row is rated 1.
    pub rating: Option<ColumnRef>,
    /// When. Default: null, `timestamp`, `time`, `ts` or `unixReviewTime`; without such a column rows have no time.
    pub time: Option<ColumnRef>,
    /// The part of a given split: `train`, `valid`, `test`, or 0, 1, 2. Default: null, none.
    pub part: Option<ColumnRef>,
}

impl ColumnsConfig {
    /// The names that a user column has where the configuration names none, and so on below.
    pub(crate) const USER: &[&str] = &["user_id", "userId", "user", "uid", "reviewerID"];
    pub(crate) const ITEM: &[&str] =
        &["item_id", "itemId", "item", "iid", "movieId", "movie_id", "parent_asin", "asin"];
    pub(crate) const RATING: &[&str] = &["rating", "score", "stars", "overall"];
    pub(crate) const TIME: &[&str] = &["timestamp", "time", "ts", "unixReviewTime"];
}

/// A column by its name or by its number from 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ColumnRef {
    /// Its number, from 0.
    Number(usize),
    /// Its name in the header.
    Name(String),
}

impl fmt::Display for ColumnRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// Which files of the data set's folder are read, for the sources `csv`, `parquet` and `amazon`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FilesConfig {
    /// Files of interactions, or folders of them; `.gz` and `.zst` may be left off. Default: null, the source's own.
    pub interactions: Option<FileNames>,
    /// Files that describe items, for `amazon`. Default: null, those whose names begin with `meta`.
    pub metadata: Option<FileNames>,
}

/// One file or several, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FileNames {
    /// One file or folder.
    One(String),
    /// Several, read one after another.
    Several(Vec<String>),
}

impl FileNames {
    /// The names, in order.
    pub fn names(&self) -> &[String] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Several(names) => names,
        }
    }
}

/// What whole numbers in a column of times count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeUnit {
    /// Seconds since 1970-01-01 UTC.
    #[default]
    Seconds,
    /// Thousandths of them.
    Milliseconds,
    /// Nothing: the position in the user's own history, oldest first.
    Position,
}

impl TimeUnit {
    /// A number of this unit in the unit of [`Interactions`](crate::Interactions).
    pub(crate) fn seconds(self, number: i64) -> i64 {
        if self == Self::Milliseconds { number.div_euclid(1000) } else { number }
    }
}

/// Which id stands first in Amazon's rating files without a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdOrder {
    /// `user,item,rating,timestamp`, as in the edition of 2014.
    UserFirst,
    /// `item,user,rating,timestamp`, as in the edition of 2018.
    ItemFirst,
}

/// Where the texts of the multimodal folder are, and under which column names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TextConfig {
    /// A workbook (`.xls`, `.xlsx`, `.xlsb`, `.ods`) or a `.csv`. Default: null, `text.xls`, `text.xlsx` or `text.csv`
    /// where there is one.
    pub file: Option<String>,
    /// The sheet. Default: null, the first.
    pub sheet: Option<String>,
    /// The column of item ids. Default: null, `id`, `item_id`, `itemId`, `movie_id`, `movieId`, `mid` or `iid`.
    pub id: Option<ColumnRef>,
    /// The column of titles. Default: null, `title`, `name` or `movie_title` where there is one.
    pub title: Option<ColumnRef>,
    /// The column of texts. Default: null, `text`, `description`, `plot`, `overview`, `summary` or `content`.
    pub text: Option<ColumnRef>,
}

/// The part of a split that a field names; errors give the field's name.
///
/// # Errors
///
/// [`DataError::BadField`].
pub(crate) fn part_of(at: At<'_>, field: &'static str, bytes: &[u8]) -> Result<Part, DataError> {
    let part = Part::named(at.utf8(field, bytes.trim_ascii())?);
    part.ok_or_else(|| at.bad_field(field, bytes, Part::EXPECTED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_one_name_or_several() {
        let read = |json: &str| serde_json::from_str::<FilesConfig>(json).unwrap().interactions.unwrap();
        assert_eq!(read(r#"{ "interactions": "a.csv" }"#).names(), ["a.csv"]);
        assert_eq!(read(r#"{ "interactions": ["a.csv", "b.csv"] }"#).names(), ["a.csv", "b.csv"]);
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let message = serde_json::from_str::<ColumnsConfig>(r#"{ "usr": "u" }"#).unwrap_err().to_string();
        assert!(message.contains("usr") && message.contains("`user`"), "{message}");
    }
}

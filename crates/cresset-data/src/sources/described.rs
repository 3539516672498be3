//! Tables of items or users: an id, perhaps a title and genres, and attributes under the names of their columns.

use super::ids::Ids;
use super::recbole::{FieldType, TypedHeader};
use crate::catalogue::{ItemInfo, UserInfo};
use crate::error::DataError;
use crate::files::TextFile;
use crate::item_files::OwnLists;
use crate::text::{At, Dialect, Row};

/// Names of the columns that have a meaning of their own, the preferred first; all others are attributes.
#[derive(Clone, Copy)]
pub(super) struct DescribedColumns {
    /// The id, which must be there.
    pub(super) id: &'static [&'static str],
    pub(super) title: &'static [&'static str],
    pub(super) genres: &'static [&'static str],
    /// What the ids are.
    pub(super) ids: Ids,
}

/// What a column is.
enum Role {
    Id,
    Title,
    /// One genre.
    Genre,
    /// Genres between spaces.
    Genres,
    /// An attribute of this name.
    Attribute(String),
}

/// The items of a table, in its order; an empty field is no attribute.
///
/// # Errors
///
/// [`DataError`] when the column of ids is missing, the file is empty, or a row is not of its format.
pub(super) fn read_items(
    file: TextFile,
    dialect: Dialect,
    columns: DescribedColumns,
    lists: &mut OwnLists,
) -> Result<Vec<ItemInfo>, DataError> {
    lists.rows(
        file,
        dialect,
        |header| roles(&TypedHeader::of(header)?, &columns),
        |at, roles, row| describe(at, roles, row, columns.ids),
    )
}

/// As [`read_items`], for users: titles and genres are not asked for.
pub(super) fn read_users(
    file: TextFile,
    dialect: Dialect,
    columns: DescribedColumns,
    lists: &mut OwnLists,
) -> Result<Vec<UserInfo>, DataError> {
    let users = read_items(file, dialect, DescribedColumns { title: &[], genres: &[], ..columns }, lists)?;
    Ok(users.into_iter().map(|ItemInfo { id, attributes, .. }| UserInfo { id, attributes }).collect())
}

/// The items, each with the value of an attribute as its title where it has that attribute.
pub(super) fn titled_by(name: &str, mut items: Vec<ItemInfo>) -> Vec<ItemInfo> {
    for item in &mut items {
        item.title = item.attribute(name).unwrap_or_default().to_owned();
    }
    items
}

fn roles(header: &TypedHeader<'_>, columns: &DescribedColumns) -> Result<Vec<Role>, DataError> {
    let id = header.require(columns.id)?;
    let (title, genres) = (header.find(columns.title), header.find(columns.genres));
    let role = |column: usize| match header.field_type(column) {
        _ if column == id => Role::Id,
        _ if Some(column) == title => Role::Title,
        FieldType::Sequence if Some(column) == genres => Role::Genres,
        FieldType::Single if Some(column) == genres => Role::Genre,
        _ => Role::Attribute(header.name(column).to_owned()),
    };
    Ok((0..header.len()).map(role).collect())
}

fn describe(at: At<'_>, roles: &[Role], row: &Row, ids: Ids) -> Result<ItemInfo, DataError> {
    let mut item = ItemInfo::default();
    for (column, role) in roles.iter().enumerate() {
        let field = role.field();
        let text = at.utf8(field, &row[column])?;
        match role {
            Role::Id if text.is_empty() => return Err(at.bad_field(field, b"", "an id")),
            Role::Id => {
                ids.check(at, field, text.as_bytes())?;
                text.clone_into(&mut item.id);
            }
            _ if text.is_empty() => {}
            Role::Title => text.clone_into(&mut item.title),
            Role::Genre => item.genres.push(text.to_owned()),
            Role::Genres => item.genres.extend(text.split_ascii_whitespace().map(str::to_owned)),
            Role::Attribute(name) => item.attributes.push((name.clone(), text.to_owned())),
        }
    }
    Ok(item)
}

impl Role {
    /// What errors call it.
    fn field(&self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Title => "title",
            Self::Genre | Self::Genres => "genres",
            Self::Attribute(_) => "attribute",
        }
    }
}

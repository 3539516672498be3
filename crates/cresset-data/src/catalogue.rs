//! What is known of items and users beside their interactions.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One of the two sides of an interaction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// What is met.
    #[default]
    Items,
    /// Who meets it.
    Users,
}

impl Side {
    /// Its name in configurations and files: `items`, `users`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Items => "items",
            Self::Users => "users",
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a source says about one item.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ItemInfo {
    /// External id, as in the interactions.
    pub id: String,
    /// Title, as a person would read it.
    pub title: String,
    /// Genres or categories.
    pub genres: Vec<String>,
    /// Attribute name and value, in the source's order (`plot`, `director`, `image` ...).
    pub attributes: Vec<(String, String)>,
}

impl ItemInfo {
    /// The value of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }
}

/// What a source says about one user.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UserInfo {
    /// External id, as in the interactions.
    pub id: String,
    /// Attribute name and value, in the source's order (`age`, `gender`, `occupation` ...).
    pub attributes: Vec<(String, String)>,
}

impl UserInfo {
    /// A user with one value for each name.
    pub fn new<const N: usize>(id: String, names: [&str; N], values: [String; N]) -> Self {
        Self { id, attributes: names.map(str::to_owned).into_iter().zip(values).collect() }
    }
}

/// Items and users that a source describes; either list may be empty or lack some ids.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Catalogue {
    /// Described items.
    pub items: Vec<ItemInfo>,
    /// Described users.
    pub users: Vec<UserInfo>,
}

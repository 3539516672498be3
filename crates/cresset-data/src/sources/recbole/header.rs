//! A header that gives each column's type behind a colon: `user_id:token`, `rating:float`.

use crate::error::DataError;
use crate::sources::SourceError;
use crate::text::Header;

/// Whether a field holds one value or several between spaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sources) enum FieldType {
    /// `token` or `float`, or no type at all.
    Single,
    /// `token_seq` or `float_seq`.
    Sequence,
}

/// The columns of an atomic file.
pub(in crate::sources) struct TypedHeader<'h> {
    header: &'h Header,
    columns: Vec<(&'h str, FieldType)>,
}

impl<'h> TypedHeader<'h> {
    /// Names and types; a name without a type is taken as a single value.
    ///
    /// # Errors
    ///
    /// [`SourceError::ColumnType`] for a type that there is not.
    pub(in crate::sources) fn of(header: &'h Header) -> Result<Self, SourceError> {
        let split = |column: &'h String| match column.rsplit_once(':') {
            None => Ok((column.as_str(), FieldType::Single)),
            Some((name, "token" | "float")) => Ok((name.trim_end(), FieldType::Single)),
            Some((name, "token_seq" | "float_seq")) => Ok((name.trim_end(), FieldType::Sequence)),
            Some(_) => {
                Err(SourceError::ColumnType { file: header.at().file.to_owned(), column: column.clone() })
            }
        };
        Ok(Self { header, columns: header.names().iter().map(split).collect::<Result<_, _>>()? })
    }

    /// The number of columns.
    pub(in crate::sources) fn len(&self) -> usize {
        self.columns.len()
    }

    /// A column's name, without its type.
    pub(in crate::sources) fn name(&self, column: usize) -> &'h str {
        self.columns[column].0
    }

    /// A column's type.
    pub(in crate::sources) fn field_type(&self, column: usize) -> FieldType {
        self.columns[column].1
    }

    /// The number of the column that has the first of `names` which is there, in any case.
    pub(in crate::sources) fn find(&self, names: &[&str]) -> Option<usize> {
        let find =
            |name: &&str| self.columns.iter().position(|(column, _)| column.eq_ignore_ascii_case(name));
        names.iter().find_map(find)
    }

    /// As [`find`](Self::find), for a column that must be there; the first name is the one that errors give.
    ///
    /// # Errors
    ///
    /// [`DataError::MissingColumn`].
    pub(in crate::sources) fn require(&self, names: &[&str]) -> Result<usize, DataError> {
        self.find(names).ok_or_else(|| self.header.missing(names[0]))
    }

    /// The error for a column of histories.
    pub(in crate::sources) fn histories(&self, column: usize) -> SourceError {
        let column = self.header.names()[column].clone();
        SourceError::Histories { file: self.header.at().file.to_owned(), column }
    }
}

//! Errors of configuration.

/// A hyperparameter outside its documented range.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{field} = {value}, expected {expected}")]
pub struct ConfigError {
    /// The key.
    pub field: String,
    /// What it was set to.
    pub value: String,
    /// What it may be.
    pub expected: &'static str,
}

impl ConfigError {
    /// The first rule that is broken: a key, its value, whether that value is allowed, and what is.
    ///
    /// # Errors
    ///
    /// That rule.
    pub fn first_of(rules: &[(&str, f64, bool, &'static str)]) -> Result<(), Self> {
        match rules.iter().find(|(_, _, allowed, _)| !allowed) {
            None => Ok(()),
            Some(&(field, value, _, expected)) => {
                Err(Self { field: field.to_owned(), value: value.to_string(), expected })
            }
        }
    }
}

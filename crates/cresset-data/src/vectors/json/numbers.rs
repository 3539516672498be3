//! Numbers between commas, as JSON and Python write them.

use crate::vectors::error::{VectorPlace, VectorsError};

/// A field that is no finite number.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::vectors) struct NumberFault {
    pub(in crate::vectors) dimension: usize,
    pub(in crate::vectors) value: String,
}

impl NumberFault {
    pub(in crate::vectors) fn of(self, place: VectorPlace) -> VectorsError {
        VectorsError::BadNumber { place, dimension: self.dimension, value: self.value }
    }
}

/// Passes each number of `text` on; text of nothing but spaces has none.
pub(in crate::vectors) fn parse_numbers(text: &[u8], mut each: impl FnMut(f32)) -> Result<(), NumberFault> {
    let mut rest = Some(text.trim_ascii()).filter(|text| !text.is_empty());
    let mut dimension = 0;
    while let Some(text) = rest {
        let end = memchr::memchr(b',', text);
        let field = text[..end.unwrap_or(text.len())].trim_ascii();
        each(parse(field).ok_or_else(|| fault(dimension, field))?);
        rest = end.map(|end| &text[end + 1..]);
        dimension += 1;
    }
    Ok(())
}

fn fault(dimension: usize, field: &[u8]) -> NumberFault {
    NumberFault { dimension, value: String::from_utf8_lossy(field).chars().take(40).collect() }
}

fn parse(field: &[u8]) -> Option<f32> {
    let value: f32 = std::str::from_utf8(field).ok()?.parse().ok()?;
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(text: &str) -> Result<Vec<f32>, (usize, String)> {
        let mut values = Vec::new();
        match parse_numbers(text.as_bytes(), |value| values.push(value)) {
            Ok(()) => Ok(values),
            Err(fault) => Err((fault.dimension, fault.value)),
        }
    }

    #[test]
    fn numbers_are_read_as_json_and_python_write_them() {
        assert_eq!(numbers(" 1, -0.5 ,\n2.5e-3,1E2").unwrap(), [1.0, -0.5, 0.0025, 100.0]);
        assert_eq!(numbers(" "), Ok(Vec::new()));
    }

    #[test]
    fn what_is_no_finite_number_is_refused_with_its_place() {
        for (text, dimension, value) in [
            ("1,NaN", 1, "NaN"),
            ("Infinity", 0, "Infinity"),
            ("1,,2", 1, ""),
            ("1,2,", 2, ""),
            ("1e99", 0, "1e99"),
        ] {
            assert_eq!(numbers(text), Err((dimension, value.to_owned())));
        }
    }
}

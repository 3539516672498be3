//! Learning how features become numbers.

use std::collections::HashMap;

use super::column::{ColumnEncoder, number, text_in, texts_in};
use super::config::{FeatureConfig, FeatureKind};
use super::described::{Described, names_in};
use super::error::FeatureError;

/// Words that programs write for a number that is missing, in lower case.
const MISSING: [&str; 4] = ["nan", "null", "none", "n/a"];

/// Learns one feature from the rows that are known; the values of all rows are checked.
pub(super) fn fit_column<R: Described>(
    config: &FeatureConfig,
    rows: &[R],
    known: &[u32],
) -> Result<ColumnEncoder, FeatureError> {
    let name = config.name.clone();
    if rows.iter().all(|row| text_in(row, &name).is_none()) {
        return Err(unknown(name, rows));
    }
    let known = known.iter().map(|&row| &rows[row as usize]);
    Ok(match config.kind {
        FeatureKind::Categorical => {
            let values = frequent(known.filter_map(|row| text_in(row, &name)), config.min_count);
            ColumnEncoder::Category { name, values }
        }
        FeatureKind::Multi => {
            let separator = config.separator.clone();
            let values = frequent(known.flat_map(|row| texts_in(row, &name, &separator)), config.min_count);
            ColumnEncoder::Multi { name, separator, values }
        }
        FeatureKind::Numeric => {
            check_numbers(&name, rows)?;
            if config.buckets.is_empty() {
                let numbers: Vec<f64> =
                    known.filter_map(|row| text_in(row, &name)).filter_map(number).collect();
                let (mean, std) = mean_and_std(&numbers);
                ColumnEncoder::Numeric { name, mean, std }
            } else {
                ColumnEncoder::Buckets { name, edges: config.buckets.clone() }
            }
        }
    })
}

fn unknown<R: Described>(feature: String, rows: &[R]) -> FeatureError {
    let names = names_in(rows);
    let known = if names.is_empty() { "no attributes at all".to_owned() } else { names.join(", ") };
    FeatureError::Unknown { feature, side: R::SIDE, known }
}

/// The texts seen often enough, ascending.
fn frequent<'t>(texts: impl Iterator<Item = &'t str>, min_count: u32) -> Vec<String> {
    let mut counts: HashMap<&str, u32> = HashMap::new();
    texts.for_each(|text| *counts.entry(text).or_insert(0) += 1);
    let kept = counts.into_iter().filter(|&(_, count)| count >= min_count);
    let mut kept: Vec<String> = kept.map(|(text, _)| text.to_owned()).collect();
    kept.sort_unstable();
    kept
}

fn check_numbers<R: Described>(name: &str, rows: &[R]) -> Result<(), FeatureError> {
    let is_missing = |text: &str| MISSING.contains(&text.to_ascii_lowercase().as_str());
    for row in rows {
        if let Some(text) = text_in(row, name).filter(|text| number(text).is_none() && !is_missing(text)) {
            return Err(FeatureError::NotANumber {
                feature: name.to_owned(),
                side: R::SIDE,
                id: row.id().to_owned(),
                value: text.to_owned(),
            });
        }
    }
    Ok(())
}

/// Mean and standard deviation; a deviation of 1 where there is none to divide by.
fn mean_and_std(numbers: &[f64]) -> (f64, f64) {
    if numbers.is_empty() {
        return (0.0, 1.0);
    }
    let count = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / count;
    let variance = numbers.iter().map(|number| (number - mean).powi(2)).sum::<f64>() / count;
    let std = variance.sqrt();
    // Equal numbers may leave a rounding error of their size between them and their mean.
    let is_spread = std > 1e-12 * mean.abs() && std.is_finite();
    (mean, if is_spread { std } else { 1.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_deviation_of_a_hand_worked_case() {
        // Mean 4; squares 4, 0, 4 over 3.
        let (mean, std) = mean_and_std(&[2.0, 4.0, 6.0]);
        assert_eq!((mean, std), (4.0, (8.0_f64 / 3.0).sqrt()));
        assert_eq!(mean_and_std(&[0.1; 3]).1, 1.0);
        assert_eq!(mean_and_std(&[]), (0.0, 1.0));
    }
}

//! Parameters whose gradient is always zero.

use std::collections::BTreeMap;

use super::Thresholds;

/// How often in a row the gradient of each parameter was zero when it was looked at, and of which it was told.
#[derive(Debug, Default)]
pub(super) struct ZeroGradients(BTreeMap<String, Zeros>);

#[derive(Debug, Default)]
struct Zeros {
    in_a_row: usize,
    is_told: bool,
}

impl ZeroGradients {
    /// Takes the norms of one step.
    pub(super) fn observe(&mut self, norms: &[(String, f32)]) {
        for (name, norm) in norms {
            let zeros = self.0.entry(name.clone()).or_default();
            match *norm == 0.0 {
                true => zeros.in_a_row += 1,
                false => *zeros = Zeros::default(),
            }
        }
    }

    /// The parameters to tell of, each once until it learns again.
    pub(super) fn take(&mut self, bounds: &Thresholds) -> Vec<String> {
        let is_news = |zeros: &Zeros| zeros.in_a_row >= bounds.zero_gradients && !zeros.is_told;
        let news = self.0.iter_mut().filter(|(_, zeros)| is_news(zeros));
        news.map(|(name, zeros)| {
            zeros.is_told = true;
            name.clone()
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gradient_that_is_zero_four_times_in_a_row_is_told_and_one_that_once_is_not_is_not() {
        let (mut zeros, bounds) = (ZeroGradients::default(), Thresholds::default());
        for look in 0..4 {
            assert_eq!(zeros.take(&bounds), Vec::<String>::new());
            let sometimes = if look == 1 { 0.5 } else { 0.0 };
            zeros.observe(&[
                ("dead".to_owned(), 0.0),
                ("rare".to_owned(), sometimes),
                ("live".to_owned(), 1.0),
            ]);
        }
        assert_eq!(zeros.take(&bounds), ["dead"]);
        // Told once, until it lives and dies again.
        for norm in [0.0; 4] {
            zeros.observe(&[("dead".to_owned(), norm)]);
        }
        assert_eq!(zeros.take(&bounds), Vec::<String>::new());
        for norm in [1.0, 0.0, 0.0, 0.0, 0.0] {
            zeros.observe(&[("dead".to_owned(), norm)]);
        }
        assert_eq!(zeros.take(&bounds), ["dead"]);
    }
}

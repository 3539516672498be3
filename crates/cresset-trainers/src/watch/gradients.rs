//! Parameters whose gradient is always zero.

use std::collections::BTreeMap;

use super::Thresholds;

/// How often in a row the gradient of each parameter was zero when it was looked at.
#[derive(Debug, Default)]
pub(super) struct ZeroGradients(BTreeMap<String, usize>);

impl ZeroGradients {
    /// Takes the norms of one step.
    pub(super) fn observe(&mut self, norms: &[(String, f32)]) {
        for (name, norm) in norms {
            match self.0.get_mut(name) {
                Some(zeros) => *zeros = if *norm == 0.0 { *zeros + 1 } else { 0 },
                None => drop(self.0.insert(name.clone(), usize::from(*norm == 0.0))),
            }
        }
    }

    /// The parameters to tell of; they are counted anew.
    pub(super) fn take(&mut self, bounds: &Thresholds) -> Vec<String> {
        let is_told = |zeros: usize| zeros >= bounds.zero_gradients;
        let names =
            self.0.iter().filter(|(_, zeros)| is_told(**zeros)).map(|(name, _)| name.clone()).collect();
        self.0.retain(|_, zeros| !is_told(*zeros));
        names
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
        assert_eq!(zeros.take(&bounds), Vec::<String>::new());
    }
}

//! Which rows pass which expert, decided on the host.

use burn::tensor::backend::Backend;
use burn::tensor::{Bool, Tensor};

/// The experts that each row passes.
pub(super) struct Routes {
    n_experts: usize,
    is_padding: Vec<bool>,
    /// 1 for the experts of each row, padding's too, `[rows, experts]`.
    pub(super) chosen: Vec<f32>,
    /// The rows that each expert is passed by, ascending and without padding. One expert's rows after the other's are
    /// the entries.
    pub(super) rows_of_expert: Vec<Vec<u32>>,
}

impl Routes {
    /// The `experts_per_token` experts with the highest logits for each row, ties by the lower number.
    pub(super) fn of<B: Backend>(
        router_logits: &Tensor<B, 2>,
        mask_pad: Option<&Tensor<B, 1, Bool>>,
        experts_per_token: usize,
    ) -> Self {
        let [n, n_experts] = router_logits.dims();
        let logits = router_logits.to_data().convert::<f32>();
        let logits: Vec<f32> = logits.to_vec().expect("converted just before");
        let is_padding =
            mask_pad.map_or_else(|| vec![false; n], |mask| mask.to_data().iter::<bool>().collect());
        let mut routes = Self {
            n_experts,
            is_padding,
            chosen: vec![0.0; n * n_experts],
            rows_of_expert: vec![vec![]; n_experts],
        };
        for (row, logits) in logits.chunks_exact(n_experts).enumerate() {
            for expert in highest(logits, experts_per_token) {
                routes.chosen[row * n_experts + expert] = 1.0;
                if !routes.is_padding[row] {
                    routes.rows_of_expert[expert].push(row as u32);
                }
            }
        }
        routes
    }

    /// The weight of each row in a mean over all but padding.
    pub(super) fn weights(&self) -> Vec<f32> {
        let n = self.is_padding.iter().filter(|&&is_padding| !is_padding).count();
        let weight = |&is_padding: &bool| if is_padding { 0.0 } else { 1.0 / n as f32 };
        self.is_padding.iter().map(weight).collect()
    }

    /// Each expert's share of the entries.
    pub(super) fn usage(&self) -> Vec<f32> {
        let n_entries = self.entries().count().max(1);
        self.rows_of_expert.iter().map(|rows| rows.len() as f32 / n_entries as f32).collect()
    }

    /// For each entry its place in `[rows, experts]`, row by row.
    pub(super) fn places_of_entries(&self) -> Vec<u32> {
        self.entries().map(|(expert, row)| row * self.n_experts as u32 + expert).collect()
    }

    /// The entries of each row, as lists one after the other: where they begin, and the lists.
    pub(super) fn entries_of_rows(&self) -> (Vec<u32>, Vec<u32>) {
        let mut offsets = vec![0; self.is_padding.len() + 1];
        for (_, row) in self.entries() {
            offsets[row as usize + 1] += 1;
        }
        for row in 1..offsets.len() {
            offsets[row] += offsets[row - 1];
        }
        let mut next = offsets.clone();
        let mut lists = vec![0; self.entries().count()];
        for (entry, (_, row)) in (0u32..).zip(self.entries()) {
            let at = &mut next[row as usize];
            lists[*at as usize] = entry;
            *at += 1;
        }
        (offsets, lists)
    }

    /// Expert and row of each entry.
    fn entries(&self) -> impl Iterator<Item = (u32, u32)> {
        (0u32..)
            .zip(&self.rows_of_expert)
            .flat_map(|(expert, rows)| rows.iter().map(move |&row| (expert, row)))
    }
}

/// The places of the `k` highest values; what is not a number counts as the lowest.
fn highest(values: &[f32], k: usize) -> impl Iterator<Item = usize> {
    let key = |at: usize| if values[at].is_nan() { f32::NEG_INFINITY } else { values[at] };
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| key(b).total_cmp(&key(a)));
    order.into_iter().take(k)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows 0 to 3 of three experts, row 1 padding.
    fn routes() -> Routes {
        Routes {
            n_experts: 3,
            is_padding: vec![false, true, false, false],
            chosen: vec![],
            rows_of_expert: vec![vec![0, 3], vec![], vec![0, 2, 3]],
        }
    }

    #[test]
    fn the_highest_come_first_ties_by_the_lower_place_and_nan_last() {
        let found: Vec<usize> = highest(&[1.0, f32::NAN, 3.0, 1.0], 4).collect();
        assert_eq!(found, [2, 0, 3, 1]);
    }

    #[test]
    fn each_row_finds_its_entries_among_those_of_the_experts() {
        // Entries: 0 and 3 of expert 0, then 0, 2 and 3 of expert 2.
        assert_eq!(routes().entries_of_rows(), (vec![0, 2, 2, 3, 5], vec![0, 2, 3, 1, 4]));
        assert_eq!(routes().places_of_entries(), [0, 9, 2, 8, 11]);
    }

    #[test]
    fn padding_has_no_weight_and_no_share() {
        assert_eq!(routes().weights(), [1.0 / 3.0, 0.0, 1.0 / 3.0, 1.0 / 3.0]);
        assert_eq!(routes().usage(), [0.4, 0.0, 0.6]);
    }
}

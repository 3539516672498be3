//! How the places of all lists are spread over the catalogue.

/// How often each item is shown, over the lists of all users.
///
/// Counts are whole numbers, so the order in which lists come changes nothing.
#[derive(Debug, Clone)]
pub(crate) struct Exposure {
    counts: Vec<u64>,
}

impl Exposure {
    /// Nothing shown yet.
    pub(crate) fn new(n_items: usize) -> Self {
        Self { counts: vec![0; n_items] }
    }

    /// Adds the items of a list; what is not in the catalogue is not counted.
    pub(crate) fn add(&mut self, list: &[u32]) {
        for &item in list {
            if let Some(count) = self.counts.get_mut(item as usize) {
                *count += 1;
            }
        }
    }

    /// Share of the catalogue that was shown at all.
    pub(crate) fn coverage(&self) -> f64 {
        let shown = self.counts.iter().filter(|&&count| count > 0).count();
        shown as f64 / self.counts.len() as f64
    }

    /// Gini index of the counts, items never shown included: 0 if all are shown equally often, 1 - 1/n if all
    /// places go to one item; none if nothing was shown.
    pub(crate) fn gini(&self) -> Option<f64> {
        let mut counts = self.counts.clone();
        counts.sort_unstable();
        let n = counts.len() as i128;
        let total: i128 = counts.iter().map(|&count| i128::from(count)).sum();
        if total == 0 {
            return None;
        }
        // Whole numbers up to the one division: exact for any catalogue.
        let weighted: i128 =
            (1..).zip(&counts).map(|(nth, &count): (i128, _)| (2 * nth - n - 1) * i128::from(count)).sum();
        Some(weighted as f64 / (n * total) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NO_ITEM;

    fn shown(n_items: usize, lists: &[&[u32]]) -> Exposure {
        let mut exposure = Exposure::new(n_items);
        lists.iter().for_each(|list| exposure.add(list));
        exposure
    }

    #[test]
    fn two_of_four_items_shown_cover_half_of_the_catalogue() {
        assert_eq!(shown(4, &[&[0, 3], &[3, NO_ITEM]]).coverage(), 0.5);
    }

    #[test]
    fn equal_exposure_has_a_gini_of_0_and_one_item_for_all_has_nearly_1() {
        assert_eq!(shown(2, &[&[0, 1], &[1, 0]]).gini(), Some(0.0));
        assert_eq!(shown(4, &[&[2], &[2], &[2]]).gini(), Some(0.75));
        assert_eq!(shown(1, &[&[0]]).gini(), Some(0.0));
    }

    #[test]
    fn counts_of_0_1_and_3_have_the_gini_worked_out_by_hand() {
        // Sorted 0, 1, 3 with weights -2, 0, 2: 6 / (3 · 4).
        assert_eq!(shown(3, &[&[0, 1], &[1], &[1]]).gini(), Some(0.5));
    }

    #[test]
    fn nothing_shown_has_no_gini() {
        assert_eq!(shown(3, &[&[]]).gini(), None);
        assert_eq!(shown(3, &[&[]]).coverage(), 0.0);
    }
}

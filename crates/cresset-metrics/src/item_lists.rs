//! One list of items for each user, without a vector for each user.

use crate::MetricError;

/// A view of item lists by user: the list of user `u` is `items[offsets[u]..offsets[u + 1]]`.
///
/// Each list holds item ids that strictly rise. Whoever is given the view checks that, and answers a
/// violation with an error.
#[derive(Debug, Clone, Copy)]
pub struct ItemLists<'a> {
    /// Where each user's list starts, and at last where all end: `[n_users + 1]`; empty if every list is.
    pub offsets: &'a [usize],
    /// Dense item ids of all lists, one list after the other.
    pub items: &'a [u32],
}

impl<'a> ItemLists<'a> {
    /// No item for anyone, whatever the number of users.
    pub const NONE: ItemLists<'static> = ItemLists { offsets: &[], items: &[] };

    /// The items of one user.
    ///
    /// # Panics
    ///
    /// If there is no row for `user`, or the offsets do not fit the items.
    pub fn of(&self, user: u32) -> &'a [u32] {
        if self.offsets.is_empty() {
            return &[];
        }
        let user = user as usize;
        &self.items[self.offsets[user]..self.offsets[user + 1]]
    }

    /// That the offsets cut the items into rows, and that each of `users` has one; `list` names the view.
    pub(crate) fn check(&self, list: &'static str, users: &[u32]) -> Result<(), MetricError> {
        self.check_offsets(list)?;
        let n_users = self.offsets.len().saturating_sub(1);
        match users.iter().find(|&&user| user as usize >= n_users) {
            Some(&user) if !self.offsets.is_empty() => Err(MetricError::NoSuchUser { list, user, n_users }),
            _ => Ok(()),
        }
    }

    fn check_offsets(&self, list: &'static str) -> Result<(), MetricError> {
        let n_items = self.items.len();
        let bad = |index: usize, value: usize| MetricError::BadOffsets { list, index, value, n_items };
        let (Some(&first), Some(&last)) = (self.offsets.first(), self.offsets.last()) else {
            return if n_items == 0 { Ok(()) } else { Err(bad(0, 0)) };
        };
        if first != 0 {
            return Err(bad(0, first));
        }
        if let Some(index) = self.offsets.windows(2).position(|pair| pair[0] > pair[1]) {
            return Err(bad(index + 1, self.offsets[index + 1]));
        }
        if last != n_items {
            return Err(bad(self.offsets.len() - 1, last));
        }
        Ok(())
    }
}

/// That one user's items strictly rise and are in the catalogue.
pub(crate) fn check_list(
    list: &'static str,
    user: u32,
    items: &[u32],
    n_items: usize,
) -> Result<(), MetricError> {
    if let Some(index) = items.windows(2).position(|pair| pair[0] >= pair[1]) {
        return Err(MetricError::NotAscending { list, user, item: items[index + 1] });
    }
    match items.last() {
        Some(&item) if item as usize >= n_items => {
            Err(MetricError::ItemOutOfRange { list, user, item, n_items })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bad_offset(offsets: &[usize], items: &[u32]) -> Option<(usize, usize)> {
        match (ItemLists { offsets, items }.check("seen", &[])) {
            Err(MetricError::BadOffsets { index, value, .. }) => Some((index, value)),
            _ => None,
        }
    }

    #[test]
    fn offsets_cut_the_items_into_one_list_for_each_user() {
        let lists = ItemLists { offsets: &[0, 2, 2, 3], items: &[4, 7, 1] };
        assert_eq!(lists.check("seen", &[0, 1, 2]), Ok(()));
        assert_eq!([lists.of(0), lists.of(1), lists.of(2)], [&[4, 7][..], &[], &[1]]);
    }

    #[test]
    fn no_offsets_mean_an_empty_list_for_everyone() {
        assert_eq!(ItemLists::NONE.check("seen", &[0, 9]), Ok(()));
        assert!(ItemLists::NONE.of(9).is_empty());
    }

    #[test]
    fn offsets_that_do_not_fit_the_items_are_an_error_at_the_first_bad_one() {
        assert_eq!(bad_offset(&[1, 2], &[5, 6]), Some((0, 1)));
        assert_eq!(bad_offset(&[0, 2, 1, 2], &[5, 6]), Some((2, 1)));
        assert_eq!(bad_offset(&[0, 1], &[5, 6]), Some((1, 1)));
        assert_eq!(bad_offset(&[], &[5]), Some((0, 0)));
        assert_eq!(bad_offset(&[0, 2], &[5, 6]), None);
    }

    #[test]
    fn a_user_without_a_row_is_an_error_that_names_the_user() {
        let lists = ItemLists { offsets: &[0, 0], items: &[] };
        let error = lists.check("relevant", &[0, 3]).unwrap_err();
        assert_eq!(error, MetricError::NoSuchUser { list: "relevant", user: 3, n_users: 1 });
    }

    #[test]
    fn a_list_out_of_order_or_with_a_duplicate_or_beyond_the_catalogue_is_an_error() {
        let unsorted = |item| Err(MetricError::NotAscending { list: "seen", user: 2, item });
        assert_eq!(check_list("seen", 2, &[4, 1], 9), unsorted(1));
        assert_eq!(check_list("seen", 2, &[1, 4, 4], 9), unsorted(4));
        let beyond = MetricError::ItemOutOfRange { list: "seen", user: 2, item: 9, n_items: 9 };
        assert_eq!(check_list("seen", 2, &[1, 9], 9), Err(beyond));
        assert_eq!(check_list("seen", 2, &[0, 8], 9), Ok(()));
    }
}

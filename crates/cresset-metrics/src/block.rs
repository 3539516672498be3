//! What a scorer is asked about a block of users, and what it answers.

use crate::ItemLists;

/// A block of users to rank for; see [`Scorer::rank_block`](crate::Scorer::rank_block).
#[derive(Debug, Clone, Copy)]
pub struct BlockRequest<'a> {
    /// The users: `[block]`, dense user ids.
    pub users: &'a [u32],
    /// The relevant items by user id, as in the task.
    pub relevant: ItemLists<'a>,
    /// The items by user id that are no candidates, as in the task.
    pub seen: ItemLists<'a>,
    /// Length of the lists that are wanted, at most the catalogue's size; 0 if none are.
    pub top_k: usize,
}

/// The lists of a block's users, one after the other: the list of row `r` is
/// `items[offsets[r]..offsets[r + 1]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockLists {
    /// `[block + 1]`
    pub offsets: Vec<usize>,
    /// Dense item ids.
    pub items: Vec<u32>,
}

/// Where the relevant items of a block's users stand, as counted wherever the scores are.
///
/// Scores compare as numbers: -0 equals 0. Candidates of a user are all items but the seen ones.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BlockRanks {
    /// For each relevant item, how many candidates score above it: `[n_relevant]`, user after user in the
    /// order of [`BlockRequest::users`], each user's items in the order of their list. Of a relevant item
    /// that is seen, what stands here is not looked at.
    pub above: Vec<u32>,
    /// For each relevant item, how many candidates score as high, itself included: `[n_relevant]`.
    pub equal: Vec<u32>,
    /// The best candidates of each user, equal scores by rising item id: `[block, top_k]`, row-major. Where
    /// fewer are left, the row ends in [`NO_ITEM`](crate::NO_ITEM).
    pub top_items: Vec<u32>,
    /// The first score of the block that is NaN or infinite, in the order of users and then items.
    pub not_finite: Option<NotFiniteScore>,
}

/// A score that no ranking can hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NotFiniteScore {
    /// Dense user id.
    pub user: u32,
    /// Dense item id.
    pub item: u32,
    /// NaN or an infinity.
    pub value: f32,
}

impl BlockRequest<'_> {
    /// The relevant items of the block's users, row by row: the order of [`BlockRanks::above`].
    pub fn relevant_rows(&self) -> BlockLists {
        BlockLists::of(self.relevant, self.users)
    }

    /// The seen items of the block's users, row by row.
    pub fn seen_rows(&self) -> BlockLists {
        BlockLists::of(self.seen, self.users)
    }
}

impl BlockLists {
    fn of(lists: ItemLists<'_>, users: &[u32]) -> Self {
        let (mut offsets, mut items) = (vec![0], Vec::new());
        for &user in users {
            items.extend_from_slice(lists.of(user));
            offsets.push(items.len());
        }
        Self { offsets, items }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_follow_the_users_of_the_block() {
        let relevant = ItemLists { offsets: &[0, 1, 1, 3], items: &[5, 2, 9] };
        let request = BlockRequest { users: &[2, 1, 0], relevant, seen: ItemLists::NONE, top_k: 0 };
        let expected = BlockLists { offsets: vec![0, 2, 2, 3], items: vec![2, 9, 5] };
        assert_eq!(request.relevant_rows(), expected);
        assert_eq!(request.seen_rows(), BlockLists { offsets: vec![0; 4], items: vec![] });
    }
}

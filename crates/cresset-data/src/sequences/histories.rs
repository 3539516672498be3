//! Evaluation batches: what users had before.

use super::{PADDING, Sequences, pad_left};
use crate::batches::{Batches, step_of};
use crate::ratings::Ratings;
use crate::split::{Part, Split};

/// What users had when they are to be tested.
///
/// Rows of the item table are item indices plus 1, row 0 being padding, which stands on the left. The row of a user
/// without a history is all padding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryBatch {
    /// User of each example: `[batch]`.
    pub user_id: Vec<u32>,
    /// Rows of the items, oldest first: `[batch, seq]`.
    pub item_seq: Vec<u32>,
    /// Whether a position is padding: `[batch, seq]`.
    pub mask_pad: Vec<bool>,
    /// Positions of each example.
    pub max_seq_len: usize,
}

/// Evaluation batches: the latest `max_seq_len` items of each user who is tested, users in ascending order.
#[derive(Debug, Clone)]
pub struct HistoryBatches {
    histories: Sequences,
    users: Vec<u32>,
    max_seq_len: usize,
    batch_size: usize,
}

impl HistoryBatches {
    /// Histories of the given users, in the given order.
    ///
    /// # Panics
    ///
    /// If `max_seq_len` or `batch_size` is 0, or a user is not one of `histories`.
    pub fn new(histories: Sequences, users: Vec<u32>, max_seq_len: usize, batch_size: usize) -> Self {
        assert!(max_seq_len > 0 && batch_size > 0, "a batch has one row and one position at least");
        let n_users = histories.n_users();
        assert!(users.iter().all(|&user| (user as usize) < n_users), "a user is below the number of users");
        Self { histories, users, max_seq_len, batch_size }
    }

    /// What each user who has a row in `part` had before it: for validation the training rows, for test those and
    /// the validation rows.
    ///
    /// # Panics
    ///
    /// If `part` is [`Part::Train`], `max_seq_len` or `batch_size` is 0, or a user number is not below `n_users`.
    pub fn before(
        part: Part,
        ratings: &Ratings,
        split: &Split,
        n_users: usize,
        max_seq_len: usize,
        batch_size: usize,
    ) -> Self {
        assert!(part != Part::Train, "nothing comes before the training part");
        let histories = if part == Part::Test {
            Sequences::of_rows(ratings, &split.before_test(), n_users)
        } else {
            Sequences::of_rows(ratings, &split.train, n_users)
        };
        let mut users: Vec<u32> = split.rows(part).iter().map(|&row| ratings.user_id[row as usize]).collect();
        users.sort_unstable();
        users.dedup();
        Self::new(histories, users, max_seq_len, batch_size)
    }
}

impl Batches for HistoryBatches {
    type Batch = HistoryBatch;
    type Order = ();

    fn n_examples(&self) -> usize {
        self.users.len()
    }

    fn n_steps(&self) -> usize {
        self.users.len().div_ceil(self.batch_size)
    }

    /// Users are always in one order.
    fn order(&self, _epoch: u64) {}

    /// # Panics
    ///
    /// If `step` is not below [`n_steps`](Batches::n_steps).
    fn batch(&self, _order: &(), step: usize) -> HistoryBatch {
        let users = step_of(&self.users, step, self.batch_size);
        let seq = self.max_seq_len;
        let mut item_seq = vec![PADDING; users.len() * seq];
        let mut mask_pad = vec![true; users.len() * seq];
        let rows = item_seq.chunks_exact_mut(seq).zip(mask_pad.chunks_exact_mut(seq));
        for (&user, (row, mask)) in users.iter().zip(rows) {
            pad_left(self.histories.of(user), row, mask);
        }
        HistoryBatch { user_id: users.to_vec(), item_seq, mask_pad, max_seq_len: seq }
    }
}

//! Training batches of sequences.

use super::{PADDING, Sequences, pad_left, shift};
use crate::batches::{Batches, EpochOrder};
use crate::negatives::NegativeSampler;

/// Which pieces of a history longer than `max_seq_len + 1` are trained on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Windows {
    /// The latest alone, one example for each user, as the SASRec paper's program does.
    Last,
    /// All, one after another from the latest back: every item but the first of a user is predicted once.
    #[default]
    All,
}

/// Pieces of histories, each item beside the next one, which is to be predicted.
///
/// Rows of the item table are item indices plus 1, row 0 being padding, which stands on the left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SequenceBatch {
    /// User of each example: `[batch]`.
    pub user_id: Vec<u32>,
    /// Rows of the items, oldest first: `[batch, seq]`.
    pub item_seq: Vec<u32>,
    /// Row of the item that follows each: `[batch, seq]`, 0 at padding.
    pub pos_items: Vec<u32>,
    /// Rows of items that the user does not have: `[batch, seq, n_negatives]`, 0 at padding.
    pub neg_items: Vec<u32>,
    /// Whether a position is padding: `[batch, seq]`.
    pub mask_pad: Vec<bool>,
    /// Positions of each example.
    pub max_seq_len: usize,
    /// Negatives of each position; 0 where the loss is over all items.
    pub n_negatives: usize,
}

impl SequenceBatch {
    /// The number of examples.
    pub fn len(&self) -> usize {
        self.user_id.len()
    }

    /// Whether there is no example.
    pub fn is_empty(&self) -> bool {
        self.user_id.is_empty()
    }
}

/// A piece of a history: `end` is one more than the place of the last item that is predicted.
#[derive(Debug, Clone, Copy)]
struct Window {
    user: u32,
    end: u32,
}

/// Training batches of sequences, newly shuffled in each epoch; only the batch at hand is ever padded.
///
/// ```
/// use cresset_data::{Batches, Ratings, SequenceBatches, Sequences, TimeKind, Windows};
///
/// let ratings = Ratings {
///     user_id: vec![0, 0, 0],
///     item_id: vec![7, 3, 5],
///     rating: vec![5.0; 3],
///     time: vec![10, 20, 30],
///     time_kind: TimeKind::Timestamp,
///     parts: None,
/// };
/// let histories = Sequences::of_rows(&ratings, &[0, 1, 2], 1);
/// let batches = SequenceBatches::new(histories, Windows::All, 4, 8, 42);
/// let batch = batches.batch(&batches.order(0), 0);
/// assert_eq!(batch.item_seq, [0, 0, 8, 4]);
/// assert_eq!(batch.pos_items, [0, 0, 4, 6]);
/// assert_eq!(batch.mask_pad, [true, true, false, false]);
/// ```
#[derive(Debug, Clone)]
pub struct SequenceBatches {
    sequences: Sequences,
    windows: Vec<Window>,
    max_seq_len: usize,
    negatives: Option<(NegativeSampler, usize)>,
    batch_size: usize,
    seed: u64,
}

impl SequenceBatches {
    /// Batches of `batch_size` windows of `max_seq_len` positions; users with fewer than 2 items have none.
    ///
    /// # Panics
    ///
    /// If `max_seq_len` or `batch_size` is 0.
    pub fn new(
        sequences: Sequences,
        windows: Windows,
        max_seq_len: usize,
        batch_size: usize,
        seed: u64,
    ) -> Self {
        assert!(max_seq_len > 0 && batch_size > 0, "a batch has one row and one position at least");
        let most = if windows == Windows::All { usize::MAX } else { 1 };
        let of_user = |user: u32| {
            let ends = (2..=sequences.of(user).len() as u32).rev().step_by(max_seq_len).take(most);
            ends.map(move |end| Window { user, end })
        };
        let windows = (0..sequences.n_users() as u32).flat_map(of_user).collect();
        Self { sequences, windows, max_seq_len, negatives: None, batch_size, seed }
    }

    /// The same with `n_negatives` items for each position that its user does not have.
    #[must_use]
    pub fn with_negatives(self, sampler: NegativeSampler, n_negatives: usize) -> Self {
        Self { negatives: Some((sampler, n_negatives)), ..self }
    }

    /// Fills in the negatives of the positions of a window, as rows of the table.
    fn fill_negatives(&self, epoch: u64, window: u32, rows: &mut [u32]) {
        let Some((sampler, _)) = &self.negatives else { return };
        let user = self.windows[window as usize].user;
        sampler.in_epoch(epoch).fill(user, u64::from(window), rows);
        rows.iter_mut().for_each(|item| *item += 1);
    }
}

impl Batches for SequenceBatches {
    type Batch = SequenceBatch;
    type Order = EpochOrder;

    fn n_examples(&self) -> usize {
        self.windows.len()
    }

    fn n_steps(&self) -> usize {
        self.windows.len().div_ceil(self.batch_size)
    }

    fn order(&self, epoch: u64) -> EpochOrder {
        EpochOrder::shuffled(self.windows.len(), self.seed, epoch)
    }

    /// # Panics
    ///
    /// If `step` is not below [`n_steps`](Batches::n_steps).
    fn batch(&self, order: &EpochOrder, step: usize) -> SequenceBatch {
        let examples = order.of_step(step, self.batch_size);
        let seq = self.max_seq_len;
        let n_negatives = self.negatives.as_ref().map_or(0, |(_, n_negatives)| *n_negatives);
        let n_positions = examples.len() * seq;
        let mut batch = SequenceBatch {
            user_id: Vec::with_capacity(examples.len()),
            item_seq: vec![PADDING; n_positions],
            pos_items: vec![PADDING; n_positions],
            neg_items: vec![PADDING; n_positions * n_negatives],
            mask_pad: vec![true; n_positions],
            max_seq_len: seq,
            n_negatives,
        };
        for (at, &window) in examples.iter().enumerate() {
            let Window { user, end } = self.windows[window as usize];
            let history = &self.sequences.of(user)[..end as usize];
            let (inputs, targets) = (&history[..history.len() - 1], &history[1..]);
            let row = at * seq..(at + 1) * seq;
            let n = pad_left(inputs, &mut batch.item_seq[row.clone()], &mut batch.mask_pad[row.clone()]);
            shift(&targets[targets.len() - n..], &mut batch.pos_items[row.end - n..row.end]);
            let negatives = &mut batch.neg_items[(row.end - n) * n_negatives..row.end * n_negatives];
            self.fill_negatives(order.epoch, window, negatives);
            batch.user_id.push(user);
        }
        batch
    }
}

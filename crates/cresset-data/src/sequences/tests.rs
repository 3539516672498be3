//! Windows and histories by hand, and what holds of all of them.

use proptest::prelude::*;

use super::*;
use crate::batches::Batches;
use crate::interactions::TimeKind;
use crate::negatives::{ItemDistribution, NegativeSampler};
use crate::split::{Part, Split};
use crate::user_items::UserItems;

/// User `u` has the items `0..lengths[u]`, of which the first is the oldest.
fn ratings(lengths: &[u32]) -> Ratings {
    let rows = (0u32..).zip(lengths).flat_map(|(user, &length)| (0..length).map(move |item| (user, item)));
    let (user_id, item_id): (Vec<u32>, Vec<u32>) = rows.unzip();
    Ratings {
        rating: vec![1.0; user_id.len()],
        time: item_id.iter().map(|&item| i64::from(item)).collect(),
        user_id,
        item_id,
        time_kind: TimeKind::Timestamp,
        parts: None,
    }
}

fn sequences(lengths: &[u32]) -> Sequences {
    let ratings = ratings(lengths);
    let rows: Vec<u32> = (0..ratings.len() as u32).collect();
    Sequences::of_rows(&ratings, &rows, lengths.len())
}

fn epoch(batches: &SequenceBatches, epoch: u64) -> Vec<SequenceBatch> {
    let order = batches.order(epoch);
    (0..batches.n_steps()).map(|step| batches.batch(&order, step)).collect()
}

#[test]
fn a_long_history_is_cut_from_its_end_back() {
    // Items 0 to 6: the targets 6, 5, 4 are the first window, 3, 2, 1 the second.
    let batches = SequenceBatches::new(sequences(&[7]), Windows::All, 3, 1, 42);
    let mut found: Vec<_> = epoch(&batches, 0).into_iter().map(|it| (it.item_seq, it.pos_items)).collect();
    found.sort();
    assert_eq!(found, [(vec![1, 2, 3], vec![2, 3, 4]), (vec![4, 5, 6], vec![5, 6, 7])]);
}

#[test]
fn the_last_window_alone_is_one_example_for_each_user_with_two_items() {
    let batches = SequenceBatches::new(sequences(&[7, 1, 0, 2]), Windows::Last, 3, 8, 42);
    let batch = &epoch(&batches, 0)[0];
    let mut found: Vec<_> =
        batch.user_id.iter().zip(batch.item_seq.chunks(3).zip(batch.pos_items.chunks(3))).collect();
    found.sort();
    assert_eq!(found, [(&0, (&[4, 5, 6][..], &[5, 6, 7][..])), (&3, (&[0, 0, 1][..], &[0, 0, 2][..]))]);
}

#[test]
fn the_history_at_test_has_the_validation_item_and_that_at_validation_has_not() {
    let ratings = ratings(&[4, 2, 3]);
    let split = Split::leave_one_out(&ratings).unwrap();
    let batch = |part, step| HistoryBatches::before(part, &ratings, &split, 3, 3, 1).batch(&(), step);
    // User 0 has items 0 to 3, as rows 1 to 4; user 1 is not tested.
    assert_eq!(batch(Part::Valid, 0).item_seq, [0, 1, 2]);
    assert_eq!(batch(Part::Test, 0).item_seq, [1, 2, 3]);
    assert_eq!(batch(Part::Valid, 0).mask_pad, [true, false, false]);
    assert_eq!((batch(Part::Test, 1).user_id, batch(Part::Test, 1).item_seq), (vec![2], vec![0, 1, 2]));
}

#[test]
fn a_tested_user_without_a_history_is_all_padding() {
    let batches = HistoryBatches::new(sequences(&[0, 2]), vec![0, 1], 2, 2);
    let batch = batches.batch(&(), 0);
    assert_eq!((batch.item_seq, batch.mask_pad), (vec![0, 0, 1, 2], vec![true, true, false, false]));
}

proptest! {
    #[test]
    fn every_item_but_the_first_is_predicted_once_from_the_one_before(
        lengths in prop::collection::vec(0u32..20, 1..8), max_seq_len in 1usize..7, batch_size in 1usize..5,
    ) {
        let batches = SequenceBatches::new(sequences(&lengths), Windows::All, max_seq_len, batch_size, 42);
        let mut predicted = Vec::new();
        for batch in epoch(&batches, 1) {
            prop_assert_eq!(batch.item_seq.len(), batch.len() * max_seq_len);
            for (at, (&item, &next)) in batch.item_seq.iter().zip(&batch.pos_items).enumerate() {
                prop_assert_eq!(batch.mask_pad[at], item == 0);
                if item > 0 {
                    prop_assert_eq!(next, item + 1);
                    predicted.push((batch.user_id[at / max_seq_len], next - 1));
                }
            }
            for mask in batch.mask_pad.chunks(max_seq_len) {
                prop_assert!(mask.is_sorted_by(|a, b| a >= b), "padding is on the left");
            }
        }
        predicted.sort_unstable();
        let expected: Vec<(u32, u32)> =
            (0u32..).zip(&lengths).flat_map(|(user, &n)| (1..n.max(1)).map(move |item| (user, item))).collect();
        prop_assert_eq!(predicted, expected);
    }

    #[test]
    fn negatives_are_never_the_users_own_and_padding_has_none(
        lengths in prop::collection::vec(0u32..15, 1..6), max_seq_len in 1usize..7, n_negatives in 0usize..4,
    ) {
        let rows = ratings(&lengths);
        let own = UserItems::from_ratings(&rows, lengths.len());
        let sampler = NegativeSampler::new(ItemDistribution::uniform(17), own.clone(), 42).unwrap();
        let batches = |batch_size| {
            SequenceBatches::new(sequences(&lengths), Windows::All, max_seq_len, batch_size, 42)
                .with_negatives(sampler.clone(), n_negatives)
        };
        for batch in epoch(&batches(3), 0) {
            prop_assert_eq!(batch.neg_items.len(), batch.mask_pad.len() * n_negatives);
            for (at, &row) in batch.neg_items.iter().enumerate() {
                let position = at / n_negatives;
                let user = batch.user_id[position / max_seq_len];
                prop_assert_eq!(batch.mask_pad[position], row == 0);
                prop_assert!(row == 0 || (row <= 17 && !own.contains(user, row - 1)));
            }
        }
        let all = |batch_size| epoch(&batches(batch_size), 1).into_iter().flat_map(|it| it.neg_items);
        prop_assert_eq!(all(1).collect::<Vec<_>>(), all(100).collect::<Vec<_>>());
    }
}

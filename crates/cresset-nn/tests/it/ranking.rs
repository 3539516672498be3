//! Counting where items stand, on the device of the scores.

use burn::backend::Flex;
use burn::tensor::{Tensor, TensorData};
use cresset_nn::{NO_CANDIDATE, RankedRows, RowLists, rank_rows};
use proptest::prelude::*;

fn rank(scores: &[f32], n_rows: usize, asked: &[Vec<u32>], masked: &[Vec<u32>], top_k: usize) -> RankedRows {
    let shape = [n_rows, scores.len() / n_rows];
    let scores = Tensor::<Flex, 2>::from_data(TensorData::new(scores.to_vec(), shape), &Default::default());
    let (asked, masked) = (flat(asked), flat(masked));
    rank_rows(
        scores,
        RowLists { offsets: &asked.0, items: &asked.1 },
        RowLists { offsets: &masked.0, items: &masked.1 },
        top_k,
    )
}

fn flat(lists: &[Vec<u32>]) -> (Vec<usize>, Vec<u32>) {
    let mut offsets = vec![0];
    offsets.extend(lists.iter().scan(0, |end, list| {
        *end += list.len();
        Some(*end)
    }));
    (offsets, lists.concat())
}

#[test]
fn the_counts_of_two_users_are_those_counted_by_hand() {
    // Row 0: item 3 is masked, item 2 is second, item 0 ties with item 4 behind it. Row 1: nothing is masked.
    let scores = [1.0, 5.0, 3.0, 9.0, 1.0, -0.0, 0.0, 2.0, 2.0, 2.0];
    let ranked = rank(&scores, 2, &[vec![0, 2], vec![0]], &[vec![3], vec![]], 3);
    assert_eq!(ranked.above, [2, 1, 3]);
    assert_eq!(ranked.equal, [2, 1, 2]);
    assert_eq!(ranked.top_items, [1, 2, 0, 2, 3, 4]);
    assert_eq!(ranked.not_finite, None);
}

#[test]
fn a_row_with_too_few_candidates_ends_in_no_item() {
    let ranked = rank(&[1.0, 2.0, 3.0], 1, &[vec![]], &[vec![0, 2]], 5);
    assert_eq!(ranked.top_items, [1, NO_CANDIDATE, NO_CANDIDATE, NO_CANDIDATE, NO_CANDIDATE]);
    assert!(ranked.above.is_empty());
}

#[test]
fn the_first_score_that_is_no_number_is_named() {
    let scores = [1.0, 2.0, 3.0, f32::INFINITY, 1.0, 1.0];
    let ranked = rank(&scores, 2, &[vec![0], vec![0]], &[vec![], vec![0]], 1);
    assert_eq!(ranked.not_finite, Some((1, 0, f32::INFINITY)));
}

proptest! {
    #[test]
    fn counts_and_lists_are_those_of_a_plain_search(
        scores in prop::collection::vec(-3_i8..3, 24),
        is_asked in prop::collection::vec(any::<bool>(), 24),
        is_masked in prop::collection::vec(any::<bool>(), 24),
        top_k in 0_usize..10,
    ) {
        let scores: Vec<f32> = scores.into_iter().map(f32::from).collect();
        let rows = |is: &[bool]| -> Vec<Vec<u32>> {
            is.chunks(8).map(|row| (0..8).filter(|&item| row[item as usize]).collect()).collect()
        };
        let (asked, masked) = (rows(&is_asked), rows(&is_masked));
        let ranked = rank(&scores, 3, &asked, &masked, top_k);
        let (mut above, mut equal, mut top) = (vec![], vec![], vec![]);
        for row in 0..3 {
            let scores = &scores[8 * row..8 * row + 8];
            let mut left: Vec<u32> = (0..8).filter(|item| !masked[row].contains(item)).collect();
            for &item in &asked[row] {
                let score = scores[item as usize];
                above.push(left.iter().filter(|&&other| scores[other as usize] > score).count() as u32);
                equal.push(left.iter().filter(|&&other| scores[other as usize] == score).count() as u32);
            }
            left.sort_by(|&a, &b| scores[b as usize].total_cmp(&scores[a as usize]));
            top.extend(left.into_iter().chain(std::iter::repeat(NO_CANDIDATE)).take(top_k));
        }
        prop_assert_eq!((ranked.above, ranked.equal, ranked.top_items), (above, equal, top));
    }
}

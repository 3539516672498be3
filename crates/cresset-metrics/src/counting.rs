//! How many scores lie above each of a few thresholds, and how many on them.

/// Counts for one threshold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Scores strictly above.
    pub(crate) above: usize,
    /// Scores equal.
    pub(crate) equal: usize,
}

/// Thresholds counted in one pass: as many as leave the running counts in vector registers.
const LANES: usize = 2;

/// From so many thresholds on, searching for each score's place beats comparing it with all of them.
const MANY: usize = 64;

/// The counts for each threshold over all scores. Both are finite, and the thresholds strictly fall.
pub(crate) fn count(scores: &[f32], thresholds: &[f32]) -> Vec<Counts> {
    if thresholds.len() < MANY {
        count_by_comparing(scores, thresholds)
    } else {
        count_by_searching(scores, thresholds)
    }
}

fn count_by_comparing(scores: &[f32], thresholds: &[f32]) -> Vec<Counts> {
    let mut counts = Vec::with_capacity(thresholds.len());
    let groups = thresholds.chunks_exact(LANES);
    let rest = groups.remainder();
    for group in groups {
        counts.extend(compare::<LANES>(scores, [group[0], group[1]]));
    }
    for &threshold in rest {
        counts.extend(compare::<1>(scores, [threshold]));
    }
    counts
}

/// One pass over the scores, without a branch, so that the compiler compares many scores at once.
fn compare<const N: usize>(scores: &[f32], thresholds: [f32; N]) -> [Counts; N] {
    let mut total = [Counts::default(); N];
    // 32-bit counts fill a vector register four or more at a time; pieces keep them from overflowing.
    for piece in scores.chunks(u32::MAX as usize) {
        let (mut above, mut equal) = ([0_u32; N], [0_u32; N]);
        for &score in piece {
            for lane in 0..N {
                above[lane] += u32::from(score > thresholds[lane]);
                equal[lane] += u32::from(score == thresholds[lane]);
            }
        }
        for lane in 0..N {
            total[lane].above += above[lane] as usize;
            total[lane].equal += equal[lane] as usize;
        }
    }
    total
}

fn count_by_searching(scores: &[f32], thresholds: &[f32]) -> Vec<Counts> {
    let mut counts = vec![Counts::default(); thresholds.len()];
    for &score in scores {
        let place = thresholds.partition_point(|&threshold| threshold > score);
        if place == thresholds.len() {
            continue;
        }
        // First only into the best threshold that a score reaches; the ones below inherit it in the end.
        if thresholds[place] == score {
            counts[place].equal += 1;
        } else {
            counts[place].above += 1;
        }
    }
    let mut reached = 0;
    for count in &mut counts {
        count.above += reached;
        reached = count.above + count.equal;
    }
    counts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SCORES: [f32; 6] = [3.0, 1.0, 2.0, 2.0, -0.0, 5.0];

    #[test]
    fn counts_of_six_scores_are_those_counted_by_hand() {
        let expected = [(0, 0), (1, 1), (2, 2), (5, 1), (6, 0)].map(|(above, equal)| Counts { above, equal });
        for count in [count_by_comparing, count_by_searching] {
            assert_eq!(count(&SCORES, &[9.0, 3.0, 2.0, 0.0, -1.0]), expected);
            assert!(count(&SCORES, &[]).is_empty());
        }
    }

    proptest! {
        #[test]
        fn comparing_and_searching_agree(
            scores in prop::collection::vec(-9_i8..9, 0..200),
            thresholds in prop::collection::btree_set(-9_i8..9, 0..12),
        ) {
            let scores: Vec<f32> = scores.into_iter().map(f32::from).collect();
            let thresholds: Vec<f32> = thresholds.into_iter().rev().map(f32::from).collect();
            prop_assert_eq!(
                count_by_comparing(&scores, &thresholds),
                count_by_searching(&scores, &thresholds)
            );
        }
    }
}

//! How many scores lie above each of a few thresholds, and how many on them.

mod codes;

use pulp::{Arch, Simd, WithSimd};

use codes::{Codes, CountByCode};

/// Counts for one threshold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Scores strictly above.
    pub(crate) above: usize,
    /// Scores equal.
    pub(crate) equal: usize,
}

/// Thresholds counted in one pass: as many as leave the running counts in vector registers.
const LANES: usize = 4;

/// From so many thresholds on, counting by codes pays for making them.
const SEVERAL: usize = 6;

/// From so many thresholds on, searching for each score's place takes fewer instructions than comparing it with
/// all of them.
const MANY: usize = 192;

/// Thresholds that are counted before the others: most users have few relevant items near the top.
const FIRST: usize = 2;

/// Writes the counts for each threshold over all scores, best first, up to one that `reach` scores lie above and that
/// others may follow; `room` is for whatever.
///
/// Thresholds are finite, strictly fall, and each is one of the scores; no score is NaN.
pub(crate) fn count(
    scores: &[f32],
    thresholds: &[f32],
    reach: usize,
    room: &mut Vec<i16>,
    counts: &mut Vec<Counts>,
) {
    counts.clear();
    let mut thresholds = thresholds;
    if reach < scores.len() && thresholds.len() > FIRST {
        let (first, rest) = thresholds.split_at(FIRST);
        Arch::new().dispatch(Compare { scores, thresholds: first, counts });
        if counts[FIRST - 1].above >= reach {
            return;
        }
        thresholds = rest;
    }
    if thresholds.len() >= MANY {
        return count_by_searching(scores, thresholds, counts);
    }
    let codes = if thresholds.len() < SEVERAL { None } else { Codes::spanning(thresholds) };
    match codes {
        Some(codes) => Arch::new().dispatch(CountByCode { scores, thresholds, codes, room, counts }),
        None => Arch::new().dispatch(Compare { scores, thresholds, counts }),
    }
}

/// Compares each score with every threshold.
struct Compare<'a> {
    scores: &'a [f32],
    thresholds: &'a [f32],
    counts: &'a mut Vec<Counts>,
}

impl WithSimd for Compare<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let (groups, rest) = self.thresholds.as_chunks::<LANES>();
        for &group in groups {
            self.counts.extend(compare(self.scores, group));
        }
        for &threshold in rest {
            self.counts.extend(compare(self.scores, [threshold]));
        }
    }
}

/// One pass over the scores, without a branch, so that the compiler compares many scores at once.
#[inline(always)]
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

fn count_by_searching(scores: &[f32], thresholds: &[f32], counts: &mut Vec<Counts>) {
    let begin = counts.len();
    counts.resize(begin + thresholds.len(), Counts::default());
    let counts = &mut counts[begin..];
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
    for count in counts {
        count.above += reached;
        reached = count.above + count.equal;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn by_comparing(scores: &[f32], thresholds: &[f32]) -> Vec<Counts> {
        let mut counts = Vec::new();
        Arch::new().dispatch(Compare { scores, thresholds, counts: &mut counts });
        counts
    }

    fn by_searching(scores: &[f32], thresholds: &[f32]) -> Vec<Counts> {
        let mut counts = Vec::new();
        count_by_searching(scores, thresholds, &mut counts);
        counts
    }

    const SCORES: [f32; 6] = [3.0, 1.0, 2.0, 2.0, -0.0, 5.0];

    #[test]
    fn counts_of_six_scores_are_those_counted_by_hand() {
        let expected = [(0, 0), (1, 1), (2, 2), (5, 1), (6, 0)].map(|(above, equal)| Counts { above, equal });
        for count in [by_comparing, by_searching] {
            assert_eq!(count(&SCORES, &[9.0, 3.0, 2.0, 0.0, -1.0]), expected);
            assert!(count(&SCORES, &[]).is_empty());
        }
    }

    fn by_code(scores: &[f32], thresholds: &[f32]) -> Option<Vec<Counts>> {
        let (codes, mut room, mut counts) = (Codes::spanning(thresholds)?, Vec::new(), Vec::new());
        let room = &mut room;
        Arch::new().dispatch(CountByCode { scores, thresholds, codes, room, counts: &mut counts });
        Some(counts)
    }

    proptest! {
        #[test]
        fn comparing_searching_and_codes_agree(
            scores in prop::collection::vec(-90_i8..90, 1..9_000),
            chosen in prop::collection::vec(any::<prop::sample::Index>(), 1..30),
            // The widest spans more than codes can tell apart.
            unit in prop::sample::select(vec![1.0_f32, 0.37, 1e-5, 1e30]),
            offset in prop::sample::select(vec![0.0_f32, 1.0]),
        ) {
            let scores: Vec<f32> = scores.into_iter().map(|score| offset + f32::from(score) * unit).collect();
            let mut thresholds: Vec<f32> = chosen.iter().map(|index| *index.get(&scores)).collect();
            thresholds.sort_by(|a, b| b.total_cmp(a));
            thresholds.dedup();
            let expected = by_searching(&scores, &thresholds);
            prop_assert_eq!(&by_comparing(&scores, &thresholds), &expected);
            if let Some(counts) = by_code(&scores, &thresholds) {
                prop_assert_eq!(&counts, &expected);
            }
        }

        #[test]
        fn codes_tell_scores_apart_that_differ_by_a_bit(
            steps in prop::collection::vec(0_u32..40, 2..400),
            chosen in prop::collection::vec(any::<prop::sample::Index>(), 2..30),
        ) {
            // Neighbours of 1, and one score far off, so that many share a code.
            let near_1 = |step: &u32| f32::from_bits(1_f32.to_bits() + step);
            let mut scores: Vec<f32> = steps.iter().map(near_1).collect();
            let mut thresholds: Vec<f32> = chosen.iter().map(|index| *index.get(&scores)).collect();
            scores.push(9e3);
            thresholds.push(9e3);
            thresholds.sort_by(|a, b| b.total_cmp(a));
            thresholds.dedup();
            prop_assert_eq!(by_code(&scores, &thresholds), Some(by_searching(&scores, &thresholds)));
        }
    }
}

//! Work on groups of unequal size, cut into tasks that are the same on any number of threads.

use std::ops::Range;

use rayon::prelude::*;

use super::rows::PARALLEL_ELEMENTS;

/// Ranges of neighbouring groups of about `task_entries` entries each; a group counts one more than its size, so that
/// empty ones are cut too.
pub(super) fn ranges(
    n_groups: usize,
    size: impl Fn(usize) -> usize,
    task_entries: usize,
) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let (mut first, mut n_entries) = (0, 0);
    for group in 0..n_groups {
        n_entries += size(group) + 1;
        if n_entries >= task_entries || group + 1 == n_groups {
            ranges.push(first..group + 1);
            (first, n_entries) = (group + 1, 0);
        }
    }
    ranges
}

/// What of `values` belongs to each range: it ends before value `end(range.end)`.
pub(super) fn cut<'a, T>(
    ranges: &[Range<usize>],
    end: impl Fn(usize) -> usize,
    mut values: &'a mut [T],
) -> Vec<&'a mut [T]> {
    let mut start = 0;
    let part = |range: &Range<usize>| {
        let end = end(range.end);
        let part = values.split_off_mut(..end - start).expect("ranges end within the values");
        start = end;
        part
    };
    ranges.iter().map(part).collect()
}

/// Runs the tasks, on all threads where they have elements enough to be worth it.
pub(super) fn run<T: Send>(tasks: Vec<T>, n_elements: usize, task: impl Fn(T) + Send + Sync) {
    if n_elements < PARALLEL_ELEMENTS {
        tasks.into_iter().for_each(task);
    } else {
        tasks.into_par_iter().for_each(task);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_every_group_once_and_about_as_many_entries() {
        let sizes = [3, 0, 0, 9, 1, 0];
        assert_eq!(ranges(6, |group| sizes[group], 4), [0..1, 1..4, 4..6]);
        assert_eq!(ranges(6, |group| sizes[group], 100).first(), Some(&(0..6)));
        assert!(ranges(0, |_| 1, 4).is_empty());
    }

    #[test]
    fn values_are_cut_where_the_groups_of_a_range_end() {
        let mut values = [1, 2, 3, 4, 5];
        let ends = [0, 2, 2, 5];
        let parts = cut(&[0..1, 1..2, 2..3], |group| ends[group], &mut values);
        assert_eq!(parts, [&[1, 2][..], &[], &[3, 4, 5]]);
    }
}

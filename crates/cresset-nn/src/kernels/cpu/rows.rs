//! Rows of a table: gathered, summed by group, and kept as bf16.

use half::bf16;
use pulp::Arch;
use rayon::prelude::*;

use crate::rounding;

/// Elements of one task.
pub(super) const TASK_ELEMENTS: usize = 16_384;

/// Elements from which a pass over rows is worth waking other threads, which takes some 50 microseconds.
pub(super) const PARALLEL_ELEMENTS: usize = 1 << 18;

/// Rows between the one that is read and the one that is asked of memory.
const ROWS_AHEAD: usize = 32;

/// Rows of a group that one task sums; a larger group is summed piece by piece.
const PIECE_ROWS: usize = 512;

/// What a table is stored as; every computation is in f32.
pub(crate) trait Element: Copy + Default + Send + Sync {
    /// The stored value, exactly.
    fn widen(self) -> f32;

    /// The value as it is stored, by 16 random bits `noise` where the type is too short to hold it.
    fn narrow(value: f32, noise: u32) -> Self;
}

impl Element for f32 {
    #[inline(always)]
    fn widen(self) -> f32 {
        self
    }

    #[inline(always)]
    fn narrow(value: f32, _noise: u32) -> Self {
        value
    }
}

impl Element for bf16 {
    #[inline(always)]
    fn widen(self) -> f32 {
        // Without the branch of `to_f32`, which quiets a signalling NaN.
        f32::from_bits(u32::from(self.to_bits()) << 16)
    }

    #[inline(always)]
    fn narrow(value: f32, noise: u32) -> Self {
        rounding::to_bf16(value, noise)
    }
}

/// Writes `table[ids[i]]` to row `i` of `out`, as f32.
///
/// # Shapes
///
/// - table: `[n_rows, dim]`
/// - ids: `[n]`, in any order, repeated or not
/// - out: `[n, dim]`
///
/// # Panics
///
/// If an id is negative or not below `n_rows`, naming the first such, or if a slice has another length.
pub(crate) fn gather<T: Element>(table: &[T], dim: usize, ids: &[i32], out: &mut [f32]) {
    assert_eq!(out.len(), ids.len() * dim, "one row of width {dim} for each id");
    if dim == 0 {
        return;
    }
    check_ids(ids, count_rows(table.len(), dim));
    let task_rows = TASK_ELEMENTS.div_ceil(dim);
    let gather = |(ids, out): (&[i32], &mut [f32])| match dim {
        1 => gather_task::<T, 1>(table, ids, out),
        16 => gather_task::<T, 16>(table, ids, out),
        32 => gather_task::<T, 32>(table, ids, out),
        64 => gather_task::<T, 64>(table, ids, out),
        128 => gather_task::<T, 128>(table, ids, out),
        _ => gather_any_width(table, dim, ids, out),
    };
    if out.len() < PARALLEL_ELEMENTS {
        gather((ids, out));
    } else {
        ids.par_chunks(task_rows).zip(out.par_chunks_mut(task_rows * dim)).for_each(gather);
    }
}

/// Rows whose width the compiler knows: no call and no loop for a row.
fn gather_task<T: Element, const DIM: usize>(table: &[T], ids: &[i32], out: &mut [f32]) {
    let (table, _) = table.as_chunks::<DIM>();
    let (out, _) = out.as_chunks_mut::<DIM>();
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for (i, (&id, out)) in ids.iter().zip(out).enumerate() {
                // Single numbers are read ahead by the processor itself; the hint would cost more than the
                // read.
                if DIM > 1
                    && let Some(&ahead) = ids.get(i + ROWS_AHEAD)
                {
                    prefetch(&table[ahead as usize]);
                }
                let row = &table[id as usize];
                for column in 0..DIM {
                    out[column] = row[column].widen();
                }
            }
        },
    );
}

fn gather_any_width<T: Element>(table: &[T], dim: usize, ids: &[i32], out: &mut [f32]) {
    let row = |id: i32| &table[id as usize * dim..][..dim];
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for (i, (&id, out)) in ids.iter().zip(out.chunks_exact_mut(dim)).enumerate() {
                if let Some(&ahead) = ids.get(i + ROWS_AHEAD) {
                    prefetch(row(ahead));
                }
                for (out, value) in out.iter_mut().zip(row(id)) {
                    *out = value.widen();
                }
            }
        },
    );
}

/// Number of rows of a table of `len` elements.
pub(super) fn count_rows(len: usize, dim: usize) -> usize {
    assert_eq!(len % dim, 0, "a table of {len} elements has whole rows of width {dim}");
    len / dim
}

/// Panics at the first id that names no row.
pub(super) fn check_ids(ids: &[i32], n_rows: usize) {
    // Without an early exit the test is a few instructions for sixteen ids; a negative one wraps to a large
    // one.
    let n_beyond = ids.iter().filter(|&&id| id as u32 as usize >= n_rows).count();
    if n_beyond > 0 {
        let id = ids.iter().find(|&&id| id as u32 as usize >= n_rows).expect("one was counted");
        panic!("row id {id} is not one of the table's {n_rows} rows");
    }
}

/// Asks memory for a row that is read soon. Does nothing where the processor has no such hint.
#[cfg(target_arch = "x86_64")]
#[expect(
    unsafe_code,
    reason = "the hint has no safe form; without it rows outside the cache cost up to 2.5 times as much"
)]
#[inline(always)]
pub(super) fn prefetch<T>(row: &[T]) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    let line = (64 / size_of::<T>()).max(1);
    // A row that does not start with a line ends in one more: that of its last element.
    for element in row.iter().step_by(line).chain(row.last()) {
        // SAFETY: a hint reads nothing that the program can see and cannot fault; the address is that of an
        // element.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(element).cast()) };
    }
}

/// Asks memory for a row that is read soon. Does nothing where the processor has no such hint.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
pub(super) fn prefetch<T>(_row: &[T]) {}

/// Writes the sum of each group's rows: `out[g]` is the sum of `weights[i] * rows[order[i]]` for `i` in
/// `offsets[g]..offsets[g + 1]`, 0 for an empty group.
///
/// Summed in the order given, groups of more than 512 rows by pieces of 512 whose sums are then added in
/// their order: the result depends on nothing but the input, and one large group keeps every thread busy.
///
/// # Shapes
///
/// - rows: `[n_rows, dim]`
/// - order: `[n]`, rows by number, repeated or not
/// - offsets: `[n_groups + 1]`, from 0 to `n`, never falling
/// - weights: `[n]`; `None` stands for ones
/// - out: `[n_groups, dim]`
///
/// # Panics
///
/// If `order` names no row of `rows`, or if `offsets` or a length is not as above.
pub(crate) fn sum_groups(
    rows: &[f32],
    dim: usize,
    order: &[i32],
    offsets: &[i32],
    weights: Option<&[f32]>,
    out: &mut [f32],
) {
    check_offsets(offsets, order.len());
    assert!(weights.is_none_or(|weights| weights.len() == order.len()), "one weight for each entry");
    assert_eq!(out.len(), (offsets.len() - 1) * dim, "one row of width {dim} for each group");
    if dim == 0 {
        return;
    }
    check_ids(order, count_rows(rows.len(), dim));
    let source = Source { rows, dim, order, weights };
    let tasks = group_tasks(offsets, dim, out);
    let run = |task: GroupTask| source.sum_small_groups(task);
    if order.len() * dim < PARALLEL_ELEMENTS {
        tasks.into_iter().for_each(run);
    } else {
        tasks.into_par_iter().for_each(run);
    }
    source.sum_large_groups(offsets, out);
}

/// Panics unless the offsets rise from 0 to `n`.
pub(super) fn check_offsets(offsets: &[i32], n: usize) {
    assert!(offsets.first() == Some(&0), "offsets start at 0, not at {:?}", offsets.first());
    let last = offsets[offsets.len() - 1];
    assert_eq!(usize::try_from(last), Ok(n), "the last offset is the number of entries");
    if let Some(place) = offsets.windows(2).position(|pair| pair[0] > pair[1]) {
        panic!(
            "offsets never fall, but offset {} is {} after {}",
            place + 1,
            offsets[place + 1],
            offsets[place]
        );
    }
}

/// Neighbouring groups of about a task's number of rows, and where their sums go.
struct GroupTask<'a> {
    offsets: &'a [i32],
    out: &'a mut [f32],
}

fn group_tasks<'a>(offsets: &'a [i32], dim: usize, mut out: &'a mut [f32]) -> Vec<GroupTask<'a>> {
    let task_rows = TASK_ELEMENTS.div_ceil(dim);
    let n_groups = offsets.len() - 1;
    let mut tasks = Vec::new();
    let (mut first, mut n_rows) = (0, 0);
    for group in 0..n_groups {
        let size = (offsets[group + 1] - offsets[group]) as usize;
        // A large group is left to the pieces; an empty one still has its row of zeros.
        n_rows += if size > PIECE_ROWS { 1 } else { size + 1 };
        if n_rows >= task_rows || group + 1 == n_groups {
            let sums = out.split_off_mut(..(group + 1 - first) * dim).expect("a row for each group");
            tasks.push(GroupTask { offsets: &offsets[first..=group + 1], out: sums });
            (first, n_rows) = (group + 1, 0);
        }
    }
    tasks
}

/// The rows to sum and their order.
#[derive(Clone, Copy)]
struct Source<'a> {
    rows: &'a [f32],
    dim: usize,
    order: &'a [i32],
    weights: Option<&'a [f32]>,
}

impl Source<'_> {
    fn sum_small_groups(self, GroupTask { offsets, out }: GroupTask) {
        let bounds = offsets.windows(2);
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for (bounds, out) in bounds.zip(out.chunks_exact_mut(self.dim)) {
                    let (start, end) = (bounds[0] as usize, bounds[1] as usize);
                    if end - start <= PIECE_ROWS {
                        self.sum(start, end, out);
                    }
                }
            },
        );
    }

    fn sum_large_groups(self, offsets: &[i32], out: &mut [f32]) {
        let groups = offsets.windows(2).zip(out.chunks_exact_mut(self.dim));
        for (bounds, out) in groups {
            let (start, end) = (bounds[0] as usize, bounds[1] as usize);
            if end - start <= PIECE_ROWS {
                continue;
            }
            let mut sums = vec![0.0; (end - start).div_ceil(PIECE_ROWS) * self.dim];
            sums.par_chunks_exact_mut(self.dim).enumerate().for_each(|(piece, sum)| {
                let start = start + piece * PIECE_ROWS;
                let end = end.min(start + PIECE_ROWS);
                Arch::new().dispatch(
                    #[inline(always)]
                    || self.sum(start, end, sum),
                );
            });
            out.fill(0.0);
            sums.chunks_exact(self.dim).for_each(|sum| add(out, sum));
        }
    }

    #[inline(always)]
    fn sum(self, start: usize, end: usize, out: &mut [f32]) {
        out.fill(0.0);
        for i in start..end {
            if let Some(&ahead) = self.order.get(i + ROWS_AHEAD) {
                prefetch(self.row(ahead));
            }
            let row = self.row(self.order[i]);
            match self.weights {
                None => add(out, row),
                Some(weights) => add_times(out, row, weights[i]),
            }
        }
    }

    #[inline(always)]
    fn row(&self, number: i32) -> &[f32] {
        &self.rows[number as usize * self.dim..][..self.dim]
    }
}

#[inline(always)]
fn add_times(sum: &mut [f32], row: &[f32], weight: f32) {
    for (sum, value) in sum.iter_mut().zip(row) {
        *sum += weight * value;
    }
}

#[inline(always)]
fn add(sum: &mut [f32], row: &[f32]) {
    for (sum, value) in sum.iter_mut().zip(row) {
        *sum += value;
    }
}

/// The sum of the values' squares, in f64: for the global norm of a gradient.
///
/// Every square is exact and none overflows or is lost; the relative error is below `(600 + n / 16384) *
/// 2^-53`. Sums are taken over a fixed partition in a fixed order, so the bits do not depend on the threads.
/// A NaN gives NaN, an infinity gives infinity.
pub(crate) fn sum_of_squares(values: &[f32]) -> f64 {
    if values.len() < PARALLEL_ELEMENTS {
        return values.chunks(TASK_ELEMENTS).map(sum_of_squares_task).sum();
    }
    let sums: Vec<f64> = values.par_chunks(TASK_ELEMENTS).map(sum_of_squares_task).collect();
    sums.iter().sum()
}

fn sum_of_squares_task(values: &[f32]) -> f64 {
    const LANES: usize = 32;
    let (blocks, rest) = values.as_chunks::<LANES>();
    let square = |value: f32| f64::from(value) * f64::from(value);
    let mut lanes = [0.0; LANES];
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for block in blocks {
                for lane in 0..LANES {
                    lanes[lane] += square(block[lane]);
                }
            }
        },
    );
    lanes.iter().sum::<f64>() + rest.iter().copied().map(square).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DropoutKey;

    /// Numbers in -1..1 by a multiplicative hash of the index.
    fn numbers(n: usize, seed: u32) -> Vec<f32> {
        let key = DropoutKey::new(u64::from(seed), 0, "numbers");
        let number = |i| (key.word(i) >> 8) as f32 / (1 << 23) as f32 - 1.0;
        (0..n as u32).map(number).collect()
    }

    fn ids(n: usize, n_rows: usize, seed: u32) -> Vec<i32> {
        let key = DropoutKey::new(u64::from(seed), 0, "ids");
        (0..n as u32).map(|i| ((key.word(i) >> 4) as usize % n_rows) as i32).collect()
    }

    #[test]
    fn gathered_rows_are_those_of_the_table_at_every_width() {
        for dim in [1, 2, 7, 16, 17, 32, 64, 100, 128] {
            // The last count is cut into tasks for several threads.
            for n in [0, 1, 33, 300, (PARALLEL_ELEMENTS / dim) + 5] {
                let table = numbers(50 * dim, 1);
                let ids = ids(n, 50, 2);
                let short: Vec<bf16> = table.iter().map(|&value| bf16::from_f32(value)).collect();
                let (mut out, mut out_short) = (vec![9.0; n * dim], vec![9.0; n * dim]);
                gather(&table, dim, &ids, &mut out);
                gather(&short, dim, &ids, &mut out_short);
                for (i, &id) in ids.iter().enumerate() {
                    let row = &table[id as usize * dim..][..dim];
                    assert_eq!(&out[i * dim..][..dim], row, "row {i} of width {dim}");
                    let row: Vec<f32> = row.iter().map(|&value| bf16::from_f32(value).to_f32()).collect();
                    assert_eq!(out_short[i * dim..][..dim], row, "row {i} of width {dim} as bf16");
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "row id 3 is not one of the table's 3 rows")]
    fn an_id_beyond_the_table_is_named() {
        gather(&[0.0_f32; 6], 2, &[0, 2, 3, 7], &mut [0.0; 8]);
    }

    #[test]
    #[should_panic(expected = "row id -1 is not one of the table's 3 rows")]
    fn a_negative_id_is_named() {
        gather(&[0.0_f32; 6], 2, &[0, -1], &mut [0.0; 4]);
    }

    fn check_sums(dim: usize, n_rows: usize, sizes: &[usize]) {
        let n: usize = sizes.iter().sum();
        let rows = numbers(n_rows * dim, 3);
        let order = ids(n, n_rows, 4);
        let ends = sizes.iter().scan(0, |end, &size| {
            *end += size as i32;
            Some(*end)
        });
        let offsets: Vec<i32> = std::iter::once(0).chain(ends).collect();
        let mut out = vec![9.0; sizes.len() * dim];
        sum_groups(&rows, dim, &order, &offsets, None, &mut out);
        for (group, &size) in sizes.iter().enumerate() {
            let members = &order[offsets[group] as usize..offsets[group + 1] as usize];
            for column in 0..dim {
                let expected: f64 =
                    members.iter().map(|&row| f64::from(rows[row as usize * dim + column])).sum();
                let error = (f64::from(out[group * dim + column]) - expected).abs();
                assert!(error < 1e-6 * (1 + size) as f64, "group {group} of {size} rows is off by {error}");
            }
        }
    }

    #[test]
    fn sums_of_groups_are_those_in_f64() {
        for dim in [1, 3, 16, 33, 64] {
            check_sums(dim, 1, &[]);
            check_sums(dim, 10, &[0, 0]);
            check_sums(dim, 10, &[1, 0, 7, 2, 0]);
            check_sums(dim, 10, &[PIECE_ROWS, PIECE_ROWS + 1, 0, 5 * PIECE_ROWS - 1, 3]);
            check_sums(dim, 2000, &vec![3; 3000]);
            check_sums(dim, 2000, &[2, PARALLEL_ELEMENTS / dim, 1, 0]);
        }
    }

    #[test]
    fn sums_of_groups_have_the_same_bits_on_any_number_of_threads() {
        let rows = numbers(700 * 64, 5);
        let order = ids(9000, 700, 6);
        let offsets = [0, 1, 1, 4000, 9000];
        let sums = |n_threads| {
            let mut out = vec![0.0; 4 * 64];
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
            pool.install(|| sum_groups(&rows, 64, &order, &offsets, None, &mut out));
            out
        };
        assert_eq!(sums(1), sums(3));
    }

    #[test]
    #[should_panic(expected = "offsets never fall, but offset 2 is 1 after 2")]
    fn falling_offsets_are_refused() {
        sum_groups(&[0.0; 4], 1, &[0, 1, 2], &[0, 2, 1, 3], None, &mut [0.0; 3]);
    }

    #[test]
    fn a_sum_of_squares_is_that_in_f64() {
        for n in [0, 1, 31, 32, 1000, TASK_ELEMENTS + 1, PARALLEL_ELEMENTS + 77] {
            let values = numbers(n, 7);
            let expected: f64 = values.iter().map(|&value| f64::from(value) * f64::from(value)).sum();
            assert!((sum_of_squares(&values) - expected).abs() <= 1e-12 * expected, "of {n} values");
        }
        assert_eq!(sum_of_squares(&[1e30, 1e-30]), f64::from(1e30_f32) * f64::from(1e30_f32));
    }

    #[test]
    fn what_is_not_finite_shows_in_a_sum_of_squares() {
        let mut values = numbers(PARALLEL_ELEMENTS + 77, 8);
        values[TASK_ELEMENTS + 3] = f32::NEG_INFINITY;
        assert_eq!(sum_of_squares(&values), f64::INFINITY);
        values[PARALLEL_ELEMENTS + 76] = f32::NAN;
        assert!(sum_of_squares(&values).is_nan());
    }
}

//! Sums over users who are drawn with replacement, for many columns and many resamples.

use rand::Rng;
use rayon::prelude::*;

use super::{Purpose, stream};

/// Resamples that one thread draws before it adds up: a column is then read from memory once for all of them.
const GROUP: usize = 4;

/// Users added up at one time; their values of ten columns and their counts stay near the processor.
const BLOCK: usize = 512;

/// Sums that run side by side, so that one addition need not wait for the other.
const LANES: usize = 8;

/// The sums of all columns in each resample of as many users as there are.
///
/// Every resample draws from a stream of its own and adds in the order of the users, so no bit depends on
/// the number of threads.
///
/// # Shapes
///
/// - columns: `[columns][users]`, at least one user, at most `u32::MAX`
/// - output: `[n_resamples, columns]`, row-major
pub(super) fn resampled_sums(columns: &[&[f64]], n_resamples: usize, seed: u64) -> Vec<f64> {
    let Some(first) = columns.first() else { return Vec::new() };
    let n_users = first.len();
    let mut sums = vec![0.0; n_resamples * columns.len()];
    let groups = sums.par_chunks_mut(GROUP * columns.len()).enumerate();
    groups.for_each_init(
        || vec![vec![0; n_users]; GROUP],
        |counts, (group, sums)| {
            let counts = &mut counts[..sums.len() / columns.len()];
            for (place, counts) in counts.iter_mut().enumerate() {
                draw_counts(&mut stream(seed, Purpose::Resample, group * GROUP + place), counts);
            }
            add_up(columns, counts, sums);
        },
    );
    sums
}

/// How often each user is drawn, in as many draws as there are users.
///
/// Nobody is drawn 65,535 times: among more users than that, the chance is below 10^-280,000.
///
/// # Source
///
/// Lemire, Fast random integer generation in an interval, ACM TOMACS 29(1), 2019,
/// <https://doi.org/10.1145/3230636>: one multiplication for a draw, and exactly uniform.
fn draw_counts(rng: &mut impl Rng, counts: &mut [u16]) {
    counts.fill(0);
    let n_users = counts.len() as u32;
    // 2^32 modulo n_users: so many of the 2^32 words would favour somebody.
    let n_refused = n_users.wrapping_neg() % n_users;
    let mut n_left = n_users;
    while n_left > 0 {
        let product = u64::from(rng.next_u32()) * u64::from(n_users);
        if product as u32 >= n_refused {
            let count = &mut counts[(product >> 32) as usize];
            *count = count.saturating_add(1);
            n_left -= 1;
        }
    }
}

/// Adds up each column by each row of counts: `sums` is `[counts, columns]`.
fn add_up(columns: &[&[f64]], counts: &[Vec<u16>], sums: &mut [f64]) {
    let n_users = columns[0].len();
    let mut as_numbers = [0.0; BLOCK];
    for start in (0..n_users).step_by(BLOCK) {
        let users = start..(start + BLOCK).min(n_users);
        for (counts, sums) in counts.iter().zip(sums.chunks_exact_mut(columns.len())) {
            let counts = &counts[users.clone()];
            let as_numbers = &mut as_numbers[..counts.len()];
            as_numbers.iter_mut().zip(counts).for_each(|(number, &count)| *number = f64::from(count));
            for (column, sum) in columns.iter().zip(sums) {
                *sum += dot(as_numbers, &column[users.clone()]);
            }
        }
    }
}

/// The sum of products, always added in the same order.
fn dot(counts: &[f64], values: &[f64]) -> f64 {
    let mut lanes = [0.0; LANES];
    let (counts, last_counts) = counts.as_chunks::<LANES>();
    let (values, last_values) = values.as_chunks::<LANES>();
    for (counts, values) in counts.iter().zip(values) {
        for lane in 0..LANES {
            lanes[lane] += counts[lane] * values[lane];
        }
    }
    let rest: f64 = last_counts.iter().zip(last_values).map(|(count, value)| count * value).sum();
    lanes.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_resample_draws_as_many_users_as_there_are() {
        for n_users in [1, 2, 3, 7, 511, 513] {
            let mut counts = vec![9; n_users];
            draw_counts(&mut stream(42, Purpose::Resample, 0), &mut counts);
            assert_eq!(counts.iter().map(|&count| usize::from(count)).sum::<usize>(), n_users);
        }
    }

    #[test]
    fn every_user_is_drawn_once_on_average_and_left_out_by_a_third_of_the_resamples() {
        // The chance to be left out is (1 - 1/n)^n = 0.3642 for n = 50.
        let (n_users, n_resamples) = (50, 20_000);
        let (mut drawn, mut left_out) = (vec![0_usize; n_users], vec![0_usize; n_users]);
        let mut counts = vec![0; n_users];
        for index in 0..n_resamples {
            draw_counts(&mut stream(7, Purpose::Resample, index), &mut counts);
            for (user, &count) in counts.iter().enumerate() {
                drawn[user] += usize::from(count);
                left_out[user] += usize::from(count == 0);
            }
        }
        for user in 0..n_users {
            // Five standard errors: sqrt(0.98 / 20,000) and sqrt(0.3642 * 0.6358 / 20,000).
            assert!((drawn[user] as f64 / n_resamples as f64 - 1.0).abs() < 0.035);
            assert!((left_out[user] as f64 / n_resamples as f64 - 0.3642).abs() < 0.017);
        }
    }

    /// The same, one draw and one column at a time.
    fn by_definition(columns: &[&[f64]], n_resamples: usize, seed: u64) -> Vec<f64> {
        let mut sums = Vec::new();
        for index in 0..n_resamples {
            let mut counts = vec![0; columns[0].len()];
            draw_counts(&mut stream(seed, Purpose::Resample, index), &mut counts);
            for column in columns {
                sums.push(column.iter().zip(&counts).map(|(value, &count)| value * f64::from(count)).sum());
            }
        }
        sums
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn blocks_and_threads_change_nothing(
            n_users in 1_usize..1_400,
            n_resamples in 1_usize..11,
            n_threads in 1_usize..4,
            seed in any::<u64>(),
        ) {
            // Quarters add without rounding, so the order of additions cannot hide a mistake.
            let rising: Vec<f64> = (0..n_users).map(|user| user as f64 / 4.0).collect();
            let falling: Vec<f64> = rising.iter().map(|value| 9.0 - value).collect();
            let columns = [&rising[..], &falling];
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
            let sums = pool.install(|| resampled_sums(&columns, n_resamples, seed));
            prop_assert_eq!(sums, by_definition(&columns, n_resamples, seed));
        }
    }

    #[test]
    fn no_thread_count_changes_a_bit_of_sums_that_round() {
        let values: Vec<f64> = (0..3_000).map(|user| f64::from(user).sqrt().sin()).collect();
        let sums = |n_threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
            pool.install(|| resampled_sums(&[&values], 30, 1))
        };
        assert_eq!(sums(1), sums(3));
    }
}

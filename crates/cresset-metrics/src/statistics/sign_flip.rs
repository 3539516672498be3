//! How often chance alone makes a difference as large as the one between two runs.

use rand::Rng;
use rayon::prelude::*;

use super::{Purpose, stream};

/// Users whose signs are one random byte.
const BYTE: usize = 8;

/// Flips that one thread makes at one time: enough to pay for the tables, few enough to stay near the processor.
const CHUNK: usize = 1_250;

/// Sums that differ by less than this part of the sum of all absolute differences are equal but for rounding.
const ROUNDING: f64 = 1e-12;

/// Two-sided p-values of columns of differences, under the hypothesis that each user's two values might as
/// well have come the other way round, all from the same flips.
///
/// When the users with any difference are so few that all sign patterns are no more than `n_flips`, each
/// pattern is looked at once and the values are exact. Otherwise `n_flips` random patterns are, and the one
/// that was observed counts as one more.
///
/// # Shapes
///
/// - differences: `[columns][users]`
/// - output: `[columns]`
///
/// # Source
///
/// Smucker, Allan and Carterette, CIKM 2007, <https://doi.org/10.1145/1321440.1321528>; the one more: Phipson
/// and Smyth, Statistical Applications in Genetics and Molecular Biology 9(1), 2010,
/// <https://doi.org/10.2202/1544-6115.1585>.
pub(super) fn p_values(differences: &[&[f64]], n_flips: usize, seed: u64) -> Vec<f64> {
    let columns = without_idle_users(differences);
    let n_users = columns.first().map_or(0, Vec::len);
    let bounds: Vec<f64> = columns.iter().map(|column| bound(column)).collect();
    let n_patterns = u32::try_from(n_users).ok().and_then(|n_users| 1_usize.checked_shl(n_users));
    match n_patterns {
        Some(n_patterns) if n_patterns <= n_flips => {
            let n_extreme = |(column, bound): (&Vec<f64>, &f64)| n_extreme_patterns(column, *bound);
            let n_extreme = columns.iter().zip(&bounds).map(n_extreme);
            n_extreme.map(|n_extreme| n_extreme as f64 / n_patterns as f64).collect()
        }
        _ => {
            let n_extreme = n_extreme_flips(&columns, &bounds, n_flips, seed);
            n_extreme.into_iter().map(|n_extreme| (n_extreme + 1) as f64 / (n_flips + 1) as f64).collect()
        }
    }
}

/// The columns without the users who differ in none: whatever their sign, they add nothing.
fn without_idle_users(differences: &[&[f64]]) -> Vec<Vec<f64>> {
    let n_users = differences.first().map_or(0, |column| column.len());
    let differs = |user: &usize| differences.iter().any(|column| column[*user] != 0.0);
    let users: Vec<usize> = (0..n_users).filter(differs).collect();
    differences.iter().map(|column| users.iter().map(|&user| column[user]).collect()).collect()
}

/// From what sum on, either way, a pattern is as extreme as the observed one.
fn bound(column: &[f64]) -> f64 {
    let observed: f64 = column.iter().sum();
    let largest: f64 = column.iter().map(|difference| difference.abs()).sum();
    observed.abs() - ROUNDING * largest
}

/// How many of all sign patterns are as extreme as the observed one; it is one of them.
fn n_extreme_patterns(column: &[f64], bound: f64) -> usize {
    let is_extreme = |pattern: &usize| {
        let signed = |(user, difference): (usize, &f64)| {
            if pattern >> user & 1 == 1 { *difference } else { -difference }
        };
        column.iter().enumerate().map(signed).sum::<f64>().abs() >= bound
    };
    (0..1_usize << column.len()).filter(is_extreme).count()
}

/// How many of `n_flips` random sign patterns are as extreme, for each column.
///
/// Each chunk of flips draws from a stream of its own, so no count depends on the number of threads.
fn n_extreme_flips(columns: &[Vec<f64>], bounds: &[f64], n_flips: usize, seed: u64) -> Vec<usize> {
    let chunks: Vec<usize> = (0..n_flips.div_ceil(CHUNK)).collect();
    let of_chunk = |&chunk: &usize| {
        let n_flips = CHUNK.min(n_flips - chunk * CHUNK);
        let sums = flipped_sums(columns, n_flips, &mut stream(seed, Purpose::Flip, chunk));
        let n_extreme =
            |(sums, bound): (&Vec<f64>, &f64)| sums.iter().filter(|sum| sum.abs() >= *bound).count();
        sums.iter().zip(bounds).map(n_extreme).collect::<Vec<usize>>()
    };
    let counts: Vec<Vec<usize>> = chunks.par_iter().map(of_chunk).collect();
    (0..columns.len()).map(|column| counts.iter().map(|counts| counts[column]).sum()).collect()
}

/// The sum of each column under each of `n_flips` random sign patterns: `[columns][n_flips]`.
///
/// The signs of eight users are a byte, and their 256 signed sums are made beforehand, so that a flip costs
/// one addition for eight users.
fn flipped_sums(columns: &[Vec<f64>], n_flips: usize, rng: &mut impl Rng) -> Vec<Vec<f64>> {
    let n_users = columns.first().map_or(0, Vec::len);
    let mut sums = vec![vec![0.0; n_flips]; columns.len()];
    let mut signs = vec![0_u8; n_flips];
    for start in (0..n_users).step_by(BYTE) {
        rng.fill_bytes(&mut signs);
        for (column, sums) in columns.iter().zip(&mut sums) {
            let table = signed_sums(&column[start..(start + BYTE).min(n_users)]);
            for (sum, &signs) in sums.iter_mut().zip(&signs) {
                *sum += table[usize::from(signs)];
            }
        }
    }
    sums
}

/// The sum of up to eight differences under each pattern of signs: a set bit is a plus.
///
/// A user doubles the table: what is there is the half in which the user's difference is taken off.
fn signed_sums(differences: &[f64]) -> [f64; 1 << BYTE] {
    let mut table = [0.0; 1 << BYTE];
    for user in 0..BYTE {
        let difference = differences.get(user).copied().unwrap_or(0.0);
        let (minus, plus) = table.split_at_mut(1 << user);
        for (minus, plus) in minus.iter_mut().zip(plus) {
            *plus = *minus + difference;
            *minus -= difference;
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn p_value(differences: &[f64], n_flips: usize) -> f64 {
        p_values(&[differences], n_flips, 42)[0]
    }

    #[test]
    fn three_users_who_all_gained_have_two_extreme_patterns_of_eight() {
        assert_eq!(p_value(&[1.0, 2.0, 3.0], 8), 0.25);
        // The sum of -1, 2, 3 is 4; the eight sums are 6, 4, 2, 0 either way, and four of them reach 4.
        assert_eq!(p_value(&[-1.0, 2.0, 3.0], 8), 0.5);
    }

    #[test]
    fn users_without_a_difference_do_not_change_the_p_value() {
        assert_eq!(p_value(&[0.0, 1.0, 0.0, 2.0, 3.0, -0.0], 8), 0.25);
    }

    #[test]
    fn runs_that_are_equal_everywhere_have_a_p_value_of_one() {
        assert_eq!(p_value(&[0.0; 20], 100), 1.0);
        assert_eq!(p_value(&[], 100), 1.0);
        assert!(p_values(&[], 100, 1).is_empty());
    }

    #[test]
    fn tenths_that_add_up_to_the_same_sum_are_ties_in_spite_of_rounding() {
        // 0.1 + 0.2 - 0.3 is 0 and in binary 5e-17, which the other sums of 0 need not reach.
        assert_eq!(p_value(&[0.1, 0.2, -0.3], 8), 1.0);
        assert_eq!(p_value(&[0.1, 0.2, 0.3, 0.4, -0.2], 32), p_value(&[1.0, 2.0, 3.0, 4.0, -2.0], 32));
    }

    #[test]
    fn random_flips_never_give_a_p_value_of_zero() {
        let gains = vec![1.0; 100];
        assert_eq!(p_value(&gains, 999), 1.0 / 1_000.0);
    }

    #[test]
    fn random_flips_come_near_the_exact_value() {
        let differences: Vec<f64> = (0..14).map(|user| f64::from(user % 5) - 1.5).collect();
        let exact = p_value(&differences, 1 << 14);
        let drawn = p_value(&differences, (1 << 14) - 1);
        // Five standard errors of a share of 16,383.
        let error = 5.0 * (exact * (1.0 - exact) / 16_383.0).sqrt();
        assert!((drawn - exact).abs() < error, "{drawn}, exactly {exact}");
    }

    #[test]
    fn no_thread_count_changes_a_p_value() {
        let differences: Vec<f64> = (0..300).map(|user| (f64::from(user) * 0.7).sin() + 0.03).collect();
        let p_value = |n_threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
            pool.install(|| p_value(&differences, 5_000))
        };
        assert_eq!(p_value(1), p_value(3));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn tables_of_eight_users_add_what_single_signs_add(
            differences in prop::collection::vec(-40_i16..40, 1..30),
        ) {
            // Quarters add without rounding.
            let column: Vec<f64> = differences.into_iter().map(|quarters| f64::from(quarters) / 4.0).collect();
            let sums = flipped_sums(std::slice::from_ref(&column), 5, &mut stream(1, Purpose::Flip, 0));
            let mut rng = stream(1, Purpose::Flip, 0);
            let mut expected = [0.0; 5];
            for users in column.chunks(BYTE) {
                let mut signs = [0_u8; 5];
                rng.fill_bytes(&mut signs);
                for (user, difference) in users.iter().enumerate() {
                    for (sum, signs) in expected.iter_mut().zip(signs) {
                        *sum += if signs >> user & 1 == 1 { *difference } else { -difference };
                    }
                }
            }
            prop_assert_eq!(&sums[0][..], &expected[..]);
        }
    }
}

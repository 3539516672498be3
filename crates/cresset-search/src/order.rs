//! Numbers in the order of their bits.

/// Whole numbers that rise as `number` does, from negative to positive infinity; the number is no NaN.
#[inline(always)]
pub(crate) fn rank(number: f32) -> u32 {
    // -0 becomes 0, with which it ties.
    let bits = (number + 0.0).to_bits();
    // Two negative numbers compare as their magnitudes do in reverse.
    if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
}

/// The number of a [`rank`].
#[inline(always)]
pub(crate) fn number(rank: u32) -> f32 {
    f32::from_bits(if rank >> 31 == 1 { rank & !(1 << 31) } else { !rank })
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) const RISING: [f32; 11] = [
        f32::NEG_INFINITY,
        f32::MIN,
        -1.5,
        -1.0,
        -f32::MIN_POSITIVE,
        0.0,
        f32::MIN_POSITIVE,
        1.0,
        1.5,
        f32::MAX,
        f32::INFINITY,
    ];

    #[test]
    fn ranks_rise_with_the_numbers_and_give_them_back() {
        assert!(RISING.map(rank).is_sorted_by(|a, b| a < b));
        assert_eq!(RISING.map(rank).map(number), RISING);
        assert_eq!(rank(-0.0), rank(0.0));
    }
}

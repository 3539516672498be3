//! Partial results side by side, as many as the widest registers hold.

/// Partial results of a reduction, and what rows of scores are padded to a multiple of.
pub(super) const LANES: usize = 16;

/// Joins all lanes, halves with halves: the same order everywhere, in four steps.
#[inline(always)]
pub(super) fn fold(mut lanes: [f32; LANES], join: impl Fn(f32, f32) -> f32) -> f32 {
    let mut len = LANES / 2;
    while len > 0 {
        for lane in 0..len {
            lanes[lane] = join(lanes[lane], lanes[lane + len]);
        }
        len /= 2;
    }
    lanes[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lane_is_joined_once() {
        let powers = std::array::from_fn(|lane| (1 << lane) as f32);
        assert_eq!(fold(powers, |a, b| a + b), 65_535.0);
        assert_eq!(fold(powers, f32::max), 32_768.0);
    }
}

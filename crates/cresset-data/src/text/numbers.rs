//! Numbers from text.

/// The number that `text` spells, as `str::parse` reads it.
///
/// Ratings are a digit or two, which need no general parser: with seven digits at most both sides of the division
/// are exact, so that its result is the nearest number.
pub(crate) fn parse_f32(text: &str) -> Option<f32> {
    short_decimal(text.as_bytes()).or_else(|| text.parse().ok())
}

/// The whole number that `text` spells, be it as a decimal (`8.7e8`, `1112486027.5`), which is rounded down.
pub(crate) fn parse_whole(text: &str) -> Option<i64> {
    text.parse().ok().or_else(|| floor_of_decimal(text))
}

/// Beyond 2^53 a decimal may stand for several whole numbers, and is none.
fn floor_of_decimal(text: &str) -> Option<i64> {
    let number = text.parse::<f64>().ok()?.floor();
    (number.abs() <= 9_007_199_254_740_992.0).then_some(number as i64)
}

/// The whole number that up to 18 digits spell, which needs no general parser either.
pub(crate) fn short_whole(text: &[u8]) -> Option<i64> {
    if text.is_empty() || text.len() > 18 {
        return None;
    }
    text.iter()
        .try_fold(0, |number, &byte| byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0')))
}

/// The number that up to 7 digits spell, with a point among them or without.
pub(crate) fn short_decimal(text: &[u8]) -> Option<f32> {
    if text.is_empty() || text.len() > 8 {
        return None;
    }
    let (mut digits, mut n_digits, mut scale) = (0_u32, 0, None);
    for &byte in text {
        match byte {
            b'0'..=b'9' => {
                digits = digits * 10 + u32::from(byte - b'0');
                n_digits += 1;
                scale = scale.map(|scale: u32| scale * 10);
            }
            b'.' if scale.is_none() => scale = Some(1),
            _ => return None,
        }
    }
    (1..=7).contains(&n_digits).then(|| digits as f32 / scale.unwrap_or(1) as f32)
}

/// Appends a whole number without a detour over the formatting machinery.
pub(crate) fn push_number(text: &mut String, number: u64) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    let mut rest = number;
    loop {
        start -= 1;
        digits[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    text.extend(digits[start..].iter().map(|&digit| char::from(digit)));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_number_is_none() {
        for text in ["", ".", "abc", "1.2.3", "1,5", "3 "] {
            assert_eq!(parse_f32(text), None, "{text}");
        }
    }

    #[test]
    fn decimals_are_rounded_down_to_whole_numbers() {
        assert_eq!(parse_whole("8.7e8"), Some(870_000_000));
        assert_eq!(parse_whole("1112486027.0"), Some(1_112_486_027));
        assert_eq!((parse_whole("1.9"), parse_whole("-1.1")), (Some(1), Some(-2)));
        assert_eq!(parse_whole("9223372036854775807"), Some(i64::MAX));
    }

    #[test]
    fn what_is_not_finite_or_too_large_for_a_decimal_is_no_whole_number() {
        for text in ["", "NaN", "inf", "1e300", "9.3e15", "yesterday"] {
            assert_eq!(parse_whole(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn numbers_are_written_as_the_standard_library_writes_them(number: u64) {
            let mut text = String::new();
            push_number(&mut text, number);
            prop_assert_eq!(text, number.to_string());
        }

        #[test]
        fn a_decimal_is_read_as_the_standard_library_reads_it(text in "[0-9]{0,8}(\\.[0-9]{0,8})?") {
            prop_assert_eq!(parse_f32(&text), text.parse().ok());
        }

        #[test]
        fn digits_are_read_as_the_standard_library_reads_them(text in "[0-9]{0,19}|[-+ ]?[0-9.x]{1,5}") {
            let is_short = text.len() <= 18 && text.bytes().all(|byte| byte.is_ascii_digit());
            let expected: Option<i64> = text.parse().ok().filter(|_| is_short);
            prop_assert_eq!(short_whole(text.as_bytes()), expected);
        }
    }
}

//! What Python prints of a dictionary, as JSON: the "loose JSON" of Amazon's oldest files.

/// Whether a line is such a dictionary: its first key stands in single quotes, which JSON has not.
pub(super) fn is_literal(line: &[u8]) -> bool {
    let Some(rest) = line.trim_ascii_start().strip_prefix(b"{") else { return false };
    let rest = rest.trim_ascii_start();
    rest.starts_with(b"'") || rest.starts_with(b"u'") || rest.starts_with(b"u\"")
}

/// The line as JSON; where it is no dictionary of Python's the result is no JSON either.
pub(super) fn to_json(line: &[u8]) -> Vec<u8> {
    let mut json = Vec::with_capacity(line.len() + 16);
    let mut rest = line;
    while let Some(&byte) = rest.first() {
        rest = match byte {
            b'\'' | b'"' => push_string(&mut json, rest),
            b'u' | b'b' if matches!(rest.get(1), Some(b'\'' | b'"')) => push_string(&mut json, &rest[1..]),
            byte if byte.is_ascii_alphabetic() => push_word(&mut json, rest),
            b'(' => push(&mut json, b'[', rest),
            b')' => push(&mut json, b']', rest),
            byte => push(&mut json, byte, rest),
        };
    }
    json
}

fn push<'r>(json: &mut Vec<u8>, byte: u8, rest: &'r [u8]) -> &'r [u8] {
    json.push(byte);
    &rest[1..]
}

/// Translates `True`, `False` and `None`, drops the `L` of a long number, and leaves any other word to be refused.
fn push_word<'r>(json: &mut Vec<u8>, rest: &'r [u8]) -> &'r [u8] {
    let is_of_number = json.last().is_some_and(u8::is_ascii_digit);
    let end = rest.iter().position(|byte| !byte.is_ascii_alphabetic()).unwrap_or(rest.len());
    let (word, rest) = rest.split_at(end);
    json.extend_from_slice(match word {
        b"True" => b"true",
        b"False" => b"false",
        b"None" => b"null",
        b"L" if is_of_number => b"",
        word => word,
    });
    rest
}

/// Appends the string that `rest` begins with and returns what follows it; one that is not closed stays open.
fn push_string<'r>(json: &mut Vec<u8>, rest: &'r [u8]) -> &'r [u8] {
    let quote = rest[0];
    let mut rest = &rest[1..];
    json.push(b'"');
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            byte if byte == quote => {
                json.push(b'"');
                return rest;
            }
            b'\\' => rest = push_escape(json, rest),
            b'"' => json.extend_from_slice(b"\\\""),
            byte if byte < b' ' => push_code(json, u32::from(byte)),
            byte => json.push(byte),
        }
    }
    rest
}

/// Appends what a backslash and the beginning of `rest` stand for.
fn push_escape<'r>(json: &mut Vec<u8>, rest: &'r [u8]) -> &'r [u8] {
    let Some((&byte, after)) = rest.split_first() else { return rest };
    match byte {
        b'n' | b'r' | b't' | b'b' | b'f' | b'\\' | b'"' => json.extend_from_slice(&[b'\\', byte]),
        b'\'' => json.push(b'\''),
        b'a' => push_code(json, 7),
        b'v' => push_code(json, 11),
        b'x' => return push_hex(json, after, 2),
        b'u' => return push_hex(json, after, 4),
        b'U' => return push_hex(json, after, 8),
        b'0'..=b'7' => return push_octal(json, rest),
        // Python leaves the backslash in front of any other letter.
        byte => json.extend_from_slice(&[b'\\', b'\\', byte]),
    }
    after
}

fn push_hex<'r>(json: &mut Vec<u8>, rest: &'r [u8], n_digits: usize) -> &'r [u8] {
    let digits = rest.get(..n_digits).and_then(|digits| std::str::from_utf8(digits).ok());
    match digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) {
        Some(code) => {
            push_code(json, code);
            &rest[n_digits..]
        }
        None => {
            json.push(b'\\');
            rest
        }
    }
}

fn push_octal<'r>(json: &mut Vec<u8>, rest: &'r [u8]) -> &'r [u8] {
    let is_digit = |byte: &u8| (b'0'..=b'7').contains(byte);
    let n_digits = rest.iter().take(3).take_while(|byte| is_digit(byte)).count();
    let code = rest[..n_digits].iter().fold(0, |code, digit| code * 8 + u32::from(digit - b'0'));
    push_code(json, code);
    &rest[n_digits..]
}

/// Appends a code point as JSON escapes it: halves of a pair stay as they are, to be joined by who reads them.
fn push_code(json: &mut Vec<u8>, code: u32) {
    let mut units = [0; 2];
    match char::from_u32(code) {
        Some(letter) => {
            for unit in letter.encode_utf16(&mut units) {
                json.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
            }
        }
        None => json.extend_from_slice(format!("\\u{:04x}", code & 0xffff).as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn read(line: &str) -> Option<Value> {
        assert!(is_literal(line.as_bytes()));
        serde_json::from_slice(&to_json(line.as_bytes())).ok()
    }

    #[test]
    fn a_dictionary_of_python_is_read() {
        let line = r#"{'asin': '0001', 'title': "Kid's \"A\"", 'price': 3.17, 'n': 12L, 'x': None, 'y': True, 'z': [(1, False)]}"#;
        let expected = json!({ "asin": "0001", "title": "Kid's \"A\"", "price": 3.17, "n": 12, "x": null, "y": true,
                               "z": [[1, false]] });
        assert_eq!(read(line), Some(expected));
    }

    #[test]
    fn escapes_of_python_are_read() {
        let line = r"{u'a': u'caf\xe9 \u2019 \U0001f600 \'q\' \d \101\n', 'b': '\ud83d\ude00'}";
        assert_eq!(read(line), Some(json!({ "a": "café \u{2019} 😀 'q' \\d A\n", "b": "😀" })));
    }

    #[test]
    fn what_is_cut_or_no_dictionary_stays_no_json() {
        for line in ["{'asin': '0001", "{'asin': ", "{'a': '\\", "{'a': '\\x1", "{'a': nan}", "{'a': 12X}"] {
            assert_eq!(read(line), None, "{line}");
        }
        assert!(!is_literal(br#"{"asin": "0001"}"#) && !is_literal(b"asin") && !is_literal(b""));
    }

    /// Text as Python's `repr` spells it, in single quotes.
    fn repr(text: &str) -> String {
        let mut literal = String::from("'");
        for letter in text.chars() {
            match letter {
                '\'' | '\\' => literal.extend(['\\', letter]),
                letter if letter < ' ' => literal += &format!("\\x{:02x}", letter as u32),
                letter => literal.push(letter),
            }
        }
        literal + "'"
    }

    proptest! {
        #[test]
        fn any_text_is_read_back(text in any::<String>()) {
            let line = format!("{{'a': {}}}", repr(&text));
            prop_assert_eq!(read(&line), Some(json!({ "a": text })));
        }

        #[test]
        fn any_bytes_are_translated_without_a_fault(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            to_json(&bytes);
        }
    }
}

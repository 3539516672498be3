//! Distinct texts under numbers.

use std::fmt;
use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::text::push_number;

/// Distinct texts, each under a code: the number of texts that came before it.
///
/// All are kept in one string, so that millions of ids cost their letters and little more.
#[derive(Clone, Default)]
pub struct Names {
    text: String,
    /// Where each text ends.
    ends: Vec<usize>,
    /// The code of each text that is a small number, by that number; [`ABSENT`] where there is none. Most files count
    /// their users and items from 1, and finding a number needs no hash.
    of_number: Vec<u32>,
    /// The codes of all other texts.
    codes: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

/// Stands for no code.
const ABSENT: u32 = u32::MAX;
/// Numbers from here on are found by their hash.
const SMALL: u32 = 1 << 20;

impl Names {
    /// The code of a text, which is added unless it is there.
    ///
    /// # Panics
    ///
    /// If there would be more than 2^32 - 1 texts.
    pub fn code_or_add(&mut self, name: &str) -> u32 {
        match SmallNumber::of(name.as_bytes()) {
            Some(number) => self.code_or_add_number(number),
            None => self.code_of_text(name),
        }
    }

    /// The code of the text that spells a number, which is added unless it is there.
    ///
    /// # Panics
    ///
    /// As [`code_or_add`](Self::code_or_add).
    pub(crate) fn code_or_add_number(&mut self, SmallNumber(number): SmallNumber) -> u32 {
        let place = number as usize;
        if place >= self.of_number.len() {
            self.of_number.resize((place + 1).next_power_of_two(), ABSENT);
        }
        if self.of_number[place] == ABSENT {
            push_number(&mut self.text, number.into());
            self.of_number[place] = end(&self.text, &mut self.ends);
        }
        self.of_number[place]
    }

    fn code_of_text(&mut self, name: &str) -> u32 {
        let Self { text, ends, codes, hasher, .. } = self;
        let hash = hasher.hash_one(name);
        let found = codes.entry(
            hash,
            |&code| get(text, ends, code as usize) == name,
            |&code| hasher.hash_one(get(text, ends, code as usize)),
        );
        let added = || {
            text.push_str(name);
            end(text, ends)
        };
        *found.or_insert_with(added).get()
    }

    /// The code of a text, if it is there.
    pub fn code_of(&self, name: &str) -> Option<u32> {
        if let Some(SmallNumber(number)) = SmallNumber::of(name.as_bytes()) {
            return self.of_number.get(number as usize).copied().filter(|&code| code != ABSENT);
        }
        self.codes.find(self.hasher.hash_one(name), |&code| self[code as usize] == *name).copied()
    }

    /// The number of texts.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The texts, by code.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> + Clone {
        (0..self.len()).map(|code| &self[code])
    }
}

/// Ends the text that was just appended and returns its code.
fn end(text: &str, ends: &mut Vec<usize>) -> u32 {
    let code = u32::try_from(ends.len()).ok().filter(|&code| code != ABSENT);
    ends.push(text.len());
    code.expect("fewer than 2^32 distinct ids")
}

/// A number below [`SMALL`], whose text is as numbers are printed: `7`, not `007` or `+7`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SmallNumber(u32);

impl SmallNumber {
    /// The number that a text spells, if it is one.
    pub(crate) fn of(text: &[u8]) -> Option<Self> {
        if text.is_empty() || text.len() > 7 || (text[0] == b'0' && text.len() > 1) {
            return None;
        }
        let mut number = 0;
        for &byte in text {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            number = number * 10 + u32::from(digit);
        }
        (number < SMALL).then_some(Self(number))
    }
}

fn get<'t>(text: &'t str, ends: &[usize], code: usize) -> &'t str {
    let start = if code == 0 { 0 } else { ends[code - 1] };
    &text[start..ends[code]]
}

impl std::ops::Index<usize> for Names {
    type Output = str;

    fn index(&self, code: usize) -> &str {
        get(&self.text, &self.ends, code)
    }
}

impl PartialEq for Names {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.ends == other.ends
    }
}

impl Eq for Names {}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'n> FromIterator<&'n str> for Names {
    fn from_iter<I: IntoIterator<Item = &'n str>>(names: I) -> Self {
        let mut found = Self::default();
        for name in names {
            found.code_or_add(name);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn names_are_numbered_in_order_of_first_sight(names in prop::collection::vec("[a-c0-2+]{0,3}|10485[67][0-9]", 0..60)) {
            let mut expected: HashMap<&str, u32> = HashMap::new();
            let mut found = Names::default();
            for name in &names {
                let n_names = expected.len() as u32;
                let code = *expected.entry(name).or_insert(n_names);
                prop_assert_eq!(found.code_or_add(name), code);
            }
            prop_assert_eq!(found.len(), expected.len());
            prop_assert!(expected.iter().all(|(name, &code)| found.code_of(name) == Some(code)));
            prop_assert_eq!((found.code_of("d"), found.code_of("9")), (None, None));
            prop_assert_eq!(found.iter().collect::<Names>(), found);
        }
    }
}

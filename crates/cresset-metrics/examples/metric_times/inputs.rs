//! Inputs by formula, the same as in `benches/peers/metrics.py`.

use cresset_metrics::ItemLists;

/// Users of MovieLens 1M.
pub(crate) const USERS: u32 = 6_040;

/// Its films.
pub(crate) const ITEMS: u32 = 3_706;

/// A 32-bit mixture of a word.
pub(crate) fn hashed(mut word: u32) -> u32 {
    for (shift, factor) in [(16, 0x7FEB_352D), (15, 0x846C_A68B)] {
        word ^= word >> shift;
        word = word.wrapping_mul(factor);
    }
    word ^ (word >> 16)
}

/// One list of items for each user.
pub(crate) struct Lists {
    pub(crate) offsets: Vec<usize>,
    pub(crate) items: Vec<u32>,
}

impl Lists {
    pub(crate) fn of(rows: impl Iterator<Item = Vec<u32>>) -> Self {
        let (mut offsets, mut items) = (vec![0], Vec::new());
        for row in rows {
            items.extend(row);
            offsets.push(items.len());
        }
        Self { offsets, items }
    }

    pub(crate) fn view(&self) -> ItemLists<'_> {
        ItemLists { offsets: &self.offsets, items: &self.items }
    }
}

/// 10 to 30 items, 20 on average.
pub(crate) fn relevant_items(user: u32) -> Vec<u32> {
    let count = 10 + hashed(user + 1_000_000) % 21;
    let start = hashed(user + 2_000_000) % ITEMS;
    let mut items: Vec<u32> = (0..count).map(|place| (start + 181 * place) % ITEMS).collect();
    items.sort_unstable();
    items
}

/// A list of `length` different items, best first.
pub(crate) fn listed_items(user: u32, length: u32) -> Vec<u32> {
    let start = hashed(user + 3_000_000) % ITEMS;
    (0..length).map(|place| (start + 37 * place) % ITEMS).collect()
}

/// The scores of a user: no two are equal, and relevant items have two chances of a good one.
pub(crate) fn scores(user: u32, relevant: &[u32]) -> Vec<f32> {
    let level = |word: u32| hashed(word) >> 20;
    let score = |item: u32| {
        let word = hashed(user).wrapping_add(item);
        let second = if relevant.binary_search(&item).is_ok() { level(word ^ 0x5BD1_E995) } else { 0 };
        (level(word).max(second) << 12 | item) as f32 / 16_777_216.0
    };
    (0..ITEMS).map(score).collect()
}

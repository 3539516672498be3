//! Negatives drawn while training.

use super::{ItemDistribution, NegativesError};
use crate::random::DrawKey;
use crate::user_items::UserItems;

/// Draws items that a user does not have, newly in each epoch.
#[derive(Debug, Clone)]
pub struct NegativeSampler {
    items: ItemDistribution,
    own: UserItems,
    seed: u64,
}

impl NegativeSampler {
    /// A sampler that never draws what a user has in `own`: for training, the items of the user's training rows.
    ///
    /// # Errors
    ///
    /// [`NegativesError::HasEverything`] when nothing is left to draw for a user.
    ///
    /// # Panics
    ///
    /// If an item of `own` is not below the number of items.
    pub fn new(items: ItemDistribution, own: UserItems, seed: u64) -> Result<Self, NegativesError> {
        let n_items = items.n_items();
        let highest = own.items().iter().max();
        assert!(
            highest.is_none_or(|&item| (item as usize) < n_items),
            "an item is below the number of items"
        );
        match (0..own.n_users() as u32).find(|&user| own.of(user).len() == n_items) {
            Some(user) => Err(NegativesError::HasEverything { user, n_items }),
            None => Ok(Self { items, own, seed }),
        }
    }

    /// What is drawn from.
    pub fn items(&self) -> &ItemDistribution {
        &self.items
    }

    /// The draws of one epoch.
    pub fn in_epoch(&self, epoch: u64) -> EpochNegatives<'_> {
        EpochNegatives { sampler: self, key: DrawKey::new(self.seed, "negatives", epoch) }
    }
}

/// The draws of one epoch: a function of seed, epoch, example and user.
#[derive(Debug, Clone, Copy)]
pub struct EpochNegatives<'a> {
    sampler: &'a NegativeSampler,
    key: DrawKey,
}

impl EpochNegatives<'_> {
    /// Fills `negatives` with independent draws for one example of `user`; an item may be drawn more than once.
    ///
    /// # Panics
    ///
    /// If `user` is not below the number of users.
    #[inline]
    pub fn fill(&self, user: u32, example: u64, negatives: &mut [u32]) {
        let mut rng = self.key.at(example);
        let own = self.sampler.own.of(user);
        for negative in negatives {
            *negative = self.sampler.items.draw_free(own, &mut rng);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn own(users: &[&[u32]]) -> UserItems {
        let mut offsets = vec![0];
        offsets.extend(users.iter().scan(0, |end, items| {
            *end += items.len();
            Some(*end)
        }));
        serde_json::from_value(serde_json::json!({ "offsets": offsets, "items": users.concat() })).unwrap()
    }

    fn draw(sampler: &NegativeSampler, epoch: u64, user: u32, example: u64) -> [u32; 8] {
        let mut drawn = [u32::MAX; 8];
        sampler.in_epoch(epoch).fill(user, example, &mut drawn);
        drawn
    }

    #[test]
    fn a_draw_depends_on_seed_epoch_example_and_user_alone() {
        let sampler = |seed| {
            NegativeSampler::new(ItemDistribution::uniform(1000), own(&[&[3], &[5, 6]]), seed).unwrap()
        };
        let first = draw(&sampler(1), 0, 0, 9);
        assert_eq!(draw(&sampler(1), 0, 0, 9), first);
        let others = [draw(&sampler(2), 0, 0, 9), draw(&sampler(1), 1, 0, 9), draw(&sampler(1), 0, 0, 10)];
        assert!(others.iter().all(|other| *other != first), "{first:?} {others:?}");
    }

    #[test]
    fn a_user_who_has_all_but_one_item_gets_that_one() {
        let nearly_all: Vec<u32> = (0..1000).filter(|&item| item != 618).collect();
        let popular: Vec<u32> = (0..1000).map(|item| if item == 618 { 0 } else { 1_000_000 }).collect();
        for items in [ItemDistribution::uniform(1000), ItemDistribution::popularity(&popular, 1.0).unwrap()] {
            let sampler = NegativeSampler::new(items, own(&[&nearly_all]), 7).unwrap();
            assert_eq!(draw(&sampler, 0, 0, 0), [618; 8]);
        }
    }

    #[test]
    fn a_user_who_has_everything_is_named() {
        let error = NegativeSampler::new(ItemDistribution::uniform(2), own(&[&[0], &[0, 1]]), 1).unwrap_err();
        assert!(error.to_string().starts_with("user 1 has all 2 items"), "{error}");
    }

    proptest! {
        #[test]
        fn the_users_own_items_are_never_drawn(
            items in prop::collection::btree_set(0u32..12, 0..12), epoch in 0u64..3, example: u64, seed: u64,
            power in 0.0..1.5,
        ) {
            let items: Vec<u32> = items.into_iter().collect();
            let counts: Vec<u32> = (0..12).map(|item| item * item).collect();
            for distribution in [ItemDistribution::uniform(12), ItemDistribution::popularity(&counts, power).unwrap()] {
                if let Ok(sampler) = NegativeSampler::new(distribution, own(&[&items]), seed) {
                    let drawn = draw(&sampler, epoch, 0, example);
                    prop_assert!(drawn.iter().all(|item| *item < 12 && !items.contains(item)));
                }
            }
        }
    }
}

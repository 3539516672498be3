//! Candidates for evaluation, drawn once.

use std::path::Path;

use rayon::prelude::*;

use super::{ItemDistribution, NegativesError, Protocol};
use crate::random::DrawKey;
use crate::user_items::UserItems;

/// How candidate sets came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// Number of candidates and how they were drawn.
    pub protocol: Protocol,
    /// Seed of the draw.
    pub seed: u64,
}

/// Items against which the relevant ones of each user are ranked, one set for each user who is evaluated.
///
/// Drawn once and stored, so that every model and every epoch is measured against the same items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CandidateSets {
    /// `None` where the file they come from does not say.
    origin: Option<Origin>,
    /// Ascending.
    users: Vec<u32>,
    /// Where each user's items begin, last the end.
    offsets: Vec<usize>,
    /// Each user's items, ascending.
    items: Vec<u32>,
}

impl CandidateSets {
    /// Sets for `users`, of distinct items that the user does not have in `own`, which is to hold all rows of the
    /// user, of whatever part; a user with fewer such items than the protocol asks for gets all of them.
    ///
    /// `item_counts` holds the training rows of each item: the protocol `popN` draws in proportion to them, one item
    /// after another, an item without a row counting as one with a single row. A user's set depends on the
    /// protocol, the seed and that user alone, not on who else is evaluated.
    ///
    /// # Errors
    ///
    /// [`NegativesError::NoSets`] for the protocol `full`.
    ///
    /// # Panics
    ///
    /// If a user is not one of `own`, or an item of `own` is not below the number of items.
    pub fn draw(
        protocol: Protocol,
        users: &[u32],
        own: &UserItems,
        item_counts: &[u32],
        seed: u64,
    ) -> Result<Self, NegativesError> {
        let highest = own.items().iter().max();
        let n_items = item_counts.len();
        assert!(
            highest.is_none_or(|&item| (item as usize) < n_items),
            "an item is below the number of items"
        );
        let (items, site) = match protocol {
            Protocol::Full => return Err(NegativesError::NoSets),
            Protocol::Uniform(_) => (ItemDistribution::uniform(n_items), "uniform candidates"),
            Protocol::Popularity(_) => {
                (ItemDistribution::popularity(item_counts, 1.0)?, "popular candidates")
            }
        };
        let n_candidates = protocol.n_candidates().unwrap_or(0);
        let key = DrawKey::new(seed, site, 0);
        let mut users = users.to_vec();
        users.sort_unstable();
        users.dedup();
        let sets: Vec<Vec<u32>> = users
            .par_iter()
            .map(|&user| draw_distinct(&items, own.of(user), n_candidates, key, user))
            .collect();
        Ok(Self::from_sorted(Some(Origin { protocol, seed }), users.into_iter().zip(sets)))
    }

    /// The sets of users in ascending order, each set ascending.
    pub(super) fn from_sorted(
        origin: Option<Origin>,
        sets: impl IntoIterator<Item = (u32, Vec<u32>)>,
    ) -> Self {
        let mut all = Self { origin, users: Vec::new(), offsets: vec![0], items: Vec::new() };
        for (user, items) in sets {
            all.users.push(user);
            all.items.extend(items);
            all.offsets.push(all.items.len());
        }
        all
    }

    /// How the sets were drawn; `None` where the file they come from does not say.
    pub fn origin(&self) -> Option<Origin> {
        self.origin
    }

    /// The users who have a set, ascending.
    pub fn users(&self) -> &[u32] {
        &self.users
    }

    /// The candidates of a user, ascending; `None` for a user without a set.
    pub fn of(&self, user: u32) -> Option<&[u32]> {
        let at = self.users.binary_search(&user).ok()?;
        Some(&self.items[self.offsets[at]..self.offsets[at + 1]])
    }

    /// Each user with the user's candidates, in ascending order of users.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (u32, &[u32])> {
        let sets = self.offsets.windows(2).map(|bounds| &self.items[bounds[0]..bounds[1]]);
        self.users.iter().copied().zip(sets)
    }

    /// The number of users who have a set.
    pub fn len(&self) -> usize {
        self.users.len()
    }

    /// Whether nobody has a set.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// Checks sets that were read from `file` against the data they are to be used with.
    ///
    /// # Errors
    ///
    /// [`NegativesError::Candidate`] at the first candidate that is an item of the user in `own`, or none of the
    /// `n_items`; [`NegativesError::Damaged`] for a user who is none of `own`.
    pub fn check(&self, file: &Path, own: &UserItems, n_items: usize) -> Result<(), NegativesError> {
        for (user, items) in self.iter() {
            if user as usize >= own.n_users() {
                let cause = format!("it names user {user} of {}", own.n_users());
                return Err(NegativesError::Damaged { file: file.to_owned(), cause });
            }
            let fault = |item: u32| match () {
                () if item as usize >= n_items => Some(format!("and there are {n_items} items")),
                () if own.contains(user, item) => Some("which is an item of the user's own".to_owned()),
                () => None,
            };
            if let Some((item, fault)) = items.iter().find_map(|&item| Some((item, fault(item)?))) {
                return Err(NegativesError::Candidate { file: file.to_owned(), user, item, fault });
            }
        }
        Ok(())
    }
}

/// `n` distinct items that are not in `own`, ascending, each drawn from those still free; all there are if fewer.
fn draw_distinct(items: &ItemDistribution, own: &[u32], n: usize, key: DrawKey, user: u32) -> Vec<u32> {
    let mut rng = key.at(u64::from(user));
    let mut taken = own.to_vec();
    let mut drawn = Vec::with_capacity(n.min(items.n_items() - own.len()));
    for _ in 0..drawn.capacity() {
        let item = items.draw_free(&taken, &mut rng);
        taken.insert(taken.partition_point(|&other| other < item), item);
        drawn.push(item);
    }
    drawn.sort_unstable();
    drawn
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Users with the given items each.
    pub(in crate::negatives) fn own(users: &[Vec<u32>]) -> UserItems {
        let mut offsets = vec![0];
        offsets.extend(users.iter().scan(0, |end, items| {
            *end += items.len();
            Some(*end)
        }));
        serde_json::from_value(serde_json::json!({ "offsets": offsets, "items": users.concat() })).unwrap()
    }

    #[test]
    fn a_user_with_too_few_free_items_gets_them_all() {
        let own = own(&[vec![0, 1, 2], vec![0, 1, 2, 3, 4], vec![]]);
        for protocol in [Protocol::Uniform(3), Protocol::Popularity(3)] {
            let sets = CandidateSets::draw(protocol, &[2, 0, 1, 0], &own, &[9, 1, 1, 0, 2], 1).unwrap();
            assert_eq!(sets.users(), [0, 1, 2]);
            assert_eq!((sets.of(0), sets.of(1)), (Some(&[3, 4][..]), Some(&[][..])));
            assert_eq!((sets.of(2).map(<[u32]>::len), sets.of(3)), (Some(3), None));
        }
    }

    #[test]
    fn a_set_depends_on_protocol_seed_and_its_user_alone() {
        let own = own(&vec![vec![5]; 40]);
        let counts = vec![3; 1000];
        let all: Vec<u32> = (0..40).collect();
        let draw = |protocol, users: &[u32], seed| {
            CandidateSets::draw(protocol, users, &own, &counts, seed).unwrap().of(7).unwrap().to_vec()
        };
        let set = draw(Protocol::Uniform(20), &all, 1);
        assert_eq!(draw(Protocol::Uniform(20), &[7], 1), set);
        assert_ne!(draw(Protocol::Uniform(20), &all, 2), set);
        assert_ne!(draw(Protocol::Popularity(20), &all, 1), set);
    }

    #[test]
    fn popular_items_are_candidates_in_proportion_to_their_rows() {
        // One candidate each of items with 1, 2 and 7 rows; item 3 is everybody's own.
        let own = own(&vec![vec![3]; 20_000]);
        let users: Vec<u32> = (0..20_000).collect();
        let sets = CandidateSets::draw(Protocol::Popularity(1), &users, &own, &[1, 2, 7, 90], 1).unwrap();
        let mut shares = [0.0; 4];
        sets.iter().for_each(|(_, items)| shares[items[0] as usize] += 1.0 / 20_000.0);
        let is_near = |(found, expected): (&f64, f64)| (found - expected).abs() < 0.015;
        assert!(shares.iter().zip([0.1, 0.2, 0.7, 0.0]).all(is_near), "{shares:?}");
    }

    #[test]
    fn a_candidate_of_other_data_is_named() {
        let drawn = own(&[vec![0]]);
        let sets = CandidateSets::draw(Protocol::Uniform(2), &[0], &drawn, &[1; 3], 1).unwrap();
        let file = Path::new("negatives.json");
        sets.check(file, &drawn, 3).unwrap();
        let message = |own: &UserItems, n_items| sets.check(file, own, n_items).unwrap_err().to_string();
        let expected = "negatives.json: user 0 has the candidate 2, which is an item of the user's own";
        assert!(message(&own(&[vec![2]]), 3).starts_with(expected));
        assert!(
            message(&drawn, 2)
                .starts_with("negatives.json: user 0 has the candidate 2, and there are 2 items")
        );
        assert!(message(&own(&[]), 3).starts_with("negatives.json: it names user 0 of 0"));
    }

    #[test]
    fn the_protocol_full_has_no_sets() {
        let sets = CandidateSets::draw(Protocol::Full, &[], &own(&[]), &[1], 1);
        assert!(matches!(sets, Err(NegativesError::NoSets)));
    }

    proptest! {
        #[test]
        fn candidates_are_distinct_and_none_is_the_users_own(
            users in prop::collection::vec(prop::collection::btree_set(0u32..30, 0..30), 1..8), n in 1u32..40,
            seed: u64, is_uniform: bool,
        ) {
            let users: Vec<Vec<u32>> = users.into_iter().map(|items| items.into_iter().collect()).collect();
            let protocol = if is_uniform { Protocol::Uniform(n) } else { Protocol::Popularity(n) };
            let counts: Vec<u32> = (0..30).map(|item| item * item).collect();
            let own = own(&users);
            let all: Vec<u32> = (0..users.len() as u32).collect();
            let sets = CandidateSets::draw(protocol, &all, &own, &counts, seed).unwrap();
            sets.check(Path::new("drawn"), &own, 30).unwrap();
            for (user, items) in sets.iter() {
                prop_assert_eq!(items.len(), (n as usize).min(30 - users[user as usize].len()));
                prop_assert!(items.is_sorted_by(|a, b| a < b));
            }
        }
    }
}

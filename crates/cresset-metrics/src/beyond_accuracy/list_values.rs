//! What one user's list is worth beside its hits.

use super::ItemFacts;
use crate::key::Metric;

/// One user's list, and whose it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shown<'a> {
    /// The first k places, best first; a place that no item of the catalogue holds is
    /// [`NO_ITEM`](crate::NO_ITEM).
    pub(crate) list: &'a [u32],
    /// The user's relevant items, rising.
    pub(crate) relevant: &'a [u32],
    /// The items that are not shown to the user, rising.
    pub(crate) seen: &'a [u32],
}

/// A value of one user's list; NaN where the list has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ListValue {
    /// Mean surprise of the items.
    Novelty,
    /// Mean number of users who have the items.
    Popularity,
    /// Share of the hits that the most popular items lack.
    Serendipity,
    /// Number of hits, the weight of serendipity.
    Hits,
    /// Mean distance of the items.
    Diversity,
}

impl ListValue {
    /// The value behind a metric, if that is a mean of values of lists.
    pub(crate) fn behind(metric: Metric) -> Option<Self> {
        match metric {
            Metric::Novelty => Some(ListValue::Novelty),
            Metric::Popularity => Some(ListValue::Popularity),
            Metric::Serendipity => Some(ListValue::Serendipity),
            Metric::IntraListDiversity => Some(ListValue::Diversity),
            _ => None,
        }
    }

    /// What the facts lack for it, in words.
    pub(crate) fn lacks(self, facts: Option<&ItemFacts<'_>>) -> Option<&'static str> {
        match (self, facts) {
            (ListValue::Diversity, Some(facts)) if facts.vectors.is_none() => {
                Some("the items have no vectors, which its distances are taken of")
            }
            (_, None) => Some("the facts of the items, such as how many users have each, are not given"),
            (_, Some(_)) => None,
        }
    }

    /// Why no user has a value.
    pub(crate) fn reason_for_none(self) -> &'static str {
        match self {
            ListValue::Novelty | ListValue::Popularity => "no list shows an item of the catalogue",
            ListValue::Serendipity | ListValue::Hits => "no list has a hit",
            ListValue::Diversity => "no list shows two items with a vector",
        }
    }

    /// The value of a list.
    pub(crate) fn of(self, shown: Shown<'_>, facts: &ItemFacts<'_>) -> f64 {
        match self {
            ListValue::Novelty => mean(shown.list, |item| facts.surprise[item]),
            ListValue::Popularity => mean(shown.list, |item| f64::from(facts.interactions[item])),
            ListValue::Serendipity => serendipity(shown, &facts.popularity_place),
            ListValue::Hits => shown.hits().count() as f64,
            ListValue::Diversity => facts
                .vectors
                .as_ref()
                .and_then(|vectors| vectors.mean_distance(shown.list))
                .unwrap_or(f64::NAN),
        }
    }
}

impl Shown<'_> {
    fn hits(&self) -> impl Iterator<Item = u32> {
        self.list.iter().copied().filter(|item| self.relevant.binary_search(item).is_ok())
    }
}

fn mean(list: &[u32], value: impl Fn(usize) -> f64) -> f64 {
    let (mut sum, mut n) = (0.0, 0_usize);
    for &item in list.iter().filter(|&&item| item != super::NO_ITEM) {
        sum += value(item as usize);
        n += 1;
    }
    // Without an item 0/0, which is NaN: no value.
    sum / n as f64
}

/// A hit is no surprise if it is among as many of the most popular unseen items as the list shows.
fn serendipity(shown: Shown<'_>, places: &[u32]) -> f64 {
    let is_unexpected = |item: &u32| {
        let place = places[*item as usize];
        let seen_before = shown.seen.iter().filter(|&&seen| places[seen as usize] < place).count();
        place as usize - seen_before >= shown.list.len()
    };
    let unexpected = shown.hits().filter(is_unexpected).count();
    unexpected as f64 / shown.hits().count() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NO_ITEM;

    const INTERACTIONS: [u32; 5] = [8, 4, 2, 1, 0];

    fn value(value: ListValue, list: &[u32], relevant: &[u32], seen: &[u32]) -> f64 {
        let facts = ItemFacts::new(&INTERACTIONS, 8).unwrap();
        value.of(Shown { list, relevant, seen }, &facts)
    }

    #[test]
    fn novelty_and_popularity_are_means_over_the_list() {
        assert_eq!(value(ListValue::Novelty, &[0, 2, NO_ITEM], &[], &[]), 1.0);
        assert_eq!(value(ListValue::Popularity, &[0, 2, NO_ITEM], &[], &[]), 5.0);
        assert!(value(ListValue::Novelty, &[], &[], &[]).is_nan());
        assert!(value(ListValue::Popularity, &[NO_ITEM], &[], &[]).is_nan());
    }

    #[test]
    fn of_two_hits_the_popular_one_was_to_be_expected() {
        // The two most popular unseen items are 0 and 1.
        assert_eq!(value(ListValue::Serendipity, &[1, 3], &[1, 3], &[]), 0.5);
        assert_eq!(value(ListValue::Hits, &[1, 3], &[1, 3], &[]), 2.0);
    }

    #[test]
    fn what_was_seen_makes_room_in_the_list_of_popular_items() {
        // Without 0 and 1 the two most popular are 2 and 3.
        assert_eq!(value(ListValue::Serendipity, &[3, 4], &[3, 4], &[0, 1]), 0.5);
        assert_eq!(value(ListValue::Serendipity, &[2, 3], &[2, 3], &[0, 1]), 0.0);
    }

    #[test]
    fn without_a_hit_there_is_no_share_of_hits() {
        assert!(value(ListValue::Serendipity, &[1, 3], &[2], &[]).is_nan());
        assert_eq!(value(ListValue::Hits, &[1, 3], &[2], &[]), 0.0);
    }
}

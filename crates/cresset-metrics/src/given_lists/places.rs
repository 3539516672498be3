//! Which places of one user's list are hits.

use crate::accumulator::{Scratch, Tally, TaskUser};
use crate::relevant_ranks::TieGroup;
use crate::{MetricError, NO_ITEM, RelevantRanks};

/// Room to order a list and to look its items up.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// What is known of each item of the catalogue; 0 between users.
    marks: Vec<u8>,
    /// The places in the order of falling scores, if the list comes in another.
    order: Vec<Place>,
}

const RELEVANT: u8 = 1;
const SEEN: u8 = 2;
const LISTED: u8 = 4;

impl Scratch {
    /// Ranks by a list with scores, and writes its first items to `list`.
    pub(crate) fn rank_list(
        &mut self,
        user: TaskUser<'_>,
        items: &[u32],
        scores: &[f64],
        n_items: usize,
        list: &mut [u32],
    ) -> Result<Tally, MetricError> {
        check_finite(user.id, items, scores)?;
        self.places.mark(user, n_items);
        let walked = self.walk(user, items, scores, list);
        self.places.unmark(user, items);
        let removed = walked?;
        Ok(Tally { removed, empty_lists: usize::from(items.is_empty()), ..self.tally() })
    }

    /// Goes through the list, best first; gives the number of items taken out.
    fn walk(
        &mut self,
        user: TaskUser<'_>,
        items: &[u32],
        scores: &[f64],
        list: &mut [u32],
    ) -> Result<usize, MetricError> {
        self.ranks.restart(user.relevant.len(), items.len());
        let Places { marks, order } = &mut self.places;
        let is_ordered = is_ordered(items, scores);
        if !is_ordered {
            sort(order, items, scores);
        }
        let (mut places, mut removed) = (Grouping::default(), 0);
        for nth in 0..items.len() {
            let place = order.get(nth).filter(|_| !is_ordered).map_or(nth, |place| place.number());
            let item = items[place];
            let mark = look_up(marks, user.id, item)?;
            if mark & SEEN != 0 {
                removed += 1;
                continue;
            }
            if let Some(listed) = list.get_mut(places.taken) {
                *listed = item;
            }
            places.take(scores[place], mark & RELEVANT != 0, &mut self.ranks);
        }
        places.close(&mut self.ranks);
        self.n_listed = places.taken.min(list.len());
        Ok(removed)
    }
}

/// Groups places of equal score as they come, best first.
struct Grouping {
    /// Places so far.
    taken: usize,
    group: TieGroup,
    score: f64,
}

impl Default for Grouping {
    fn default() -> Self {
        // No score equals NaN, so the first place starts a group.
        Self { taken: 0, group: TieGroup { above: 0, size: 0, relevant: 0 }, score: f64::NAN }
    }
}

impl Grouping {
    fn take(&mut self, score: f64, is_relevant: bool, ranks: &mut RelevantRanks) {
        if score != self.score {
            self.close(ranks);
            self.group = TieGroup { above: self.taken, size: 0, relevant: 0 };
            self.score = score;
        }
        self.group.size += 1;
        self.group.relevant += usize::from(is_relevant);
        self.taken += 1;
    }

    fn close(&self, ranks: &mut RelevantRanks) {
        if self.group.relevant > 0 {
            ranks.push(self.group);
        }
    }
}

impl Places {
    fn mark(&mut self, user: TaskUser<'_>, n_items: usize) {
        self.marks.resize(n_items, 0);
        user.relevant.iter().for_each(|&item| self.marks[item as usize] |= RELEVANT);
        user.seen.iter().for_each(|&item| self.marks[item as usize] |= SEEN);
    }

    fn unmark(&mut self, user: TaskUser<'_>, items: &[u32]) {
        for &item in user.relevant.iter().chain(user.seen).chain(items) {
            if let Some(mark) = self.marks.get_mut(item as usize) {
                *mark = 0;
            }
        }
    }
}

/// What is known of an item, which is listed from now on.
fn look_up(marks: &mut [u8], user: u32, item: u32) -> Result<u8, MetricError> {
    let n_items = marks.len();
    match marks.get_mut(item as usize) {
        Some(mark) if *mark & LISTED != 0 => Err(MetricError::ListedTwice { user, item }),
        Some(mark) => {
            *mark |= LISTED;
            Ok(*mark)
        }
        None if item == NO_ITEM => Ok(0),
        None => Err(MetricError::ItemOutOfRange { list: "ranked", user, item, n_items }),
    }
}

fn check_finite(user: u32, items: &[u32], scores: &[f64]) -> Result<(), MetricError> {
    match scores.iter().position(|score| !score.is_finite()) {
        Some(place) => Err(MetricError::ScoreNotFinite { user, item: items[place], value: scores[place] }),
        None => Ok(()),
    }
}

/// Whether scores fall, and the ids of equal ones rise.
fn is_ordered(items: &[u32], scores: &[f64]) -> bool {
    let mut pairs = scores.windows(2).zip(items.windows(2));
    pairs.all(|(scores, items)| scores[0] > scores[1] || (scores[0] == scores[1] && items[0] <= items[1]))
}

/// Writes the places in the order of falling scores and then of rising ids.
fn sort(order: &mut Vec<Place>, items: &[u32], scores: &[f64]) {
    order.clear();
    let places = (0..).zip(items.iter().zip(scores));
    order.extend(places.map(|(place, (&item, &score))| Place::new(score, item, place)));
    order.sort_unstable();
}

/// A score, its item and its place in one number, lower where better: sorted faster than by looking each up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place(u128);

impl Place {
    fn new(score: f64, item: u32, place: u32) -> Self {
        // -0 becomes 0, with which it ties.
        let bits = (score + 0.0).to_bits();
        // Positive numbers compare as their bits do in reverse; the bits of negative ones lie above theirs.
        let rank = if bits >> 63 == 1 { bits } else { !bits & !(1 << 63) };
        Self(u128::from(rank) << 64 | u128::from(item) << 32 | u128::from(place))
    }

    fn number(self) -> usize {
        self.0 as u32 as usize
    }
}

//! Candidates of one score, and what they are worth on average over their orders.

use crate::Ties;
use crate::discount::discount;

/// The candidates of one score, at least one of them relevant; they hold `size` positions after `above`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TieGroup {
    /// Candidates of a higher score.
    pub(crate) above: usize,
    /// Candidates of this score.
    pub(crate) size: usize,
    /// Relevant ones among them.
    pub(crate) relevant: usize,
}

/// What is taken of a ranking's first k, before anything is divided by anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measure {
    /// Chance of at least one hit.
    HitChance,
    /// Hits.
    Hits,
    /// Discounted gain.
    Dcg,
    /// One divided by the rank of the first hit.
    ReciprocalRank,
    /// Precision at the rank of each hit, summed.
    PrecisionSum,
}

impl Measure {
    /// The mean over all orders of all ties; the groups come best first, and `k` is at least 1.
    pub(crate) fn of(self, groups: &[TieGroup], k: usize) -> f64 {
        assert!(k > 0, "the cut-off is at least 1");
        match self {
            Measure::HitChance => hit_chance(groups, k),
            Measure::Hits => hits(groups, k),
            Measure::Dcg => dcg(groups, k),
            Measure::ReciprocalRank => groups.first().map_or(0.0, |first| first.reciprocal_rank(k)),
            Measure::PrecisionSum => precision_sum(groups, k),
        }
    }
}

fn hit_chance(groups: &[TieGroup], k: usize) -> f64 {
    let mut hit = 0.0;
    for group in reaching(groups, k) {
        hit += (1.0 - hit) * group.hit_chance(k);
    }
    hit
}

fn hits(groups: &[TieGroup], k: usize) -> f64 {
    let mut hits = 0.0;
    for group in reaching(groups, k) {
        // Multiplied before divided: with one tie of the whole catalogue this is chance to the bit.
        hits += (group.relevant * group.places(k)) as f64 / group.size as f64;
    }
    hits
}

fn dcg(groups: &[TieGroup], k: usize) -> f64 {
    let mut dcg = 0.0;
    for group in reaching(groups, k) {
        let share = group.relevant as f64 / group.size as f64;
        // Gains are added one by one, best first, as in the ideal: a perfect order gives 1 to the bit.
        for position in group.above..group.above + group.places(k) {
            dcg += discount(position) * share;
        }
    }
    dcg
}

fn precision_sum(groups: &[TieGroup], k: usize) -> f64 {
    let (mut sum, mut relevant_above) = (0.0, 0);
    for group in reaching(groups, k) {
        let share = group.relevant as f64 / group.size as f64;
        for place in 0..group.places(k) {
            let hits = (relevant_above + 1) as f64 + group.others_before(place);
            sum += share * (hits / (group.above + place + 1) as f64);
        }
        relevant_above += group.relevant;
    }
    sum
}

/// The groups that have a place among the first `k`.
fn reaching(groups: &[TieGroup], k: usize) -> impl Iterator<Item = &TieGroup> {
    groups.iter().take_while(move |group| group.above < k)
}

impl TieGroup {
    /// The group as the tie rule sees it: either whole, or only its relevant items, at one of its ends.
    pub(crate) fn under(self, ties: Ties) -> Self {
        let Self { above, size, relevant } = self;
        match ties {
            Ties::Expected => self,
            Ties::Optimistic => Self { above, size: relevant, relevant },
            Ties::Pessimistic => Self { above: above + size - relevant, size: relevant, relevant },
        }
    }

    /// How many of its positions are among the first `k`.
    fn places(&self, k: usize) -> usize {
        k.saturating_sub(self.above).min(self.size)
    }

    /// Chance that at least one of its relevant items takes one of its places among the first `k`.
    ///
    /// Drawing places without replacement: the i-th of `few` draws, if all before missed, hits with chance
    /// `many / (size - i)`. Places and relevant items may change roles, so the fewer of them are drawn.
    fn hit_chance(&self, k: usize) -> f64 {
        let (few, many) = (self.relevant.min(self.places(k)), self.relevant.max(self.places(k)));
        let mut hit = 0.0;
        for drawn in 0..few {
            if self.size - drawn <= many {
                return 1.0;
            }
            hit += (1.0 - hit) * (many as f64 / (self.size - drawn) as f64);
        }
        hit
    }

    /// Expected reciprocal rank of its first relevant item, where one beyond `k` counts 0.
    ///
    /// The first relevant item is at a place if the places before drew none of them, without replacement,
    /// and this one does.
    fn reciprocal_rank(&self, k: usize) -> f64 {
        let (mut sum, mut none_before) = (0.0, 1.0);
        let last_place = self.size - self.relevant;
        for place in 0..self.places(k).min(last_place + 1) {
            let left = (self.size - place) as f64;
            sum += none_before * (self.relevant as f64 / left) / (self.above + place + 1) as f64;
            none_before *= (last_place - place) as f64 / left;
        }
        sum
    }

    /// Expected number of its other relevant items before `place`, if there is a relevant one at `place`.
    fn others_before(&self, place: usize) -> f64 {
        match self.size {
            1 => 0.0,
            size => (place * (self.relevant - 1)) as f64 / (size - 1) as f64,
        }
    }
}

//! Relations that only turn another round, found and folded.
//!
//! Some graphs hold each fact twice: Freebase says `film.film.directed_by` of a film and `film.director.film` of its
//! director. A split that holds out one of the two facts tests on what the other tells: the leak that made `FB15k` too
//! easy. Names do not betray such pairs; the facts do.

use std::collections::HashMap;

use super::entities::add_new;
use super::triples::{Columns, Triples};
use crate::groups::Groups;
use crate::names::Names;

/// What an inverse relation's name ends in.
const SUFFIX: &str = "^-1";

/// The name of the relation that turns `name` round.
///
/// ```
/// use cresset_data::graph::inverse_name;
///
/// assert_eq!(inverse_name("director"), "director^-1");
/// assert_eq!(inverse_name("director^-1"), "director");
/// ```
pub fn inverse_name(name: &str) -> String {
    // Names that end in several suffixes form pairs too, so that no two names have the same inverse.
    let n_suffixes = std::iter::successors(Some(name), |name| name.strip_suffix(SUFFIX)).count() - 1;
    let shorter = name.strip_suffix(SUFFIX).filter(|_| n_suffixes % 2 == 1);
    shorter.map_or_else(|| format!("{name}{SUFFIX}"), str::to_owned)
}

/// Two relations of which one says of tail and head what the other says of head and tail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InversePair {
    /// The relation with more items as heads.
    pub relation: String,
    /// The one that turns it round; the same name for a relation that holds both ways.
    pub inverse: String,
    /// Number of facts of `relation` whose turned fact `inverse` has.
    pub n_shared: u64,
    /// Number of facts of each.
    pub n_facts: [u64; 2],
}

impl InversePair {
    /// The share of the rarer relation's facts that have their counterpart.
    pub fn share(&self) -> f64 {
        self.n_shared as f64 / self.n_facts[0].min(self.n_facts[1]) as f64
    }
}

/// As [`InversePair`], by codes.
struct CodedPair {
    relations: [u32; 2],
    n_shared: u64,
}

impl Triples {
    /// The facts turned round, each relation under its [`inverse_name`]; turned twice they are the same again.
    ///
    /// # Panics
    ///
    /// Never: inverses of distinct names are distinct.
    #[must_use]
    pub fn inverse(&self) -> Self {
        let mut relations = Names::default();
        for name in self.relations.iter() {
            assert!(add_new(&mut relations, &inverse_name(name)), "two relations have two inverses");
        }
        let Columns { heads, relations: codes, tails } = self.columns.clone();
        Self { relations, columns: Columns { heads: tails, relations: codes, tails: heads }, ..self.clone() }
    }

    /// Pairs of relations that state the same facts both ways, from `min_share` of the rarer one's facts on.
    ///
    /// Each relation is in one pair at most, that with the most shared facts; pairs come by that number, largest
    /// first.
    ///
    /// # Source
    ///
    /// Toutanova and Chen, CVSC 2015, <https://doi.org/10.18653/v1/W15-4007>, who found them in `FB15k`.
    pub fn inverse_pairs(&self, min_share: f64) -> Vec<InversePair> {
        let n_facts = self.count_by_relation(|_| true);
        let pair = |pair: CodedPair| {
            let [a, b] = pair.relations;
            InversePair {
                relation: self.relations[a as usize].to_owned(),
                inverse: self.relations[b as usize].to_owned(),
                n_shared: pair.n_shared,
                n_facts: [n_facts[a as usize], n_facts[b as usize]],
            }
        };
        self.coded_pairs(min_share).into_iter().map(pair).collect()
    }

    /// The same facts with one relation of each pair of [`inverse_pairs`](Self::inverse_pairs): facts of the other
    /// are turned round, those that are then said twice are kept once and counted as repeats.
    ///
    /// Of a relation that holds both ways each fact is kept once, with the head first seen as its head.
    #[must_use]
    pub fn fold_inverses(mut self, min_share: f64) -> Self {
        for pair in self.coded_pairs(min_share) {
            let [kept, folded] = pair.relations;
            let Columns { heads, relations, tails } = &mut self.columns;
            let facts = heads.iter_mut().zip(relations).zip(tails);
            for ((head, relation), tail) in facts.filter(|((_, relation), _)| **relation == folded) {
                // Of a symmetric relation, the smaller code stands first in both copies of a fact.
                if kept != folded || *head > *tail {
                    *relation = kept;
                    std::mem::swap(head, tail);
                }
            }
        }
        let found = self.len();
        let Self { entities, relations, columns, links, n_repeats, skipped } = self;
        let columns = columns.distinct(entities.len());
        let n_repeats = n_repeats + (found - columns.heads.len()) as u64;
        Self { entities, relations, columns, links, n_repeats, skipped }.without_unused_relations()
    }

    fn without_unused_relations(mut self) -> Self {
        let counts = self.count_by_relation(|_| true);
        let mut relations = Names::default();
        let code_of: Vec<u32> = self
            .relations
            .iter()
            .zip(counts)
            .map(|(name, count)| if count == 0 { u32::MAX } else { relations.code_or_add(name) })
            .collect();
        self.relations = relations;
        self.columns.relations.iter_mut().for_each(|relation| *relation = code_of[*relation as usize]);
        self
    }

    fn coded_pairs(&self, min_share: f64) -> Vec<CodedPair> {
        let n_facts = self.count_by_relation(|_| true);
        let n_from_items = self.count_by_relation(|row| self.is_item(self.columns.heads[row]));
        let share =
            |(&[a, b], &n): (&[u32; 2], &u64)| n as f64 / n_facts[a as usize].min(n_facts[b as usize]) as f64;
        let shared = self.shared_facts();
        let mut found: Vec<([u32; 2], u64)> = shared
            .iter()
            .filter(|entry| share(*entry) >= min_share)
            .map(|(&pair, &n_shared)| (pair, n_shared))
            .collect();
        found.sort_unstable_by_key(|&(pair, n_shared)| (std::cmp::Reverse(n_shared), pair));
        let mut is_taken = vec![false; self.relations.len()];
        let mut pairs = Vec::new();
        for ([a, b], n_shared) in found {
            if is_taken[a as usize] || is_taken[b as usize] {
                continue;
            }
            is_taken[a as usize] = true;
            is_taken[b as usize] = true;
            let swap = n_from_items[b as usize] > n_from_items[a as usize];
            pairs.push(CodedPair { relations: if swap { [b, a] } else { [a, b] }, n_shared });
        }
        pairs
    }

    /// For each two relations, the smaller code first, the number of facts of the one that the other turns round.
    fn shared_facts(&self) -> HashMap<[u32; 2], u64> {
        let Columns { heads, relations, tails } = &self.columns;
        let n_rows = heads.len() as u32;
        let mut of_head = Groups::by(heads, self.entities.len(), 0..n_rows);
        of_head.each_mut().for_each(|rows| rows.sort_unstable_by_key(|&row| tails[row as usize]));
        let mut shared = HashMap::new();
        for row in 0..n_rows as usize {
            let turned = of_head.of(tails[row]);
            let start = turned.partition_point(|&other| tails[other as usize] < heads[row]);
            for &other in turned[start..].iter().take_while(|&&other| tails[other as usize] == heads[row]) {
                let (a, b) = (relations[row], relations[other as usize]);
                if a <= b {
                    *shared.entry([a, b]).or_insert(0) += 1;
                }
            }
        }
        shared
    }

    /// The number of rows of each relation that pass.
    fn count_by_relation(&self, passes: impl Fn(usize) -> bool) -> Vec<u64> {
        let mut counts = vec![0; self.relations.len()];
        for (row, &relation) in self.columns.relations.iter().enumerate() {
            counts[relation as usize] += u64::from(passes(row));
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::graph::entities::ITEM_KIND;
    use crate::graph::triples::TripleSink;

    /// Facts among entities of one name space, of which "1" and "2" are items.
    fn triples(facts: &[(&str, &str, &str)]) -> Triples {
        let mut sink = TripleSink::default();
        let kind = sink.entities.kind("entity");
        let kind_of = |name| if ["1", "2"].contains(&name) { ITEM_KIND } else { kind };
        for &(head, relation, tail) in facts {
            let (head, tail) = (sink.entity(kind_of(head), head), sink.entity(kind_of(tail), tail));
            let relation = sink.relation(relation);
            sink.push(head, relation, tail);
        }
        sink.finish().unwrap()
    }

    fn shown(triples: &Triples) -> Vec<String> {
        triples.iter().map(|fact| fact.to_string()).collect()
    }

    #[test]
    fn a_relation_that_turns_another_round_is_found_and_folded() {
        let both_ways = triples(&[
            ("lee", "made", "1"),
            ("1", "director", "lee"),
            ("2", "director", "lee"),
            ("bo", "made", "2"),
            ("1", "writer", "lee"),
        ]);
        let pairs = both_ways.inverse_pairs(0.5);
        assert_eq!(pairs.len(), 1);
        assert_eq!((pairs[0].relation.as_str(), pairs[0].inverse.as_str()), ("director", "made"));
        assert_eq!((pairs[0].n_shared, pairs[0].n_facts, pairs[0].share()), (1, [2, 2], 0.5));
        assert!(both_ways.inverse_pairs(0.51).iter().all(|pair| pair.relation == "writer"));
        let folded = both_ways.fold_inverses(0.5);
        assert_eq!(shown(&folded), ["1 director lee", "2 director lee", "2 director bo", "1 writer lee"]);
        assert_eq!(folded.relations().iter().collect::<Vec<_>>(), ["director", "writer"]);
        assert_eq!(folded.n_repeats(), 1);
    }

    #[test]
    fn a_relation_that_holds_both_ways_is_kept_once() {
        let twice = triples(&[("1", "like", "2"), ("2", "like", "1"), ("2", "genre", "x")]);
        assert_eq!(shown(&twice.fold_inverses(0.9)), ["1 like 2", "2 genre x"]);
    }

    #[test]
    fn no_two_names_have_the_same_inverse() {
        let names = ["a", "a^-1", "a^-1^-1", "a^-1^-1^-1"];
        assert_eq!(names.map(inverse_name), ["a^-1", "a", "a^-1^-1^-1", "a^-1^-1"]);
    }

    proptest! {
        #[test]
        fn the_inverse_of_the_inverse_is_the_graph(
            facts in prop::collection::vec(("[1-5]", "[ab](\\^-1){0,3}", "[1-5]"), 0..40),
        ) {
            let facts: Vec<_> = facts.iter().map(|(h, r, t)| (h.as_str(), r.as_str(), t.as_str())).collect();
            let triples = triples(&facts);
            let turned = triples.inverse();
            prop_assert_eq!(turned.len(), triples.len());
            prop_assert!(triples.iter().zip(turned.iter()).all(|(a, b)| a.head == b.tail && a.tail == b.head));
            prop_assert_eq!(turned.inverse(), triples);
        }
    }
}

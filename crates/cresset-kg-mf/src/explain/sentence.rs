//! Paths as sentences.

use cresset_data::graph::KnowledgeGraph;

use super::labels::Labels;
use super::paths::{Hop, RelationPath};
use super::words::words;

/// A path as a sentence: "because you rated Toy Story (1995) 5.0 and both are directed by John Lasseter".
///
/// Relations that films have in well-known graphs get natural words, by the last part of their name; any
/// other is named as it is. An entity whose source has no readable name is called by its id.
///
/// # Panics
///
/// If the path is not of this graph and these items.
pub fn sentence(path: &RelationPath, graph: &KnowledgeGraph, labels: &Labels) -> String {
    let rated = format!("because you rated {} {:.1}", labels.title(path.liked.item), path.liked.rating);
    let of = |hop: &Hop| words(graph.relation_name(hop.relation));
    let name = |hop: &Hop| labels.entity(graph, hop.to);
    match &path.hops[..] {
        [direct] => {
            let words = of(direct);
            // The fact is "item relation liked item" where the hop is turned.
            if words.is_inverse == direct.is_turned {
                format!("{rated}, of which this is the {}", words.noun)
            } else {
                format!("{rated}, which is its {}", words.noun)
            }
        }
        [first, last] if of(first).both == of(last).both => {
            format!("{rated} and both {}", of(last).of_both(name(first)))
        }
        [first, last] => {
            let (there, here) = (of(first).of_one(name(first)), of(last).of_one(name(first)));
            format!("{rated}, which {there}, and this one {here}")
        }
        [first, middle, last] => {
            let (there, here) = (of(first).of_one(name(first)), of(last).of_one(name(middle)));
            let (from, to) = (name(first), name(middle));
            format!(
                "{rated}, which {there}; {from} leads to {to} ({}), and this one {here}",
                of(middle).label
            )
        }
        _ => rated,
    }
}

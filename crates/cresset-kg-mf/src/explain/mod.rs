//! Why a user gets an item: paths through the graph, relations that count, and whether the reasons are true.
//!
//! A model that can be asked for its [`Reasons`] says what each link of an item adds to a score.
//! [`relation_paths`] joins these with what the user liked: "because you rated Toy Story (1995) 5.0 and both
//! are directed by John Lasseter" is a path of two links. [`RelationPaths::document`] puts them under
//! external names, as nodes and links for a drawing and as [`sentence`]s. [`RelationHeatmap`] holds which
//! relations count for a user, an item or a population, and [`fidelity`] measures whether what is named is
//! what the score rests on.
//!
//! ```
//! use cresset_data::graph::{KnowledgeGraph, Triples};
//! use cresset_data::{Catalogue, ItemInfo, Vocabulary};
//! use cresset_kg_mf::explain::{EntityContribution, Labels, RatedItem, Reasons, relation_paths};
//!
//! /// A model that likes dramas: 4 stars for one, 3 for all else.
//! struct Dramas;
//! const GENRE: u32 = 0;
//! const DRAMA: u32 = 2;
//!
//! impl Reasons for Dramas {
//!     fn score(&self, _user: u32, _item: u32) -> f32 {
//!         4.0
//!     }
//!     fn relation_attention(&self, _user: u32) -> Vec<f32> {
//!         vec![1.0]
//!     }
//!     fn contributions(&self, _user: u32, _item: u32) -> Vec<EntityContribution> {
//!         let (relation_attention, neighbour_attention) = (1.0, 1.0);
//!         let link = EntityContribution {
//!             entity: DRAMA, relation: GENRE, relation_attention, neighbour_attention, contribution: 1.0,
//!         };
//!         vec![link]
//!     }
//!     fn score_without(&self, _user: u32, _item: u32, entity: u32) -> f32 {
//!         if entity == DRAMA { 3.0 } else { 4.0 }
//!     }
//! }
//!
//! let genres = vec!["Drama".to_owned()];
//! let film = |id: &str| ItemInfo { id: id.to_owned(), genres: genres.clone(), ..ItemInfo::default() };
//! let catalogue = Catalogue { items: vec![film("a"), film("b")], users: vec![] };
//! let (users, items) = (Vocabulary::from_ids(["7"]), Vocabulary::from_ids(["a", "b"]));
//! let graph = KnowledgeGraph::new(Triples::from_genres(&catalogue), &items, true)?;
//! let titles = ["Casablanca".to_owned(), "Vertigo".to_owned()];
//!
//! let paths = relation_paths(&Dramas, &graph, &[RatedItem { item: 0, rating: 5.0 }], 0, 1, 3);
//! let document = paths.document(&graph, &Labels { users: &users, items: &items, titles: &titles });
//! let best = &document.paths[0];
//! assert_eq!(best.sentence, "because you rated Casablanca 5.0 and both are of the genre Drama");
//! assert_eq!(best.nodes, ["user:7", "rated:a", "shared:genre:Drama", "item:b"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod attention;
mod document;
mod fidelity;
mod labels;
mod liking;
mod paths;
mod reasons;
mod search;
mod sentence;
#[cfg(test)]
mod tests;
mod words;

pub use self::attention::{RelationHeatmap, item_attention, mean_attention, relation_effect};
pub use self::document::{DocumentLink, DocumentNode, DocumentPath, DocumentRelation, PathDocument};
pub use self::fidelity::{Fidelity, FidelityConfig, fidelity};
pub use self::labels::Labels;
pub use self::liking::RatedItem;
pub use self::paths::{Hop, RelationPath, RelationPaths, RelationShare, relation_paths};
pub use self::reasons::{EntityContribution, Reasons};
pub use self::sentence::sentence;
pub use self::words::relation_label;

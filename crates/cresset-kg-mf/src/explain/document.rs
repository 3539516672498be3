//! An explanation as JSON, for drawings and for people.

use std::collections::HashMap;
use std::path::Path;

use cresset_data::FileError;
use cresset_data::files::atomic_write_with;
use cresset_data::graph::{ITEM, KnowledgeGraph};
use serde::Serialize;

use super::labels::{Labels, is_item};
use super::paths::{Hop, RelationPath, RelationPaths};
use super::sentence::sentence;
use super::words::relation_label;

/// What stands between a user and what they rated.
const RATED: &str = "rated";

/// An explanation under external names: nodes and links for a D3 force or Sankey drawing, and the paths in
/// words.
///
/// Links lead from left to right, from the user over what they liked and what it shares to the item, so that
/// they form no cycle: an entity that stands in the middle of one path and at the end of another is two
/// nodes. As scores are shares, what flows into a node flows out of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PathDocument {
    /// The user's id.
    pub user: String,
    /// The item's id.
    pub item: String,
    /// The item's title.
    pub title: String,
    /// The model's score, in stars and not held to the scale.
    pub score: f32,
    /// The graph's part of the score, in stars.
    pub contribution: f32,
    /// Nodes by first sight along the paths.
    pub nodes: Vec<DocumentNode>,
    /// Links by first sight along the paths; one that several paths go along has the sum of their scores.
    pub links: Vec<DocumentLink>,
    /// The paths, each entity's best one first.
    pub paths: Vec<DocumentPath>,
    /// The relations of the item's links, what adds most first.
    pub relations: Vec<DocumentRelation>,
}

/// A node of a [`PathDocument`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DocumentNode {
    /// Its key: its part in the paths, for entities the kind, and the external id, with colons between.
    pub id: String,
    /// `user`, `item`, or the kind of the entity in the graph.
    pub kind: String,
    /// A title, the name of an entity, or the user's id.
    pub name: String,
    /// 0 for the user, 1 for what they liked, 2 for an entity in the middle of a path, 3 for the last before
    /// the item, and 4 for the item.
    pub column: usize,
    /// Of a liked item, what the user gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rating: Option<f32>,
}

/// A link of a [`PathDocument`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DocumentLink {
    /// Key of the node on the left.
    pub source: String,
    /// Key of the node on the right.
    pub target: String,
    /// The relation as the graph names it, or `rated`.
    pub relation: String,
    /// A short readable name of the relation.
    pub label: String,
    /// The sum of the scores of the paths that go along it, in stars.
    pub weight: f32,
}

/// A path of a [`PathDocument`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DocumentPath {
    /// Its share of the contribution, in stars.
    pub score: f32,
    /// What the last entity before the item adds to the score, in stars.
    pub contribution: f32,
    /// Keys of its nodes from the user to the item.
    pub nodes: Vec<String>,
    /// The path in words.
    pub sentence: String,
}

/// A relation of a [`PathDocument`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DocumentRelation {
    /// The relation as the graph names it.
    pub relation: String,
    /// The user's attention to it.
    pub attention: f32,
    /// What the item's links of it add to the score, in stars.
    pub contribution: f32,
}

impl RelationPaths {
    /// The explanation under external names.
    ///
    /// # Panics
    ///
    /// If the paths are not of this graph and these users and items.
    pub fn document(&self, graph: &KnowledgeGraph, labels: &Labels) -> PathDocument {
        let mut drawn = Drawn { graph, labels, nodes: vec![], links: vec![], places: HashMap::new() };
        let paths = self.paths.iter().map(|path| DocumentPath {
            score: path.score,
            contribution: path.contribution,
            nodes: drawn.add(self.user, path),
            sentence: sentence(path, graph, labels),
        });
        let paths = paths.collect();
        let relations = self.relations.iter().map(|share| DocumentRelation {
            relation: graph.relation_name(share.relation).to_owned(),
            attention: share.attention,
            contribution: share.contribution,
        });
        PathDocument {
            user: labels.users.id_of(self.user).to_owned(),
            item: labels.items.id_of(self.item).to_owned(),
            title: labels.title(self.item).to_owned(),
            score: self.score,
            contribution: self.contribution,
            nodes: drawn.nodes,
            links: drawn.links,
            paths,
            relations: relations.collect(),
        }
    }
}

impl PathDocument {
    /// Writes the explanation as JSON.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn save(&self, file: &Path) -> Result<(), FileError> {
        save_json(self, file)
    }
}

/// Writes a value as JSON with line breaks.
pub(super) fn save_json(value: &impl Serialize, file: &Path) -> Result<(), FileError> {
    atomic_write_with(file, |out| Ok(serde_json::to_writer_pretty(out, value)?))
}

/// Nodes and links as the paths bring them.
struct Drawn<'a> {
    graph: &'a KnowledgeGraph,
    labels: &'a Labels<'a>,
    nodes: Vec<DocumentNode>,
    links: Vec<DocumentLink>,
    /// Where each link lies in `links`, by its ends and relation.
    places: HashMap<(String, String, String), usize>,
}

impl Drawn<'_> {
    /// Adds a path; what comes back are the keys of its nodes.
    fn add(&mut self, user: u32, path: &RelationPath) -> Vec<String> {
        let mut nodes = vec![self.user(user), self.item(1, path.liked.item, Some(path.liked.rating))];
        let mut relations = vec![(RATED, RATED.to_owned())];
        let before_last = path.hops.len().saturating_sub(1);
        for (place, hop) in path.hops.iter().enumerate() {
            nodes.push(match before_last - place {
                0 => self.item(4, hop.to, None),
                1 => self.entity(3, "shared", hop),
                _ => self.entity(2, "step", hop),
            });
            let relation = self.graph.relation_name(hop.relation);
            relations.push((relation, relation_label(relation)));
        }
        for (ends, (relation, label)) in nodes.windows(2).zip(relations) {
            self.link([&ends[0], &ends[1]], relation, label, path.score);
        }
        nodes
    }

    fn user(&mut self, user: u32) -> String {
        let id = self.labels.users.id_of(user);
        self.node(format!("user:{id}"), "user", id, 0, None)
    }

    fn item(&mut self, column: usize, item: u32, rating: Option<f32>) -> String {
        let part = if rating.is_some() { RATED } else { ITEM };
        let (id, title) = (self.labels.items.id_of(item), self.labels.title(item));
        self.node(format!("{part}:{id}"), ITEM, title, column, rating)
    }

    fn entity(&mut self, column: usize, part: &str, hop: &Hop) -> String {
        let (graph, labels) = (self.graph, self.labels);
        let (kind, name) = (graph.entities().kind_of(hop.to), graph.entities().name_of(hop.to));
        let shown = if is_item(graph, hop.to) { labels.entity(graph, hop.to) } else { name };
        self.node(format!("{part}:{kind}:{name}"), kind, shown, column, None)
    }

    fn node(&mut self, id: String, kind: &str, name: &str, column: usize, rating: Option<f32>) -> String {
        if !self.nodes.iter().any(|node| node.id == id) {
            let (kind, name) = (kind.to_owned(), name.to_owned());
            self.nodes.push(DocumentNode { id: id.clone(), kind, name, column, rating });
        }
        id
    }

    fn link(&mut self, [source, target]: [&str; 2], relation: &str, label: String, weight: f32) {
        let [source, target, relation] = [source, target, relation].map(str::to_owned);
        let key = (source.clone(), target.clone(), relation.clone());
        let place = *self.places.entry(key).or_insert(self.links.len());
        match self.links.get_mut(place) {
            Some(link) => link.weight += weight,
            None => self.links.push(DocumentLink { source, target, relation, label, weight }),
        }
    }
}

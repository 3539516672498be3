//! An explanation, ready to be read, drawn and saved.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use cresset::data::KnowledgeGraph;
use cresset::data::files::FileError;
use cresset::kg_mf::explain::{
    DocumentNode, Labels, PathDocument, RatedItem, Reasons, RelationHeatmap, item_attention, mean_attention,
    relation_label, relation_paths,
};
use cresset::trainers::plot::{self, Heatmap, PathColumn, PathGraph, PathLink, PathNode, PlotFormats};

use crate::failure::Failure;

/// What stands above the columns of nodes, by the column of a node.
const HEADINGS: [&str; 5] = ["user", "liked", "leads to", "shared", "explained"];
/// The first column and the last.
const USER: usize = 0;
const EXPLAINED: usize = HEADINGS.len() - 1;
/// Relations that are drawn: so many columns leave room for their values.
const DRAWN_RELATIONS: usize = 16;
/// The kind of entities of a source that does not tell kinds apart: nothing that a reader would miss.
const ANY_KIND: &str = cresset::data::graph::ENTITY;

/// Whom and what is explained, and how far.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The user.
    pub user: u32,
    /// The item.
    pub item: u32,
    /// What the user rated.
    pub history: &'a [RatedItem],
    /// How many paths.
    pub n_paths: usize,
}

/// Why a user gets an item: the paths, and how much attention each relation has.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The paths under external names.
    pub document: PathDocument,
    /// The user's attention, each relation's share in the item's score, and the mean attention of all users.
    pub attention: RelationHeatmap,
}

impl Explanation {
    /// The explanation that a model gives.
    pub fn of(reasons: &dyn Reasons, graph: &KnowledgeGraph, labels: &Labels, asked: &Asked) -> Self {
        let Asked { user, item, history, n_paths } = *asked;
        let document = relation_paths(reasons, graph, history, user, item, n_paths).document(graph, labels);
        let mut attention = RelationHeatmap::new(graph);
        attention.push(format!("user {}", document.user), reasons.relation_attention(user));
        attention.push(format!("share in {}", document.title), item_attention(reasons, graph, user, item));
        let users = 0..labels.users.len() as u32;
        attention.push("mean of all users", mean_attention(reasons, graph, users));
        Self { document, attention }
    }

    /// Writes the paths to `file`, and beside it the attention as JSON and both as pictures; what comes back
    /// are the files.
    ///
    /// # Errors
    ///
    /// If a file cannot be written.
    pub fn save(&self, file: &Path, plots: PlotFormats) -> Result<Vec<PathBuf>, Failure> {
        let folder = file.parent().unwrap_or(Path::new(""));
        if !folder.as_os_str().is_empty() {
            fs::create_dir_all(folder).map_err(|cause| FileError::write(folder, cause))?;
        }
        let mut written = vec![file.to_owned(), folder.join("relation_attention.json")];
        self.document.save(&written[0])?;
        self.attention.save(&written[1])?;
        for ending in plots.endings() {
            let picture = |name: &str| folder.join(format!("{name}.{ending}"));
            let [paths, attention] = [picture("path_graph"), picture("relation_attention")];
            plot::path_graph(&self.path_graph(), &paths)?;
            plot::heatmap(&self.heatmap(), &attention)?;
            written.extend([paths, attention]);
        }
        Ok(written)
    }

    /// The paths as a drawing: columns without a node are left out.
    fn path_graph(&self) -> PathGraph {
        let PathDocument { nodes, links, title, user, score, .. } = &self.document;
        let mut columns: Vec<(usize, Vec<&DocumentNode>)> =
            (0..HEADINGS.len()).map(|column| (column, vec![])).collect();
        nodes.iter().for_each(|node| columns[node.column].1.push(node));
        columns.retain(|(_, nodes)| !nodes.is_empty());
        let place_of = |id: &str| {
            columns.iter().enumerate().find_map(|(column, (_, nodes))| {
                nodes.iter().position(|node| node.id == id).map(|place| (column, place))
            })
        };
        let links = links.iter().filter_map(|link| {
            let (from, to) = (place_of(&link.source)?, place_of(&link.target)?);
            Some(PathLink { from, to, label: link.label.clone(), weight: link.weight.into() })
        });
        PathGraph {
            title: format!("{title} for user {user}: {score:.2}"),
            links: links.collect(),
            columns: columns
                .iter()
                .map(|(column, nodes)| PathColumn {
                    heading: HEADINGS[*column].to_owned(),
                    nodes: nodes.iter().map(|node| self.drawn(node)).collect(),
                })
                .collect(),
        }
    }

    /// A node as it is drawn.
    fn drawn(&self, node: &DocumentNode) -> PathNode {
        let DocumentNode { kind, name, column, rating, .. } = node;
        let (label, detail) = match (column, rating) {
            (&USER, _) => (format!("user {name}"), String::new()),
            (&EXPLAINED, _) => (name.clone(), format!("score {:.2}", self.document.score)),
            (_, Some(rating)) => (name.clone(), format!("rated {rating:.1}")),
            (_, None) if kind == ANY_KIND => (name.clone(), String::new()),
            (_, None) => (name.clone(), kind.replace('_', " ")),
        };
        PathNode { label, detail }
    }

    fn heatmap(&self) -> Heatmap {
        let RelationHeatmap { rows, columns, values } = self.attention.strongest(DRAWN_RELATIONS);
        Heatmap {
            title: format!("Attention per relation: {} for user {}", self.document.title, self.document.user),
            rows,
            columns: columns.iter().map(|relation| relation_label(relation)).collect(),
            values: values.iter().map(|row| row.iter().copied().map(f64::from).collect()).collect(),
        }
    }
}

impl fmt::Display for Explanation {
    /// The score, and a line for each path: what its entity adds, the path's share of it, and why.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PathDocument { score, contribution, title, paths, .. } = &self.document;
        writeln!(f, "{score:.3}  {title}, of which the graph adds {contribution:+.3}")?;
        if paths.is_empty() {
            return write!(f, "no path leads from what the user liked to what adds to this score");
        }
        write!(f, "{:>7}  {:>7}  why", "entity", "path")?;
        for path in paths {
            write!(f, "\n{:>+7.3}  {:>+7.3}  {}", path.contribution, path.score, path.sentence)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use cresset::data::graph::Triples;
    use cresset::data::{Catalogue, ItemInfo, Vocabulary};
    use cresset::kg_mf::explain::EntityContribution;

    use super::*;

    /// Adds a half star for each genre of a film.
    struct Genres<'a>(&'a KnowledgeGraph);

    impl Reasons for Genres<'_> {
        fn score(&self, user: u32, item: u32) -> f32 {
            3.0 + self.contributions(user, item).len() as f32 / 2.0
        }

        fn relation_attention(&self, _user: u32) -> Vec<f32> {
            (0..self.0.n_relations()).map(|relation| if relation == 0 { 1.0 } else { 0.0 }).collect()
        }

        fn contributions(&self, _user: u32, item: u32) -> Vec<EntityContribution> {
            let links = self.0.neighbours(item);
            let link = |(relation, entity)| EntityContribution {
                entity,
                relation,
                relation_attention: 1.0,
                neighbour_attention: 1.0 / links.len() as f32,
                contribution: 0.5,
            };
            links.iter().map(link).collect()
        }

        fn score_without(&self, user: u32, item: u32, _entity: u32) -> f32 {
            self.score(user, item) - 0.5
        }
    }

    /// Two users; the films a, b and c, of which c has no genre.
    fn explanation(user: u32, item: u32, history: &[RatedItem]) -> Explanation {
        let film = |id: &str, genres: &[&str]| ItemInfo {
            id: id.to_owned(),
            genres: genres.iter().map(|&genre| genre.to_owned()).collect(),
            ..ItemInfo::default()
        };
        let items = vec![film("a", &["Drama"]), film("b", &["Comedy", "Drama"]), film("c", &[])];
        let (users, ids) = (Vocabulary::from_ids(["7", "8"]), Vocabulary::from_ids(["a", "b", "c"]));
        let triples = Triples::from_genres(&Catalogue { items, users: vec![] });
        let graph = KnowledgeGraph::new(triples, &ids, true).unwrap();
        let titles = ["Casablanca (1942)", "The Apartment (1960)", "Nanook (1922)"].map(str::to_owned);
        let labels = Labels { users: &users, items: &ids, titles: &titles };
        Explanation::of(&Genres(&graph), &graph, &labels, &Asked { user, item, history, n_paths: 3 })
    }

    #[test]
    fn an_explanation_is_told_with_scores_and_reasons() {
        let told = explanation(0, 1, &[RatedItem { item: 0, rating: 5.0 }]).to_string();
        assert_eq!(
            told,
            "4.000  The Apartment (1960), of which the graph adds +1.000\n entity     path  why\n \
             +0.500   +0.500  because you rated Casablanca (1942) 5.0 and both are of the genre Drama"
        );
        let none = explanation(0, 2, &[RatedItem { item: 0, rating: 5.0 }]).to_string();
        assert!(
            none.ends_with("no path leads from what the user liked to what adds to this score"),
            "{none}"
        );
    }

    #[test]
    fn files_and_pictures_lie_beside_one_another() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("below").join("why.json");
        let written = explanation(1, 1, &[RatedItem { item: 0, rating: 4.5 }]);
        let files = written.save(&file, PlotFormats::All).unwrap();
        let names = files.iter().map(|file| file.file_name().unwrap().to_str().unwrap());
        let expected = ["why.json", "relation_attention.json", "path_graph.png", "relation_attention.png"];
        assert_eq!(names.take(4).collect::<Vec<_>>(), expected);
        assert!(files.iter().all(|file| file.exists()));
        let svg = fs::read_to_string(folder.path().join("below/path_graph.svg")).unwrap();
        for word in
            ["user 8", "Casablanca (1942)", "rated 4.5", "Drama", "The Apartment (1960)", "score 4.00"]
        {
            assert!(svg.contains(word), "{word}");
        }
        assert!(!svg.contains("leads to"), "no path has an entity in the middle");
        assert_eq!(written.attention.columns, ["genre", "genre^-1"]);
        assert_eq!(written.attention.values, [[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]]);
        assert_eq!(written.heatmap().columns, ["genre"]);
    }

    #[test]
    fn what_nothing_explains_is_drawn_and_saved_too() {
        let folder = tempfile::tempdir().unwrap();
        let files = explanation(0, 2, &[]).save(&folder.path().join("why.json"), PlotFormats::Png).unwrap();
        assert_eq!(files.len(), 4);
    }
}

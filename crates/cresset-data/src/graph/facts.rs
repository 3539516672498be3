//! Facts from what a data set says of its items: genres, tags, genome, people.

use std::collections::HashMap;

use super::config::{FieldValues, GenomeFacts, MetadataFacts, MetadataField, TagFacts};
use super::entities::ITEM_KIND;
use super::error::GraphError;
use super::triples::{TripleSink, Triples};
use crate::catalogue::Catalogue;
use crate::error::DataError;
use crate::world;

/// The relation of genres, and the kind of its tails.
const GENRE: &str = "genre";
/// The relation of what users tagged, and the kind of tags.
const TAG: &str = "tag";
/// The relation of the tag genome; its tails are tags too.
const GENOME: &str = "genome";

/// What a data set says of its items, row by row, for the sources that are no files of triples.
///
/// A [`Catalogue`] knows genres alone; whoever has more wraps it.
pub trait ItemFacts {
    /// Genres and titles.
    fn catalogue(&self) -> &Catalogue;

    /// Calls `each` with item and tag, once for each time a user gave it, and returns the number of rows that
    /// `on_bad_row: skip` left out.
    ///
    /// # Errors
    ///
    /// [`GraphError::NoFacts`] unless overridden; what reading them ends with.
    fn for_each_tag(&self, _each: &mut dyn FnMut(&str, &str)) -> Result<u64, DataError> {
        Err(GraphError::NoFacts { facts: "tags" }.into())
    }

    /// Calls `each` with item, tag and relevance, and returns the number of rows that `on_bad_row: skip` left out.
    ///
    /// # Errors
    ///
    /// [`GraphError::NoFacts`] unless overridden; what reading them ends with.
    fn for_each_relevance(&self, _each: &mut dyn FnMut(&str, &str, f32)) -> Result<u64, DataError> {
        Err(GraphError::NoFacts { facts: "genome" }.into())
    }

    /// Calls `each` with item, name of a field and its text.
    ///
    /// # Errors
    ///
    /// [`GraphError::NoFacts`] unless overridden; what reading them ends with.
    fn for_each_field(&self, _each: &mut dyn FnMut(&str, &str, &str)) -> Result<(), DataError> {
        Err(GraphError::NoFacts { facts: "metadata" }.into())
    }
}

impl ItemFacts for Catalogue {
    fn catalogue(&self) -> &Catalogue {
        self
    }
}

impl Triples {
    /// One fact `genre` for each genre of an item.
    pub fn from_genres(catalogue: &Catalogue) -> Self {
        let genres =
            catalogue.items.iter().flat_map(|item| item.genres.iter().map(|genre| (item.id.as_str(), genre)));
        let mut sink = ItemSink::default();
        genres.for_each(|(item, genre)| sink.push(item, GENRE, GENRE, genre));
        sink.finish()
    }

    /// One fact `tag` for each tag that was given to an item often enough and is on enough items.
    ///
    /// `tags` calls its argument with item and tag, once for each time the tag was given; spelling is the caller's
    /// affair.
    ///
    /// # Errors
    ///
    /// What `tags` returns.
    pub fn from_tags<E>(
        tags: impl FnOnce(&mut dyn FnMut(&str, &str)) -> Result<(), E>,
        config: &TagFacts,
    ) -> Result<Self, E> {
        let mut sink = ItemSink::default();
        let mut count_of: HashMap<(u32, u32), u32> = HashMap::new();
        let mut in_order = Vec::new();
        tags(&mut |item, tag| {
            let pair = sink.pair(item, TAG, tag);
            let count = count_of.entry(pair).or_insert(0);
            *count += 1;
            if *count == config.min_count {
                in_order.push(pair);
            }
        })?;
        let mut n_items: HashMap<u32, u32> = HashMap::new();
        for (_, tag) in &in_order {
            *n_items.entry(*tag).or_insert(0) += 1;
        }
        let kept = in_order.into_iter().filter(|(_, tag)| n_items[tag] >= config.min_items);
        kept.for_each(|(item, tag)| sink.push_pair(TAG, item, tag));
        Ok(sink.finish())
    }

    /// One fact `genome` for each tag of an item whose relevance reaches the threshold.
    ///
    /// `scores` calls its argument with item, tag and relevance.
    ///
    /// # Errors
    ///
    /// What `scores` returns.
    pub fn from_genome<E>(
        scores: impl FnOnce(&mut dyn FnMut(&str, &str, f32)) -> Result<(), E>,
        config: &GenomeFacts,
    ) -> Result<Self, E> {
        let mut sink = ItemSink::default();
        scores(&mut |item, tag, relevance| {
            if relevance >= config.min_relevance {
                sink.push(item, GENOME, TAG, tag);
            }
        })?;
        Ok(sink.finish())
    }

    /// Facts from the fields of the items' metadata: people, languages, countries and others.
    ///
    /// `fields` calls its argument with item, name of a field and its text. Fields that the configuration does not
    /// name are left; `N/A` and empty values are none.
    ///
    /// # Errors
    ///
    /// What `fields` returns.
    pub fn from_metadata<E>(
        fields: impl FnOnce(&mut dyn FnMut(&str, &str, &str)) -> Result<(), E>,
        config: &MetadataFacts,
    ) -> Result<Self, E> {
        let mut sink = ItemSink::default();
        fields(&mut |item, name, text| {
            let named = config.fields.iter().filter(|field| field.field.eq_ignore_ascii_case(name));
            for MetadataField { field, relation, kind, values } in named {
                let relation = relation.as_ref().unwrap_or(field);
                let kind = kind.as_ref().unwrap_or(relation);
                values.each(text, |value| sink.push(item, relation, kind, value));
            }
        })?;
        Ok(sink.finish())
    }

    /// The links of a synthetic world.
    pub fn from_world(links: &[world::Triple]) -> Self {
        let mut sink = ItemSink::default();
        for world::Triple { head, relation, tail } in links {
            let is_person = [world::Relation::Director, world::Relation::Actor]
                .iter()
                .any(|person| person.name() == relation);
            let kind = if is_person { super::entities::PERSON } else { relation.as_str() };
            sink.push(head, relation, kind, tail);
        }
        sink.finish()
    }
}

/// Facts whose heads are items.
#[derive(Default)]
struct ItemSink(TripleSink);

impl ItemSink {
    fn pair(&mut self, item: &str, kind: &str, tail: &str) -> (u32, u32) {
        let kind = self.0.entities.kind(kind);
        (self.0.entity(ITEM_KIND, item), self.0.entity(kind, tail))
    }

    fn push_pair(&mut self, relation: &str, item: u32, tail: u32) {
        let relation = self.0.relation(relation);
        self.0.push(item, relation, tail);
    }

    fn push(&mut self, item: &str, relation: &str, kind: &str, tail: &str) {
        let (item, tail) = self.pair(item, kind, tail);
        self.push_pair(relation, item, tail);
    }

    fn finish(self) -> Triples {
        self.0.finish().expect("facts of items in memory are fewer than 2^32")
    }
}

impl FieldValues {
    /// Calls `each` with the values of a field's text.
    fn each(self, text: &str, mut each: impl FnMut(&str)) {
        let mut each_present = |value: &str| {
            let value = value.trim();
            if !value.is_empty() && value != "N/A" {
                each(value);
            }
        };
        match self {
            Self::List => without_parentheses(text).split(',').for_each(each_present),
            Self::Whole => each_present(text),
            Self::Decade => {
                let digits: Option<&str> = text.trim().get(..4);
                if let Some(year) = digits.filter(|year| year.bytes().all(|byte| byte.is_ascii_digit())) {
                    each_present(&format!("{}0s", &year[..3]));
                }
            }
        }
    }
}

/// The text without what stands in parentheses, nested ones too.
fn without_parentheses(text: &str) -> String {
    let mut depth = 0usize;
    let mut kept = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => kept.push(letter),
            _ => {}
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(triples: &Triples) -> Vec<String> {
        triples.iter().map(|fact| format!("{fact} ({})", fact.tail.0)).collect()
    }

    #[test]
    fn people_share_one_name_space_whatever_their_relation() {
        let rows = [
            ("1", "Director", "Ann Lee"),
            ("1", "writer", "Ann Lee (story, by), Bo Li (screenplay (first draft)), Ann Lee (dialogue)"),
            ("1", "actors", "N/A"),
            ("1", "year", "1995–1999"),
            ("1", "rated", "Not Rated"),
            ("1", "plot", "Nothing, as usual."),
        ];
        let read = |each: &mut dyn FnMut(&str, &str, &str)| {
            rows.iter().for_each(|(item, field, text)| each(item, field, text));
            Ok::<(), GraphError>(())
        };
        let triples = Triples::from_metadata(read, &MetadataFacts::default()).unwrap();
        assert_eq!(
            shown(&triples),
            [
                "1 director Ann Lee (person)",
                "1 writer Ann Lee (person)",
                "1 writer Bo Li (person)",
                "1 decade 1990s (decade)",
                "1 content_rating Not Rated (content_rating)",
            ]
        );
        // The film, two people, a decade and a rating; the second credit of the writer is a repeat.
        assert_eq!((triples.n_entities(), triples.n_repeats()), (5, 1));
    }

    #[test]
    fn tags_count_by_item_and_over_items() {
        let rows = [
            ("1", "dark"),
            ("1", "dark"),
            ("1", "slow"),
            ("2", "dark"),
            ("2", "dark"),
            ("2", "slow"),
            ("2", "slow"),
        ];
        let tags = |min_count, min_items| {
            let read = |each: &mut dyn FnMut(&str, &str)| {
                rows.iter().for_each(|(item, tag)| each(item, tag));
                Ok::<(), GraphError>(())
            };
            shown(&Triples::from_tags(read, &TagFacts { min_count, min_items }).unwrap())
        };
        assert_eq!(tags(1, 1).len(), 4);
        assert_eq!(tags(2, 1), ["1 tag dark (tag)", "2 tag dark (tag)", "2 tag slow (tag)"]);
        assert_eq!(tags(2, 2), ["1 tag dark (tag)", "2 tag dark (tag)"]);
    }

    #[test]
    fn a_relevance_at_the_threshold_is_a_fact() {
        let read = |each: &mut dyn FnMut(&str, &str, f32)| {
            [("1", "dark", 0.5), ("1", "slow", 0.499), ("2", "dark", f32::NAN)]
                .into_iter()
                .for_each(|(item, tag, relevance)| each(item, tag, relevance));
            Ok::<(), GraphError>(())
        };
        let triples = Triples::from_genome(read, &GenomeFacts::default()).unwrap();
        assert_eq!(shown(&triples), ["1 genome dark (tag)"]);
    }

    #[test]
    fn a_catalogue_has_no_tags_and_says_so() {
        let message = Catalogue::default().for_each_tag(&mut |_, _| ()).unwrap_err().to_string();
        assert!(message.starts_with("data.graph.sources asks for tags"), "{message}");
    }
}

//! Natural words for relations.

/// What inverse relations end in.
const INVERSE: &str = "^-1";

/// How a relation is spoken of; `{}` stands for the entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Words {
    /// Its short name, for pictures.
    pub(super) label: String,
    /// What the entity is to an item, or an item to the entity where it is turned round: "sequel".
    pub(super) noun: String,
    /// Of two items: "are directed by {}".
    pub(super) both: String,
    /// Of one item: "is directed by {}".
    pub(super) one: String,
    /// Whether the relation turns another round.
    pub(super) is_inverse: bool,
}

/// Label, names that data sets use, and the words for two items and for one.
type Known = (&'static str, &'static [&'static str], &'static str, &'static str);

const KNOWN: [Known; 20] = [
    ("directed by", &["director", "directors", "directed_by"], "are directed by {}", "is directed by {}"),
    ("actor", &["actor", "actors", "star", "stars", "starring", "cast"], "star {}", "stars {}"),
    ("written by", &["writer", "writers", "written_by", "author"], "are written by {}", "is written by {}"),
    ("produced by", &["producer", "producers", "produced_by"], "are produced by {}", "is produced by {}"),
    ("edited by", &["editor", "edited_by"], "are edited by {}", "is edited by {}"),
    ("music by", &["music", "composer"], "have music by {}", "has music by {}"),
    ("shot by", &["cinematography", "cinematographer"], "are shot by {}", "is shot by {}"),
    ("made by", &["production_companies", "production_company"], "are made by {}", "is made by {}"),
    ("genre", &["genre", "genres", "film_genre"], "are of the genre {}", "is of the genre {}"),
    ("tag", &["tag", "tags", "genome"], "are tagged \"{}\"", "is tagged \"{}\""),
    ("subject", &["subject", "subjects", "film_subject"], "are about {}", "is about {}"),
    ("language", &["language", "languages"], "are in {}", "is in {}"),
    ("country", &["country", "countries"], "are from {}", "is from {}"),
    ("decade", &["decade"], "are from the {}", "is from the {}"),
    ("year", &["year"], "are from {}", "is from {}"),
    ("content rating", &["content_rating", "rating", "rated"], "are rated {}", "is rated {}"),
    ("award", &["award_won"], "won {}", "won {}"),
    ("nomination", &["award_nomination"], "are nominated for {}", "is nominated for {}"),
    ("brand", &["brand"], "are by {}", "is by {}"),
    ("category", &["category", "categories"], "are of the category {}", "is of the category {}"),
];

/// The words for a relation, by the last part of its name: `film.film.directed_by` is `directed_by`. Where a
/// name is turned round, as `film.director.film^-1`, the part before may tell what the entity is.
pub(super) fn words(relation: &str) -> Words {
    let stated = relation.strip_suffix(INVERSE);
    let is_inverse = stated.is_some();
    let name = stated.unwrap_or(relation);
    let mut parts = name.rsplit(['.', '/']).filter(|part| !part.is_empty());
    let last = parts.next().unwrap_or(name);
    let noun = last.replace('_', " ");
    if let Some((label, _, both, one)) = known(if is_inverse { parts.next() } else { Some(last) }) {
        let [label, both, one] = [label, both, one].map(|&text| text.to_owned());
        return Words { label, noun, both, one, is_inverse };
    }
    if is_inverse {
        let (both, one) = (format!("are the {noun} of {{}}"), format!("is the {noun} of {{}}"));
        return Words { label: format!("{noun} of"), noun, both, one, is_inverse };
    }
    let (both, one) = (format!("share their {noun}: {{}}"), format!("has the {noun} {{}}"));
    Words { label: noun.clone(), noun, both, one, is_inverse }
}

fn known(part: Option<&str>) -> Option<&'static Known> {
    let lower = part?.to_lowercase();
    KNOWN.iter().find(|(_, names, ..)| names.contains(&lower.as_str()))
}

impl Words {
    /// "are directed by Ann Lee".
    pub(super) fn of_both(&self, entity: &str) -> String {
        self.both.replace("{}", entity)
    }

    /// "is directed by Ann Lee".
    pub(super) fn of_one(&self, entity: &str) -> String {
        self.one.replace("{}", entity)
    }
}

/// A short readable name of a relation: `content rating`, `directed by`.
///
/// ```
/// use cresset_kg_mf::explain::relation_label;
///
/// assert_eq!(relation_label("film.film.directed_by"), "directed by");
/// assert_eq!(relation_label("film.director.film^-1"), "directed by");
/// assert_eq!(relation_label("shot_in"), "shot in");
/// ```
pub fn relation_label(relation: &str) -> String {
    words(relation).label
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relations_of_the_data_sets_have_natural_words() {
        let both = |relation: &str| words(relation).of_both("X");
        assert_eq!(both("director"), "are directed by X");
        assert_eq!(both("film.film.directed_by"), "are directed by X");
        assert_eq!(both("film.director.film^-1"), "are directed by X");
        assert_eq!(both("film.film.star"), "star X");
        assert_eq!(both("film.film_genre.films_in_this_genre^-1"), "are of the genre X");
        assert_eq!(both("film.content_rating.film^-1"), "are rated X");
        assert_eq!(both("tag"), "are tagged \"X\"");
        assert_eq!(both("decade"), "are from the X");
        assert_eq!(words("writer").of_one("X"), "is written by X");
    }

    #[test]
    fn any_other_relation_is_named_as_it_is() {
        assert_eq!(words("filming_location").of_both("Rome"), "share their filming location: Rome");
        assert_eq!(words("a.b.filming_location").of_one("Rome"), "has the filming location Rome");
        assert_eq!(words("film.film.sequel^-1").of_both("Rocky"), "are the sequel of Rocky");
        assert_eq!(words("director^-1").label, "director of");
        assert_eq!([relation_label(""), relation_label("..")], ["", ".."]);
    }
}

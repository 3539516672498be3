//! Entities by kind and name.

use crate::names::Names;

/// The kind of the entities that are items of the data set; their names are item ids.
pub const ITEM: &str = "item";
/// The kind of entities of a source that does not tell kinds apart.
pub const ENTITY: &str = "entity";
/// The kind of directors, actors and writers, who share one name space.
pub const PERSON: &str = "person";

/// The code of [`ITEM`] among the kinds of every [`Entities`].
pub(super) const ITEM_KIND: u32 = 0;

/// Entities under codes from 0, each known by its kind and its name.
///
/// The kind keeps apart what only shares a spelling: the item "300" and the film of that title, the genre `Music` and
/// a person called so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entities {
    kinds: Names,
    /// By kind.
    of_kind: Vec<OfKind>,
    /// Kind of each entity, and its place within the kind.
    places: Vec<(u32, u32)>,
}

/// The names of one kind and the entities that have them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct OfKind {
    names: Names,
    entities: Vec<u32>,
}

impl Default for Entities {
    fn default() -> Self {
        let mut empty = Self { kinds: Names::default(), of_kind: Vec::new(), places: Vec::new() };
        empty.kind(ITEM);
        empty
    }
}

impl Entities {
    /// The number of entities.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there is no entity.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The name of an entity; an item's is its external id.
    ///
    /// # Panics
    ///
    /// If `entity` is not below [`len`](Self::len).
    pub fn name_of(&self, entity: u32) -> &str {
        let (kind, place) = self.places[entity as usize];
        &self.of_kind[kind as usize].names[place as usize]
    }

    /// The kind of an entity.
    ///
    /// # Panics
    ///
    /// If `entity` is not below [`len`](Self::len).
    pub fn kind_of(&self, entity: u32) -> &str {
        &self.kinds[self.kind_code(entity) as usize]
    }

    /// The entity of a kind and a name, if it is known.
    pub fn find(&self, kind: &str, name: &str) -> Option<u32> {
        let OfKind { names, entities } = &self.of_kind[self.kinds.code_of(kind)? as usize];
        names.code_of(name).map(|place| entities[place as usize])
    }

    /// The kinds in order of first sight, [`ITEM`] first.
    pub fn kinds(&self) -> &Names {
        &self.kinds
    }

    pub(super) fn kind_code(&self, entity: u32) -> u32 {
        self.places[entity as usize].0
    }

    /// The code of a kind, a new one on first sight.
    pub(super) fn kind(&mut self, kind: &str) -> u32 {
        let code = self.kinds.code_or_add(kind);
        self.of_kind.resize_with(self.kinds.len(), OfKind::default);
        code
    }

    /// The code of an entity, a new one on first sight.
    pub(super) fn code_or_add(&mut self, kind: u32, name: &str) -> u32 {
        let OfKind { names, entities } = &mut self.of_kind[kind as usize];
        let place = names.code_or_add(name);
        if let Some(&entity) = entities.get(place as usize) {
            return entity;
        }
        let entity = u32::try_from(self.places.len()).expect("at most 2^32 entities");
        entities.push(entity);
        self.places.push((kind, place));
        entity
    }
}

/// Adds a name; false when it is there already.
pub(super) fn add_new(names: &mut Names, name: &str) -> bool {
    let n_names = names.len();
    names.code_or_add(name) as usize == n_names
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_seen_again_keeps_its_code_and_another_kind_has_its_own() {
        let mut entities = Entities::default();
        let person = entities.kind(PERSON);
        assert_eq!(entities.code_or_add(ITEM_KIND, "300"), 0);
        assert_eq!(entities.code_or_add(person, "300"), 1);
        assert_eq!(entities.code_or_add(ITEM_KIND, "300"), 0);
        assert_eq!((entities.kind_of(1), entities.name_of(1)), (PERSON, "300"));
        assert_eq!((entities.find(PERSON, "300"), entities.find(ENTITY, "300")), (Some(1), None));
    }

    proptest! {
        #[test]
        fn entities_are_numbered_in_order_of_first_sight(
            rows in prop::collection::vec(("[ab]", "[a-cé]{0,3}"), 0..100),
        ) {
            let mut expected: HashMap<(&str, &str), u32> = HashMap::new();
            let mut entities = Entities::default();
            for (kind, name) in &rows {
                let n_entities = expected.len() as u32;
                let code = *expected.entry((kind, name)).or_insert(n_entities);
                let kind = entities.kind(kind);
                prop_assert_eq!(entities.code_or_add(kind, name), code);
            }
            for ((kind, name), code) in expected {
                prop_assert_eq!((entities.kind_of(code), entities.name_of(code)), (kind, name));
                prop_assert_eq!(entities.find(kind, name), Some(code));
            }
        }
    }
}

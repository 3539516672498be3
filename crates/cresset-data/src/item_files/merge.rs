//! One description of each item out of several files.

use std::collections::HashMap;

use super::report::ItemFileReport;
use crate::catalogue::ItemInfo;
use crate::interactions::Interactions;
use crate::source::RawData;

/// The items of a catalogue while files are merged into it.
pub(crate) struct ItemMerge<'r> {
    rows: &'r Interactions,
    items: &'r mut Vec<ItemInfo>,
    /// What the files merged so far held.
    pub(crate) reports: &'r mut Vec<ItemFileReport>,
    /// Where the item of an id's code stands in `items`.
    place_of: HashMap<u32, usize>,
}

impl<'r> ItemMerge<'r> {
    pub(crate) fn of(raw: &'r mut RawData) -> Self {
        let RawData { interactions: rows, catalogue, item_files: reports, .. } = raw;
        let items = &mut catalogue.items;
        let code_of = |item: &ItemInfo| rows.items.names().code_of(&item.id);
        let places = items.iter().enumerate().filter_map(|(place, item)| Some((code_of(item)?, place)));
        let place_of = places.collect();
        Self { rows, items, reports, place_of }
    }

    /// Adds what one record says of an item and counts it; what is known already stands.
    pub(crate) fn add(&mut self, item: ItemInfo, report: &mut ItemFileReport) {
        report.count(&item);
        let Some(code) = self.rows.items.names().code_of(&item.id) else {
            report.n_unrated += 1;
            return;
        };
        match self.place_of.get(&code) {
            Some(&place) => fill(&mut self.items[place], item),
            None => {
                self.place_of.insert(code, self.items.len());
                self.items.push(item);
            }
        }
    }
}

/// Takes over what is empty so far.
fn fill(item: &mut ItemInfo, more: ItemInfo) {
    if item.title.is_empty() {
        item.title = more.title;
    }
    if item.genres.is_empty() {
        item.genres = more.genres;
    }
    for (name, value) in more.attributes {
        match item.attributes.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) if known.is_empty() => *known = value,
            Some(_) => {}
            None => item.attributes.push((name, value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Catalogue;
    use crate::source::Unreadable;

    fn item(id: &str, title: &str, plot: &str) -> ItemInfo {
        let attributes = vec![("plot".to_owned(), plot.to_owned())];
        ItemInfo { id: id.to_owned(), title: title.to_owned(), attributes, ..ItemInfo::default() }
    }

    #[test]
    fn what_is_known_stands_and_what_is_empty_is_filled_in() {
        let mut interactions = Interactions::default();
        interactions.push("ann", "1", 1.0, 0);
        interactions.push("ann", "2", 1.0, 0);
        let catalogue = Catalogue { items: vec![item("1", "One", "")], users: Vec::new() };
        let mut raw = RawData {
            interactions,
            catalogue,
            rating_range: (1.0, 1.0),
            unreadable: Unreadable::default(),
            sampled_negatives: 0,
            item_files: Vec::new(),
        };
        let mut report = ItemFileReport::new("a");
        let mut merge = ItemMerge::of(&mut raw);
        for more in
            [item("1", "Eins", "Rain."), item("2", "Two", ""), item("1", "", "Sun."), item("3", "Three", "")]
        {
            merge.add(more, &mut report);
        }
        assert_eq!(raw.catalogue.items, [item("1", "One", "Rain."), item("2", "Two", "")]);
        assert_eq!((report.n_records, report.n_unrated), (4, 1));
        assert_eq!(
            report.fields.into_iter().collect::<Vec<_>>(),
            [("plot".to_owned(), 2), ("title".to_owned(), 3)]
        );
    }
}

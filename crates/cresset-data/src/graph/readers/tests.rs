//! Each format in a few lines of our own, whole and damaged.

use std::fs;
use std::path::Path;

use crate::catalogue::Catalogue;
use crate::config::{DataConfig, OnBadRow};
use crate::graph::{self, GraphSource, SkippedRows, Triples};
use crate::vocabulary::Vocabulary;

/// Reads a source from files of its own; errors without the folder's path.
fn read_with(source: &str, files: &[(&str, &[u8])], on_bad_row: OnBadRow) -> Result<Triples, String> {
    let data_dir = tempfile::tempdir().unwrap();
    let folder = data_dir.path().join("graph");
    fs::create_dir(&folder).unwrap();
    for (name, content) in files {
        fs::write(folder.join(name), content).unwrap();
    }
    let source: GraphSource = serde_json::from_str(source).unwrap();
    let config = DataConfig { name: Some("graph".to_owned()), on_bad_row, ..DataConfig::default() };
    let read = graph::read_source(&source, &config, data_dir.path(), &Catalogue::default());
    let path = format!("{}/", folder.display());
    read.map_err(|error| error.to_string().replace(&path, "").replace(path.trim_end_matches('/'), "FOLDER"))
}

fn read(source: &str, files: &[(&str, &[u8])]) -> Vec<String> {
    let triples = read_with(source, files, OnBadRow::Error).unwrap();
    triples.iter().map(|fact| fact.to_string()).collect()
}

/// Kinds and names of the entities that occur.
fn entities(triples: &Triples) -> Vec<String> {
    let mut found: Vec<String> = triples
        .iter()
        .flat_map(|fact| [fact.head, fact.tail])
        .map(|(kind, name)| format!("{kind} {name}"))
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

const REMEDY: &str = "or set data.on_bad_row: skip to leave such rows out and count them";

/// A damaged source is refused with `error`; skipping leaves `kept` facts and counts what it left out.
fn check_bad(source: &str, files: &[(&str, &[u8])], error: &str, kept: usize, skipped: SkippedRows) {
    let message = read_with(source, files, OnBadRow::Error).unwrap_err();
    assert_eq!(message, format!("{error}, {REMEDY}"));
    let triples = read_with(source, files, OnBadRow::Skip).unwrap();
    assert_eq!((triples.len(), triples.skipped()), (kept, skipped));
}

const RECBOLE: &str = r#"{"format": "recbole"}"#;
const KG: &[u8] =
    b"head_id:token\trelation_id:token\ttail_id:token\nm.1\tgenre\tm.9\nm.2\tgenre\tm.9\nm.9\tof\tm.1\n";
const LINK: &[u8] = b"item_id:token\tentity_id:token\n476\tm.1\n362\tm.2\n";

#[test]
fn recbole_files_are_joined_by_their_links() {
    let triples = read_with(RECBOLE, &[("a.kg", KG), ("a.link", LINK)], OnBadRow::Error).unwrap();
    assert_eq!(entities(&triples), ["entity m.9", "item 362", "item 476"]);
    assert_eq!(triples.iter().last().unwrap().to_string(), "m.9 of 476");
    assert_eq!(triples.links().collect::<Vec<_>>(), [("476", "m.1"), ("362", "m.2")]);
}

#[test]
fn recbole_columns_are_found_by_their_names() {
    let kg = b"\xef\xbb\xbfweight:float\ttail_id:token\thead_id:token\trelation_id:token\r\n0.5\tm.9\tm.1\tgenre\r\n";
    let link = b"entity_id:token\titem_id:token\r\nm.1\t476\r\n";
    assert_eq!(read(RECBOLE, &[("a.kg", kg), ("a.link", link)]), ["476 genre m.9"]);
}

#[test]
fn a_folder_with_two_graphs_asks_which() {
    let message =
        read_with(RECBOLE, &[("a.kg", KG), ("b.kg", KG), ("a.link", LINK)], OnBadRow::Error).unwrap_err();
    assert_eq!(
        message,
        "the folder FOLDER holds 2 files that end in .kg: name one with the key `file` of the graph's source"
    );
    let named = r#"{"format": "recbole", "file": "b.kg", "links": "a.link"}"#;
    assert_eq!(read(named, &[("a.kg", KG), ("b.kg", KG), ("a.link", LINK)]).len(), 3);
}

#[test]
fn a_header_without_a_needed_column_is_refused() {
    let message = read_with(RECBOLE, &[("a.kg", b"m.1\tgenre\tm.9\n"), ("a.link", LINK)], OnBadRow::Skip);
    assert_eq!(
        message.unwrap_err(),
        "a.kg:1: no column \"head_id\" in the header \"m.1\tgenre\tm.9\": name the columns in the first line"
    );
}

#[test]
fn a_link_to_an_unknown_entity_and_one_that_is_repeated_are_refused() {
    let link = |rows: &str| format!("item_id:token\tentity_id:token\n476\tm.1\n{rows}\n").into_bytes();
    check_bad(
        RECBOLE,
        &[("a.kg", KG), ("a.link", &link("362\tm.7"))],
        "a.link:3: entity \"m.7\" is in no triple of a.kg: correct or delete the link",
        3,
        SkippedRows { link_without_facts: 1, ..SkippedRows::default() },
    );
    check_bad(
        RECBOLE,
        &[("a.kg", KG), ("a.link", &link("476\tm.2"))],
        "a.link:3: item \"476\" is on an earlier line too: keep one of the two lines",
        3,
        SkippedRows { repeated: 1, ..SkippedRows::default() },
    );
    check_bad(
        RECBOLE,
        &[("a.kg", KG), ("a.link", &link("362\tm.1"))],
        "a.link:3: entity \"m.1\" is on an earlier line too: keep one of the two lines",
        3,
        SkippedRows { repeated: 1, ..SkippedRows::default() },
    );
}

const KGCN: &str = r#"{"format": "kgcn"}"#;

#[test]
fn kgcn_files_are_joined_by_their_links() {
    let files: [(&str, &[u8]); 2] = [
        ("kg.txt", b"0\tdirector\t7\r\n1\tdirector\t7\r\n"),
        ("item_index2entity_id.txt", b"31\t0\r\n32\t1\r\n"),
    ];
    assert_eq!(read(KGCN, &files), ["31 director 7", "32 director 7"]);
    // `ratings_final.txt` has the number of the line in the links as its item.
    assert_eq!(
        read(r#"{"format": "kgcn", "item_ids": "remapped"}"#, &files),
        ["0 director 7", "1 director 7"]
    );
}

#[test]
fn the_films_of_ripplenet_are_in_two_files() {
    let files: [(&str, &[u8]); 3] = [
        ("kg_part1_rehashed.txt", b"0\tdirector\t7\n"),
        ("kg_part2_rehashed.txt", b"0\tgenre\t8\n"),
        ("item_index2entity_id_rehashed.txt", b"31\t0\n"),
    ];
    assert_eq!(read(KGCN, &files), ["31 director 7", "31 genre 8"]);
}

#[test]
fn a_row_cut_short_one_without_text_and_one_that_is_no_utf_8_are_refused() {
    let links: (&str, &[u8]) = ("item_index2entity_id.txt", b"31\t0\n");
    let check = |row: &[u8], error: &str, skipped: SkippedRows| {
        let kg = [b"0\tdirector\t7\n", row].concat();
        check_bad(KGCN, &[("kg.txt", &kg), links], error, 1, skipped);
    };
    let malformed = SkippedRows { malformed: 1, ..SkippedRows::default() };
    check(
        b"0\tdirec",
        "kg.txt:2: 2 of 3 fields separated by a tab in \"0\tdirec\": complete or delete the line, or name the file's \
         separator",
        malformed,
    );
    check(
        b"0\ta\t7\t8",
        "kg.txt:2: 4 of 3 fields separated by a tab in \"0\ta\t7\t8\": complete or delete the line, or name the \
         file's separator",
        malformed,
    );
    check(b"0\ta\t\xff", "kg.txt:2: \"0\ta\t\u{fffd}\" is not UTF-8 text: save the file as UTF-8", malformed);
    check(
        b"0\t \t7",
        "kg.txt:2: relation \"\" is missing: fill the field or delete the line",
        SkippedRows { empty: 1, ..SkippedRows::default() },
    );
}

#[test]
fn a_file_of_another_separator_has_nothing_that_can_be_used() {
    let files: [(&str, &[u8]); 2] =
        [("kg.txt", b"0,director,7\n0,genre,8\n"), ("item_index2entity_id.txt", b"31\t0\n")];
    assert_eq!(
        read_with(KGCN, &files, OnBadRow::Skip).unwrap_err(),
        "kg.txt has no triple that can be used (2 rows left out: 2 malformed, 0 with an empty field, 0 of an unknown \
         entity, 0 of an unknown relation, 0 repeated, 0 linked to an entity without facts): check its separator and \
         its format"
    );
}

#[test]
fn an_empty_file_and_a_missing_one_are_refused() {
    let links: (&str, &[u8]) = ("item_index2entity_id.txt", b"31\t0\n");
    assert_eq!(
        read_with(KGCN, &[("kg.txt", b"\n"), links], OnBadRow::Skip).unwrap_err(),
        "kg.txt has no rows: replace it by a complete copy of the file"
    );
    let header: &[u8] = b"head_id:token\trelation_id:token\ttail_id:token\n";
    assert_eq!(
        read_with(RECBOLE, &[("a.kg", header), ("a.link", LINK)], OnBadRow::Skip).unwrap_err(),
        "a.kg has no rows: replace it by a complete copy of the file"
    );
    let message = read_with(KGCN, &[links], OnBadRow::Skip).unwrap_err();
    assert!(message.starts_with("no kg.txt or kg_rehashed.txt"), "{message}");
    let message = read_with(RECBOLE, &[("a.link", LINK)], OnBadRow::Skip).unwrap_err();
    assert!(message.starts_with("no NAME.kg"), "{message}");
}

const KGAT: &str = r#"{"format": "kgat"}"#;
const ITEM_LIST: (&str, &[u8]) = ("item_list.txt", b"org_id remap_id freebase_id\nB01 0 m.1\nB02 1 m.2\n");
const ENTITY_LIST: (&str, &[u8]) = ("entity_list.txt", b"org_id remap_id\nm.1 0\nm.2 1\nm.9 2\n");
const RELATION_LIST: (&str, &[u8]) = ("relation_list.txt", b"org_id remap_id\nbook.author 0\nbook.genre 1\n");

#[test]
fn kgat_numbers_stand_for_the_names_of_the_lists() {
    let kg: (&str, &[u8]) = ("kg_final.txt", b"0 0 2\n1 1 2 \n2 0 1\n");
    let all = [kg, ITEM_LIST, ENTITY_LIST, RELATION_LIST];
    assert_eq!(read(KGAT, &all), ["0 book.author m.9", "1 book.genre m.9", "m.9 book.author 1"]);
    let original = r#"{"format": "kgat", "item_ids": "original"}"#;
    assert_eq!(read(original, &all)[0], "B01 book.author m.9");
    let triples = read_with(KGAT, &all, OnBadRow::Error).unwrap();
    assert_eq!(triples.links().collect::<Vec<_>>(), [("0", "m.1"), ("1", "m.2")]);
    assert_eq!(read(KGAT, &[kg, ITEM_LIST]), ["0 0 2", "1 1 2", "2 0 1"]);
}

#[test]
fn names_with_spaces_stand_in_lists_between_tabs() {
    let all: [(&str, &[u8]); 4] = [
        ("kg_final.txt", b"0 0 1\n"),
        ("item_list.txt", b"org_id\tremap_id\nThe Matrix 9\t0\n"),
        ("entity_list.txt", b"org_id\tremap_id\nThe Matrix 9\t0\nKeanu Reeves\t1\n"),
        ("relation_list.txt", b"org_id\tremap_id\nacted in by\t0\n"),
    ];
    let original = r#"{"format": "kgat", "item_ids": "original"}"#;
    assert_eq!(read(original, &all), ["The Matrix 9 acted in by Keanu Reeves"]);
}

#[test]
fn kgat_numbers_out_of_the_lists_are_refused() {
    let check = |kg: &[u8], error: &str, skipped: SkippedRows| {
        let kg = [b"0 0 2\n", kg].concat();
        check_bad(KGAT, &[("kg_final.txt", &kg), ITEM_LIST, ENTITY_LIST, RELATION_LIST], error, 1, skipped);
    };
    let entity = SkippedRows { unknown_entity: 1, ..SkippedRows::default() };
    let remedy = "add it there, or correct or delete the line";
    check(
        b"0 0 3",
        &format!("kg_final.txt:2: tail \"3\" is not listed in entity_list.txt: {remedy}"),
        entity,
    );
    check(
        b"x 0 2",
        &format!("kg_final.txt:2: head \"x\" is not listed in entity_list.txt: {remedy}"),
        entity,
    );
    check(
        b"0 2 2",
        &format!("kg_final.txt:2: relation \"2\" is not listed in relation_list.txt: {remedy}"),
        SkippedRows { unknown_relation: 1, ..SkippedRows::default() },
    );
    let items: (&str, &[u8]) = ("item_list.txt", b"org_id remap_id\nB01 0\nB09 9\n");
    check_bad(
        KGAT,
        &[("kg_final.txt", b"0 0 2"), items, ENTITY_LIST, RELATION_LIST],
        &format!("item_list.txt:3: remap_id \"9\" is not listed in entity_list.txt: {remedy}"),
        1,
        entity,
    );
}

#[test]
fn kgat_lists_that_repeat_a_number_or_a_name_are_refused() {
    let check = |row: &[u8], error: &str| {
        let list = [ENTITY_LIST.1, row].concat();
        let files = [("kg_final.txt", &b"0 0 2"[..]), ITEM_LIST, ("entity_list.txt", &list), RELATION_LIST];
        check_bad(KGAT, &files, error, 1, SkippedRows { repeated: 1, ..SkippedRows::default() });
    };
    check(
        b"m.8 2",
        "entity_list.txt:5: entity id \"2\" is on an earlier line too: keep one of the two lines",
    );
    check(b"m.9 3", "entity_list.txt:5: entity \"m.9\" is on an earlier line too: keep one of the two lines");
}

const PLAIN: &str = r#"{"format": "triples"}"#;

#[test]
fn plain_triples_are_read_with_any_separator_and_with_or_without_header() {
    let expected = ["1 director Ann Lee", "2 actor Ann Lee"];
    for kg in [
        "1\tdirector\tAnn Lee\n2\tactor\tAnn Lee\n",
        "movieId\trelation\tname\n1\tdirector\tAnn Lee\n2\tactor\tAnn Lee\n",
        "1,director,Ann Lee\n2,actor,Ann Lee\n",
        "head_id:token,relation_id:token,tail_id:token\n1,director,\"Ann Lee\"\n\"2\",actor,Ann Lee\n",
    ] {
        assert_eq!(read(PLAIN, &[("kg.txt", kg.as_bytes())]), expected, "{kg}");
    }
    assert_eq!(
        read(PLAIN, &[("kg.txt", b"1 director lee\n2  actor lee \n")]),
        ["1 director lee", "2 actor lee"]
    );
    // A header of unusual names must be announced.
    let announced = r#"{"format": "triples", "header": true}"#;
    assert_eq!(read(announced, &[("kg.txt", b"a\tb\tc\n1\tgenre\tx\n")]), ["1 genre x"]);
}

#[test]
fn people_share_a_name_space_and_other_tails_have_that_of_their_relation() {
    let kg = b"1\tdirector\tMusic\n2\tactor\tMusic\n1\tgenre\tMusic\n1\tsequel\t2\n";
    let triples = read_with(PLAIN, &[("kg.txt", kg)], OnBadRow::Error).unwrap();
    assert_eq!(entities(&triples), ["genre Music", "item 1", "item 2", "person Music", "sequel 2"]);
    let items = r#"{"format": "triples", "tail_kinds": {"sequel": "item"}}"#;
    let triples = read_with(items, &[("kg.txt", kg)], OnBadRow::Error).unwrap();
    assert_eq!(entities(&triples), ["actor Music", "director Music", "genre Music", "item 1", "item 2"]);
}

#[test]
fn plain_triples_with_links_are_about_entities() {
    let source = r#"{"format": "triples", "file": "facts.csv", "links": "links.csv"}"#;
    let files: [(&str, &[u8]); 2] = [
        ("facts.csv", b"subject,predicate,object\ne1,genre,e9\ne9,part_of,e8\n"),
        ("links.csv", b"item_id,entity_id\n476,e1\n"),
    ];
    assert_eq!(read(source, &files), ["476 genre e9", "e9 part_of e8"]);
}

#[test]
fn a_first_line_without_three_fields_asks_for_the_separator() {
    assert_eq!(
        read_with(PLAIN, &[("kg.txt", b"1|director|Ann Lee\n")], OnBadRow::Skip).unwrap_err(),
        "kg.txt:1: neither a tab nor a comma nor a space cuts \"1|director|Ann Lee\" into 3 fields: name the separator \
         of the triples, or correct the line"
    );
}

#[test]
fn a_quote_that_stays_open_or_stands_within_a_field_is_refused() {
    for row in ["2,actor,\"Lee, Ann", "2,single,7\" single"] {
        check_bad(
            PLAIN,
            &[("kg.txt", format!("1,director,Lee\n{row}\n").as_bytes())],
            &format!(
                "kg.txt:2: a quote is not closed or not at an end of its field in \"{row}\": put the field in quotes, \
                 with each of its own doubled, or delete the line"
            ),
            1,
            SkippedRows { malformed: 1, ..SkippedRows::default() },
        );
    }
}

#[test]
fn several_sources_make_one_graph() {
    let data_dir = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &[u8]| {
        let path: &Path = &data_dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    };
    write("freebase/a.kg", KG);
    write("freebase/a.link", LINK);
    write("films/kg.txt", b"476\tgenre\tDrama\n1\tgenre\tDrama\n");
    let config: DataConfig = serde_json::from_str(
        r#"{ "name": "films", "graph": { "inverse": true, "sources": [
            { "format": "recbole", "folder": "freebase" }, { "format": "triples" } ] } }"#,
    )
    .unwrap();
    let items = Vocabulary::from_ids(["1", "362", "476"]);
    let graph = graph::read(&config, data_dir.path(), &items, &Catalogue::default()).unwrap().unwrap();
    assert_eq!((graph.n_facts(), graph.n_entities(), graph.n_relations()), (5, 5, 4));
    assert_eq!(graph.links(2)[0].source_name, "m.1");
    assert!(graph.links(0).is_empty());
    let genre = graph.relation("genre").unwrap();
    let names: Vec<&str> =
        graph.neighbours_by_relation(2, genre).iter().map(|&tail| graph.entities().name_of(tail)).collect();
    assert_eq!(names, ["m.9", "Drama"]);
    let none = graph::read(&DataConfig::default(), data_dir.path(), &items, &Catalogue::default());
    assert!(none.unwrap().is_none());
}

#[test]
fn the_built_in_world_has_a_graph() {
    let config: DataConfig =
        serde_json::from_str(r#"{ "graph": { "sources": [{ "format": "synthetic" }] } }"#).unwrap();
    let ids = (1..=config.synthetic.n_items).map(|id| id.to_string());
    let items = Vocabulary::from_ids(ids);
    let graph = graph::read(&config, Path::new("nowhere"), &items, &Catalogue::default()).unwrap().unwrap();
    let statistics = graph.statistics();
    assert_eq!((statistics.isolated_items(), graph.n_relations()), (0, 4));
    let relations: Vec<&str> = statistics.facts_of_relation.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(relations, ["genre", "director", "actor", "tag"]);
}

//! `recommend`: titles, in order, of items that the user has not seen.

use std::collections::{HashMap, HashSet};

use crate::desk::Desk;

const N_USERS: u32 = 20;
const N_ITEMS: u32 = 30;
const PER_USER: u32 = 12;

fn has_rated(user: u32) -> HashSet<String> {
    (0..PER_USER).map(|place| item_of(user, place)).collect()
}

/// Each user rates twelve items that stand five apart, so all thirty are rated by somebody.
fn item_of(user: u32, place: u32) -> String {
    format!("i{}", (user * 7 + place * 5 + place / 6) % N_ITEMS)
}

/// A desk with a run on films whose ids and titles this file has made up.
fn trained() -> Desk {
    let desk = Desk::new();
    let rating = |user: u32, place: u32| 1 + (user + place * place) % 5;
    let row = |user: u32, place: u32| {
        format!("u{user}\t{}\t{}\t{place}\n", item_of(user, place), rating(user, place))
    };
    let rows: String =
        (0..N_USERS).flat_map(|user| (0..PER_USER).map(move |place| row(user, place))).collect();
    let films: String = (0..N_ITEMS).map(|item| format!("i{item}|Film {item} (1990)||||1\n")).collect();
    desk.write("data/mine/u.data", rows);
    desk.write("data/mine/u.item", films);
    desk.write("data/mine/u.genre", "Drama|0\n");
    desk.write(
        "mine.yaml",
        "data: {source: movielens-100k, name: mine}\nmodel: {kind: kg-mf, embedding_dim: 4}\n\
         training: {epochs: 3, batch_size: 32, learning_rate: 0.02}\n",
    );
    desk.train(&["mine.yaml", "--output", "run"]).done();
    desk
}

/// One printed line: rank, score, item and title.
struct Line {
    rank: usize,
    score: f64,
    item: String,
    title: String,
}

fn recommend(desk: &Desk, args: &[&str]) -> Vec<Line> {
    let printed = desk.recommend(&[&["run"], args].concat()).done();
    let mut lines = printed.lines();
    let header: Vec<&str> = lines.next().unwrap().split_whitespace().collect();
    assert_eq!(header, ["rank", "score", "item", "title"]);
    let line = |line: &str| {
        let (rank, rest) = line.trim_start().split_once(' ').unwrap();
        let (score, rest) = rest.trim_start().split_once(' ').unwrap();
        let (item, title) = rest.trim_start().split_once(' ').unwrap();
        Line {
            rank: rank.parse().unwrap(),
            score: score.parse().unwrap(),
            item: item.to_owned(),
            title: title.trim_start().to_owned(),
        }
    };
    lines.map(line).collect()
}

fn items(lines: &[Line]) -> HashSet<String> {
    lines.iter().map(|line| line.item.clone()).collect()
}

#[test]
fn ten_titles_come_in_order_of_their_score() {
    let desk = trained();
    let lines = recommend(&desk, &["--user", "u3"]);
    assert_eq!(lines.iter().map(|line| line.rank).collect::<Vec<_>>(), (1..=10).collect::<Vec<_>>());
    assert!(lines.is_sorted_by(|a, b| a.score >= b.score));
    for line in &lines {
        assert_eq!(line.title, format!("Film {} (1990)", &line.item[1..]));
    }
}

#[test]
fn items_that_the_user_rated_are_left_out_unless_they_are_to_be_kept() {
    let desk = trained();
    for user in [0, 7, 19] {
        let id = format!("u{user}");
        let unseen = items(&recommend(&desk, &["--user", &id, "--top", "100"]));
        assert!(unseen.is_disjoint(&has_rated(user)));
        assert_eq!(unseen.len() + has_rated(user).len(), N_ITEMS as usize);
        let all = recommend(&desk, &["--user", &id, "--top", "100", "--keep-seen"]);
        assert_eq!(items(&all).len(), N_ITEMS as usize);
    }
}

#[test]
fn the_score_of_an_item_is_the_rating_that_predict_tells() {
    let desk = trained();
    for line in recommend(&desk, &["--user", "u3", "--top", "5"]) {
        let printed = desk.predict(&["run", "--user", "u3", "--item", &line.item]).done();
        let predicted: f64 = printed.split_whitespace().next().unwrap().parse().unwrap();
        // Both are rounded to three digits; a prediction is held to the scale of 1 to 5.
        assert!(
            (predicted - line.score.clamp(1.0, 5.0)).abs() < 1.5e-3,
            "{printed} for a score of {}",
            line.score
        );
    }
}

#[test]
fn only_candidates_are_ranked() {
    let desk = trained();
    let seen = item_of(3, 0);
    let unseen: Vec<String> =
        recommend(&desk, &["--user", "u3", "--top", "3"]).into_iter().map(|l| l.item).collect();
    desk.write("candidates.txt", format!("{}\n\n {seen} \r\n{}\n", unseen[2], unseen[0]));
    let args = ["--user", "u3", "--candidates", "candidates.txt"];
    let ranked: Vec<String> = recommend(&desk, &args).into_iter().map(|line| line.item).collect();
    assert_eq!(ranked, [unseen[0].clone(), unseen[2].clone()]);
    let kept = recommend(&desk, &[&args[..], &["--keep-seen"]].concat());
    assert_eq!(items(&kept), HashSet::from([seen, unseen[0].clone(), unseen[2].clone()]));
}

#[test]
fn a_file_of_candidates_that_cannot_be_used_is_named() {
    let desk = trained();
    let check =
        |parts: &[&str]| desk.recommend(&["run", "--user", "u3", "--candidates", "c.txt"]).refused(parts);
    check(&["cannot read c.txt"]);
    desk.write("c.txt", "i3\ni999\n");
    check(&["c.txt:2", "i999", "remove the line"]);
    desk.write("c.txt", "\n");
    check(&["c.txt", "names no item"]);
}

#[test]
fn all_users_go_to_a_table_that_says_the_same() {
    let desk = trained();
    desk.recommend(&["run", "--all-users", "--top", "4", "--output", "all.csv"]).done();
    let text = desk.read("all.csv");
    let (header, rows) = text.split_once('\n').unwrap();
    assert_eq!(header, "user_id,item_id,score,rank");
    let mut of_user: HashMap<&str, Vec<[&str; 3]>> = HashMap::new();
    for row in rows.lines() {
        let fields: Vec<&str> = row.split(',').collect();
        let [user, item, score, rank] = fields[..] else { panic!("{row}") };
        of_user.entry(user).or_default().push([item, score, rank]);
    }
    assert_eq!(of_user.len(), N_USERS as usize);
    for user in ["u0", "u7", "u19"] {
        let printed = recommend(&desk, &["--user", user, "--top", "4"]);
        assert_eq!(of_user[user].len(), 4);
        for (line, [item, score, rank]) in printed.iter().zip(&of_user[user]) {
            assert_eq!((line.item.as_str(), line.rank.to_string().as_str()), (*item, *rank));
            assert!((line.score - score.parse::<f64>().unwrap()).abs() < 1e-3, "{user} {item}");
        }
    }
}

#[test]
fn a_table_that_cannot_be_written_is_named_and_not_begun() {
    let desk = trained();
    let file = std::path::Path::new("nowhere").join("all.csv").display().to_string();
    desk.recommend(&["run", "--all-users", "--output", &file]).refused(&[&file, "folder"]);
    assert!(!desk.has("nowhere"));
}

#[test]
fn somebody_new_is_ranked_by_their_history_and_not_shown_it_again() {
    let desk = trained();
    let liked = recommend(&desk, &["--history", "i1:5,i2:1,i3", "--top", "100"]);
    assert_eq!(liked.len(), N_ITEMS as usize - 3);
    assert!(items(&liked).is_disjoint(&["i1", "i2", "i3"].map(str::to_owned).into()));
    let turned = recommend(&desk, &["--history", "i1:1,i2:5,i3:1", "--top", "100"]);
    let order = |lines: &[Line]| lines.iter().map(|line| line.item.clone()).collect::<Vec<_>>();
    assert_ne!(order(&liked), order(&turned), "other tastes, other films");
}

#[test]
fn a_history_with_a_rating_off_the_scale_is_refused() {
    let desk = trained();
    desk.recommend(&["run", "--history", "i1:5,i2:11"]).refused(&["--history i2:11", "`11`", "1 to 5"]);
    desk.recommend(&["run", "--history", "i1:good"]).refused(&["--history i1:good", "`good`", "1 to 5"]);
}

#[test]
fn a_history_that_names_an_item_twice_is_refused() {
    let desk = trained();
    desk.recommend(&["run", "--history", "i1:5,i2:1,i1:2"]).refused(&["--history i1:2", "item i1", "twice"]);
}

#[test]
fn arguments_that_contradict_each_other_end_with_2() {
    let desk = trained();
    let all = "all.csv";
    for args in [
        &["run"][..],
        &["run", "--user", "u1", "--all-users", "--output", all],
        &["run", "--user", "u1", "--output", all],
        &["run", "--all-users"],
        &["run", "--user", "u1", "--top", "0"],
    ] {
        let ended = desk.recommend(args);
        assert_eq!(ended.code, Some(2), "{args:?}: {ended:?}");
        assert!(!desk.has(all));
    }
}

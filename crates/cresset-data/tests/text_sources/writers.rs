//! Interactions in each format, as plainly as it can be written.

use std::fmt::Write;

use cresset_data::{Interactions, NO_TIME, Part};

use crate::support::Files;

/// `NAME.inter`, or a file for each part where rows have one.
pub(crate) fn recbole(rows: &Interactions) -> Files {
    match &rows.parts {
        None => vec![("set.inter".to_owned(), inter(rows, |_| true))],
        Some(parts) => [("train", Part::Train), ("valid", Part::Valid), ("test", Part::Test)]
            .into_iter()
            .filter(|&(_, part)| parts.contains(&part))
            .map(|(name, part)| (format!("set.{name}.inter"), inter(rows, |row| parts[row] == part)))
            .collect(),
    }
}

fn inter(rows: &Interactions, is_in: impl Fn(usize) -> bool) -> String {
    let mut text = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n".to_owned();
    for row in (0..rows.len()).filter(|&row| is_in(row)) {
        let (user, item) = (rows.users.name_at(row), rows.items.name_at(row));
        writeln!(text, "{user}\t{item}\t{}\t{}", rows.ratings[row], time(rows.times[row])).unwrap();
    }
    text
}

fn time(time: i64) -> String {
    if time == NO_TIME { String::new() } else { format!("{time}.0") }
}

/// `NAME.inter` with the part of each row.
pub(crate) fn mmrec(rows: &Interactions) -> Files {
    let mut text = "userID\titemID\trating\ttimestamp\tx_label\n".to_owned();
    for row in 0..rows.len() {
        let (user, item, time) = (rows.users.name_at(row), rows.items.name_at(row), time(rows.times[row]));
        let part = rows.parts.as_ref().unwrap()[row] as u8;
        writeln!(text, "{user}\t{item}\t{}\t{time}\t{part}", rows.ratings[row]).unwrap();
    }
    vec![("set.inter".to_owned(), text)]
}

/// One `user item` a line, in the order of the rows.
pub(crate) fn sasrec(rows: &Interactions) -> Files {
    let line = |row| format!("{} {}\n", rows.users.name_at(row), rows.items.name_at(row));
    vec![("set.txt".to_owned(), (0..rows.len()).map(line).collect())]
}

/// One `user item item ...` a line, a line for each run of rows of one user.
pub(crate) fn sequences(rows: &Interactions) -> Files {
    vec![("set.txt".to_owned(), lists(rows, |_| true))]
}

/// `train.txt` and `test.txt`.
pub(crate) fn kgat(rows: &Interactions) -> Files {
    let is_in = |part| move |row: usize| rows.parts.as_ref().unwrap()[row] == part;
    let file = |name: &str, part| (name.to_owned(), lists(rows, is_in(part)));
    vec![file("train.txt", Part::Train), file("test.txt", Part::Test)]
}

fn lists(rows: &Interactions, is_in: impl Fn(usize) -> bool) -> String {
    let mut text = String::new();
    let mut last = None;
    for row in (0..rows.len()).filter(|&row| is_in(row)) {
        let user = rows.users.name_at(row);
        if last != Some(user) {
            let end = if text.is_empty() { "" } else { "\n" };
            write!(text, "{end}{user}").unwrap();
            last = Some(user);
        }
        write!(text, " {}", rows.items.name_at(row)).unwrap();
    }
    text + "\n"
}

/// `ratings_final.txt`, with a sampled negative below every third row.
pub(crate) fn kgcn(rows: &Interactions) -> Files {
    let mut text = String::new();
    for row in 0..rows.len() {
        let (user, item) = (rows.users.name_at(row), rows.items.name_at(row));
        writeln!(text, "{user}\t{item}\t1").unwrap();
        if row % 3 == 0 {
            writeln!(text, "{user}\t1{item}\t0").unwrap();
        }
    }
    vec![("ratings_final.txt".to_owned(), text)]
}

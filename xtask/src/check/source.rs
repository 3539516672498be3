//! Reading Rust source just far enough to apply rules to it: comments, literals and tests are blanked out, and what is
//! left is looked at word by word. Line numbers stay what they were.

/// Names that belong to one backend.
const BACKEND_NAMES: &[&str] = &[
    "Candle",
    "CandleDevice",
    "Cuda",
    "CudaDevice",
    "Flex",
    "FlexDevice",
    "LibTorch",
    "LibTorchDevice",
    "Metal",
    "NdArray",
    "NdArrayDevice",
    "Rocm",
    "RocmDevice",
    "Vulkan",
    "WebGpu",
    "Wgpu",
    "WgpuDevice",
    "burn_candle",
    "burn_cubecl",
    "burn_cuda",
    "burn_flex",
    "burn_ndarray",
    "burn_rocm",
    "burn_tch",
    "burn_wgpu",
];

/// Macros that mark unfinished work.
const UNFINISHED: &[&str] = &["dbg", "todo", "unimplemented"];

/// A rule broken in a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The line, from 1.
    pub(crate) line: usize,
    /// What is wrong and what would be right.
    pub(crate) sentence: String,
}

/// Where a library crate names a backend outside its tests.
pub(crate) fn backend_names(source: &str) -> Vec<Finding> {
    find_words(&without_tests(&code_only(source)), |word, _| {
        BACKEND_NAMES.contains(&word).then(|| {
            format!(
                "`{word}` names a backend, expected a `B: Backend`: only cresset-nn's kernels/ and the facade's \
                 device.rs may name one"
            )
        })
    })
}

/// Where unfinished work is marked, and where a lint is silenced without a reason.
pub(crate) fn untidy(source: &str) -> Vec<Finding> {
    let code = code_only(source);
    let mut findings = find_words(&code, |word, rest| {
        let is_unfinished = UNFINISHED.contains(&word) && rest.starts_with('!');
        is_unfinished.then(|| format!("`{word}!` marks unfinished work; finish it or take it out"))
    });
    findings.extend(lints_allowed_without_reason(&code));
    findings
}

/// `expect` notices when it is no longer needed, so it is the rule; `allow` is for what only some features need.
fn lints_allowed_without_reason(code: &str) -> impl Iterator<Item = Finding> {
    const MARK: &str = "[allow(";
    let has_no_reason = |&(at, _): &(usize, &str)| {
        let lints = &code[at + MARK.len()..];
        !lints[..lints.find(']').unwrap_or(lints.len())].contains("reason")
    };
    code.match_indices(MARK).filter(has_no_reason).map(|(at, _)| Finding {
        line: 1 + code[..at].matches('\n').count(),
        sentence: "`allow` without a reason hides a lint for ever; write `expect(..., reason = \"...\")`"
            .to_owned(),
    })
}

/// Calls `judge` with each word and what follows it in its line, and keeps what it says.
fn find_words(code: &str, judge: impl Fn(&str, &str) -> Option<String>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in code.lines().enumerate() {
        let mut rest = line;
        while let Some(start) = rest.find(is_word_start) {
            let word_and_rest = &rest[start..];
            let end = word_and_rest.find(|c| !is_word_part(c)).unwrap_or(word_and_rest.len());
            let (word, after) = word_and_rest.split_at(end);
            findings.extend(judge(word, after).map(|sentence| Finding { line: index + 1, sentence }));
            rest = after;
        }
    }
    findings
}

fn is_word_start(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

fn is_word_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The source with comments and literals left out, line ends kept.
fn code_only(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let blank = blank_length(rest);
        if blank == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            code.extend(rest[..blank].chars().filter(|&c| c == '\n'));
            rest = &rest[blank..];
        }
    }
    code
}

/// Bytes of the comment or literal that begins here; 0 when none does.
fn blank_length(source: &str) -> usize {
    match source.as_bytes() {
        [b'/', b'/', ..] => source.find('\n').unwrap_or(source.len()),
        [b'/', b'*', ..] => block_comment_length(source),
        [b'"', ..] => string_length(source),
        [b'r', b'"' | b'#', ..] => raw_string_length(source),
        [b'\'', ..] => character_length(source),
        _ => 0,
    }
}

/// Block comments may hold block comments.
fn block_comment_length(source: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < source.len() {
        match &source.as_bytes()[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn string_length(source: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in source.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    source.len()
}

/// `r"..."`, `r#"..."#` and so on; 0 for a raw identifier such as `r#type`.
fn raw_string_length(source: &str) -> usize {
    let hashes = source[1..].bytes().take_while(|&byte| byte == b'#').count();
    let start = 1 + hashes;
    if source.as_bytes().get(start) != Some(&b'"') {
        return 0;
    }
    let close = format!("\"{}", "#".repeat(hashes));
    source[start + 1..].find(&close).map_or(source.len(), |at| start + 1 + at + close.len())
}

/// `'a'` or `'\n'`; 0 for a lifetime.
fn character_length(source: &str) -> usize {
    let mut inside = source[1..].chars();
    match inside.next() {
        // An escaped quote may follow the backslash at once.
        Some('\\') => source.get(3..).and_then(|after| after.find('\'')).map_or(0, |at| at + 4),
        Some(c) if inside.next() == Some('\'') => c.len_utf8() + 2,
        _ => 0,
    }
}

/// The code with every item under `#[cfg(test)]` left out, line ends kept.
fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut kept = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) = rest.find(MARK) {
        let (before, marked) = rest.split_at(at);
        let end = MARK.len() + item_length(&marked[MARK.len()..]);
        kept.push_str(before);
        kept.extend(marked[..end].chars().filter(|&c| c == '\n'));
        rest = &marked[end..];
    }
    kept + rest
}

/// Bytes up to the end of the first item: its closing brace, or its semicolon.
fn item_length(code: &str) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in code.bytes().enumerate() {
        match byte {
            b'{' | b'(' | b'[' => depth += 1,
            b'}' | b')' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && matches!(byte, b'}' | b';') {
            return at + 1;
        }
    }
    code.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_lines(findings: &[Finding], expected: &[usize]) {
        let lines: Vec<usize> = findings.iter().map(|finding| finding.line).collect();
        assert_eq!(lines, expected, "{findings:?}");
    }

    #[test]
    fn a_backend_named_in_library_code_is_found_with_its_line() {
        let source = "use burn::backend::Wgpu;\n\nfn run() -> Tensor<burn_flex::Flex, 2> {}\n";
        check_lines(&backend_names(source), &[1, 3, 3]);
    }

    #[test]
    fn a_word_that_only_contains_the_name_of_a_backend_is_none() {
        check_lines(&backend_names("struct Flexible; fn cuda_like() {} let x_Cuda = 1;"), &[]);
    }

    #[test]
    fn comments_literals_and_tests_may_name_a_backend() {
        let source = r##"
/// Runs on `Flex`.
/* Cuda /* Wgpu */ Rocm */
const GENRE: &str = "Metal \" Vulkan";
const RAW: &str = r#"LibTorch " Flex"#;
fn quote<'a>(c: &'a char) -> bool { *c == '"' || *c == '\'' || *c == 'é' }
#[cfg(test)]
use burn::backend::Flex;
#[cfg(test)]
mod tests {
    fn on(device: [u8; 4]) { let b = Flex { a: 1 }; }
}
"##;
        check_lines(&backend_names(source), &[]);
    }

    #[test]
    fn what_follows_the_tests_is_read_again_under_its_own_line() {
        let source = "#[cfg(test)]\nmod tests {\n    use super::Flex;\n}\nuse Cuda;\n";
        check_lines(&backend_names(source), &[5]);
    }

    #[test]
    fn unfinished_work_is_found_in_tests_too() {
        let source =
            "fn a() { todo!() }\n#[cfg(test)]\nmod tests { fn b() { dbg!(1); unimplemented!(); } }\n";
        check_lines(&untidy(source), &[1, 3, 3]);
    }

    #[test]
    fn a_word_like_a_macro_of_unfinished_work_is_none() {
        check_lines(&untidy("let todo = 1; // todo!()\nlet text = \"dbg!(1)\";\n"), &[]);
    }

    #[test]
    fn a_lint_is_not_allowed_without_a_reason() {
        check_lines(&untidy("\n#![allow(dead_code)]\n#[allow(\n    unused,\n)]\n"), &[2, 3]);
        let with_reason = "#[allow(\n    unused,\n    reason = \"without a backend\"\n)]\n";
        check_lines(&untidy(with_reason), &[]);
        check_lines(&untidy("#[expect(unused, reason = \"allow(x)\")]\nlimit.allow(3);\n"), &[]);
    }

    #[test]
    fn a_raw_identifier_is_code() {
        assert_eq!(code_only("let r#type = r\"text\";"), "let r#type = ;");
    }
}

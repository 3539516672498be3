//! What the README promises: its commands and its example.

use std::fs;

use super::StepError;
use crate::workspace::Workspace;

/// A fenced block of a Markdown text.
struct Block {
    /// The first word after the fence.
    language: String,
    /// The lines between the fences, each ended by a line feed.
    content: String,
}

/// The text of the workspace's README.
///
/// # Errors
///
/// If it cannot be read.
pub(crate) fn load(workspace: &Workspace) -> Result<String, StepError> {
    let path = workspace.root.join("README.md");
    fs::read_to_string(&path).map_err(StepError::at(path))
}

/// Whether a fenced block has exactly this command as one of its lines.
pub(crate) fn states_command(markdown: &str, command: &str) -> bool {
    fenced_blocks(markdown).iter().any(|block| block.content.lines().any(|line| line.trim() == command))
}

/// The first fenced Rust program, one with a `main`.
pub(crate) fn rust_example(markdown: &str) -> Option<String> {
    let is_program = |block: &Block| block.language == "rust" && block.content.contains("fn main(");
    fenced_blocks(markdown).into_iter().find(is_program).map(|block| block.content)
}

fn fenced_blocks(markdown: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for line in markdown.lines() {
        let fence = line.trim_start().strip_prefix("```");
        match (fence, open.as_mut()) {
            (Some(information), None) => open = Some(opened(information)),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some(block)) => {
                block.content.push_str(line);
                block.content.push('\n');
            }
            (None, None) => {}
        }
    }
    blocks
}

/// A block with nothing in it yet; `rust,no_run` is Rust too.
fn opened(information: &str) -> Block {
    let language = information.split([',', ' ']).next().unwrap_or_default().to_owned();
    Block { language, content: String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const README: &str = "\
# Title

`cargo build --workspace` in the prose does not count.

```sh
cargo run --release --bin train -- configs/quickstart.yaml
cargo test --workspace
```

```rust
let fragment = 1;
```

```rust,no_run
fn main() {
    println!(\"hello\");
}
```
";

    #[test]
    fn a_command_counts_only_as_a_whole_line_of_a_fenced_block() {
        assert!(states_command(README, "cargo test --workspace"));
        assert!(!states_command(README, "cargo build --workspace"));
        assert!(!states_command(README, "cargo test"));
        assert!(!states_command("cargo test --workspace", "cargo test --workspace"));
    }

    #[test]
    fn the_example_is_the_first_rust_block_with_a_main() {
        assert_eq!(rust_example(README).unwrap(), "fn main() {\n    println!(\"hello\");\n}\n");
    }

    #[test]
    fn a_readme_without_a_program_has_no_example() {
        assert_eq!(rust_example("```rust\nlet a = 1;\n```\n"), None);
        assert_eq!(rust_example("```text\nfn main() {}\n```\n"), None);
    }
}

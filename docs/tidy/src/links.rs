//! Rule: a link from a page of the repository into the repository leads somewhere, its `#anchor` as well.
//!
//! Checked are `[text](target)`, `[name]: target`, `href=".."` and `src=".."` in every Markdown file. What has a scheme
//! (`https:`, `mailto:`) is not looked up: a test asks nothing of the network.

use crate::markdown::{anchors, without_code};
use crate::tree::{folder_of, join};
use crate::{Finding, Tree};

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (page, text) in tree.texts().filter(|(path, _)| path.ends_with(".md")) {
        for (line, target) in targets(&without_code(text)) {
            if let Some(what) = objection(tree, page, &target) {
                found.push(Finding::new(page, line, what, "mend the link, or take it out"));
            }
        }
    }
    found
}

fn objection(tree: &Tree, page: &str, target: &str) -> Option<String> {
    let (path, anchor) = target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
    let path = path.split('?').next().unwrap_or_default().replace("%20", " ");
    let from = if path.starts_with('/') { "" } else { folder_of(page) };
    let file = if path.is_empty() { Some(page.to_owned()) } else { join(from, &path) };
    let Some(file) = file.filter(|file| tree.has(file)) else {
        return Some(format!("the link `{target}` is dead: there is no such file"));
    };
    let text = tree.text(&file).filter(|_| file.ends_with(".md"))?;
    let anchor = anchor.filter(|anchor| !anchor.is_empty())?;
    (!anchors(text).iter().any(|known| known == anchor))
        .then(|| format!("the link `{target}` is dead: {file} has no heading `#{anchor}`"))
}

/// The targets within the repository, each with its line.
fn targets(prose: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (index, line) in prose.lines().enumerate() {
        let inline = line.split("](").skip(1).map(destination);
        let definition = definition(line).into_iter().map(destination);
        let html = ["href=\"", "src=\""].into_iter().flat_map(|key| line.split(key).skip(1));
        let html = html.filter_map(|rest| Some(rest.split_once('"')?.0));
        let all = inline.chain(definition).chain(html);
        found.extend(all.filter(|target| is_within(target)).map(|target| (index + 1, target.to_owned())));
    }
    found
}

/// What stands between the brackets, without a title.
fn destination(rest: &str) -> &str {
    let rest = rest.trim_start();
    if let Some(bracketed) = rest.strip_prefix('<') {
        return bracketed.split('>').next().unwrap_or_default();
    }
    let mut depth = 0_usize;
    let end = rest.find(|c: char| {
        depth += usize::from(c == '(');
        let closes = c == ')' && depth == 0;
        depth -= usize::from(c == ')' && depth > 0);
        closes || c.is_whitespace()
    });
    &rest[..end.unwrap_or(rest.len())]
}

/// The rest of a line such as `[name]: target`; footnotes are none.
fn definition(line: &str) -> Option<&str> {
    let (name, rest) = line.trim_start().strip_prefix('[')?.split_once("]:")?;
    (!name.starts_with('^') && !name.contains(']')).then_some(rest)
}

fn is_within(target: &str) -> bool {
    let scheme = target.split_once(':').is_some_and(|(scheme, _)| scheme.chars().all(|c| c.is_ascii_alphanumeric()));
    !target.is_empty() && !scheme && !target.starts_with("//")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(usize, String)> {
        let tree = Tree::of(&[
            ("docs/PAGE.md", text),
            ("docs/OTHER.md", "# Other page\n## The bytes\n"),
            ("docs/a (b).md", ""),
            ("README.md", "# Top"),
            ("src/lib.rs", ""),
        ]);
        check(&tree).into_iter().map(|finding| (finding.line, finding.what)).collect()
    }

    #[test]
    fn links_that_lead_somewhere_pass() {
        let page = "# Here\n[a](OTHER.md) [b](../README.md#top) ![c](<a (b).md>) [d](a%20(b).md \"title\") [e](#here)\n\
                    [f](../src) [g](/README.md) [h](OTHER.md#the-bytes) [i](https://x.y/z) [j](mailto:a@b) [k](../src/lib.rs#L3)\n\
                    [l]: OTHER.md\n[^1]: a note\n<a href=\"OTHER.md\">x</a> `[m](gone.md)`\n```\n[n](gone.md)\n```\n";
        assert_eq!(found(page), []);
    }

    #[test]
    fn a_dead_link_is_found_with_its_line() {
        let page = "x\n[a](GONE.md)\n[b](other.md) [c](OTHER.md#no-bytes)\n[d]: gone\n[e](../../out.md)\n<img src=\"no.png\">\n[f](#nope)\n";
        let found = found(page);
        assert_eq!(found.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 3, 3, 4, 5, 6, 7]);
        assert_eq!(found[0].1, "the link `GONE.md` is dead: there is no such file");
        assert_eq!(found[2].1, "the link `OTHER.md#no-bytes` is dead: docs/OTHER.md has no heading `#no-bytes`");
    }
}

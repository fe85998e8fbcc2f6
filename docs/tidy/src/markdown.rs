//! Markdown with its code blanked, and the anchors that its headings make.
//!
//! As for Rust, lines stay where they are.

/// The text with fenced blocks blanked; a line of the result is a line of the page.
pub(crate) fn without_fences(text: &str) -> String {
    let mut open: Option<String> = None;
    let mut kept = String::with_capacity(text.len());
    for line in text.lines() {
        let start = line.trim_start();
        let mark: String = start.chars().take_while(|c| *c == '`' || *c == '~').collect();
        match &open {
            Some(fence) if mark.starts_with(fence.as_str()) && start.len() == mark.len() => open = None,
            Some(_) => {}
            None if mark.len() >= 3 => open = Some(mark),
            None => kept.push_str(line),
        }
        kept.push('\n');
    }
    kept
}

/// The text with fenced blocks and `inline code` blanked.
pub(crate) fn without_code(text: &str) -> String {
    without_fences(text).lines().map(|line| without_spans(line) + "\n").collect()
}

/// The anchors of a page: one for each heading by GitHub's rules, and every `id` and `name` in HTML.
pub(crate) fn anchors(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for line in without_fences(text).lines() {
        if let Some(heading) = heading(line) {
            let slug = slug(heading);
            let numbered = (1..).map(|number| format!("{slug}-{number}"));
            let free = std::iter::once(slug.clone()).chain(numbered).find(|anchor| !found.contains(anchor));
            found.extend(free);
        }
        for key in ["id=\"", "name=\""] {
            found.extend(line.split(key).skip(1).filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())));
        }
    }
    found
}

fn heading(line: &str) -> Option<&str> {
    let text = line.trim_start_matches('#');
    let level = line.len() - text.len();
    ((1..=6).contains(&level) && text.starts_with([' ', '\t'])).then(|| text.trim().trim_end_matches('#').trim_end())
}

/// Lower case, punctuation dropped, each space a hyphen; of a link only its text counts.
fn slug(heading: &str) -> String {
    let mut text = heading.to_owned();
    while let Some((before, rest)) = text.split_once("](") {
        text = format!("{before}{}", rest.split_once(')').map_or("", |(_, after)| after));
    }
    text.chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .flat_map(char::to_lowercase)
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

fn without_spans(line: &str) -> String {
    let mut kept = String::new();
    let mut rest = line;
    while let Some(open) = rest.find('`') {
        let run = rest[open..].chars().take_while(|c| *c == '`').count();
        let body = &rest[open + run..];
        let Some(length) = span_length(body, run) else {
            kept.push_str(&rest[..open + run]);
            rest = body;
            continue;
        };
        kept.push_str(&rest[..open]);
        kept.extend(std::iter::repeat_n(' ', run + length));
        rest = &body[length..];
    }
    kept + rest
}

/// What stands in the `inline code` of a line.
pub(crate) fn spans(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = line;
    while let Some(open) = rest.find('`') {
        let run = rest[open..].chars().take_while(|c| *c == '`').count();
        rest = &rest[open + run..];
        if let Some(length) = span_length(rest, run) {
            found.push(rest[..length - run].trim());
            rest = &rest[length..];
        }
    }
    found
}

/// The length up to and with the run of backticks that closes one as long.
fn span_length(body: &str, run: usize) -> Option<usize> {
    let mut at = 0;
    while let Some(found) = body[at..].find('`') {
        let length = body[at + found..].chars().take_while(|c| *c == '`').count();
        at += found + length;
        if length == run {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_blanked_and_lines_stay() {
        let page = "a `[x](y)` b\n```text\n[x](y)\n``` not the end\n```\n`` ` [x](y) `` c `open\n";
        let prose = without_code(page);
        assert_eq!(prose.lines().count(), page.lines().count());
        assert!(!prose.contains("[x]") && prose.contains("b\n") && prose.contains(" c `open"));
    }

    #[test]
    fn spans_are_what_is_blanked() {
        assert_eq!(spans("a `b c` d `` e`f `` `open"), ["b c", "e`f"]);
        assert_eq!(spans("no code"), [""; 0]);
    }

    #[test]
    fn anchors_follow_the_rules_of_github() {
        let page =
            "# The `unsafe` rule, in C++!\n## A\n## A\n```\n# no\n```\n## [Bytes](x.md) & more ##\n<a id=\"here\"></a>";
        assert_eq!(anchors(page), ["the-unsafe-rule-in-c", "a", "a-1", "bytes--more", "here"]);
    }
}

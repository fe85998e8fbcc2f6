//! The paths that code names, such as `crate::log::Log`, with the groups of a `use` spread out.

use crate::code::Token;

/// One path as it is written: `use a::{b, c::*}` names `a::b` and `a::c::*`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NamedPath<'a> {
    pub(crate) names: Vec<&'a str>,
    pub(crate) line: usize,
    /// The modules of the same file that it stands in, outermost first.
    pub(crate) inside: Vec<&'a str>,
}

/// All paths of two names and more, and single names that are given another (`crate as root`).
pub(crate) fn paths<'a>(tokens: &[Token<'a>]) -> Vec<NamedPath<'a>> {
    let mut reader = Reader { tokens, at: 0, found: Vec::new(), blocks: Vec::new() };
    while reader.at < tokens.len() {
        reader.step();
    }
    reader.found
}

struct Reader<'t, 'a> {
    tokens: &'t [Token<'a>],
    at: usize,
    found: Vec<NamedPath<'a>>,
    /// The open braces; a module's has its name.
    blocks: Vec<Option<&'a str>>,
}

impl<'a> Reader<'_, 'a> {
    fn step(&mut self) {
        let token = self.tokens[self.at];
        match token.text {
            "{" => {
                let module = self.at >= 2 && self.tokens[self.at - 2].text == "mod";
                self.blocks.push(module.then(|| self.tokens[self.at - 1].text));
                self.at += 1;
            }
            "}" => {
                self.blocks.pop();
                self.at += 1;
            }
            "use" if self.text(1) == "{" => {
                self.at += 1;
                self.path(&[]);
            }
            _ if token.is_name() => self.path(&[]),
            _ => self.at += 1,
        }
    }

    /// Reads one path, or the rest of one after `prefix`.
    fn path(&mut self, prefix: &[&'a str]) {
        let mut names = prefix.to_vec();
        let line = self.line();
        loop {
            match self.tokens.get(self.at) {
                Some(token) if token.is_name() || token.text == "*" => {
                    names.push(token.text);
                    self.at += 1;
                }
                Some(token) if token.text == "{" => return self.group(&names),
                _ => break,
            }
            if self.text(0) != "::" {
                break;
            }
            self.at += 1;
        }
        if names.len() > 1 || self.text(0) == "as" {
            let inside = self.blocks.iter().flatten().copied().collect();
            self.found.push(NamedPath { names, line, inside });
        }
    }

    /// Reads the branches of a `{ .. }` that follows `prefix`.
    fn group(&mut self, prefix: &[&'a str]) {
        self.at += 1;
        while let Some(token) = self.tokens.get(self.at) {
            match token.text {
                "}" => {
                    self.at += 1;
                    return;
                }
                "as" => self.at += 2,
                "{" | "*" => self.path(prefix),
                _ if token.is_name() => self.path(prefix),
                _ => self.at += 1,
            }
        }
    }

    fn text(&self, ahead: usize) -> &'a str {
        self.tokens.get(self.at + ahead).map_or("", |token| token.text)
    }

    fn line(&self) -> usize {
        self.tokens.get(self.at).map_or(0, |token| token.line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::Code;

    fn spread(source: &str) -> Vec<(String, usize, String)> {
        let code = Code::new(source);
        let tokens = code.tokens();
        paths(&tokens).into_iter().map(|path| (path.names.join("::"), path.line, path.inside.join("::"))).collect()
    }

    #[test]
    fn groups_are_spread_out() {
        let found = spread("use a::{b, c::{self, d as e}, f::*,\n g};\nuse {h::i, j::k};");
        let names: Vec<_> = found.iter().map(|(name, line, _)| (name.as_str(), *line)).collect();
        let expected = [("a::b", 1), ("a::c::self", 1), ("a::c::d", 1), ("a::f::*", 1), ("a::g", 2)];
        assert_eq!(names, [expected.as_slice(), &[("h::i", 3), ("j::k", 3)]].concat());
    }

    #[test]
    fn paths_in_expressions_know_the_modules_around_them() {
        let found = spread("mod m { fn f() { crate::log::Log { tail: super::TAIL } } } fn g() { ::std::fs::read() }");
        let expected = [("crate::log::Log", "m"), ("super::TAIL", "m"), ("std::fs::read", "")];
        let found: Vec<_> = found.iter().map(|(name, _, inside)| (name.as_str(), inside.as_str())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_renamed_root_is_seen() {
        assert_eq!(spread("use crate as root;")[0].0, "crate");
        assert_eq!(spread("use crate::{self as root};")[0].0, "crate::self");
    }

    #[test]
    fn a_group_that_never_closes_ends_with_the_file() {
        assert_eq!(spread("use a::{b, {")[0].0, "a::b");
        assert_eq!(spread("a::").len(), 0);
    }
}

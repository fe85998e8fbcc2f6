//! A page of the documentation that shows what runs have found: each between two marks of its own.

use crate::outcome::Outcome;
use std::fs;
use std::path::PathBuf;

/// The section of a page that one command writes: what stands between its marks. All around it is left as it is.
#[derive(Clone, Debug)]
pub struct Section {
    page: PathBuf,
    name: &'static str,
}

impl Section {
    /// The section with this name. It is looked for now, so that a run does not end without a place for what it found.
    pub fn of(page: impl Into<PathBuf>, name: &'static str) -> Outcome<Self> {
        let section = Self { page: page.into(), name };
        section.replaced("")?;
        Ok(section)
    }

    /// Replaces what stands there.
    pub fn write(&self, found: &str) -> Outcome<()> {
        Ok(fs::write(&self.page, self.replaced(found)?)?)
    }

    /// The page with something else there.
    fn replaced(&self, found: &str) -> Outcome<String> {
        let Self { page, name } = self;
        let [begin, end] = ["begin", "end"].map(|which| format!("<!-- {name}: {which} -->"));
        let text = fs::read_to_string(page).map_err(|error| format!("{}: {error}", page.display()))?;
        let missing = |mark: &str| format!("{} has no line {mark}", page.display());
        let (before, rest) = text.split_once(&begin).ok_or_else(|| missing(&begin))?;
        let (_, after) = rest.split_once(&end).ok_or_else(|| format!("{} after its beginning", missing(&end)))?;
        Ok(format!("{before}{begin}\n\n{}\n\n{end}{after}", found.trim()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(text: &str) -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let page = directory.path().join("PAGE.md");
        fs::write(&page, text).unwrap();
        (directory, page)
    }

    #[test]
    fn what_stands_between_the_marks_is_replaced_and_nothing_else_is() {
        let around = |found: &str| {
            format!(
                "# A\n<!-- b: begin -->old b<!-- b: end -->\n\n<!-- a: begin -->{found}<!-- a: end -->\nlast, unended"
            )
        };
        let (_directory, page) = page(&around("\nold\n"));
        let section = Section::of(&page, "a").unwrap();
        for found in ["new\nlines\n", "newer"] {
            section.write(found).unwrap();
            assert_eq!(fs::read_to_string(&page).unwrap(), around(&format!("\n\n{}\n\n", found.trim())));
        }
    }

    #[test]
    fn a_missing_mark_is_named_with_its_page_before_anything_is_written() {
        let texts = [
            ("<!-- a: end -->", "PAGE.md has no line <!-- a: begin -->"),
            ("<!-- a: begin -->", "PAGE.md has no line <!-- a: end -->"),
            ("<!-- a: end --><!-- a: begin -->", "PAGE.md has no line <!-- a: end -->"),
        ];
        for (text, complaint) in texts {
            let (_directory, page) = page(text);
            let error = Section::of(&page, "a").unwrap_err().to_string();
            assert!(error.contains(complaint), "{error}");
            assert_eq!(fs::read_to_string(&page).unwrap(), text);
        }
        let nowhere = Section::of("nowhere/PAGE.md", "a").unwrap_err().to_string();
        assert!(nowhere.contains("nowhere/PAGE.md"), "{nowhere}");
    }
}

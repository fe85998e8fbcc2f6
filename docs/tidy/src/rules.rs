//! All rules by name. A rule that is not in this list is not held.

use crate::{
    Finding, Tree, heads, layers, length, links, machine_text, page_hash, promises, purity, reachable, title_pages,
    uncompressed, unsafe_place,
};

/// A rule: from the tree to what departs from it.
pub type Rule = fn(&Tree) -> Vec<Finding>;

/// Every rule with the name of its file.
pub const RULES: [(&str, Rule); 12] = [
    ("heads", heads::check),
    ("title_pages", title_pages::check),
    ("layers", layers::check),
    ("purity", purity::check),
    ("unsafe_place", unsafe_place::check),
    ("reachable", reachable::check),
    ("links", links::check),
    ("page_hash", page_hash::check),
    ("promises", promises::check),
    ("length", length::check),
    ("machine_text", machine_text::check),
    ("uncompressed", uncompressed::check),
];

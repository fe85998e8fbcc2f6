//! An event of an older shape, on its way to the present one.

use serde_json::Value;

/// An event as it was written under an older schema number.
#[derive(Clone, Debug, PartialEq)]
pub struct OldEvent {
    /// Its type. A step may change it.
    pub event_type: String,
    /// The number of its shape now; each step that succeeds adds one.
    pub schema: u32,
    /// Its content.
    pub data: Value,
}

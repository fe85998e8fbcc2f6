//! A client of gesta servers: async, and blocking on top of it.
#![forbid(unsafe_code)]

//! The token endpoint: does this key work?

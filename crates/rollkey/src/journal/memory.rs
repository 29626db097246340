//! The journal in memory, for tests and for callers who can afford to forget.

//! Keys in memory, for tests.

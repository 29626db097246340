//! A command that takes the key on standard input.

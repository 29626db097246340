//! The tests of the core: the table of the decision, every history, and the bytes of the tokens.

mod sim;

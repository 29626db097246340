//! The tests of the core: the table of the decision, every history, and what goes into them.

mod decision_table;
mod ids;
mod journal;
mod knowledge_table;
mod looks;
mod policies;
mod sim;
mod spans;
mod suspicions;
mod thumbprints;
mod tokens;
mod words;

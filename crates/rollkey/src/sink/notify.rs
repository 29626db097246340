//! The command that tells consumers of a delivery.

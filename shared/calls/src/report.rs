//! The parser of Vapi's server messages.

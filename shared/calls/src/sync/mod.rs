//! The sync algorithm (design.md §6).

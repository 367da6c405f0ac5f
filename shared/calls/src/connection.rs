//! The connection: a session that is good, refreshed by one worker at a time.

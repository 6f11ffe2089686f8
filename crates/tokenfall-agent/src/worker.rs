//! The agent's thread: from the queue to the server.

//! Model calls and their streams of tokens.

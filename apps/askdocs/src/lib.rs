//! `askdocs`: people ask a question about documentation, three answers stream in at once, and every millisecond and cent of it
//! shows up in Tokenfall.
//!
//! ```text
//! files ─corpus→ passages ─index→ words (Tantivy) and vectors
//! question ─retrieval→ three passages ─prompt→ three questions ─completion→ three streams ─server→ the page
//!              └ span "search"                  └ span "openaiChatCompletion" with its tokens, retries, errors, cost
//! ```
//!
//! [`ask`] puts it together in one transaction. [`endpoint`] is where models are asked; those of this process are asked in the same
//! way as OpenAI's. `docs/askdocs.md` of the repository is the guide.

pub mod ask;
pub mod commands;
pub mod completion;
pub mod corpus;
pub mod embed;
pub mod endpoint;
pub mod feedback;
pub mod highlight;
pub mod idle;
pub mod index;
pub mod local;
pub mod options;
pub mod passage;
pub mod prompt;
pub mod retrieval;
pub mod search_engine;
pub mod server;
pub mod tokens;

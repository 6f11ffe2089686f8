//! Model calls: tokens against time, how answers stream.

mod calls;
mod stalls;
mod streaming;
mod tokens;

pub use calls::calls;
pub(crate) use stalls::answer_text;
pub use streaming::streaming;
pub use tokens::tokens;

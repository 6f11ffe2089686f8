//! What is found.

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_128;

/// Hash of what is embedded of a passage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PassageId(u128);

impl PassageId {
    /// The id of a passage.
    pub fn of(passage: &Passage) -> Self {
        Self(xxh3_128(passage.embedded_text().as_bytes()))
    }

    /// As bytes.
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0.to_le_bytes()
    }

    /// From bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_le_bytes(bytes))
    }
}

impl std::fmt::Display for PassageId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// A piece of a document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passage {
    /// Title of the document.
    pub title: String,
    /// Headings of the section, joined by ` › `; may be empty.
    #[serde(default)]
    pub section: String,
    /// Where it can be read: a path below the folder that was indexed, or an address, with the section after `#`.
    #[serde(default)]
    pub link: String,
    /// The text.
    pub text: String,
}

impl Passage {
    /// What is embedded: a passage out of its context says little about what it is about.
    pub fn embedded_text(&self) -> String {
        let heading =
            if self.section.is_empty() { self.title.clone() } else { format!("{} › {}", self.title, self.section) };
        format!("{heading}\n{}", self.text)
    }
}

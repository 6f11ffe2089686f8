//! Files of a documentation → passages to search in. Pure: bytes in, passages out.

mod html;
mod markdown;
mod pdf;
mod split;
mod text;

use std::path::Path;

pub(crate) use split::sentences;
pub use split::{SplitOptions, split};

/// Formats that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// `.html`, `.htm`, `.xhtml`
    Html,
    /// `.md`, `.markdown`, `.mdx`
    Markdown,
    /// `.txt`, `.text`, `.rst`, `.adoc`
    Text,
    /// `.pdf`
    Pdf,
}

impl Format {
    /// The format that a file's name promises.
    pub fn of_path(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "html" | "htm" | "xhtml" => Some(Self::Html),
            "md" | "markdown" | "mdx" => Some(Self::Markdown),
            "txt" | "text" | "rst" | "adoc" => Some(Self::Text),
            "pdf" => Some(Self::Pdf),
            _ => None,
        }
    }
}

/// A document, cut at its headings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    /// Title; the file's name if the document has none.
    pub title: String,
    /// Sections in reading order. The first one may be without headings: what stands before the first one.
    pub sections: Vec<Section>,
}

/// What stands between two headings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// Headings from the outermost one below the title to this section's own.
    pub headings: Vec<String>,
    /// What a link to the section has after its `#`.
    pub anchor: Option<String>,
    /// Paragraphs, list items, table rows, and code, which has line breaks.
    pub blocks: Vec<String>,
}

/// A piece of a document that is small enough to be searched for and shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// Title of the document.
    pub title: String,
    /// Headings of the section, joined by ` › `; empty at the top of a document.
    pub section: String,
    /// What a link to the section has after its `#`.
    pub anchor: Option<String>,
    /// The text.
    pub text: String,
}

/// Why a file cannot be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// A PDF that cannot be read.
    #[error("this PDF cannot be read ({0}); if it is protected, save a copy without a password")]
    Pdf(String),
    /// A PDF of pictures.
    #[error("this PDF holds no text: it may be a scan, which needs text recognition first")]
    NoText,
}

/// Reads a document. `name` is its title if it has none.
///
/// # Errors
/// If a PDF cannot be read. Everything else can be, if badly.
pub fn parse(format: Format, name: &str, bytes: &[u8]) -> Result<Document, ParseError> {
    let mut document = match format {
        Format::Html => html::parse(&decode(bytes)),
        Format::Markdown => markdown::parse(&decode(bytes)),
        Format::Text => text::parse(&decode(bytes)),
        Format::Pdf => pdf::parse(bytes)?,
    };
    if document.title.is_empty() {
        name.clone_into(&mut document.title);
    }
    document.sections.retain(|section| !section.blocks.is_empty());
    Ok(document)
}

/// UTF-8, or what the document says, or Windows-1252, which can be anything.
fn decode(bytes: &[u8]) -> String {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_owned();
    }
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(1_024)]).to_lowercase();
    let label = ["charset=", "encoding="].iter().find_map(|key| head.split_once(key)).map(|(_, rest)| {
        let rest = rest.trim_start_matches(['"', '\'']);
        rest.split(['"', '\'', ';', '>', ' ', '?']).next().unwrap_or_default()
    });
    let encoding = label.and_then(|label| encoding_rs::Encoding::for_label(label.as_bytes()));
    encoding.unwrap_or(encoding_rs::WINDOWS_1252).decode(bytes).0.into_owned()
}

/// Collapses white space.
fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Collects sections while a document is read.
#[derive(Debug, Default)]
struct Outline {
    sections: Vec<Section>,
    /// Headings that are open: level and text.
    open: Vec<(u8, String)>,
}

impl Outline {
    /// Begins a section. Headings of level 1 are titles and are not repeated in each section if `is_title`.
    fn heading(&mut self, level: u8, text: String, anchor: Option<String>, is_title: bool) {
        self.open.retain(|(other, _)| *other < level);
        if !is_title && !text.is_empty() {
            self.open.push((level, text));
        }
        let headings = self.open.iter().map(|(_, text)| text.clone()).collect();
        self.sections.push(Section { headings, anchor, blocks: Vec::new() });
    }

    fn block(&mut self, text: String) {
        if text.trim().is_empty() {
            return;
        }
        if self.sections.is_empty() {
            self.sections.push(Section::default());
        }
        if let Some(section) = self.sections.last_mut() {
            section.blocks.push(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_is_decoded_as_it_says_or_as_it_must_be() {
        assert_eq!(decode("\u{feff}Größe".as_bytes()), "Größe");
        assert_eq!(decode(b"<meta charset=\"iso-8859-2\"><p>\xB1"), "<meta charset=\"iso-8859-2\"><p>ą");
        assert_eq!(decode(b"caf\xE9"), "café");
    }

    #[test]
    fn formats_go_by_the_names_of_files() {
        assert_eq!(Format::of_path(Path::new("a/Index.HTML")), Some(Format::Html));
        assert_eq!(Format::of_path(Path::new("README.md")), Some(Format::Markdown));
        assert_eq!(Format::of_path(Path::new("logo.png")), None);
        assert_eq!(Format::of_path(Path::new("html")), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), tags in "(<[/a-z0-9 =\"]{0,8}>|[a-z \n#=`*-]){0,80}") {
            for format in [Format::Html, Format::Markdown, Format::Text] {
                for bytes in [bytes.as_slice(), tags.as_bytes()] {
                    let document = parse(format, "name", bytes).expect("read");
                    prop_assert!(!document.title.is_empty());
                    split(&document, &SplitOptions::default());
                }
            }
            let pdf = [b"%PDF-1.4\n".as_slice(), &bytes].concat();
            prop_assert!(parse(Format::Pdf, "name", &pdf).is_err());
        }
    }
}

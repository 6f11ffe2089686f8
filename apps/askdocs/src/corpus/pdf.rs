//! PDF: the text of its pages.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{Document, ParseError, Section, squeeze};

pub(super) fn parse(bytes: &[u8]) -> Result<Document, ParseError> {
    // The library panics on some files that are not as it expects.
    let read = catch_unwind(AssertUnwindSafe(|| pdf_extract::extract_text_from_mem_by_pages(bytes)));
    let pages = read
        .map_err(|_| ParseError::Pdf("it is damaged, or uses something unknown".to_owned()))?
        .map_err(|error| ParseError::Pdf(error.to_string()))?;
    let sections: Vec<Section> = (1..)
        .zip(&pages)
        .map(|(number, text)| Section {
            headings: vec![format!("Page {number}")],
            // Browsers open a PDF at its page by this.
            anchor: Some(format!("page={number}")),
            blocks: paragraphs(text),
        })
        .filter(|page| !page.blocks.is_empty())
        .collect();
    if sections.is_empty() { Err(ParseError::NoText) } else { Ok(Document { title: String::new(), sections }) }
}

/// Paragraphs end at empty lines; a word that was cut at the end of a line is joined again.
fn paragraphs(page: &str) -> Vec<String> {
    let mut blocks = vec![String::new()];
    for line in page.lines().map(squeeze) {
        if line.is_empty() {
            blocks.push(String::new());
        } else if let Some(block) = blocks.last_mut() {
            let goes_on = line.starts_with(char::is_lowercase);
            match block.strip_suffix('-').filter(|before| goes_on && before.ends_with(char::is_alphabetic)) {
                Some(before) => *block = format!("{before}{line}"),
                None if block.is_empty() => *block = line,
                None => *block = format!("{block} {line}"),
            }
        }
    }
    blocks.retain(|block| !block.is_empty());
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_paragraphs() {
        assert_eq!(
            paragraphs("A docu-\nment with\nlines.\n\n  \nNext- \nOne"),
            ["A document with lines.", "Next- One"]
        );
    }

    #[test]
    fn what_is_no_pdf_is_said_to_be_none() {
        assert!(matches!(parse(b"hello"), Err(ParseError::Pdf(_))));
    }
}

//! Documents → passages: whole paragraphs as long as they fit, never across sections.

use super::{Document, Passage, Section, squeeze};

/// How large passages are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SplitOptions {
    /// Most words of a passage, the overlap not included.
    pub max_words: usize,
    /// Most words of the end of a passage that the next one of the section begins with.
    pub overlap_words: usize,
}

impl Default for SplitOptions {
    /// 160 words are about 220 tokens: what the embedding model reads, and what three answers have room for.
    fn default() -> Self {
        Self { max_words: 160, overlap_words: 30 }
    }
}

/// A section with fewer words stands better beside its neighbour than alone.
const TINY_WORDS: usize = 15;

/// Cuts a document into passages. Every word of its blocks is in one of them.
pub fn split(document: &Document, options: &SplitOptions) -> Vec<Passage> {
    let mut passages: Vec<Passage> = Vec::new();
    let mut carried: Vec<String> = Vec::new();
    for section in &document.sections {
        let mut blocks = std::mem::take(&mut carried);
        let is_tiny = section.blocks.iter().map(|block| words(block)).sum::<usize>() < TINY_WORDS;
        if is_tiny {
            blocks.extend(with_heading(section));
            carried = blocks;
            continue;
        }
        blocks.extend(section.blocks.iter().cloned());
        let title = document.title.as_str();
        passages.extend(pack(&blocks, options).into_iter().map(|text| passage(title, section, text)));
    }
    if !carried.is_empty() {
        let text = carried.join("\n");
        match passages.last_mut() {
            Some(last) if words(&last.text) + words(&text) <= options.max_words => {
                last.text = format!("{}\n{text}", last.text);
            }
            _ => {
                let last = document.sections.last().cloned().unwrap_or_default();
                let texts = pack(&carried, options).into_iter();
                passages.extend(texts.map(|text| passage(&document.title, &last, text)));
            }
        }
    }
    passages.retain(|passage| passage.text.contains(char::is_alphabetic));
    passages
}

fn passage(title: &str, section: &Section, text: String) -> Passage {
    Passage { title: title.to_owned(), section: section.headings.join(" › "), anchor: section.anchor.clone(), text }
}

/// The blocks of a section that will stand in another one, after its heading.
fn with_heading(section: &Section) -> Vec<String> {
    let mut blocks = section.blocks.clone();
    if let (Some(first), Some(heading)) = (blocks.first_mut(), section.headings.last()) {
        *first = format!("{heading}: {first}");
    }
    blocks
}

fn words(text: &str) -> usize {
    text.split_whitespace().count()
}

/// Code has line breaks; everything else is one line.
fn is_code(text: &str) -> bool {
    text.contains('\n')
}

fn pack(blocks: &[String], options: &SplitOptions) -> Vec<String> {
    let max_words = options.max_words.max(1);
    let mut passages = Vec::new();
    let mut parts: Vec<String> = Vec::new();
    let mut length = 0;
    for part in blocks.iter().flat_map(|block| cut(block, max_words)) {
        let added = words(&part);
        if length > 0 && length + added > max_words {
            let overlap = parts.last().map(|last| end_of(last, options.overlap_words)).unwrap_or_default();
            passages.push(parts.join("\n"));
            parts.clear();
            length = 0;
            if !overlap.is_empty() {
                parts.push(overlap);
            }
        }
        length += added;
        parts.push(part);
    }
    if length > 0 {
        passages.push(parts.join("\n"));
    }
    passages
}

/// Pieces of a block that fit: at line ends if it is code, else at sentence ends, and where even a sentence is too long, at words.
fn cut(block: &str, max_words: usize) -> Vec<String> {
    if words(block) <= max_words {
        return vec![block.to_owned()];
    }
    let (units, joint): (Vec<&str>, &str) =
        if is_code(block) { (block.lines().collect(), "\n") } else { (sentences(block), " ") };
    let mut pieces = Vec::new();
    let mut piece: Vec<String> = Vec::new();
    let mut length = 0;
    for unit in units {
        let all: Vec<&str> = unit.split_whitespace().collect();
        let fits = all.len() <= max_words;
        let units = if fits { vec![unit.to_owned()] } else { all.chunks(max_words).map(|c| c.join(" ")).collect() };
        for unit in units {
            let added = words(&unit);
            if length > 0 && length + added > max_words {
                pieces.push(piece.join(joint));
                piece.clear();
                length = 0;
            }
            length += added;
            piece.push(unit);
        }
    }
    if length > 0 {
        pieces.push(piece.join(joint));
    }
    pieces
}

/// Sentences of a text: they end with `.`, `!`, `?` or `:` before a space and something that is not lower case.
pub(crate) fn sentences(text: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let mut begin = 0;
    let mut before = ' ';
    for (at, character) in text.char_indices() {
        if character == ' ' && matches!(before, '.' | '!' | '?' | ':') {
            let next = text[at + 1..].chars().next();
            if next.is_some_and(|next| !next.is_lowercase()) {
                sentences.push(&text[begin..at]);
                begin = at + 1;
            }
        }
        before = character;
    }
    sentences.push(&text[begin..]);
    sentences
}

/// Whole sentences at the end of a paragraph that the next passage repeats. Nothing of code, where it would be out of place.
fn end_of(text: &str, max_words: usize) -> String {
    if is_code(text) {
        return String::new();
    }
    let mut length = 0;
    let sentences = sentences(text);
    let kept = sentences
        .iter()
        .rev()
        .take_while(|sentence| {
            length += words(sentence);
            length <= max_words
        })
        .count();
    if kept == sentences.len() {
        // The whole paragraph: then it is no end.
        return String::new();
    }
    squeeze(&sentences[sentences.len() - kept..].join(" "))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    const OPTIONS: SplitOptions = SplitOptions { max_words: 20, overlap_words: 6 };

    fn section(heading: &str, blocks: &[&str]) -> Section {
        Section {
            headings: vec![heading.to_owned()],
            anchor: Some(heading.to_lowercase()),
            blocks: blocks.iter().map(|&block| block.to_owned()).collect(),
        }
    }

    #[test]
    fn paragraphs_stay_whole_and_long_ones_are_cut_at_sentences() {
        let long = "The first sentence has seven words here. The second one is of nine words, I think. A third of five words. And the last one.";
        let document = Document { title: "T".to_owned(), sections: vec![section("A", &["Short one.", long])] };
        let texts: Vec<String> = split(&document, &OPTIONS).into_iter().map(|p| p.text).collect();
        assert_eq!(
            texts,
            [
                "Short one.\nThe first sentence has seven words here. The second one is of nine words, I think.",
                "A third of five words. And the last one.",
            ]
        );
    }

    #[test]
    fn tiny_sections_are_not_alone_and_not_lost() {
        let document = Document {
            title: "T".to_owned(),
            sections: vec![
                section("Syntax", &["VACUUM"]),
                section(
                    "Description",
                    &["one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"],
                ),
                section("See Also", &["ANALYZE"]),
            ],
        };
        let passages = split(&document, &SplitOptions::default());
        assert_eq!(passages.len(), 1);
        assert_eq!(passages[0].section, "Description");
        assert!(
            passages[0].text.starts_with("Syntax: VACUUM\none two") && passages[0].text.ends_with("See Also: ANALYZE")
        );
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_is_too_long(
            blocks in prop::collection::vec("([A-Z]?[a-z]{1,6}[.:]?[ \n]){1,60}", 1..8),
            sections in 1_usize..4,
        ) {
            let sections = blocks
                .chunks(blocks.len().div_ceil(sections))
                .enumerate()
                .map(|(at, blocks)| Section {
                    headings: vec![format!("heading{at}")],
                    anchor: None,
                    blocks: blocks.iter().map(|b| b.trim().to_owned()).collect(),
                })
                .collect();
            let document = Document { title: "T".to_owned(), sections };
            let passages = split(&document, &OPTIONS);
            let mut count: HashMap<&str, isize> = HashMap::new();
            passages.iter().flat_map(|p| p.text.split_whitespace()).for_each(|word| *count.entry(word).or_default() += 1);
            for word in blocks.iter().flat_map(|block| block.split_whitespace()) {
                *count.entry(word).or_default() -= 1;
            }
            prop_assert!(count.values().all(|&n| n >= 0), "lost: {count:?}");
            let longest = passages.iter().map(|p| words(&p.text)).max().unwrap_or(0);
            prop_assert!(longest <= OPTIONS.max_words + OPTIONS.overlap_words, "{longest}");
        }
    }
}

//! Markdown, with anchors as GitHub makes them.

use std::collections::HashMap;

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::{Document, Outline, squeeze};

pub(super) fn parse(markdown: &str) -> Document {
    let (front_title, body) = front_matter(markdown);
    let mut reader = Reader::default();
    let options = Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES | Options::ENABLE_STRIKETHROUGH;
    for event in Parser::new_ext(body, options) {
        reader.event(event);
    }
    reader.end_block();
    Document { title: front_title.or(reader.title).unwrap_or_default(), sections: reader.outline.sections }
}

/// Cuts off the lines between `---` or `+++` at the beginning, and takes the title out of them.
fn front_matter(markdown: &str) -> (Option<String>, &str) {
    for fence in ["---", "+++"] {
        let Some(rest) = markdown.strip_prefix(fence).filter(|rest| rest.starts_with(['\n', '\r'])) else { continue };
        let Some((matter, body)) = rest.split_once(&format!("\n{fence}")) else { continue };
        let title = matter.lines().find_map(|line| {
            let value = line.strip_prefix("title")?.trim_start().strip_prefix([':', '='])?.trim();
            Some(value.trim_matches(['"', '\'']).to_owned()).filter(|title| !title.is_empty())
        });
        return (title, body);
    }
    (None, markdown)
}

#[derive(Default)]
struct Reader {
    outline: Outline,
    title: Option<String>,
    block: String,
    is_code: bool,
    in_heading: bool,
    /// How often each anchor was given.
    anchors: HashMap<String, usize>,
}

impl Reader {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(Tag::Heading { .. }) => {
                self.end_block();
                self.in_heading = true;
            }
            Event::End(TagEnd::Heading(level)) => self.end_heading(level),
            Event::Start(Tag::CodeBlock(_)) => {
                self.end_block();
                self.is_code = true;
            }
            Event::End(TagEnd::CodeBlock) => {
                self.end_block();
                self.is_code = false;
            }
            Event::End(TagEnd::Paragraph | TagEnd::Item | TagEnd::TableRow | TagEnd::TableHead | TagEnd::HtmlBlock)
            | Event::Start(Tag::Paragraph | Tag::Item | Tag::List(_))
            | Event::Rule => self.end_block(),
            Event::Start(Tag::TableCell) if !self.block.is_empty() => self.block.push_str(" | "),
            Event::Text(text) | Event::Code(text) => self.block.push_str(&text),
            Event::SoftBreak | Event::HardBreak => self.block.push(' '),
            _ => {}
        }
    }

    fn end_heading(&mut self, level: HeadingLevel) {
        self.in_heading = false;
        let text = squeeze(&std::mem::take(&mut self.block));
        let slug = slug(&text);
        let seen = self.anchors.entry(slug.clone()).or_default();
        let anchor = if *seen == 0 { slug } else { format!("{slug}-{seen}") };
        *seen += 1;
        let is_title = self.title.is_none() && level == HeadingLevel::H1;
        if is_title {
            self.title = Some(text.clone());
        }
        self.outline.heading(level as u8, text, Some(anchor), is_title);
    }

    fn end_block(&mut self) {
        if self.in_heading {
            return;
        }
        let block = std::mem::take(&mut self.block);
        self.outline.block(if self.is_code { block.trim_end().to_owned() } else { squeeze(&block) });
    }
}

/// GitHub's rule: lower case, spaces to hyphens, everything else that is no letter, digit, hyphen or underscore left out.
fn slug(heading: &str) -> String {
    let kept = heading.chars().filter_map(|c| match c {
        ' ' => Some('-'),
        '-' | '_' => Some(c),
        _ if c.is_alphanumeric() => Some(c),
        _ => None,
    });
    kept.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_cut_at_its_headings() {
        let document = parse(
            "---\ntitle: \"The guide\"\nweight: 3\n---\nIntro with a [link](x.md) and `code`.\n\n# Guide\n\nFirst\nline.\n\n\
             ## Set-up & use\n\n- one\n- two\n\n```sh\nmake\n  test\n```\n\n## Set-up & use\n\n<!-- hidden -->\n\n| a | b |\n|---|---|\n| 1 | 2 |\n",
        );
        assert_eq!(document.title, "The guide");
        let read: Vec<_> = document
            .sections
            .iter()
            .map(|s| (s.headings.join("/"), s.anchor.as_deref().unwrap_or("-"), s.blocks.join("¶")))
            .collect();
        let expect = |headings: &str, anchor, blocks: &str| (headings.to_owned(), anchor, blocks.to_owned());
        assert_eq!(
            read,
            [
                expect("", "-", "Intro with a link and code."),
                expect("", "guide", "First line."),
                expect("Set-up & use", "set-up--use", "one¶two¶make\n  test"),
                expect("Set-up & use", "set-up--use-1", "a | b¶1 | 2"),
            ]
        );
    }
}

//! HTML, as documentation generators write it: DocBook, Sphinx, Docusaurus, rustdoc, javadoc …

use std::sync::LazyLock;

use ego_tree::iter::Edge;
use regex::Regex;
use scraper::node::Element;
use scraper::{ElementRef, Html, Node, Selector};

use super::{Document, Outline, squeeze};

/// What is not part of the text.
const SKIPPED: &[&str] = &[
    "nav", "script", "style", "noscript", "template", "footer", "head", "svg", "button", "form", "iframe", "select",
    "object",
];
/// Classes of navigation, tables of contents and the signs beside headings.
const SKIPPED_CLASSES: &[&str] =
    &["navheader", "navfooter", "toc", "headerlink", "sidebar", "sphinxsidebar", "breadcrumbs", "related", "hash-link"];
/// What ends a paragraph.
const BLOCKS: &[&str] = &[
    "p",
    "div",
    "li",
    "dt",
    "dd",
    "pre",
    "table",
    "tr",
    "blockquote",
    "ul",
    "ol",
    "dl",
    "section",
    "article",
    "aside",
    "figure",
    "figcaption",
    "caption",
    "details",
    "summary",
    "hr",
    "main",
    "body",
    "header",
    "address",
];

#[expect(clippy::expect_used, reason = "constants that the tests use")]
static MAIN: LazyLock<Selector> =
    LazyLock::new(|| Selector::parse("main, article, [role=main], div.body").expect("a selector"));
#[expect(clippy::expect_used, reason = "constants that the tests use")]
static TITLE: LazyLock<Selector> = LazyLock::new(|| Selector::parse("title").expect("a selector"));
/// Numbers that DocBook writes before titles: `Chapter 3. `, `13.2.1. `, `F.5. `.
#[expect(clippy::expect_used, reason = "constants that the tests use")]
static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?:(?:Chapter|Appendix|Part)\s+[0-9A-Z]+\.\s+|(?:[A-Z]\.)?\d+(?:\.\d+)*\.\s+|[A-Z](?:\.\d+)+\.\s+)")
        .expect("an expression")
});

pub(super) fn parse(html: &str) -> Document {
    let html = Html::parse_document(html);
    let title = html.select(&TITLE).next().map(|title| title.text().collect::<String>());
    let root = html.select(&MAIN).next().unwrap_or_else(|| html.root_element());
    let mut reader = Reader::default();
    for edge in root.traverse() {
        match edge {
            Edge::Open(node) => match node.value() {
                Node::Element(element) => reader.open(element),
                Node::Text(text) => reader.text(text),
                _ => {}
            },
            Edge::Close(node) => {
                if let Some(element) = ElementRef::wrap(node) {
                    reader.close(element.value());
                }
            }
        }
    }
    reader.term = 0;
    reader.end_block();
    let title = title.map(|title| heading_text(&title)).filter(|title| !title.is_empty());
    Document { title: title.or(reader.title).unwrap_or_default(), sections: reader.outline.sections }
}

fn heading_text(text: &str) -> String {
    let text = squeeze(text);
    let text = NUMBER.replace(&text, "");
    text.trim_end_matches(['¶', '#', ' ']).to_owned()
}

#[derive(Default)]
struct Reader {
    outline: Outline,
    title: Option<String>,
    block: String,
    /// Open elements whose content is left out.
    skipped: usize,
    /// Open `pre` elements.
    verbatim: usize,
    /// The text of a heading that is open, and the anchor in it.
    heading: Option<(String, Option<String>)>,
    /// Ids of the open elements that may be sections: taken by the first heading in them.
    sections: Vec<Option<String>>,
    /// Id of an empty `<a>` that stood just before.
    anchor: Option<String>,
    /// The block is a term, and its description comes next.
    after_term: bool,
    /// Length of the block when it consisted of a term alone, in bytes: such a block goes on.
    term: usize,
}

impl Reader {
    fn open(&mut self, element: &Element) {
        if self.skipped > 0 || is_skipped(element) {
            self.skipped += 1;
            return;
        }
        let name = element.name();
        let id = element.id().or_else(|| element.attr("name").filter(|_| name == "a")).map(str::to_owned);
        if heading_level(name).is_some() {
            self.end_block();
            self.heading = Some((String::new(), id.or_else(|| self.anchor.take())));
            return;
        }
        match name {
            "a" => match &mut self.heading {
                Some((_, anchor)) => *anchor = anchor.take().or(id),
                None => self.anchor = id.or_else(|| self.anchor.take()),
            },
            "br" => self.text(if self.verbatim > 0 { "\n" } else { " " }),
            "td" | "th" if !self.block.trim().is_empty() => self.block.push_str(" | "),
            "div" | "section" | "article" | "main" => {
                self.end_block();
                self.sections.push(id);
            }
            "pre" => {
                self.end_block();
                self.verbatim += 1;
            }
            _ if BLOCKS.contains(&name) => self.end_block(),
            _ => {}
        }
    }

    fn close(&mut self, element: &Element) {
        if self.skipped > 0 {
            self.skipped -= 1;
            return;
        }
        let name = element.name();
        if let Some(level) = heading_level(name) {
            if let Some((text, anchor)) = self.heading.take() {
                self.begin_section(level, &text, anchor);
            }
            return;
        }
        match name {
            "div" | "section" | "article" | "main" => {
                self.end_block();
                self.sections.pop();
            }
            "pre" => {
                self.end_block();
                self.verbatim = self.verbatim.saturating_sub(1);
            }
            "dt" if !self.block.trim().is_empty() => self.after_term = true,
            _ if BLOCKS.contains(&name) => self.end_block(),
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if self.skipped > 0 {
            return;
        }
        if let Some((heading, _)) = &mut self.heading {
            heading.push_str(text);
            return;
        }
        if self.verbatim == 0 && text.trim().is_empty() {
            if !self.block.is_empty() && !self.block.ends_with(char::is_whitespace) {
                self.block.push(' ');
            }
            return;
        }
        self.anchor = None;
        self.block.push_str(text);
    }

    fn begin_section(&mut self, level: u8, text: &str, anchor: Option<String>) {
        let text = heading_text(text);
        let enclosing = self.sections.iter_mut().rev().find_map(Option::take);
        let is_title = self.title.is_none();
        if is_title {
            self.title = Some(text.clone());
        }
        self.outline.heading(level, text, anchor.or(enclosing), is_title);
    }

    fn end_block(&mut self) {
        if std::mem::take(&mut self.after_term) && !self.block.trim().is_empty() {
            // The description goes on where its term stands.
            let term = squeeze(&self.block);
            self.block = format!("{term}: ");
            self.term = self.block.len();
            return;
        }
        if self.term > 0 && self.block.trim_end().len() < self.term {
            return;
        }
        self.term = 0;
        let block = std::mem::take(&mut self.block);
        let block = if self.verbatim > 0 { block.trim_matches('\n').trim_end().to_owned() } else { squeeze(&block) };
        self.outline.block(block);
    }
}

fn heading_level(name: &str) -> Option<u8> {
    match name.as_bytes() {
        [b'h', level @ b'1'..=b'6'] => Some(level - b'0'),
        _ => None,
    }
}

fn is_skipped(element: &Element) -> bool {
    SKIPPED.contains(&element.name())
        || element.attr("role") == Some("navigation")
        || element.attr("hidden").is_some()
        || element.classes().any(|class| SKIPPED_CLASSES.contains(&class))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::Section;

    fn section(headings: &[&str], anchor: Option<&str>, blocks: &[&str]) -> Section {
        let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        Section { headings: owned(headings), anchor: anchor.map(str::to_owned), blocks: owned(blocks) }
    }

    fn sections(html: &str) -> Vec<Section> {
        parse(html).sections.into_iter().filter(|section| !section.blocks.is_empty()).collect()
    }

    #[test]
    fn docbook_is_read_with_its_anchors_and_without_its_numbers() {
        let html = r#"<html><head><title>13.2. Transaction&nbsp;Isolation</title></head><body>
            <div class="navheader"><a href="x">Prev</a></div>
            <div class="sect1" id="TRANSACTION-ISO"><div class="titlepage"><div><div>
              <h2 class="title" style="clear: both">13.2.&nbsp;Transaction Isolation</h2></div></div></div>
              <div class="toc"><dl><dt>13.2.1. Read Committed</dt></dl></div>
              <p>The SQL standard
                 defines <em>four</em> levels.</p>
              <div class="sect2" id="XACT-READ-COMMITTED"><div class="titlepage"><h3 class="title">13.2.1. Read Committed Isolation Level</h3></div>
                <p>It is the default.</p><pre class="programlisting">BEGIN;
  SELECT 1;
</pre></div>
              <div class="variablelist"><dl><dt><span>shared_buffers</span></dt><dd><p>Sets the memory.</p><p>More.</p></dd></dl></div>
            </div><div class="navfooter">Next</div></body></html>"#;
        assert_eq!(parse(html).title, "Transaction Isolation");
        assert_eq!(
            sections(html),
            [
                section(&[], Some("TRANSACTION-ISO"), &["The SQL standard defines four levels."]),
                section(
                    &["Read Committed Isolation Level"],
                    Some("XACT-READ-COMMITTED"),
                    &["It is the default.", "BEGIN;\n  SELECT 1;", "shared_buffers: Sets the memory.", "More."]
                ),
            ]
        );
    }

    #[test]
    fn sphinx_and_plain_pages_are_read() {
        let html = r##"<title>asyncio &#8212; docs</title><div class="sphinxsidebar">menu</div>
            <div class="body" role="main"><section id="asyncio"><h1>asyncio<a class="headerlink" href="#asyncio">¶</a></h1><p>Is a library.</p>
            <section id="tasks"><h2>Tasks<a class="headerlink" href="#tasks">¶</a></h2><ul><li><p>One</p></li><li>Two</li></ul>
            <table><tr><th>Name</th><th>Use</th></tr><tr><td>a</td><td>b</td></tr></table></section></section></div><footer>©</footer>"##;
        assert_eq!(
            sections(html),
            [
                section(&[], Some("asyncio"), &["Is a library."]),
                section(&["Tasks"], Some("tasks"), &["One", "Two", "Name | Use", "a | b"]),
            ]
        );
        let old =
            "<h1>Top</h1><a name=x></a><h2>Part</h2>text<script>no()</script><h3 id=y>Deep</h3><p>more<h2>Next</h2>end";
        assert_eq!(parse(old).title, "Top");
        assert_eq!(
            sections(old),
            [
                section(&["Part"], Some("x"), &["text"]),
                section(&["Part", "Deep"], Some("y"), &["more"]),
                section(&["Next"], None, &["end"]),
            ]
        );
    }

    #[test]
    fn a_tower_of_elements_falls_on_nobody() {
        let html = format!("{}text{}", "<div>".repeat(10_000), "</div>".repeat(10_000));
        assert_eq!(sections(&html), [section(&[], None, &["text"])]);
    }
}

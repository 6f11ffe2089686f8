//! Plain text: paragraphs between empty lines, headings where a line is underlined.

use super::{Document, Outline, squeeze};

pub(super) fn parse(text: &str) -> Document {
    let lines: Vec<&str> = text.lines().collect();
    let mut outline = Outline::default();
    let mut title = None;
    let mut underlines: Vec<char> = Vec::new();
    let mut block: Vec<&str> = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at];
        if let Some(mark) = lines.get(at + 1).and_then(|next| underline(line, next)) {
            end(&mut outline, &mut block);
            // Levels by the order in which their marks appear, as in reStructuredText.
            let level = underlines.iter().position(|&other| other == mark).unwrap_or_else(|| {
                underlines.push(mark);
                underlines.len() - 1
            });
            let heading = squeeze(line);
            let is_title = title.is_none();
            title.get_or_insert_with(|| heading.clone());
            outline.heading(level as u8, heading, None, is_title);
            at += 2;
            continue;
        }
        if line.trim().is_empty() {
            end(&mut outline, &mut block);
        } else if mark_of(line).is_none() {
            block.push(line);
        }
        at += 1;
    }
    end(&mut outline, &mut block);
    Document { title: title.unwrap_or_default(), sections: outline.sections }
}

/// Lines that are indented keep their breaks: they are code or tables.
fn end(outline: &mut Outline, block: &mut Vec<&str>) {
    let is_indented = block.iter().all(|line| line.starts_with([' ', '\t']));
    let text = if is_indented { block.join("\n").trim_end().to_owned() } else { squeeze(&block.join(" ")) };
    block.clear();
    outline.block(text);
}

/// The character that a line consists of, if it is a ruler.
fn mark_of(line: &str) -> Option<char> {
    let line = line.trim_end();
    let mark = line.chars().next().filter(|c| "=-~^*#+\"".contains(*c))?;
    (line.len() >= 3 && line.chars().all(|c| c == mark)).then_some(mark)
}

fn underline(line: &str, next: &str) -> Option<char> {
    let mark = mark_of(next)?;
    let (length, ruler) = (line.trim_end().chars().count(), next.trim_end().chars().count());
    let is_heading = !line.trim().is_empty() && mark_of(line).is_none() && !line.starts_with([' ', '\t']);
    (is_heading && ruler.abs_diff(length) <= 3).then_some(mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn underlined_lines_are_headings() {
        let document = parse("Title\n=====\n\nOne\ntwo.\n\nPart\n----\n    code\n      more\n\nOther\n-----\nend\n");
        assert_eq!(document.title, "Title");
        let read: Vec<_> = document.sections.iter().map(|s| (s.headings.join("/"), s.blocks.join("¶"))).collect();
        let expect = |headings: &str, blocks: &str| (headings.to_owned(), blocks.to_owned());
        assert_eq!(read, [expect("", "One two."), expect("Part", "    code\n      more"), expect("Other", "end")]);
    }
}

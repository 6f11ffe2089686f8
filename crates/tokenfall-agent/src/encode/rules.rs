//! How much of an event is written.

use crate::limits::{CAUSES, HEADERS, KEYWORD_CHARS, LABELS, LINKS};
use crate::settings::Settings;

/// How much of an event is written, from all of it down to what certainly fits into a line. Each step also leaves out what
/// those before it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Size {
    Whole,
    /// Stack traces end early.
    FewFrames,
    /// Without attributes of prompts, answers and statements.
    NoContent,
    /// Without `context.custom`.
    NoCustom,
    /// Without bodies of requests.
    NoBody,
    /// Identity, times and the first of everything else, every text as short as a keyword. At most 40 texts of 1024
    /// characters with at most 6 bytes each.
    Least,
}

impl Size {
    /// Largest first.
    pub(super) const ALL: [Self; 6] =
        [Self::Whole, Self::FewFrames, Self::NoContent, Self::NoCustom, Self::NoBody, Self::Least];

    /// What it leaves out, for people.
    pub(super) fn left_out(self) -> Option<&'static str> {
        match self {
            Self::Whole => None,
            Self::FewFrames => Some("stack trace"),
            Self::NoContent => Some("stack trace, content"),
            Self::NoCustom => Some("stack trace, content, custom"),
            Self::NoBody => Some("stack trace, content, custom, body"),
            Self::Least => Some("all but the essential"),
        }
    }
}

/// Settings and size.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules<'a> {
    pub(super) settings: &'a Settings,
    pub(super) size: Size,
}

impl Rules<'_> {
    /// Most characters of statements, bodies and messages.
    pub(super) fn long_chars(self) -> usize {
        let max = self.settings.long_field_max_length;
        if self.size < Size::Least { max } else { max.min(KEYWORD_CHARS) }
    }

    /// Most frames of a stack trace.
    pub(super) fn n_frames(self) -> usize {
        let max = self.settings.stack_trace_limit;
        match self.size {
            Size::Whole => max,
            Size::FewFrames | Size::NoContent | Size::NoCustom | Size::NoBody => max.min(10),
            Size::Least => 0,
        }
    }

    /// Most labels and attributes together.
    pub(super) fn n_labels(self) -> usize {
        self.unless_least(LABELS, 4)
    }

    /// Most headers of a request or an answer.
    pub(super) fn n_headers(self) -> usize {
        if self.settings.capture_headers { self.unless_least(HEADERS, 0) } else { 0 }
    }

    /// Most causes of an error.
    pub(super) fn n_causes(self) -> usize {
        self.unless_least(CAUSES, 2)
    }

    /// Most groups of dropped spans.
    pub(super) fn n_dropped_groups(self) -> usize {
        self.unless_least(usize::MAX, 4)
    }

    /// Are attributes of prompts, answers and statements written?
    pub(super) fn has_content(self) -> bool {
        self.size < Size::NoContent
    }

    /// Is `context.custom` written?
    pub(super) fn has_custom(self) -> bool {
        self.size < Size::NoCustom
    }

    /// Are bodies written that the settings allow?
    pub(super) fn has_body(self) -> bool {
        self.size < Size::NoBody
    }

    /// Most links.
    pub(super) fn n_links(self) -> usize {
        self.unless_least(LINKS, 16)
    }

    /// Most elements of an attribute that is a list.
    pub(super) fn n_texts(self) -> usize {
        self.unless_least(usize::MAX, 1)
    }

    fn unless_least(self, otherwise: usize, least: usize) -> usize {
        if self.size < Size::Least { otherwise } else { least }
    }
}

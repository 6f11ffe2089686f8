//! What the duration of the entry consists of: each instant belongs to the item that was being waited for.
//!
//! The algorithm is that of Kibana's critical path: from the end of an item back to its start, always into the child that
//! ended last before the instant reached; what no child covers is the item's own. A child that ends after that instant is not
//! waited for. Here the segments tile the entry without gaps: one shorter than [`GAP_US`] between a child's end and the
//! instant reached belongs to the child.

use std::cmp::Reverse;

use tokenfall_api::traces::CriticalPathSegment;

use super::tree::{Node, Tree};

/// Gaps up to this long are what instrumentation costs, not the item's own time.
const GAP_US: i128 = 1_000;

/// An item whose time is being divided, from its start up to the instant reached so far.
struct Frame {
    item: usize,
    start: i128,
    reached: i128,
    /// Children by end, last first.
    children: Vec<usize>,
    next: usize,
}

/// The segments by time.
pub(super) fn of(nodes: &[Node<'_>], tree: &Tree<'_>, trace_start_us: i64) -> Vec<CriticalPathSegment> {
    let Some(entry) = tree.entry else { return Vec::new() };
    let start_of = |i: usize| i128::from(tree.starts[i]);
    let end_of = |i: usize| start_of(i) + i128::from(nodes[i].duration_us);
    let frame = |item: usize, start: i128, reached: i128| {
        let mut children = tree.children[item].clone();
        children.sort_by_key(|c| Reverse((end_of(*c), start_of(*c))));
        Frame { item, start, reached, children, next: 0 }
    };
    let mut backwards = Backwards { trace_start: i128::from(trace_start_us), tree, segments: Vec::new() };
    let mut stack = vec![frame(entry, start_of(entry), end_of(entry))];
    while let Some(top) = stack.last_mut() {
        let Some(&child) = top.children.get(top.next) else {
            backwards.push(top.item, top.start, top.reached);
            stack.pop();
            continue;
        };
        top.next += 1;
        let (start, end) = (start_of(child).max(top.start), end_of(child));
        if start >= top.reached || end <= top.start || end > top.reached {
            continue;
        }
        let until = if top.reached - end > GAP_US { end } else { top.reached };
        backwards.push(top.item, until, top.reached);
        top.reached = start;
        stack.push(frame(child, start, until));
    }
    backwards.segments.reverse();
    backwards.segments
}

/// Segments from the last to the first.
struct Backwards<'a> {
    trace_start: i128,
    tree: &'a Tree<'a>,
    segments: Vec<CriticalPathSegment>,
}

impl Backwards<'_> {
    fn push(&mut self, item: usize, from: i128, to: i128) {
        if to <= from {
            return;
        }
        let clamp = |us: i128| i64::try_from(us - self.trace_start).unwrap_or(i64::MAX);
        let (item, from_us, to_us) = (self.tree.rows[item] as i32, clamp(from), clamp(to));
        match self.segments.last_mut() {
            Some(later) if later.item == item && later.from_us == to_us => later.from_us = from_us,
            _ => self.segments.push(CriticalPathSegment { item, from_us, to_us }),
        }
    }
}

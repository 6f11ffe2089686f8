//! Parents, order and clocks of the items of a trace.

use std::cmp::Reverse;
use std::collections::HashMap;

use tokenfall_model::{Document, EventKind};

use super::{duration_us, id_of};

/// What the shape of a trace depends on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node<'a> {
    pub(super) id: &'a str,
    pub(super) name: &'a str,
    pub(super) service: &'a str,
    pub(super) is_transaction: bool,
    /// Id of the parent as sent.
    pub(super) parent_id: Option<&'a str>,
    /// Ids of the spans that this one adopts.
    pub(super) adopted: &'a [tokenfall_model::SpanId],
    /// Begin on the clock of its machine.
    pub(super) start_us: i64,
    pub(super) duration_us: u64,
}

impl<'a> Node<'a> {
    pub(super) fn of(document: &'a Document) -> Self {
        let is_transaction = document.kind() == EventKind::Transaction;
        let name = if is_transaction {
            document.transaction.as_ref().and_then(|t| t.name.as_deref())
        } else {
            document.span.as_ref().and_then(|s| s.name.as_deref())
        };
        Self {
            id: id_of(document).unwrap_or_default(),
            name: name.unwrap_or_default(),
            service: document.service.name.as_str(),
            is_transaction,
            parent_id: document.parent.as_ref().map(|p| p.id.as_str()).filter(|id| !id.is_empty()),
            adopted: document.child.as_ref().map_or(&[], |c| &c.id),
            start_us: document.time().as_micros(),
            duration_us: duration_us(document),
        }
    }
}

/// The shape of a trace, by the index of the nodes. Every node is in it exactly once.
#[derive(Debug)]
pub(super) struct Tree<'a> {
    /// First node with an id.
    pub(super) by_id: HashMap<&'a str, usize>,
    pub(super) parents: Vec<Option<usize>>,
    /// Children by start on the common clock.
    pub(super) children: Vec<Vec<usize>>,
    /// Nodes that name a parent that is not there.
    pub(super) is_orphan: Vec<bool>,
    /// Added to the clock of each node.
    pub(super) skews: Vec<i64>,
    /// Begin on the common clock.
    pub(super) starts: Vec<i64>,
    /// Nodes in display order.
    pub(super) order: Vec<usize>,
    /// Position of each node in the order.
    pub(super) rows: Vec<usize>,
    /// Nodes in each subtree.
    pub(super) subtrees: Vec<u32>,
    /// The root whose duration is explained.
    pub(super) entry: Option<usize>,
}

impl<'a> Tree<'a> {
    /// Makes a tree of nodes that are sorted by start.
    pub(super) fn of(nodes: &[Node<'a>]) -> Self {
        let mut by_id = HashMap::with_capacity(nodes.len());
        for (i, node) in nodes.iter().enumerate() {
            by_id.entry(node.id).or_insert(i);
        }
        let (mut parents, mut is_orphan) = link(nodes, &by_id);
        cut_cycles(&mut parents, &mut is_orphan);
        let entry = adopt_orphans(nodes, &mut parents, &is_orphan);
        let mut tree = Self {
            by_id,
            children: children_of(&parents),
            parents,
            is_orphan,
            skews: vec![0; nodes.len()],
            starts: nodes.iter().map(|n| n.start_us).collect(),
            order: Vec::with_capacity(nodes.len()),
            rows: vec![0; nodes.len()],
            subtrees: vec![1; nodes.len()],
            entry,
        };
        tree.set_clocks_and_order(nodes);
        tree
    }

    /// Walks from the roots down. The clock of a parent is known before those of its children, which are then put in order.
    fn set_clocks_and_order(&mut self, nodes: &[Node<'_>]) {
        let mut roots: Vec<usize> = (0..nodes.len()).filter(|i| self.parents[*i].is_none()).collect();
        // The entry first, then by time.
        roots.sort_by_key(|i| (Some(*i) != self.entry, nodes[*i].start_us, *i));
        let mut stack: Vec<usize> = roots.into_iter().rev().collect();
        while let Some(i) = stack.pop() {
            self.rows[i] = self.order.len();
            self.order.push(i);
            let mut children = std::mem::take(&mut self.children[i]);
            for &child in &children {
                self.skews[child] = self.skew_of(&nodes[child], &nodes[i], i);
                self.starts[child] = nodes[child].start_us.saturating_add(self.skews[child]);
            }
            children.sort_by_key(|c| (self.starts[*c], Reverse(nodes[*c].duration_us), *c));
            stack.extend(children.iter().rev());
            self.children[i] = children;
        }
        for &i in self.order.iter().rev() {
            if let Some(parent) = self.parents[i] {
                self.subtrees[parent] += self.subtrees[i];
            }
        }
    }

    /// What must be added to the clock of a child, by Kibana's rule: nothing can begin before its cause, so a transaction of
    /// another service that seems to is put into the middle of its parent. Everything else has its parent's clock.
    fn skew_of(&self, child: &Node<'_>, parent: &Node<'_>, parent_index: usize) -> i64 {
        if !child.is_transaction || child.service == parent.service {
            return self.skews[parent_index];
        }
        let parent_start = self.starts[parent_index];
        if child.start_us >= parent_start {
            return 0;
        }
        let slack = parent.duration_us.saturating_sub(child.duration_us) / 2;
        parent_start.saturating_sub(child.start_us).saturating_add(i64::try_from(slack).unwrap_or(i64::MAX))
    }
}

/// Parent of each node as the documents say; `child.id` of an adopting span wins over the child's `parent.id`.
fn link(nodes: &[Node<'_>], by_id: &HashMap<&str, usize>) -> (Vec<Option<usize>>, Vec<bool>) {
    let parent = |i: usize| nodes[i].parent_id.and_then(|id| by_id.get(id).copied()).filter(|p| *p != i);
    let mut parents: Vec<Option<usize>> = (0..nodes.len()).map(parent).collect();
    for (i, node) in nodes.iter().enumerate() {
        for id in node.adopted {
            if let Some(&child) = by_id.get(id.as_str())
                && child != i
            {
                parents[child] = Some(i);
            }
        }
    }
    let is_orphan = (0..nodes.len()).map(|i| parents[i].is_none() && nodes[i].parent_id.is_some()).collect();
    (parents, is_orphan)
}

/// Makes the first node of each cycle an orphan.
fn cut_cycles(parents: &mut [Option<usize>], is_orphan: &mut [bool]) {
    // Round in which a node was reached; 0 is not yet.
    let mut rounds = vec![0_usize; parents.len()];
    for start in 0..parents.len() {
        let round = start + 1;
        let mut at = Some(start);
        while let Some(i) = at.filter(|i| rounds[*i] == 0) {
            rounds[i] = round;
            at = parents[i];
        }
        let Some(meeting) = at.filter(|i| rounds[*i] == round) else { continue };
        // The climb came back to where it had been in this round. Nodes are sorted by start: the smallest index is first.
        let mut first = meeting;
        let mut i = parents[meeting];
        while let Some(node) = i.filter(|node| *node != meeting) {
            first = first.min(node);
            i = parents[node];
        }
        parents[first] = None;
        is_orphan[first] = true;
    }
}

/// Hangs orphans under the entry: the first transaction without a parent, else the first orphaned one. Returns the entry, or the first root where
/// the trace has no such transaction.
fn adopt_orphans(nodes: &[Node<'_>], parents: &mut [Option<usize>], is_orphan: &[bool]) -> Option<usize> {
    let first = |wanted: &dyn Fn(usize) -> bool| (0..nodes.len()).find(|i| parents[*i].is_none() && wanted(*i));
    let entry = first(&|i| nodes[i].is_transaction && !is_orphan[i])
        .or_else(|| first(&|i| nodes[i].is_transaction))
        .or_else(|| first(&|i| !is_orphan[i]));
    let Some(entry) = entry else { return first(&|_| true) };
    for i in 0..nodes.len() {
        if is_orphan[i] && i != entry && parents[i].is_none() {
            parents[i] = Some(entry);
        }
    }
    Some(entry)
}

fn children_of(parents: &[Option<usize>]) -> Vec<Vec<usize>> {
    let mut children = vec![Vec::new(); parents.len()];
    for (i, parent) in parents.iter().enumerate() {
        if let Some(parent) = parent {
            children[*parent].push(i);
        }
    }
    children
}

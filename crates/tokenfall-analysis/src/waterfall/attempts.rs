//! Which calls are attempts at the same work.
//!
//! A retry is a sibling with the same name and type that begins after a failed one has ended. Parallel calls of the same name
//! retry independently, so each failed call is joined with the first later begin that no other failure has taken.

use std::collections::HashMap;

use tokenfall_model::{Document, EventKind, Outcome};

use super::duration_us;
use super::tree::Tree;

/// Number of the attempt for each item, from 1; 0 for work that was tried once.
pub(super) fn number(documents: &[&Document], tree: &Tree<'_>, is_generation: &[bool]) -> Vec<u32> {
    let mut attempts = vec![0; documents.len()];
    let mut groups: HashMap<(usize, &str, &str, &str), Vec<usize>> = HashMap::new();
    for (i, document) in documents.iter().enumerate() {
        let (Some(parent), Some(span)) = (tree.parents[i], document.span.as_ref()) else { continue };
        let is_call = is_generation[i]
            || document.tokenfall.as_ref().is_some_and(|t| t.dependency.is_some())
            || span.destination.is_some();
        if document.kind() != EventKind::Span || !is_call || span.composite.is_some() {
            continue;
        }
        let name = span.name.as_deref().unwrap_or_default();
        let kind = span.kind.as_deref().unwrap_or_default();
        let subtype = span.subtype.as_deref().unwrap_or_default();
        groups.entry((parent, name, kind, subtype)).or_default().push(i);
    }
    let end = |i: usize| i128::from(tree.starts[i]) + i128::from(duration_us(documents[i]));
    for siblings in groups.values_mut().filter(|siblings| siblings.len() > 1) {
        siblings.sort_by_key(|i| (tree.starts[*i], *i));
        let mut failed: Vec<usize> =
            siblings.iter().copied().filter(|i| documents[*i].outcome() == Some(Outcome::Failure)).collect();
        failed.sort_by_key(|i| (end(*i), *i));
        // Ends only grow, so begins that were passed over are too early for all later ends too.
        let mut next = 0;
        for failure in failed {
            while siblings.get(next).is_some_and(|i| i128::from(tree.starts[*i]) < end(failure) || *i == failure) {
                next += 1;
            }
            let Some(&retry) = siblings.get(next) else { break };
            next += 1;
            attempts[failure] = attempts[failure].max(1);
            attempts[retry] = attempts[failure] + 1;
        }
    }
    attempts
}

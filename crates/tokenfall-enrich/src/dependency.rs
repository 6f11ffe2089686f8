//! The call that a span stands for when no language model is involved: whom the agent names, weighted.

use tokenfall_model::Document;
use tokenfall_model::document::{Dependency, DependencyRole};

/// What the agent names as the callee, if it names any.
pub(crate) fn agent_resource(document: &Document) -> Option<&str> {
    let service = document.span.as_ref()?.destination.as_ref()?.service.as_ref()?;
    service.resource.as_deref().filter(|resource| !resource.is_empty())
}

/// True if the resource only repeats the span's type and nothing else about the span names a callee.
///
/// Agents must give an exit span some resource and fall back to its type (`leaf` spans of the Python agent, for one). Shown
/// in a table, such a row is a callee that does not exist: `http`.
pub(crate) fn is_echo(document: &Document) -> bool {
    let (Some(span), Some(resource)) = (document.span.as_ref(), agent_resource(document)) else {
        return false;
    };
    let is_absent = |text: &Option<String>| text.as_ref().is_none_or(String::is_empty);
    span.kind.as_deref() == Some(resource)
        && document.service.target.as_ref().is_none_or(|target| {
            is_absent(&target.name) && target.kind.as_deref().is_none_or(|kind| kind == resource || kind.is_empty())
        })
        && is_absent(&span.subtype)
        && span.db.is_none()
        && span.message.is_none()
        && document.destination.as_ref().is_none_or(|d| is_absent(&d.address))
        && document
            .url
            .as_ref()
            .is_none_or(|u| is_absent(&u.original) && is_absent(&u.full) && is_absent(&u.path) && is_absent(&u.domain))
}

/// True if the agent says that the span is a token, and whom it calls it does not say.
pub(crate) fn is_token(document: &Document) -> bool {
    let action = document.span.as_ref().and_then(|span| span.action.as_deref());
    action == Some("token") && agent_resource(document).is_none()
}

/// The call as the agent describes it; `None` if it names no callee.
pub(crate) fn agent_call(document: &Document) -> Option<Dependency> {
    let resource = agent_resource(document).filter(|_| !is_echo(document))?;
    Some(weighted(document, resource, kind_of_callee(document), DependencyRole::Call))
}

/// A call that counts as often as the span stands for: representative count × merged spans.
pub(crate) fn weighted(document: &Document, resource: &str, kind: &str, role: DependencyRole) -> Dependency {
    let rep = document.representative_count();
    let duration = document.duration().map_or(0, |d| d.get());
    let composite = document.span.as_ref().and_then(|s| s.composite.as_ref()).filter(|c| c.count > 0);
    let (count, sum_us) = composite.map_or((1, duration), |c| (c.count, c.sum.us.get()));
    Dependency {
        resource: resource.to_owned(),
        kind: kind.to_owned(),
        role,
        count: rep * count as f64,
        sum_us: rep * sum_us as f64,
        duration_us: sum_us / count,
    }
}

/// Kind of callee for display, from the type of the span.
fn kind_of_callee(document: &Document) -> &'static str {
    match document.span.as_ref().and_then(|s| s.kind.as_deref()) {
        Some("db" | "cache") => "db",
        Some("messaging") => "messaging",
        Some("storage") => "storage",
        _ => "external",
    }
}

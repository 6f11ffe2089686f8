//! Names of machine and instance.

use tokenfall_model::Document;
use tokenfall_model::document::Name;

/// In Kubernetes the node is the machine: its name is the hostname, and without it there is none (the pod's own is made up).
pub(crate) fn names(document: &mut Document) {
    let node = document.kubernetes.as_ref().map(|kubernetes| kubernetes.node.as_ref().map(|node| node.name.clone()));
    match node {
        Some(Some(name)) => document.host.get_or_insert_default().hostname = Some(name),
        Some(None) => {
            if let Some(host) = &mut document.host {
                host.hostname = None;
            }
        }
        None => {}
    }
    if let Some(host) = &mut document.host
        && host.name.is_none()
    {
        host.name.clone_from(&host.hostname);
    }
}

/// An instance without a configured name is known by its container, else by its machine.
pub(crate) fn service_node(document: &mut Document) {
    if document.service.node.is_none() {
        let container = document.container.as_ref().map(|container| &container.id);
        let name = container.or_else(|| document.host.as_ref()?.name.as_ref());
        document.service.node = name.map(|name| Name { name: name.clone() });
    }
}

#[cfg(test)]
mod tests {
    use tokenfall_model::document::{Host, Id, Kubernetes};
    use tokenfall_model::{EventKind, ServiceName, Timestamp};

    use super::*;

    fn check(
        kubernetes: Option<Kubernetes>,
        container: Option<&str>,
        expected: (Option<&str>, Option<&str>, Option<&str>),
    ) {
        let mut document = Document::new(Timestamp::default(), EventKind::Span, ServiceName::new("s"));
        document.host = Some(Box::new(Host { hostname: Some("det".into()), ..Host::default() }));
        document.kubernetes = kubernetes.map(Box::new);
        document.container = container.map(|id| Id { id: id.into() });
        names(&mut document);
        service_node(&mut document);
        let host = document.host.unwrap();
        let node = document.service.node.map(|node| node.name);
        assert_eq!((host.hostname.as_deref(), host.name.as_deref(), node.as_deref()), expected);
    }

    #[test]
    fn names_by_placement() {
        check(None, None, (Some("det"), Some("det"), Some("det")));
        check(None, Some("c1"), (Some("det"), Some("det"), Some("c1")));
        let node = Kubernetes { node: Some(Name { name: "node".into() }), ..Kubernetes::default() };
        check(Some(node), None, (Some("node"), Some("node"), Some("node")));
        check(Some(Kubernetes { namespace: Some("ns".into()), ..Kubernetes::default() }), None, (None, None, None));
    }
}

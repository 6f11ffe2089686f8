//! `service.target` of spans and dropped spans, where an old agent names only the resource.

use tokenfall_model::Document;
use tokenfall_model::document::ServiceTarget;

/// Completes the target of a span from its destination resource.
pub(crate) fn infer(document: &mut Document) {
    let resource = document.span.as_ref().and_then(|s| s.destination.as_ref()).and_then(|d| d.service.as_ref());
    let resource = resource.and_then(|service| service.resource.as_deref());
    let typed = document.service.target.as_ref().is_some_and(|target| target.kind.is_some());
    if !typed && let Some(resource) = resource {
        document.service.target = Some(from_resource(resource));
    } else if let Some(target) = &mut document.service.target {
        target.kind.get_or_insert_default();
    }
    if let Some(transaction) = &mut document.transaction {
        for row in &mut transaction.dropped_spans_stats {
            if row.service_target_type.is_none()
                && let Some(resource) = &row.destination_service_resource
            {
                let target = from_resource(resource);
                row.service_target_type = target.kind;
                row.service_target_name = target.name;
            }
        }
    }
}

/// `type` or `type/name`, as in `postgresql/orders`; anything else is a name without a type.
fn from_resource(resource: &str) -> ServiceTarget {
    let (kind, name) = resource.split_once('/').map_or((resource, None), |(kind, name)| (kind, Some(name)));
    let is_kind = !kind.is_empty() && kind.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let is_name = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if is_kind && name.is_none_or(is_name) {
        ServiceTarget { kind: Some(kind.to_owned()), name: name.map(ToOwned::to_owned) }
    } else {
        ServiceTarget { kind: Some(String::new()), name: Some(resource.to_owned()) }
    }
}

#[cfg(test)]
mod tests {
    use super::from_resource;

    #[test]
    fn splits_resources() {
        for (resource, kind, name) in [
            ("mysql", "mysql", None),
            ("mysql/my_db", "mysql", Some("my_db")),
            ("mysql/my-db", "", Some("mysql/my-db")),
            ("localhost:8080", "", Some("localhost:8080")),
            ("Redis", "", Some("Redis")),
            ("mysql/", "", Some("mysql/")),
        ] {
            let target = from_resource(resource);
            assert_eq!((target.kind.as_deref(), target.name.as_deref()), (Some(kind), name), "{resource}");
        }
    }
}

//! `metadata` → the document that every event of the request starts from.

use std::net::IpAddr;

use tokenfall_model::document::{
    Agent, Cloud, Host, Id, IdName, Kubernetes, MachineType, Name, NameVersion, Network, NetworkConnection, Os,
    ParentProcess, Pod, Process, Service,
};
use tokenfall_model::{Document, EventKind, ServiceName};

use super::{add_labels, context, owned, some, texts};
use crate::stream::StreamOptions;
use crate::wire::MetadataRoot;

/// Makes the base document. Its kind is a placeholder until an event takes it over.
pub(crate) fn metadata(root: MetadataRoot<'_>, options: &StreamOptions) -> Document {
    let from = root.metadata.map(|m| *m).unwrap_or_default();
    let from_service = from.service.unwrap_or_default();
    let name = from_service.name.map(|name| name.0).unwrap_or_default();
    let mut document = Document::new(options.received, EventKind::Span, ServiceName::new(name));
    document.data_stream.namespace.clone_from(&options.namespace);
    document.service = Service {
        version: owned(from_service.version),
        environment: owned(from_service.environment).or_else(|| options.default_environment.clone()),
        node: owned(from_service.node.and_then(|n| n.configured_name)).map(|name| Name { name }),
        language: from_service
            .language
            .and_then(|l| some(NameVersion { name: owned(l.name), version: owned(l.version) })),
        runtime: from_service
            .runtime
            .and_then(|r| some(NameVersion { name: owned(r.name), version: owned(r.version) })),
        framework: from_service
            .framework
            .and_then(|f| some(NameVersion { name: owned(f.name), version: owned(f.version) })),
        ..document.service
    };
    document.agent = from_service.agent.map(|agent| Agent {
        name: owned(agent.name),
        version: owned(agent.version),
        ephemeral_id: owned(agent.ephemeral_id),
        activation_method: owned(agent.activation_method),
    });
    if let Some(process) = from.process {
        document.process = some(Process {
            pid: process.pid.map(|pid| pid.0),
            parent: process.ppid.map(|pid| ParentProcess { pid: pid.0 }),
            title: owned(process.title),
            args: texts(process.argv),
            thread: None,
        })
        .map(Box::new);
    }
    let mut host = Host { ip: options.client_ip.iter().map(IpAddr::to_string).collect(), ..Host::default() };
    if let Some(system) = from.system {
        let deprecated = owned(system.hostname)
            .filter(|_| system.configured_hostname.is_none() && system.detected_hostname.is_none());
        host.name = owned(system.configured_hostname);
        host.hostname = owned(system.detected_hostname).or(deprecated);
        host.architecture = owned(system.architecture);
        host.id = owned(system.host_id);
        host.os = owned(system.platform).map(|platform| Os { platform: Some(platform), kind: None });
        document.container = owned(system.container.and_then(|c| c.id)).map(|id| Id { id });
        document.kubernetes = system.kubernetes.map(|k| {
            let pod = k.pod.map(|p| Pod { name: owned(p.name), uid: owned(p.uid) });
            Box::new(Kubernetes {
                namespace: owned(k.namespace),
                node: owned(k.node.and_then(|n| n.name)).map(|name| Name { name }),
                pod: pod.and_then(some),
            })
        });
    }
    document.host = some(host).map(Box::new);
    document.cloud = from.cloud.map(|cloud| {
        Box::new(Cloud {
            provider: owned(cloud.provider),
            region: owned(cloud.region),
            availability_zone: owned(cloud.availability_zone),
            account: cloud.account.and_then(|a| some(IdName { id: owned(a.id), name: owned(a.name) })),
            instance: cloud.instance.and_then(|i| some(IdName { id: owned(i.id), name: owned(i.name) })),
            project: cloud.project.and_then(|p| some(IdName { id: owned(p.id), name: owned(p.name) })),
            machine: owned(cloud.machine.and_then(|m| m.kind)).map(|kind| MachineType { kind }),
            service: owned(cloud.service.and_then(|s| s.name)).map(|name| Name { name }),
            origin: None,
        })
    });
    document.network = owned(from.network.and_then(|n| n.connection).and_then(|c| c.kind))
        .map(|kind| Network { connection: NetworkConnection { kind } });
    context::user(&mut document, from.user);
    add_labels(&mut document, from.labels);
    document
}

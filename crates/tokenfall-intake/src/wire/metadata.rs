//! `metadata`: the first line of a request.

use super::{Int, Keyword, Labels, List, Text, User, wire};

wire! {
    /// The first line.
    MetadataRoot<'a> {
        "metadata" metadata: Box<Metadata<'a>> [required],
    }
}

wire! {
    /// Where and by whom the following events were recorded.
    Metadata<'a> {
        "labels" labels: Labels<'a>,
        "service" service: Service<'a> [required],
        "cloud" cloud: Cloud<'a>,
        "system" system: System<'a>,
        "user" user: User<'a>,
        "network" network: Network<'a>,
        "process" process: Process<'a>,
    }
}

wire! {
    /// `metadata.service`
    Service<'a> {
        "agent" agent: Agent<'a> [required],
        "environment" environment: Keyword<'a>,
        "framework" framework: Framework<'a>,
        "language" language: Language<'a>,
        "name" name: Keyword<'a> [required, not_empty, alphanumeric],
        "node" node: Node<'a>,
        "runtime" runtime: Runtime<'a>,
        "version" version: Keyword<'a>,
    }
}

wire! {
    /// `metadata.service.agent`
    Agent<'a> {
        "activation_method" activation_method: Keyword<'a>,
        "ephemeral_id" ephemeral_id: Keyword<'a>,
        "name" name: Keyword<'a> [required, not_empty],
        "version" version: Keyword<'a> [required],
    }
}

wire! {
    /// `metadata.service.framework`
    Framework<'a> {
        "name" name: Keyword<'a>,
        "version" version: Keyword<'a>,
    }
}

wire! {
    /// `metadata.service.language`
    Language<'a> {
        "name" name: Keyword<'a> [required],
        "version" version: Keyword<'a>,
    }
}

wire! {
    /// `metadata.service.runtime`
    Runtime<'a> {
        "name" name: Keyword<'a> [required],
        "version" version: Keyword<'a> [required],
    }
}

wire! {
    /// `metadata.service.node`
    Node<'a> {
        "configured_name" configured_name: Keyword<'a>,
    }
}

wire! {
    /// `metadata.cloud`
    Cloud<'a> {
        "account" account: CloudIdName<'a>,
        "availability_zone" availability_zone: Keyword<'a>,
        "instance" instance: CloudIdName<'a>,
        "machine" machine: CloudMachine<'a>,
        "project" project: CloudIdName<'a>,
        "provider" provider: Keyword<'a> [required],
        "region" region: Keyword<'a>,
        "service" service: CloudService<'a>,
    }
}

wire! {
    /// An id with a name.
    CloudIdName<'a> {
        "id" id: Keyword<'a>,
        "name" name: Keyword<'a>,
    }
}

wire! {
    /// `metadata.cloud.machine`
    CloudMachine<'a> {
        "type" kind: Keyword<'a>,
    }
}

wire! {
    /// `metadata.cloud.service`
    CloudService<'a> {
        "name" name: Keyword<'a>,
    }
}

wire! {
    /// `metadata.system`
    System<'a> {
        "architecture" architecture: Keyword<'a>,
        "configured_hostname" configured_hostname: Keyword<'a>,
        "container" container: Container<'a>,
        "detected_hostname" detected_hostname: Keyword<'a>,
        "hostname" hostname: Keyword<'a>,
        "kubernetes" kubernetes: Kubernetes<'a>,
        "platform" platform: Keyword<'a>,
        "host_id" host_id: Keyword<'a>,
    }
}

wire! {
    /// `metadata.system.container`
    Container<'a> {
        "id" id: Keyword<'a>,
    }
}

wire! {
    /// `metadata.system.kubernetes`
    Kubernetes<'a> {
        "namespace" namespace: Keyword<'a>,
        "node" node: KubernetesNode<'a>,
        "pod" pod: KubernetesPod<'a>,
    }
}

wire! {
    /// `metadata.system.kubernetes.node`
    KubernetesNode<'a> {
        "name" name: Keyword<'a>,
    }
}

wire! {
    /// `metadata.system.kubernetes.pod`
    KubernetesPod<'a> {
        "name" name: Keyword<'a>,
        "uid" uid: Keyword<'a>,
    }
}

wire! {
    /// `metadata.process`
    Process<'a> {
        "argv" argv: List<Text<'a>>,
        "title" title: Keyword<'a>,
        "pid" pid: Int [required],
        "ppid" ppid: Int,
    }
}

wire! {
    /// `metadata.network`
    Network<'a> {
        "connection" connection: Connection<'a>,
    }
}

wire! {
    /// `metadata.network.connection`
    Connection<'a> {
        "type" kind: Keyword<'a>,
    }
}

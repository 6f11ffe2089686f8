//! Who reports: service, agent, host, process, container, cloud, function.

use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::Name;
use crate::ids::ServiceName;

/// `service.*`
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Service {
    /// Name.
    pub name: ServiceName,
    /// Version.
    pub version: Option<String>,
    /// Environment.
    pub environment: Option<String>,
    /// Instance.
    pub node: Option<Name>,
    /// Language.
    pub language: Option<NameVersion>,
    /// Runtime.
    pub runtime: Option<NameVersion>,
    /// Framework.
    pub framework: Option<NameVersion>,
    /// Caller.
    pub origin: Option<Box<ServiceOrigin>>,
    /// Callee.
    pub target: Option<ServiceTarget>,
}

impl Default for Service {
    fn default() -> Self {
        Self {
            name: ServiceName::new(""),
            version: None,
            environment: None,
            node: None,
            language: None,
            runtime: None,
            framework: None,
            origin: None,
            target: None,
        }
    }
}

/// A name with a version.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameVersion {
    /// Name.
    pub name: Option<String>,
    /// Version.
    pub version: Option<String>,
}

/// `service.origin.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceOrigin {
    /// Id.
    pub id: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// Version.
    pub version: Option<String>,
}

/// `service.target.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceTarget {
    /// Type, such as `postgresql`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Name, such as the database.
    pub name: Option<String>,
}

/// `agent.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// Name.
    pub name: Option<String>,
    /// Version.
    pub version: Option<String>,
    /// Id of this run of the agent.
    pub ephemeral_id: Option<String>,
    /// How the agent got into the program.
    pub activation_method: Option<String>,
}

/// `host.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// Name that was configured, else the hostname.
    pub name: Option<String>,
    /// Name that the machine gives itself.
    pub hostname: Option<String>,
    /// Processor architecture.
    pub architecture: Option<String>,
    /// Id.
    pub id: Option<String>,
    /// Addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ip: Vec<String>,
    /// Operating system.
    pub os: Option<Os>,
}

/// `host.os.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Os {
    /// Platform.
    pub platform: Option<String>,
    /// Kind.
    #[serde(rename = "type")]
    pub kind: Option<String>,
}

/// `process.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Process id.
    pub pid: Option<i64>,
    /// Parent process.
    pub parent: Option<ParentProcess>,
    /// Title.
    pub title: Option<String>,
    /// Arguments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// Thread.
    pub thread: Option<Name>,
}

/// `process.parent.*`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParentProcess {
    /// Process id.
    pub pid: i64,
}

/// `kubernetes.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kubernetes {
    /// Namespace.
    pub namespace: Option<String>,
    /// Node.
    pub node: Option<Name>,
    /// Pod.
    pub pod: Option<Pod>,
}

/// `kubernetes.pod.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pod {
    /// Name.
    pub name: Option<String>,
    /// Unique id.
    pub uid: Option<String>,
}

/// An id with a name.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdName {
    /// Id.
    pub id: Option<String>,
    /// Name.
    pub name: Option<String>,
}

/// `cloud.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cloud {
    /// Provider.
    pub provider: Option<String>,
    /// Region.
    pub region: Option<String>,
    /// Availability zone.
    pub availability_zone: Option<String>,
    /// Account.
    pub account: Option<IdName>,
    /// Instance.
    pub instance: Option<IdName>,
    /// Project.
    pub project: Option<IdName>,
    /// Machine type.
    pub machine: Option<MachineType>,
    /// Service of the cloud.
    pub service: Option<Name>,
    /// Caller's place.
    pub origin: Option<Box<CloudOrigin>>,
}

/// `cloud.machine.*`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineType {
    /// Type.
    #[serde(rename = "type")]
    pub kind: String,
}

/// `cloud.origin.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloudOrigin {
    /// Account.
    pub account: Option<IdName>,
    /// Provider.
    pub provider: Option<String>,
    /// Region.
    pub region: Option<String>,
    /// Service of the cloud.
    pub service: Option<Name>,
}

/// `faas.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Faas {
    /// Id of the function.
    pub id: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// Version.
    pub version: Option<String>,
    /// Id of the execution.
    pub execution: Option<String>,
    /// True for a cold start.
    pub coldstart: Option<bool>,
    /// Trigger.
    pub trigger: Option<FaasTrigger>,
}

/// `faas.trigger.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaasTrigger {
    /// Type.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Id of the request.
    pub request_id: Option<String>,
}

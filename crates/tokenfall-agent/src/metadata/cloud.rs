//! `cloud`: the virtual machine or the managed service that the program runs on (agent specification, "metadata").
//!
//! Azure App Service and Azure Functions are known from their environment variables. Virtual machines are asked about at the
//! provider's address, which only answers from inside: in vain elsewhere. So `auto` asks nobody but the provider that firmware
//! (`/sys/class/dmi/id`) or environment name.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Host, keyword};
use crate::config::CloudProvider;

/// Longest time for all requests to a provider.
const PATIENCE: Duration = Duration::from_millis(500);
const MAX_ANSWER_BYTES: u64 = 64 << 10;

/// Whom the program runs at, if anybody.
pub(super) fn find(provider: CloudProvider, host: &Host<'_>) -> Option<Value> {
    let provider = if provider == CloudProvider::Auto { detect(host)? } else { provider };
    let found = match provider {
        CloudProvider::Auto | CloudProvider::None => return None,
        CloudProvider::Aws => aws(host),
        CloudProvider::Gcp => gcp(host),
        CloudProvider::Azure => azure_functions(host).or_else(|| azure_app_service(host)).or_else(|| azure(host)),
    };
    found.map(without_empty)
}

/// Who made this machine.
fn detect(host: &Host<'_>) -> Option<CloudProvider> {
    let is_set = |name: &str| host.environment.get(name).is_some();
    if is_set("WEBSITE_OWNER_NAME") || is_set("FUNCTIONS_WORKER_RUNTIME") {
        return Some(CloudProvider::Azure);
    }
    // Cloud Run has no firmware to look at.
    if is_set("K_SERVICE") {
        return Some(CloudProvider::Gcp);
    }
    let firmware = |file: &str| host.read(&format!("sys/class/dmi/id/{file}")).unwrap_or_default();
    let (vendor, tag) = (firmware("sys_vendor"), firmware("chassis_asset_tag"));
    if vendor.starts_with("Amazon") || firmware("bios_vendor").starts_with("Amazon") {
        Some(CloudProvider::Aws)
    } else if vendor.starts_with("Google") {
        Some(CloudProvider::Gcp)
    } else if tag.trim() == "7783-7084-3265-9085-8269-3286-77" {
        // Microsoft makes other virtual machines too; this number is that of Azure's.
        Some(CloudProvider::Azure)
    } else {
        None
    }
}

/// Azure App Service: all four variables, or it is not one.
fn azure_app_service(host: &Host<'_>) -> Option<Value> {
    let variable = |name: &str| host.environment.get(name);
    let owner = variable("WEBSITE_OWNER_NAME")?;
    let (account, region) = (owner.split_once('+')?.0, azure_region(&owner)?);
    Some(json!({
        "provider": "azure",
        "account": { "id": keyword(account) },
        "instance": {
            "id": keyword(&variable("WEBSITE_INSTANCE_ID")?),
            "name": keyword(&variable("WEBSITE_SITE_NAME")?),
        },
        "project": { "name": keyword(&variable("WEBSITE_RESOURCE_GROUP")?) },
        "region": keyword(region),
    }))
}

/// Azure Functions.
fn azure_functions(host: &Host<'_>) -> Option<Value> {
    let variable = |name: &str| host.environment.get(name);
    variable("FUNCTIONS_WORKER_RUNTIME").or_else(|| variable("FUNCTIONS_EXTENSION_VERSION"))?;
    let owner = variable("WEBSITE_OWNER_NAME").unwrap_or_default();
    let account = owner.split_once('+').map(|(account, _)| account);
    let region = variable("REGION_NAME").or_else(|| azure_region(&owner).map(str::to_owned));
    let group = variable("WEBSITE_RESOURCE_GROUP").or_else(|| azure_resource_group(&owner).map(str::to_owned));
    let text = |text: Option<&str>| text.map_or(Value::Null, keyword);
    Some(json!({
        "provider": "azure",
        "service": { "name": "functions" },
        "account": { "id": text(account) },
        "instance": { "name": text(variable("WEBSITE_SITE_NAME").as_deref()) },
        "project": { "name": text(group.as_deref()) },
        "region": text(region.as_deref()),
    }))
}

/// `SUBSCRIPTION+GROUP-REGIONwebspace` with or without `-Linux` → `REGION`
fn azure_region(owner: &str) -> Option<&str> {
    let (_, plan) = owner.split_once('+')?;
    let plan = plan.strip_suffix("-Linux").unwrap_or(plan).strip_suffix("webspace")?;
    plan.rsplit_once('-').map(|(_, region)| region)
}

/// The same → `GROUP`
fn azure_resource_group(owner: &str) -> Option<&str> {
    let (_, plan) = owner.split_once('+')?;
    let plan = plan.strip_suffix("-Linux").unwrap_or(plan).strip_suffix("webspace")?;
    plan.rsplit_once('-').map(|(group, _)| group)
}

/// An Azure virtual machine (instance metadata service).
fn azure(host: &Host<'_>) -> Option<Value> {
    let base = base(host, "AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://169.254.169.254");
    let url = format!("{base}/metadata/instance/compute?api-version=2019-08-15");
    let facts = json_of(client().get(url).header("Metadata", "true"))?;
    facts.get("vmId")?;
    Some(json!({
        "provider": "azure",
        "account": { "id": fact(&facts, "/subscriptionId") },
        "instance": { "id": fact(&facts, "/vmId"), "name": fact(&facts, "/name") },
        "project": { "name": fact(&facts, "/resourceGroupName") },
        "availability_zone": fact(&facts, "/zone"),
        "machine": { "type": fact(&facts, "/vmSize") },
        "region": fact(&facts, "/location"),
    }))
}

/// An EC2 instance (instance metadata service, version 2).
fn aws(host: &Host<'_>) -> Option<Value> {
    let base = base(host, "AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://169.254.169.254");
    let client = client();
    let token = client
        .put(format!("{base}/latest/api/token"))
        .header("X-aws-ec2-metadata-token-ttl-seconds", "300")
        .send_empty()
        .ok()?;
    let token = text_of(token)?;
    let url = format!("{base}/latest/dynamic/instance-identity/document");
    let facts = json_of(client.get(url).header("X-aws-ec2-metadata-token", token.trim()))?;
    facts.get("instanceId")?;
    Some(json!({
        "provider": "aws",
        "account": { "id": fact(&facts, "/accountId") },
        "instance": { "id": fact(&facts, "/instanceId") },
        "availability_zone": fact(&facts, "/availabilityZone"),
        "machine": { "type": fact(&facts, "/instanceType") },
        "region": fact(&facts, "/region"),
        "service": { "name": "ec2" },
    }))
}

/// A Compute Engine instance or a Cloud Run service (metadata server).
fn gcp(host: &Host<'_>) -> Option<Value> {
    let name = host.environment.get("GCE_METADATA_HOST").unwrap_or_else(|| "metadata.google.internal".to_owned());
    let url = format!("http://{name}/computeMetadata/v1/?recursive=true");
    let facts = json_of(client().get(url).header("Metadata-Flavor", "Google"))?;
    facts.get("instance")?;
    // `projects/NUMBER/zones/europe-west1-b`
    let last =
        |pointer: &str| fact(&facts, pointer).as_str().and_then(|path| path.rsplit('/').next()).map(str::to_owned);
    let zone = last("/instance/zone");
    let region = zone.as_deref().and_then(|zone| zone.rsplit_once('-')).map(|(region, _)| region.to_owned());
    Some(json!({
        "provider": "gcp",
        "instance": { "id": fact(&facts, "/instance/id"), "name": fact(&facts, "/instance/name") },
        "project": { "id": fact(&facts, "/project/projectId") },
        "availability_zone": zone,
        "region": region.or_else(|| last("/instance/region")),
        "machine": { "type": last("/instance/machineType") },
    }))
}

/// Address of a provider; the variable is the one that its own programs read.
fn base(host: &Host<'_>, variable: &str, default: &str) -> String {
    host.environment.get(variable).map_or_else(|| default.to_owned(), |url| url.trim_end_matches('/').to_owned())
}

/// No proxy: the addresses only mean something on this machine.
fn client() -> ureq::Agent {
    let client = ureq::Agent::config_builder().proxy(None).max_redirects(0).timeout_global(Some(PATIENCE));
    client.build().new_agent()
}

fn json_of(request: ureq::RequestBuilder<ureq::typestate::WithoutBody>) -> Option<Value> {
    serde_json::from_str(&text_of(request.call().ok()?)?).ok()
}

fn text_of(response: ureq::http::Response<ureq::Body>) -> Option<String> {
    response.into_body().with_config().limit(MAX_ANSWER_BYTES).read_to_string().ok()
}

/// A text or a number as text.
fn fact(facts: &Value, pointer: &str) -> Value {
    match facts.pointer(pointer) {
        Some(Value::String(text)) => keyword(text),
        Some(Value::Number(number)) => number.to_string().into(),
        _ => Value::Null,
    }
}

/// Leaves out what nobody said.
fn without_empty(value: Value) -> Value {
    let Value::Object(fields) = value else { return value };
    let known = fields.into_iter().map(|(key, value)| (key, without_empty(value)));
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    };
    Value::Object(known.filter(|(_, value)| !is_empty(value)).collect())
}

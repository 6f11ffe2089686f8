//! The searchable fields: which there are, how each is indexed, and how to read them from a [`Document`].
//!
//! Wire names stand here and nowhere else. `labels.*`, `numeric_labels.*` and metric samples are open-ended: any name with the
//! prefix [`LABELS`] or [`NUMERIC_LABELS`], and on metricsets any other name, is a field too.

use crate::document::{Document, LabelValue, Sample};

/// How a field is indexed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FieldKind {
    /// Exact text: can be filtered, aggregated and sorted.
    Keyword,
    /// Exact text with many values: can be filtered, not aggregated.
    Id,
    /// Words with positions: can be searched, not aggregated.
    Text,
    /// Integer: can be filtered by range, aggregated and sorted.
    Long,
    /// Floating point: as [`FieldKind::Long`].
    Double,
    /// True or false; aggregated as `true` and `false`.
    Bool,
    /// Instant in microseconds since the epoch; filtered by range, bucketed.
    Date,
}

/// A field of the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    /// Dotted name as in Elastic's documents.
    pub name: &'static str,
    /// How it is indexed.
    pub kind: FieldKind,
}

/// A value of a field, borrowed from its document.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FieldValue<'a> {
    /// Text.
    Str(&'a str),
    /// Integer, or instant in microseconds.
    Long(i64),
    /// Floating point.
    Double(f64),
    /// True or false.
    Bool(bool),
}

/// Prefix of string labels.
pub const LABELS: &str = "labels.";
/// Prefix of numeric labels.
pub const NUMERIC_LABELS: &str = "numeric_labels.";

trait Emit<'a> {
    fn each(self, f: &mut dyn FnMut(FieldValue<'a>));
}

impl<'a> Emit<'a> for Option<&'a String> {
    fn each(self, f: &mut dyn FnMut(FieldValue<'a>)) {
        if let Some(text) = self.filter(|t| !t.is_empty()) {
            f(FieldValue::Str(text));
        }
    }
}

impl<'a> Emit<'a> for Option<&'a str> {
    fn each(self, f: &mut dyn FnMut(FieldValue<'a>)) {
        if let Some(text) = self.filter(|t| !t.is_empty()) {
            f(FieldValue::Str(text));
        }
    }
}

impl<'a> Emit<'a> for Option<i64> {
    fn each(self, f: &mut dyn FnMut(FieldValue<'a>)) {
        if let Some(n) = self {
            f(FieldValue::Long(n));
        }
    }
}

impl<'a> Emit<'a> for Option<u64> {
    fn each(self, f: &mut dyn FnMut(FieldValue<'a>)) {
        if let Some(n) = self {
            f(FieldValue::Long(i64::try_from(n).unwrap_or(i64::MAX)));
        }
    }
}

impl<'a> Emit<'a> for Option<f64> {
    fn each(self, f: &mut dyn FnMut(FieldValue<'a>)) {
        if let Some(n) = self.filter(|n| n.is_finite()) {
            f(FieldValue::Double(n));
        }
    }
}

impl<'a> Emit<'a> for Option<bool> {
    fn each(self, f: &mut dyn FnMut(FieldValue<'a>)) {
        if let Some(b) = self {
            f(FieldValue::Bool(b));
        }
    }
}

/// Several values of one field.
struct Each<I>(I);

impl<'a, I: Iterator<Item = &'a str>> Emit<'a> for Each<I> {
    fn each(self, f: &mut dyn FnMut(FieldValue<'a>)) {
        for text in self.0.filter(|t| !t.is_empty()) {
            f(FieldValue::Str(text));
        }
    }
}

macro_rules! fields {
    ($($(#[$doc:meta])* $konst:ident = $name:literal $kind:ident |$d:ident| $read:expr;)*) => {
        $($(#[$doc])* #[doc = concat!("`", $name, "`")] pub const $konst: Field = Field { name: $name, kind: FieldKind::$kind };)*

        /// Every field of the schema, in the order in which [`Document::visit_fields`] visits them.
        pub const ALL: &[Field] = &[$($konst),*];

        impl Document {
            /// Calls `visit` for each value of each field that the document has, with the field's index in [`ALL`]. Labels and
            /// samples are not visited; read [`Document::visit_labels`] and [`Document::visit_samples`].
            pub fn visit_fields<'a>(&'a self, visit: &mut dyn FnMut(usize, FieldValue<'a>)) {
                let mut index = 0_usize;
                $({
                    let $d = self;
                    Emit::each($read, &mut |value| visit(index, value));
                    index += 1;
                })*
                debug_assert_eq!(index, ALL.len());
            }
        }
    };
}

fields! {
    TIMESTAMP = "@timestamp" Date |d| Some(d.time().as_micros());
    PROCESSOR_EVENT = "processor.event" Keyword |d| Some(d.kind().as_str());
    DATA_STREAM_DATASET = "data_stream.dataset" Keyword |d| Some(&d.data_stream.dataset);
    TRACE_ID = "trace.id" Id |d| d.trace.as_ref().map(|t| t.id.as_str());
    TRANSACTION_ID = "transaction.id" Id |d| d.transaction.as_ref().and_then(|t| t.id.as_ref()).map(|i| i.as_str());
    SPAN_ID = "span.id" Id |d| d.span.as_ref().and_then(|s| s.id.as_ref()).map(|i| i.as_str());
    PARENT_ID = "parent.id" Id |d| d.parent.as_ref().map(|p| p.id.as_str());
    ERROR_ID = "error.id" Id |d| d.error.as_ref().and_then(|e| e.id.as_ref()).map(|i| i.as_str());

    SERVICE_NAME = "service.name" Keyword |d| Some(d.service.name.as_str());
    SERVICE_ENVIRONMENT = "service.environment" Keyword |d| d.service.environment.as_ref();
    SERVICE_VERSION = "service.version" Keyword |d| d.service.version.as_ref();
    SERVICE_NODE_NAME = "service.node.name" Keyword |d| d.service.node.as_ref().map(|n| &n.name);
    SERVICE_LANGUAGE_NAME = "service.language.name" Keyword |d| d.service.language.as_ref().and_then(|n| n.name.as_ref());
    SERVICE_LANGUAGE_VERSION = "service.language.version" Keyword |d| d.service.language.as_ref().and_then(|n| n.version.as_ref());
    SERVICE_RUNTIME_NAME = "service.runtime.name" Keyword |d| d.service.runtime.as_ref().and_then(|n| n.name.as_ref());
    SERVICE_RUNTIME_VERSION = "service.runtime.version" Keyword |d| d.service.runtime.as_ref().and_then(|n| n.version.as_ref());
    SERVICE_FRAMEWORK_NAME = "service.framework.name" Keyword |d| d.service.framework.as_ref().and_then(|n| n.name.as_ref());
    SERVICE_FRAMEWORK_VERSION = "service.framework.version" Keyword |d| d.service.framework.as_ref().and_then(|n| n.version.as_ref());
    SERVICE_TARGET_TYPE = "service.target.type" Keyword |d| d.service.target.as_ref().and_then(|t| t.kind.as_ref());
    SERVICE_TARGET_NAME = "service.target.name" Keyword |d| d.service.target.as_ref().and_then(|t| t.name.as_ref());
    AGENT_NAME = "agent.name" Keyword |d| d.agent.as_ref().and_then(|a| a.name.as_ref());
    AGENT_VERSION = "agent.version" Keyword |d| d.agent.as_ref().and_then(|a| a.version.as_ref());
    HOST_NAME = "host.name" Keyword |d| d.host.as_ref().and_then(|h| h.name.as_ref());
    HOST_HOSTNAME = "host.hostname" Keyword |d| d.host.as_ref().and_then(|h| h.hostname.as_ref());
    HOST_ARCHITECTURE = "host.architecture" Keyword |d| d.host.as_ref().and_then(|h| h.architecture.as_ref());
    HOST_OS_PLATFORM = "host.os.platform" Keyword |d| d.host.as_ref().and_then(|h| h.os.as_ref()).and_then(|o| o.platform.as_ref());
    HOST_IP = "host.ip" Keyword |d| Each(d.host.iter().flat_map(|h| h.ip.iter().map(String::as_str)));
    CONTAINER_ID = "container.id" Keyword |d| d.container.as_ref().map(|c| &c.id);
    KUBERNETES_NAMESPACE = "kubernetes.namespace" Keyword |d| d.kubernetes.as_ref().and_then(|k| k.namespace.as_ref());
    KUBERNETES_NODE_NAME = "kubernetes.node.name" Keyword |d| d.kubernetes.as_ref().and_then(|k| k.node.as_ref()).map(|n| &n.name);
    KUBERNETES_POD_NAME = "kubernetes.pod.name" Keyword |d| d.kubernetes.as_ref().and_then(|k| k.pod.as_ref()).and_then(|p| p.name.as_ref());
    CLOUD_PROVIDER = "cloud.provider" Keyword |d| d.cloud.as_ref().and_then(|c| c.provider.as_ref());
    CLOUD_REGION = "cloud.region" Keyword |d| d.cloud.as_ref().and_then(|c| c.region.as_ref());
    CLOUD_AVAILABILITY_ZONE = "cloud.availability_zone" Keyword |d| d.cloud.as_ref().and_then(|c| c.availability_zone.as_ref());
    CLOUD_ACCOUNT_ID = "cloud.account.id" Keyword |d| d.cloud.as_ref().and_then(|c| c.account.as_ref()).and_then(|a| a.id.as_ref());
    CLOUD_MACHINE_TYPE = "cloud.machine.type" Keyword |d| d.cloud.as_ref().and_then(|c| c.machine.as_ref()).map(|m| &m.kind);
    CLOUD_SERVICE_NAME = "cloud.service.name" Keyword |d| d.cloud.as_ref().and_then(|c| c.service.as_ref()).map(|n| &n.name);
    FAAS_ID = "faas.id" Keyword |d| d.faas.as_ref().and_then(|f| f.id.as_ref());
    FAAS_NAME = "faas.name" Keyword |d| d.faas.as_ref().and_then(|f| f.name.as_ref());
    FAAS_COLDSTART = "faas.coldstart" Bool |d| d.faas.as_ref().and_then(|f| f.coldstart);
    FAAS_TRIGGER_TYPE = "faas.trigger.type" Keyword |d| d.faas.as_ref().and_then(|f| f.trigger.as_ref()).and_then(|t| t.kind.as_ref());

    EVENT_OUTCOME = "event.outcome" Keyword |d| d.outcome().map(|o| o.as_str());
    EVENT_SUCCESS_COUNT = "event.success_count" Double |d| d.event.as_ref().and_then(|e| e.success_count);
    EVENT_DATASET = "event.dataset" Keyword |d| d.event.as_ref().and_then(|e| e.dataset.as_ref());

    TRANSACTION_NAME = "transaction.name" Keyword |d| d.transaction.as_ref().and_then(|t| t.name.as_ref());
    TRANSACTION_TYPE = "transaction.type" Keyword |d| d.transaction.as_ref().and_then(|t| t.kind.as_ref());
    TRANSACTION_RESULT = "transaction.result" Keyword |d| d.transaction.as_ref().and_then(|t| t.result.as_ref());
    TRANSACTION_DURATION_US = "transaction.duration.us" Long |d| d.transaction.as_ref().and_then(|t| t.duration).map(|u| u.us.get());
    TRANSACTION_SAMPLED = "transaction.sampled" Bool |d| d.transaction.as_ref().and_then(|t| t.sampled);
    TRANSACTION_ROOT = "transaction.root" Bool |d| d.transaction.as_ref().and_then(|t| t.root);
    TRANSACTION_REPRESENTATIVE_COUNT = "transaction.representative_count" Double |d| d.transaction.as_ref().and_then(|t| t.representative_count);
    TRANSACTION_SPAN_COUNT_STARTED = "transaction.span_count.started" Long |d| d.transaction.as_ref().and_then(|t| t.span_count).and_then(|c| c.started);
    TRANSACTION_SPAN_COUNT_DROPPED = "transaction.span_count.dropped" Long |d| d.transaction.as_ref().and_then(|t| t.span_count).and_then(|c| c.dropped);

    SPAN_NAME = "span.name" Keyword |d| d.span.as_ref().and_then(|s| s.name.as_ref());
    SPAN_TYPE = "span.type" Keyword |d| d.span.as_ref().and_then(|s| s.kind.as_ref());
    SPAN_SUBTYPE = "span.subtype" Keyword |d| d.span.as_ref().and_then(|s| s.subtype.as_ref());
    SPAN_ACTION = "span.action" Keyword |d| d.span.as_ref().and_then(|s| s.action.as_ref());
    SPAN_DURATION_US = "span.duration.us" Long |d| d.span.as_ref().and_then(|s| s.duration).map(|u| u.us.get());
    SPAN_SYNC = "span.sync" Bool |d| d.span.as_ref().and_then(|s| s.sync);
    SPAN_REPRESENTATIVE_COUNT = "span.representative_count" Double |d| d.span.as_ref().and_then(|s| s.representative_count);
    SPAN_COMPOSITE_COUNT = "span.composite.count" Long |d| d.span.as_ref().and_then(|s| s.composite.as_ref()).map(|c| c.count);
    SPAN_COMPOSITE_SUM_US = "span.composite.sum.us" Long |d| d.span.as_ref().and_then(|s| s.composite.as_ref()).map(|c| c.sum.us.get());
    SPAN_COMPOSITE_STRATEGY = "span.composite.compression_strategy" Keyword |d| d.span.as_ref().and_then(|s| s.composite.as_ref()).and_then(|c| c.compression_strategy.as_ref());
    SPAN_DESTINATION_RESOURCE = "span.destination.service.resource" Keyword |d| d.span.as_ref().and_then(|s| s.destination.as_ref()).and_then(|x| x.service.as_ref()).and_then(|s| s.resource.as_ref());
    SPAN_DB_STATEMENT = "span.db.statement" Text |d| d.span.as_ref().and_then(|s| s.db.as_ref()).and_then(|x| x.statement.as_ref());
    SPAN_SELF_TIME_COUNT = "span.self_time.count" Long |d| d.span.as_ref().and_then(|s| s.self_time).and_then(|t| t.count);
    SPAN_SELF_TIME_SUM_US = "span.self_time.sum.us" Long |d| d.span.as_ref().and_then(|s| s.self_time).and_then(|t| t.sum).map(|u| u.us.get());

    ERROR_GROUPING_KEY = "error.grouping_key" Keyword |d| d.error.as_ref().and_then(|e| e.grouping_key.as_ref());
    ERROR_GROUPING_NAME = "error.grouping_name" Text |d| d.error.as_ref().and_then(|e| e.grouping_name.as_ref());
    ERROR_CULPRIT = "error.culprit" Keyword |d| d.error.as_ref().and_then(|e| e.culprit.as_ref());
    ERROR_EXCEPTION_TYPE = "error.exception.type" Keyword |d| Each(d.error.iter().flat_map(|e| e.exception.iter().filter_map(|x| x.kind.as_deref())));
    ERROR_EXCEPTION_MESSAGE = "error.exception.message" Text |d| Each(d.error.iter().flat_map(|e| e.exception.iter().filter_map(|x| x.message.as_deref())));
    ERROR_EXCEPTION_HANDLED = "error.exception.handled" Bool |d| d.error.as_ref().and_then(|e| e.exception.first()).and_then(|x| x.handled);
    ERROR_LOG_MESSAGE = "error.log.message" Text |d| d.error.as_ref().and_then(|e| e.log.as_ref()).and_then(|l| l.message.as_ref());
    ERROR_LOG_LEVEL = "error.log.level" Keyword |d| d.error.as_ref().and_then(|e| e.log.as_ref()).and_then(|l| l.level.as_ref());
    ERROR_LOG_LOGGER_NAME = "error.log.logger_name" Keyword |d| d.error.as_ref().and_then(|e| e.log.as_ref()).and_then(|l| l.logger_name.as_ref());
    MESSAGE = "message" Text |d| d.message.as_ref();
    LOG_LEVEL = "log.level" Keyword |d| d.log.as_ref().and_then(|l| l.level.as_ref());
    LOG_LOGGER = "log.logger" Keyword |d| d.log.as_ref().and_then(|l| l.logger.as_ref());
    METRICSET_NAME = "metricset.name" Keyword |d| d.metricset.as_ref().map(|m| &m.name);

    HTTP_REQUEST_METHOD = "http.request.method" Keyword |d| d.http.as_ref().and_then(|h| h.request.as_ref()).and_then(|r| r.method.as_ref());
    HTTP_RESPONSE_STATUS_CODE = "http.response.status_code" Long |d| d.http.as_ref().and_then(|h| h.response.as_ref()).and_then(|r| r.status_code);
    URL_DOMAIN = "url.domain" Keyword |d| d.url.as_ref().and_then(|u| u.domain.as_ref());
    URL_PATH = "url.path" Keyword |d| d.url.as_ref().and_then(|u| u.path.as_ref());
    CLIENT_IP = "client.ip" Keyword |d| d.client.as_ref().and_then(|c| c.ip.as_ref());
    USER_AGENT_ORIGINAL = "user_agent.original" Keyword |d| d.user_agent.as_ref().map(|u| &u.original);
    USER_ID = "user.id" Keyword |d| d.user.as_ref().and_then(|u| u.id.as_ref());
    USER_NAME = "user.name" Keyword |d| d.user.as_ref().and_then(|u| u.name.as_ref());
    USER_EMAIL = "user.email" Keyword |d| d.user.as_ref().and_then(|u| u.email.as_ref());
    SESSION_ID = "session.id" Keyword |d| d.session.as_ref().and_then(|s| s.id.as_ref());
    DESTINATION_ADDRESS = "destination.address" Keyword |d| d.destination.as_ref().and_then(|x| x.address.as_ref());
    TRANSACTION_MESSAGE_QUEUE_NAME = "transaction.message.queue.name" Keyword |d| d.transaction.as_ref().and_then(|t| t.message.as_ref()).and_then(|m| m.queue.as_ref()).map(|q| &q.name);

    GEN_AI_PROVIDER_NAME = "gen_ai.provider.name" Keyword |d| d.gen_ai.as_ref().and_then(|g| g.provider.as_ref()).map(|n| &n.name);
    GEN_AI_OPERATION_NAME = "gen_ai.operation.name" Keyword |d| d.gen_ai.as_ref().and_then(|g| g.operation.as_ref()).map(|n| &n.name);
    GEN_AI_REQUEST_MODEL = "gen_ai.request.model" Keyword |d| d.gen_ai.as_ref().and_then(|g| g.request.as_ref()).and_then(|r| r.model.as_ref());
    GEN_AI_RESPONSE_MODEL = "gen_ai.response.model" Keyword |d| d.gen_ai.as_ref().and_then(|g| g.response.as_ref()).and_then(|r| r.model.as_ref());
    GEN_AI_REQUEST_STREAM = "gen_ai.request.stream" Bool |d| d.gen_ai.as_ref().and_then(|g| g.request.as_ref()).and_then(|r| r.stream);
    GEN_AI_RESPONSE_ID = "gen_ai.response.id" Id |d| d.gen_ai.as_ref().and_then(|g| g.response.as_ref()).and_then(|r| r.id.as_ref());
    GEN_AI_RESPONSE_FINISH_REASONS = "gen_ai.response.finish_reasons" Keyword |d| Each(d.gen_ai.iter().flat_map(|g| g.response.iter().flat_map(|r| r.finish_reasons.iter().map(String::as_str))));
    GEN_AI_USAGE_INPUT_TOKENS = "gen_ai.usage.input_tokens" Long |d| d.gen_ai.as_ref().and_then(|g| g.usage).and_then(|u| u.input_tokens);
    GEN_AI_USAGE_OUTPUT_TOKENS = "gen_ai.usage.output_tokens" Long |d| d.gen_ai.as_ref().and_then(|g| g.usage).and_then(|u| u.output_tokens);
    GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS = "gen_ai.usage.cache_read.input_tokens" Long |d| d.gen_ai.as_ref().and_then(|g| g.usage).and_then(|u| u.cache_read_input_tokens);
    GEN_AI_USAGE_REASONING_OUTPUT_TOKENS = "gen_ai.usage.reasoning.output_tokens" Long |d| d.gen_ai.as_ref().and_then(|g| g.usage).and_then(|u| u.reasoning_output_tokens);
    GEN_AI_CONVERSATION_ID = "gen_ai.conversation.id" Id |d| d.gen_ai.as_ref().and_then(|g| g.conversation.as_ref()).map(|c| &c.id);

    DEPENDENCY_RESOURCE = "tokenfall.dependency.resource" Keyword |d| d.tokenfall.as_ref().and_then(|t| t.dependency.as_ref()).map(|x| &x.resource);
    DEPENDENCY_TYPE = "tokenfall.dependency.type" Keyword |d| d.tokenfall.as_ref().and_then(|t| t.dependency.as_ref()).map(|x| &x.kind);
    DEPENDENCY_ROLE = "tokenfall.dependency.role" Keyword |d| d.tokenfall.as_ref().and_then(|t| t.dependency.as_ref()).map(|x| x.role.as_str());
    DEPENDENCY_COUNT = "tokenfall.dependency.count" Double |d| d.tokenfall.as_ref().and_then(|t| t.dependency.as_ref()).map(|x| x.count);
    DEPENDENCY_DURATION_SUM_US = "tokenfall.dependency.duration.sum.us" Double |d| d.tokenfall.as_ref().and_then(|t| t.dependency.as_ref()).map(|x| x.sum_us);
    DEPENDENCY_DURATION_US = "tokenfall.dependency.duration.us" Long |d| d.tokenfall.as_ref().and_then(|t| t.dependency.as_ref()).map(|x| x.duration_us);
    STREAM_CHUNKS = "tokenfall.stream.chunks" Long |d| d.tokenfall.as_ref().and_then(|t| t.stream.as_ref()).map(|s| s.chunks);
    STREAM_TIME_TO_FIRST_CHUNK_US = "tokenfall.stream.time_to_first_chunk.us" Long |d| d.tokenfall.as_ref().and_then(|t| t.stream.as_ref()).map(|s| s.time_to_first_chunk_us);
    STREAM_TIME_TO_LAST_CHUNK_US = "tokenfall.stream.time_to_last_chunk.us" Long |d| d.tokenfall.as_ref().and_then(|t| t.stream.as_ref()).map(|s| s.time_to_last_chunk_us);
    STREAM_INTER_TOKEN_P50_US = "tokenfall.stream.inter_token.p50.us" Long |d| d.tokenfall.as_ref().and_then(|t| t.stream.as_ref()).and_then(|s| s.inter_token_p50_us);
    STREAM_INTER_TOKEN_P95_US = "tokenfall.stream.inter_token.p95.us" Long |d| d.tokenfall.as_ref().and_then(|t| t.stream.as_ref()).and_then(|s| s.inter_token_p95_us);
    STREAM_TIME_PER_OUTPUT_TOKEN_US = "tokenfall.stream.time_per_output_token.us" Long |d| d.tokenfall.as_ref().and_then(|t| t.stream.as_ref()).and_then(|s| s.time_per_output_token_us);
    STREAM_STALL_COUNT = "tokenfall.stream.stalls.count" Long |d| d.tokenfall.as_ref().and_then(|t| t.stream.as_ref()).and_then(|s| s.stall_count);
    STREAM_STALL_SUM_US = "tokenfall.stream.stalls.sum.us" Long |d| d.tokenfall.as_ref().and_then(|t| t.stream.as_ref()).and_then(|s| s.stall_sum_us);
    MODEL = "tokenfall.model" Keyword |d| d.tokenfall.as_ref().and_then(|t| t.model.as_ref());
    QUESTION = "tokenfall.question" Keyword |d| d.tokenfall.as_ref().and_then(|t| t.question.as_ref());
    USAGE_SOURCE = "tokenfall.usage.source" Keyword |d| d.tokenfall.as_ref().and_then(|t| t.usage.as_ref()).map(|u| u.source.as_str());
    USAGE_TOTAL_TOKENS = "tokenfall.usage.total_tokens" Long |d| d.tokenfall.as_ref().and_then(|t| t.usage).and_then(|u| u.total_tokens);
    COST_PICO_USD = "tokenfall.cost.pico_usd" Long |d| d.tokenfall.as_ref().and_then(|t| t.cost.as_ref()).map(|c| c.pico_usd);
    COST_SOURCE = "tokenfall.cost.source" Keyword |d| d.tokenfall.as_ref().and_then(|t| t.cost.as_ref()).map(|c| c.source.as_str());
    LLM_GENERATIONS = "tokenfall.llm.generations" Long |d| d.llm().map(|l| l.generations);
    LLM_FAILED_GENERATIONS = "tokenfall.llm.failed_generations" Long |d| d.llm().map(|l| l.failed_generations);
    LLM_INPUT_TOKENS = "tokenfall.llm.input_tokens" Long |d| d.llm().and_then(|l| l.input_tokens);
    LLM_OUTPUT_TOKENS = "tokenfall.llm.output_tokens" Long |d| d.llm().and_then(|l| l.output_tokens);
    LLM_TOTAL_TOKENS = "tokenfall.llm.total_tokens" Long |d| d.llm().and_then(|l| l.total_tokens);
    LLM_REPORTED_TOKENS = "tokenfall.llm.reported_tokens" Long |d| d.llm().and_then(|l| l.reported_tokens);
    LLM_COUNTED_TOKENS = "tokenfall.llm.counted_tokens" Long |d| d.llm().and_then(|l| l.counted_tokens);
    LLM_DERIVED_TOKENS = "tokenfall.llm.derived_tokens" Long |d| d.llm().and_then(|l| l.derived_tokens);
    LLM_ESTIMATED_TOKENS = "tokenfall.llm.estimated_tokens" Long |d| d.llm().and_then(|l| l.estimated_tokens);
    LLM_COST_PICO_USD = "tokenfall.llm.cost_pico_usd" Long |d| d.llm().and_then(|l| l.cost_pico_usd);
    LLM_FAILED_COST_PICO_USD = "tokenfall.llm.failed_cost_pico_usd" Long |d| d.llm().and_then(|l| l.failed_cost_pico_usd);
    LLM_UNPRICED_GENERATIONS = "tokenfall.llm.unpriced_generations" Long |d| d.llm().map(|l| l.unpriced_generations);
    ATTEMPTS = "tokenfall.attempts" Long |d| d.tokenfall.as_ref().and_then(|t| t.attempts);
    BACKOFF_US = "tokenfall.backoff.us" Long |d| d.tokenfall.as_ref().and_then(|t| t.backoff_us);
}

impl Document {
    /// The model calls that are counted with this event.
    fn llm(&self) -> Option<&crate::document::LlmRollup> {
        self.tokenfall.as_ref().and_then(|t| t.llm.as_deref())
    }

    /// Calls `visit` for each string label (name without prefix, value) and, through `visit_number`, each numeric label.
    pub fn visit_labels<'a>(
        &'a self,
        visit: &mut dyn FnMut(&'a str, &'a str),
        visit_number: &mut dyn FnMut(&'a str, f64),
    ) {
        for (name, value) in &self.labels {
            match value {
                LabelValue::One(text) => visit(name, text),
                LabelValue::Many(texts) => texts.iter().for_each(|text| visit(name, text)),
            }
        }
        for (name, value) in &self.numeric_labels {
            if value.is_finite() {
                visit_number(name, *value);
            }
        }
    }

    /// Calls `visit` for each gauge or counter sample. Histograms are in the source only.
    pub fn visit_samples<'a>(&'a self, visit: &mut dyn FnMut(&'a str, f64)) {
        for (name, sample) in &self.samples {
            if let Sample::Value(value) = sample
                && value.is_finite()
            {
                visit(name, *value);
            }
        }
    }
}

/// Finds a field of the schema by name.
pub fn find(name: &str) -> Option<(usize, Field)> {
    ALL.iter().copied().enumerate().find(|(_, field)| field.name == name)
}

/// Kind of a field by its name: what is neither in the schema nor a string label is a numeric label or a metric sample.
pub fn kind_of(name: &str) -> FieldKind {
    match find(name) {
        Some((_, field)) => field.kind,
        None if name.starts_with(LABELS) => FieldKind::Keyword,
        None => FieldKind::Double,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::{EventKind, ServiceName, Timestamp};

    #[test]
    fn names_are_unique() {
        let names: HashSet<_> = ALL.iter().map(|f| f.name).collect();
        assert_eq!(names.len(), ALL.len());
    }

    #[test]
    fn visits_by_index() {
        let document = Document::new(Timestamp::from_micros(7), EventKind::Span, ServiceName::new("shop"));
        let mut seen = Vec::new();
        document.visit_fields(&mut |index, value| seen.push((ALL[index].name, value)));
        assert!(seen.contains(&("service.name", FieldValue::Str("shop"))));
        assert!(seen.contains(&("@timestamp", FieldValue::Long(7))));
    }
}

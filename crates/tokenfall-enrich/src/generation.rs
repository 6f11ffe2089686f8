//! Which spans are about language models, by the evidence that they carry: the words of their type, `gen_ai.*`, the URL they ask.
//!
//! `docs/dependencies.md` states the rule in prose. Everything here is a pure function of one document.

use tokenfall_model::Document;
use tokenfall_model::document::{GenAi, LabelValue, Name, Url};

/// What a span's type or subtype says about the callee of a model call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ModelWord {
    /// It names the provider; the value is the provider's canonical name.
    Provider(&'static str),
    /// It says that a model is called, not whose; the value is the word.
    Generic(&'static str),
}

/// Words that agents and programs use as the type or subtype of a model call, lower case with `_` for other separators.
///
/// Providers have the names of OpenTelemetry's `gen_ai.provider.name` where it lists them. Azure's deployments speak OpenAI's
/// protocol and host its models; both are the dependency `openai`.
const WORDS: &[(&str, ModelWord)] = &[
    ("anthropic", ModelWord::Provider("anthropic")),
    ("aws_bedrock", ModelWord::Provider("aws.bedrock")),
    ("azure_ai_openai", ModelWord::Provider("openai")),
    ("azure_openai", ModelWord::Provider("openai")),
    ("bedrock", ModelWord::Provider("aws.bedrock")),
    ("cohere", ModelWord::Provider("cohere")),
    ("deepseek", ModelWord::Provider("deepseek")),
    ("gcp_gemini", ModelWord::Provider("gcp.gemini")),
    ("gcp_vertex_ai", ModelWord::Provider("gcp.vertex_ai")),
    ("gemini", ModelWord::Provider("gcp.gemini")),
    ("gen_ai", ModelWord::Generic("gen_ai")),
    ("genai", ModelWord::Generic("genai")),
    ("google_genai", ModelWord::Provider("gcp.gemini")),
    ("groq", ModelWord::Provider("groq")),
    ("huggingface", ModelWord::Provider("huggingface")),
    ("ibm_watsonx_ai", ModelWord::Provider("ibm.watsonx.ai")),
    ("llm", ModelWord::Generic("llm")),
    ("mistral", ModelWord::Provider("mistral_ai")),
    ("mistral_ai", ModelWord::Provider("mistral_ai")),
    ("mistralai", ModelWord::Provider("mistral_ai")),
    ("ollama", ModelWord::Provider("ollama")),
    ("openai", ModelWord::Provider("openai")),
    ("perplexity", ModelWord::Provider("perplexity")),
    ("replicate", ModelWord::Provider("replicate")),
    ("together_ai", ModelWord::Provider("together_ai")),
    ("vertex_ai", ModelWord::Provider("gcp.vertex_ai")),
    ("vertexai", ModelWord::Provider("gcp.vertex_ai")),
    ("watsonx", ModelWord::Provider("ibm.watsonx.ai")),
    ("x_ai", ModelWord::Provider("x_ai")),
    ("xai", ModelWord::Provider("x_ai")),
];

/// Longest word of [`WORDS`]; a longer type is none of them.
const WORD_BYTES_MAX: usize = 16;

/// Hosts of model providers: a host is the name itself or, for a name that begins with `.` or `-`, ends with it.
const HOSTS: &[(&str, &str)] = &[
    ("api.openai.com", "openai"),
    (".api.openai.com", "openai"),
    (".openai.azure.com", "openai"),
    (".cognitiveservices.azure.com", "openai"),
    (".services.ai.azure.com", "openai"),
    ("api.anthropic.com", "anthropic"),
    ("api.mistral.ai", "mistral_ai"),
    ("codestral.mistral.ai", "mistral_ai"),
    ("api.cohere.com", "cohere"),
    ("api.cohere.ai", "cohere"),
    ("generativelanguage.googleapis.com", "gcp.gemini"),
    ("aiplatform.googleapis.com", "gcp.vertex_ai"),
    ("-aiplatform.googleapis.com", "gcp.vertex_ai"),
    ("api.groq.com", "groq"),
    ("api.deepseek.com", "deepseek"),
    ("api.x.ai", "x_ai"),
    ("api.perplexity.ai", "perplexity"),
    ("api.together.ai", "together_ai"),
    ("api.together.xyz", "together_ai"),
    ("api.replicate.com", "replicate"),
    ("api-inference.huggingface.co", "huggingface"),
    ("router.huggingface.co", "huggingface"),
    ("openrouter.ai", "openrouter"),
    (".ml.cloud.ibm.com", "ibm.watsonx.ai"),
];

/// Where an API path is evidence of a model call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Evidence {
    /// On any host: nobody else uses such a path.
    AnyHost,
    /// On the host of a provider, or under a span of a model call: other services have such paths too.
    KnownHost,
}

/// APIs of language models: end of the path, operation, provider if the host is unknown, evidence. The first match counts.
const APIS: &[(&str, &str, &str, Evidence)] = &[
    ("/chat/completions", "chat", "openai", Evidence::AnyHost),
    ("/openai/responses", "chat", "openai", Evidence::AnyHost),
    ("/v1/responses", "chat", "openai", Evidence::AnyHost),
    ("/v1/completions", "text_completion", "openai", Evidence::AnyHost),
    ("/v1/embeddings", "embeddings", "openai", Evidence::AnyHost),
    (":generateContent", "generate_content", "gcp.gemini", Evidence::AnyHost),
    (":streamGenerateContent", "generate_content", "gcp.gemini", Evidence::AnyHost),
    (":embedContent", "embeddings", "gcp.gemini", Evidence::AnyHost),
    (":batchEmbedContents", "embeddings", "gcp.gemini", Evidence::AnyHost),
    (":rawPredict", "chat", "gcp.vertex_ai", Evidence::KnownHost),
    (":streamRawPredict", "chat", "gcp.vertex_ai", Evidence::KnownHost),
    ("/anthropic/v1/messages", "chat", "anthropic", Evidence::AnyHost),
    ("/v1/messages", "chat", "anthropic", Evidence::KnownHost),
    ("/responses", "chat", "openai", Evidence::KnownHost),
    ("/completions", "text_completion", "openai", Evidence::KnownHost),
    ("/api/embeddings", "embeddings", "ollama", Evidence::KnownHost),
    ("/embeddings", "embeddings", "openai", Evidence::KnownHost),
    ("/api/chat", "chat", "ollama", Evidence::KnownHost),
    ("/api/generate", "text_completion", "ollama", Evidence::KnownHost),
    ("/api/embed", "embeddings", "ollama", Evidence::KnownHost),
    ("/v1/chat", "chat", "cohere", Evidence::KnownHost),
    ("/v2/chat", "chat", "cohere", Evidence::KnownHost),
    ("/v1/embed", "embeddings", "cohere", Evidence::KnownHost),
    ("/v2/embed", "embeddings", "cohere", Evidence::KnownHost),
    ("/invoke", "chat", "aws.bedrock", Evidence::KnownHost),
    ("/invoke-with-response-stream", "chat", "aws.bedrock", Evidence::KnownHost),
    ("/converse", "chat", "aws.bedrock", Evidence::KnownHost),
    ("/converse-stream", "chat", "aws.bedrock", Evidence::KnownHost),
    ("/text/generation", "text_completion", "ibm.watsonx.ai", Evidence::KnownHost),
    ("/text/chat", "chat", "ibm.watsonx.ai", Evidence::KnownHost),
    ("/predictions", "text_completion", "replicate", Evidence::KnownHost),
];

/// Parts of a path after which a deployment or model is named; it ends at the next `/` or `:`.
const MODEL_MARKS: &[&str] = &["/deployments/", "/engines/", "/models/", "/model/"];

/// Longest name of a provider or model that is taken from another span's evidence, in bytes.
const NAME_BYTES_MAX: usize = 256;

/// Port on which Ollama listens unless told otherwise.
const OLLAMA_PORT: i64 = 11_434;

/// Operations of `gen_ai.operation.name` that are work around a model, not a call of one.
const AGENT_OPERATIONS: &[&str] = &["create_agent", "execute_tool", "invoke_agent", "invoke_workflow", "retrieval"];

/// An HTTP request to a language model, as far as its URL tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiRequest {
    /// Provider.
    pub(crate) provider: String,
    /// Operation.
    pub(crate) operation: &'static str,
    /// Model or deployment.
    pub(crate) model: Option<String>,
    /// True if the path alone would not have been enough.
    pub(crate) needs_model_call: bool,
}

/// What the type of a span says; `None` if it is no word of models.
pub(crate) fn model_word(document: &Document) -> Option<ModelWord> {
    let span = document.span.as_ref()?;
    let (kind, subtype) = (word(span.kind.as_deref()), word(span.subtype.as_deref()));
    // `llm.openai` names the provider in the subtype: a provider is better than a generic word.
    match (subtype, kind) {
        (Some(provider @ ModelWord::Provider(_)), _) | (_, Some(provider @ ModelWord::Provider(_))) => Some(provider),
        (generic, other) => generic.or(other),
    }
}

fn word(text: Option<&str>) -> Option<ModelWord> {
    let text = text.filter(|t| (3..=WORD_BYTES_MAX).contains(&t.len()))?;
    let same = |known: &str| {
        known.len() == text.len()
            && known.bytes().zip(text.bytes()).all(|(k, t)| match t {
                b'-' | b'.' | b' ' => k == b'_',
                other => k == other.to_ascii_lowercase(),
            })
    };
    WORDS.iter().find(|(known, _)| same(known)).map(|(_, word)| *word)
}

/// Canonical name of a provider that a sender names: Azure's OpenAI service is `openai` here, all else stays as it is.
fn canonical_provider(name: &str) -> &str {
    match name {
        "azure.ai.openai" | "azure_openai" | "az.ai.openai" => "openai",
        other => other,
    }
}

/// True if `gen_ai.*`, or the labels into which agents put those attributes, say that the span calls a model.
pub(crate) fn has_gen_ai_evidence(document: &Document) -> bool {
    let operation = operation(document);
    if operation.is_some_and(|o| AGENT_OPERATIONS.contains(&o)) {
        return false;
    }
    operation.is_some()
        || document.gen_ai.as_ref().is_some_and(|g| g.request.is_some() || g.response.is_some())
        || label(document, "gen_ai_request_model").is_some()
}

/// True if the sender says that the span is a step around a model (a tool, an agent), whatever its type is.
pub(crate) fn is_agent_step(document: &Document) -> bool {
    operation(document).is_some_and(|o| AGENT_OPERATIONS.contains(&o))
}

/// Operation that the sender names.
fn operation(document: &Document) -> Option<&str> {
    let field = document.gen_ai.as_ref().and_then(|g| g.operation.as_ref()).map(|o| o.name.as_str());
    field.or_else(|| label(document, "gen_ai_operation_name")).filter(|o| !o.is_empty())
}

/// Provider that the sender names.
pub(crate) fn named_provider(document: &Document) -> Option<&str> {
    let field = document.gen_ai.as_ref().and_then(|g| g.provider.as_ref()).map(|p| p.name.as_str());
    field
        .or_else(|| label(document, "gen_ai_provider_name"))
        .or_else(|| label(document, "gen_ai_system"))
        .filter(|p| !p.is_empty() && p.len() <= NAME_BYTES_MAX)
        .map(canonical_provider)
}

/// Completes `gen_ai`: what the sender said stays, then its labels, then what is `known` from elsewhere.
pub(crate) fn complete_gen_ai(
    document: &mut Document,
    provider: &str,
    known_operation: Option<&str>,
    known_model: Option<&str>,
) {
    let operation =
        operation(document).or(known_operation).or_else(|| operation_by_name(document)).map(ToOwned::to_owned);
    let labelled = label(document, "gen_ai_request_model").or_else(|| label(document, "model"));
    let request = labelled.or(known_model).map(ToOwned::to_owned);
    let response = label(document, "gen_ai_response_model").map(ToOwned::to_owned);
    let gen_ai = document.gen_ai.get_or_insert_with(|| Box::new(GenAi::default()));
    gen_ai.provider.get_or_insert_with(|| Name { name: provider.to_owned() });
    gen_ai.operation = gen_ai.operation.take().or(operation.map(|name| Name { name }));
    if request.is_some() {
        let asked = gen_ai.request.get_or_insert_default();
        asked.model = asked.model.take().or(request);
    }
    if response.is_some() {
        let answered = gen_ai.response.get_or_insert_default();
        answered.model = answered.model.take().or(response);
    }
}

/// Operation by the words in the span's name, such as `openaiChatCompletion`.
fn operation_by_name(document: &Document) -> Option<&'static str> {
    let name = document.span.as_ref()?.name.as_deref()?.to_ascii_lowercase();
    if name.contains("embed") {
        Some("embeddings")
    } else if name.contains("chat") {
        Some("chat")
    } else if name.contains("completion") {
        Some("text_completion")
    } else {
        None
    }
}

fn label<'a>(document: &'a Document, name: &str) -> Option<&'a str> {
    match document.labels.get(name)? {
        LabelValue::One(text) => Some(text.as_str()),
        LabelValue::Many(texts) => texts.first().map(String::as_str),
    }
    .filter(|text| !text.is_empty())
}

/// Reads an API request from a URL; `None` if it does not look like one to a language model.
pub(crate) fn api_request(url: &Url) -> Option<ApiRequest> {
    let full = url.full.as_deref().or(url.original.as_deref()).unwrap_or_default();
    let (authority, full_path) = split_url(full);
    let path = url.path.as_deref().unwrap_or(full_path);
    let path = path.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    let (authority_host, authority_port) = split_port(authority);
    let host = url.domain.as_deref().unwrap_or(authority_host);
    let (_, operation, by_path, evidence) = APIS.iter().find(|(end, ..)| path.ends_with(end))?;
    let ollama = url.port.or(authority_port) == Some(OLLAMA_PORT);
    let by_host = provider_of_host(host).or(ollama.then_some("ollama"));
    let model = model_of_path(path);
    // `/deployments/gpt-4/embeddings` names what it asks: that is as good as a known host.
    let is_deployment = path.contains("/deployments/") || path.contains("/engines/");
    Some(ApiRequest {
        provider: by_host.unwrap_or(by_path).to_owned(),
        operation,
        model,
        needs_model_call: *evidence == Evidence::KnownHost && by_host.is_none() && !is_deployment,
    })
}

/// Authority and path of a URL; the URL may lack its scheme.
fn split_url(url: &str) -> (&str, &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (authority, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
    (authority.rsplit_once('@').map_or(authority, |(_, host)| host), path)
}

fn split_port(authority: &str) -> (&str, Option<i64>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()),
        _ => (authority, None),
    }
}

fn provider_of_host(host: &str) -> Option<&'static str> {
    let host = host.to_ascii_lowercase();
    if host.starts_with("bedrock-runtime") && host.contains(".amazonaws.com") {
        return Some("aws.bedrock");
    }
    let is = |known: &str| if known.starts_with(['.', '-']) { host.ends_with(known) } else { host == known };
    HOSTS.iter().find(|(known, _)| is(known)).map(|(_, provider)| *provider)
}

fn model_of_path(path: &str) -> Option<String> {
    MODEL_MARKS.iter().find_map(|mark| {
        let (_, rest) = path.split_once(mark)?;
        let model = rest.split(['/', ':']).next()?;
        (!model.is_empty() && model.len() <= NAME_BYTES_MAX).then(|| model.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(url: &str) -> Option<(String, &'static str, Option<String>, bool)> {
        api_request(&Url { original: Some(url.into()), ..Url::default() })
            .map(|r| (r.provider, r.operation, r.model, r.needs_model_call))
    }

    #[test]
    fn urls_of_model_apis() {
        let model = |name: &str| Some(name.to_owned());
        for (url, expected) in [
            (
                "http://127.0.0.1:8081/openai/deployments/gpt-35-turbo/chat/completions?api-version=2023-05-15",
                Some(("openai", "chat", model("gpt-35-turbo"), false)),
            ),
            ("https://api.openai.com/v1/responses", Some(("openai", "chat", None, false))),
            ("https://api.groq.com/openai/v1/chat/completions", Some(("groq", "chat", None, false))),
            (
                "https://x.openai.azure.com/openai/deployments/e/embeddings",
                Some(("openai", "embeddings", model("e"), false)),
            ),
            ("http://gateway/deployments/e/embeddings", Some(("openai", "embeddings", model("e"), false))),
            ("https://api.anthropic.com/v1/messages", Some(("anthropic", "chat", None, false))),
            ("https://mail.example/v1/messages", Some(("anthropic", "chat", None, true))),
            (
                "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse",
                Some(("gcp.gemini", "generate_content", model("gemini-2.5-pro"), false)),
            ),
            (
                "https://europe-west1-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers/google/models/g:generateContent",
                Some(("gcp.vertex_ai", "generate_content", model("g"), false)),
            ),
            (
                "https://bedrock-runtime.eu-west-1.amazonaws.com/model/anthropic.claude-v2/converse-stream",
                Some(("aws.bedrock", "chat", model("anthropic.claude-v2"), false)),
            ),
            ("http://localhost:11434/api/chat", Some(("ollama", "chat", None, false))),
            ("http://shop/api/chat", Some(("ollama", "chat", None, true))),
            ("http://127.0.0.1:8081/search-elastic-docs/_search", None),
            ("https://api.openai.com/v1/models", None),
            ("", None),
            ("://@:[", None),
        ] {
            let expected = expected.map(|(p, o, m, n): (&str, _, _, _)| (p.to_owned(), o, m, n));
            assert_eq!(ask(url), expected, "{url}");
        }
    }

    #[test]
    fn words_are_found_in_any_spelling() {
        for (text, expected) in [
            ("openai", Some(ModelWord::Provider("openai"))),
            ("OpenAI", Some(ModelWord::Provider("openai"))),
            ("azure-openai", Some(ModelWord::Provider("openai"))),
            ("aws.bedrock", Some(ModelWord::Provider("aws.bedrock"))),
            ("vertex ai", Some(ModelWord::Provider("gcp.vertex_ai"))),
            ("LLM", Some(ModelWord::Generic("llm"))),
            ("http", None),
            ("external", None),
            ("", None),
        ] {
            assert_eq!(word(Some(text)), expected, "{text}");
        }
    }

    #[test]
    fn the_longest_word_fits() {
        assert!(WORDS.iter().all(|(word, _)| word.len() <= WORD_BYTES_MAX));
    }
}

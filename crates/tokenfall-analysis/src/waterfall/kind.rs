//! What an item is, for its colour: by what the enrichment found and the words of its type.

use std::collections::HashSet;

use tokenfall_api::traces::ItemKind;
use tokenfall_model::document::DependencyRole;
use tokenfall_model::{Document, EventKind};

/// Words of search engines, vector stores and retrieval in a type, subtype or action.
const RETRIEVAL: &[&str] = &[
    "chroma",
    "elasticsearch",
    "embedding",
    "knn",
    "milvus",
    "opensearch",
    "pinecone",
    "qdrant",
    "rerank",
    "reranker",
    "retrieval",
    "retrieve",
    "retriever",
    "search",
    "solr",
    "vector",
    "vector_search",
    "vectordb",
    "vespa",
    "weaviate",
];

/// Words of databases, caches, queues and storage.
const DB: &[&str] = &["cache", "db", "messaging", "storage"];

/// Words of tools and agent steps.
const TOOL: &[&str] =
    &["agent", "execute_tool", "function_call", "invoke_agent", "mcp", "tool", "tool_call", "workflow"];

/// Words of HTTP, RPC and the program's own code.
const HTTP: &[&str] = &["app", "code", "controller", "custom", "external", "grpc", "http", "request", "rpc"];

/// Ends of URL paths of searches.
const SEARCH_PATHS: &[&str] = &["/_search", "/_msearch", "/_knn_search", "/_async_search", "/_search/template"];

/// True if the item is a model call.
pub(super) fn is_generation(document: &Document) -> bool {
    let dependency = document.tokenfall.as_ref().and_then(|t| t.dependency.as_ref());
    dependency.is_some_and(|d| d.role == DependencyRole::Generation)
}

/// True if the item is a token, or names a callee that is none: under a model call, that is the arrival of its chunks.
pub(super) fn is_token_stream(document: &Document) -> bool {
    let Some(span) = document.span.as_ref().filter(|_| document.kind() == EventKind::Span) else { return false };
    document.tokenfall.as_ref().is_none_or(|t| t.dependency.is_none())
        && (span.action.as_deref() == Some("token") || span.destination.as_ref().is_some_and(|d| d.service.is_some()))
}

/// Types of the model calls of a trace: the same type around them is a wrapper, which is drawn like them.
pub(super) fn types_of_generations<'a>(documents: &[&'a Document], is_generation: &[bool]) -> HashSet<&'a str> {
    let calls = documents.iter().zip(is_generation).filter(|(_, is)| **is);
    calls.filter_map(|(document, _)| document.span.as_ref()?.kind.as_deref()).collect()
}

/// Kind of an item.
pub(super) fn of(document: &Document, is_generation: bool, llm_types: &HashSet<&str>) -> ItemKind {
    if document.kind() == EventKind::Transaction {
        return ItemKind::Http;
    }
    let Some(span) = document.span.as_ref() else { return ItemKind::Other };
    let operation = document.gen_ai.as_ref().and_then(|g| g.operation.as_ref()).map(|o| o.name.as_str());
    let words = [operation, span.action.as_deref(), span.subtype.as_deref(), span.kind.as_deref()];
    let has = |list: &[&str]| words.iter().flatten().any(|word| list.contains(&word.to_ascii_lowercase().as_str()));
    let kind = span.kind.as_deref().unwrap_or_default();
    let calls_model =
        document.tokenfall.as_ref().and_then(|t| t.dependency.as_ref()).is_some_and(|d| d.kind == "genai");
    if is_generation || calls_model {
        ItemKind::Llm
    } else if has(TOOL) {
        ItemKind::Tool
    } else if has(RETRIEVAL) || searches(document) {
        ItemKind::Retrieval
    } else if !HTTP.contains(&kind) && llm_types.contains(kind) {
        ItemKind::Llm
    } else if has(DB) {
        ItemKind::Db
    } else if has(HTTP) {
        ItemKind::Http
    } else {
        ItemKind::Other
    }
}

fn searches(document: &Document) -> bool {
    let Some(url) = document.url.as_ref() else { return false };
    let text = url.path.as_deref().or(url.full.as_deref()).or(url.original.as_deref()).unwrap_or_default();
    let path = text.split(['?', '#']).next().unwrap_or_default();
    SEARCH_PATHS.iter().any(|end| path.ends_with(end))
}

/// `type.subtype` of a span, type of a transaction.
pub(super) fn words(document: &Document) -> String {
    let span = document.span.as_ref().filter(|_| document.kind() == EventKind::Span);
    let Some(span) = span else {
        return document.transaction.as_ref().and_then(|t| t.kind.clone()).unwrap_or_default();
    };
    let kind = span.kind.as_deref().unwrap_or_default();
    match span.subtype.as_deref() {
        Some(subtype) if !subtype.is_empty() => format!("{kind}.{subtype}"),
        _ => kind.to_owned(),
    }
}

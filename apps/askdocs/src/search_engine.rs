//! Passages on Elasticsearch or OpenSearch, for people who have their documents there already.
//!
//! BM25 and, where the index has a vector field, k nearest neighbours: two searches whose lists are joined here, because the
//! engines' own fusion needs a licence (Elasticsearch) or a pipeline (OpenSearch).

use serde::Deserialize;
use serde_json::{Value, json};

use crate::endpoint::{http_client, with_causes};
use crate::passage::Passage;

/// Documents in one bulk request.
const BULK_DOCUMENTS: usize = 200;

/// Names of the fields of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldNames {
    /// Title.
    pub title: String,
    /// Heading.
    pub section: String,
    /// Address or path.
    pub link: String,
    /// Text.
    pub text: String,
    /// Vector of the text.
    pub vector: String,
}

impl Default for FieldNames {
    fn default() -> Self {
        let name = str::to_owned;
        Self {
            title: name("title"),
            section: name("section"),
            link: name("link"),
            text: name("text"),
            vector: name("vector"),
        }
    }
}

/// An index of a search engine.
#[derive(Debug)]
pub struct SearchEngine {
    client: reqwest::Client,
    /// Without a slash at the end.
    url: String,
    index: String,
    authorization: Option<String>,
    fields: FieldNames,
    is_opensearch: bool,
    /// Dimensions of the vector field, if there is one.
    dimensions: Option<usize>,
}

/// Why a search engine does not answer.
#[derive(Debug, thiserror::Error)]
pub enum SearchEngineError {
    /// Not reached.
    #[error("the search engine at {url} is not reached: {reason}")]
    Connection {
        /// Where.
        url: String,
        /// Why.
        reason: String,
    },
    /// It refuses.
    #[error("the search engine answers {status}: {reason}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// Its reason.
        reason: String,
    },
    /// It answers something else.
    #[error("the search engine answers something unexpected: {0}")]
    Answer(String),
    /// The index has vectors of another model.
    #[error(
        "the index has vectors of {there} numbers, but the embedding model makes {ours}: choose the model that the index was made with"
    )]
    Dimensions {
        /// In the index.
        there: usize,
        /// Of the model.
        ours: usize,
    },
}

#[derive(Deserialize)]
struct Found {
    hits: Hits,
}

#[derive(Deserialize)]
struct Hits {
    hits: Vec<FoundHit>,
}

#[derive(Deserialize)]
struct FoundHit {
    #[serde(rename = "_source")]
    source: Value,
}

impl SearchEngine {
    /// Connects to an index. `url` may hold user and password; `api_key` is Elasticsearch's encoded key.
    ///
    /// # Errors
    /// If the engine is not reached or refuses.
    pub async fn connect(
        url: &str,
        index: &str,
        api_key: Option<&str>,
        fields: FieldNames,
    ) -> Result<Self, SearchEngineError> {
        let connection = |reason: String| SearchEngineError::Connection { url: redacted(url), reason };
        let client = http_client().map_err(|error| connection(with_causes(&error)))?;
        let mut engine = Self {
            client,
            url: url.trim_end_matches('/').to_owned(),
            index: index.to_owned(),
            authorization: api_key.map(|key| format!("ApiKey {key}")),
            fields,
            is_opensearch: false,
            dimensions: None,
        };
        let about = engine.call(reqwest::Method::GET, "", None).await?;
        engine.is_opensearch = about["version"]["distribution"] == "opensearch";
        engine.dimensions = engine.vector_dimensions().await?;
        Ok(engine)
    }

    /// The address of searches, without password.
    pub fn search_url(&self) -> String {
        format!("{}/{}/_search", redacted(&self.url), self.index)
    }

    async fn vector_dimensions(&self) -> Result<Option<usize>, SearchEngineError> {
        let mapping = match self.call(reqwest::Method::GET, &format!("{}/_mapping", self.index), None).await {
            Err(SearchEngineError::Refused { status: 404, .. }) => return Ok(None),
            other => other?,
        };
        // An alias may lead to several indices; they are alike.
        let field = mapping.as_object().and_then(|indices| indices.values().next()).and_then(|index| {
            let mut path = self.fields.vector.split('.');
            path.try_fold(&index["mappings"], |at, name| at["properties"].get(name))
        });
        let dimensions = field.and_then(|field| field["dims"].as_u64().or_else(|| field["dimension"].as_u64()));
        Ok(dimensions.map(|dimensions| dimensions as usize))
    }

    /// The best passages by BM25.
    ///
    /// # Errors
    /// If the engine fails.
    pub async fn by_words(&self, question: &str, count: usize) -> Result<Vec<Passage>, SearchEngineError> {
        let FieldNames { title, section, text, .. } = &self.fields;
        let fields = [format!("{title}^1.5"), format!("{section}^1.5"), text.clone()];
        let query = json!({ "multi_match": { "query": question, "fields": fields, "type": "most_fields" } });
        self.search(json!({ "query": query, "size": count })).await
    }

    /// The best passages by their vectors; none if the index has no vectors.
    ///
    /// # Errors
    /// If the engine fails, or the vectors are those of another model.
    pub async fn by_meaning(&self, vector: &[f32], count: usize) -> Result<Vec<Passage>, SearchEngineError> {
        let Some(there) = self.dimensions else { return Ok(Vec::new()) };
        if there != vector.len() {
            return Err(SearchEngineError::Dimensions { there, ours: vector.len() });
        }
        let field = &self.fields.vector;
        let body = if self.is_opensearch {
            json!({ "query": { "knn": { field: { "vector": vector, "k": count } } }, "size": count })
        } else {
            let candidates = (count * 5).max(100);
            json!({
                "knn": { "field": field, "query_vector": vector, "k": count, "num_candidates": candidates },
                "size": count,
            })
        };
        self.search(body).await
    }

    async fn search(&self, mut body: Value) -> Result<Vec<Passage>, SearchEngineError> {
        let FieldNames { title, section, link, text, vector: _ } = &self.fields;
        body["_source"] = json!([title, section, link, text]);
        let found = self.call(reqwest::Method::POST, &format!("{}/_search", self.index), Some(&body)).await?;
        let found = Found::deserialize(&found).map_err(|error| SearchEngineError::Answer(error.to_string()))?;
        let passage = |hit: FoundHit| {
            let value = |name: &str| text_at(&hit.source, name);
            Passage { title: value(title), section: value(section), link: value(link), text: value(text) }
        };
        Ok(found.hits.hits.into_iter().map(passage).collect())
    }

    /// Makes the index, in the place of one of the same name.
    ///
    /// # Errors
    /// If the engine refuses.
    pub async fn create(&mut self, dimensions: usize) -> Result<(), SearchEngineError> {
        let FieldNames { title, section, link, text, vector } = self.fields.clone();
        let vectors = if self.is_opensearch {
            json!({ "type": "knn_vector", "dimension": dimensions,
                    "method": { "name": "hnsw", "engine": "lucene", "space_type": "innerproduct" } })
        } else {
            json!({ "type": "dense_vector", "dims": dimensions, "index": true, "similarity": "dot_product" })
        };
        let english = json!({ "type": "text", "analyzer": "english" });
        let settings = if self.is_opensearch { json!({ "index": { "knn": true } }) } else { json!({}) };
        let body = json!({
            "settings": settings,
            "mappings": { "properties": {
                title: english, section: english, text: english, link: { "type": "keyword" }, vector: vectors,
            } },
        });
        match self.call(reqwest::Method::DELETE, &self.index, None).await {
            Ok(_) | Err(SearchEngineError::Refused { status: 404, .. }) => {}
            Err(error) => return Err(error),
        }
        self.call(reqwest::Method::PUT, &self.index, Some(&body)).await?;
        self.dimensions = Some(dimensions);
        Ok(())
    }

    /// Adds passages with their vectors.
    ///
    /// # Errors
    /// If the engine refuses any of them.
    pub async fn add(&self, passages: &[(Passage, Vec<f32>)]) -> Result<(), SearchEngineError> {
        let FieldNames { title, section, link, text, vector } = &self.fields;
        for some in passages.chunks(BULK_DOCUMENTS) {
            let mut lines = String::new();
            for (passage, numbers) in some {
                let document = json!({
                    title: passage.title, section: passage.section, link: passage.link, text: passage.text, vector: numbers,
                });
                lines.push_str("{\"index\":{}}\n");
                lines.push_str(&document.to_string());
                lines.push('\n');
            }
            let path = format!("{}/_bulk?refresh=true", self.index);
            let answer = self.send(reqwest::Method::POST, &path, Some(lines), "application/x-ndjson").await?;
            if answer["errors"] != false {
                let items = answer["items"].as_array();
                let error = items.and_then(|items| items.iter().find_map(|item| item["index"].get("error")));
                return Err(SearchEngineError::Answer(error.unwrap_or(&answer).to_string()));
            }
        }
        Ok(())
    }

    async fn call(
        &self,
        method: reqwest::Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, SearchEngineError> {
        self.send(method, path, body.map(Value::to_string), "application/json").await
    }

    async fn send(
        &self,
        method: reqwest::Method,
        path: &str,
        body: Option<String>,
        kind: &str,
    ) -> Result<Value, SearchEngineError> {
        let connection = |error: reqwest::Error| SearchEngineError::Connection {
            url: redacted(&self.url),
            reason: with_causes(&error.without_url()),
        };
        let mut request =
            self.client.request(method, format!("{}/{path}", self.url)).timeout(std::time::Duration::from_secs(30));
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization);
        }
        if let Some(body) = body {
            request = request.header("content-type", kind).body(body);
        }
        let response = request.send().await.map_err(connection)?;
        let status = response.status();
        let bytes = response.bytes().await.map_err(connection)?;
        let answer: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        if status.is_success() {
            return Ok(answer);
        }
        let reason =
            answer["error"]["reason"].as_str().or_else(|| answer["error"].as_str()).unwrap_or("no reason is given");
        Err(SearchEngineError::Refused { status: status.as_u16(), reason: reason.to_owned() })
    }
}

/// A field, of which the name may be a path.
fn text_at(source: &Value, name: &str) -> String {
    let value = source.get(name).or_else(|| name.split('.').try_fold(source, |at, part| at.get(part)));
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(values)) => values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
        _ => String::new(),
    }
}

/// An address without user and password.
fn redacted(url: &str) -> String {
    let Ok(mut url) = reqwest::Url::parse(url) else { return "the address given".to_owned() };
    // Fails for addresses that cannot have them.
    _ = (url.set_username(""), url.set_password(None));
    url.to_string().trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_may_be_nested_or_lists() {
        let source = json!({ "meta": { "title": "T" }, "a.b": "dotted", "tags": ["x", "y"] });
        let values: Vec<String> =
            ["meta.title", "a.b", "tags", "none"].iter().map(|name| text_at(&source, name)).collect();
        assert_eq!(values, ["T", "dotted", "x y", ""]);
    }

    #[test]
    fn passwords_are_not_shown() {
        assert_eq!(redacted("https://elastic:secret@host:9200/"), "https://host:9200");
    }
}

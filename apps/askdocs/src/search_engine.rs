//! Passages on Elasticsearch or OpenSearch, for people who have their documents there already.
//!
//! BM25 and, where the index has a vector field, k nearest neighbours: two searches whose lists are joined here, because the
//! engines' own fusion needs a licence (Elasticsearch) or a pipeline (OpenSearch).

use serde::Deserialize;
use serde_json::{Value, json};

use crate::endpoint::{client_for, with_causes};
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
    /// The vector field, if there is one.
    vectors: Option<Vectors>,
}

/// A field with vectors. Its type tells in which words it is searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Vectors {
    /// `knn_vector`; else Elasticsearch's `dense_vector`.
    is_opensearch: bool,
    dimensions: usize,
}

/// What the mapping of an index that was made here says.
const MADE_BY: &str = "askdocs";

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
    /// The index is somebody else's.
    #[error("there is an index {0} already that askdocs did not make: name another one with --search-index")]
    NotOurs(String),
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
        let mut engine = Self {
            client: client_for(url).map_err(connection)?,
            url: url.trim_end_matches('/').to_owned(),
            index: index.to_owned(),
            authorization: api_key.map(|key| format!("ApiKey {key}")),
            fields,
            vectors: None,
        };
        engine.vectors = engine.mapping().await?.and_then(|mapping| engine.vectors_in(&mapping));
        Ok(engine)
    }

    /// The address of searches, without password.
    pub fn search_url(&self) -> String {
        format!("{}/{}/_search", redacted(&self.url), self.index)
    }

    /// The mapping of the index, if it exists.
    async fn mapping(&self) -> Result<Option<Value>, SearchEngineError> {
        match self.call(reqwest::Method::GET, &format!("{}/_mapping", self.index), None).await {
            Err(SearchEngineError::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
            // An alias may lead to several indices; they are alike.
            Ok(answer) => Ok(answer.as_object().and_then(|all| all.values().next()).map(|one| one["mappings"].clone())),
        }
    }

    fn vectors_in(&self, mapping: &Value) -> Option<Vectors> {
        let field = self.fields.vector.split('.').try_fold(mapping, |at, name| at["properties"].get(name))?;
        let is_opensearch = field["type"] == "knn_vector";
        let dimensions = field[if is_opensearch { "dimension" } else { "dims" }].as_u64()? as usize;
        Some(Vectors { is_opensearch, dimensions })
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
        let Some(Vectors { is_opensearch, dimensions }) = self.vectors else { return Ok(Vec::new()) };
        if dimensions != vector.len() {
            return Err(SearchEngineError::Dimensions { there: dimensions, ours: vector.len() });
        }
        let field = &self.fields.vector;
        let body = if is_opensearch {
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

    /// Makes the index, in the place of one that was made here before. With vectors, if the engine has them: OpenSearch
    /// needs its k-NN plugin.
    ///
    /// # Errors
    /// If the engine refuses, or there is an index of that name that was not made here.
    pub async fn create(&mut self, dimensions: usize) -> Result<(), SearchEngineError> {
        if let Some(mapping) = self.mapping().await? {
            if mapping["_meta"]["made_by"] != MADE_BY {
                return Err(SearchEngineError::NotOurs(self.index.clone()));
            }
            self.call(reqwest::Method::DELETE, &self.index, None).await?;
        }
        let elasticsearch =
            json!({ "type": "dense_vector", "dims": dimensions, "index": true, "similarity": "dot_product" });
        let opensearch = json!({
            "type": "knn_vector", "dimension": dimensions,
            "method": { "name": "hnsw", "engine": "lucene", "space_type": "innerproduct" },
        });
        let tried =
            [(Some(elasticsearch), json!({})), (Some(opensearch), json!({ "index.knn": true })), (None, json!({}))];
        let mut refused = None;
        for (vectors, settings) in tried {
            let FieldNames { title, section, link, text, vector } = &self.fields;
            let english = json!({ "type": "text", "analyzer": "english" });
            let mut properties =
                json!({ title: english, section: english, text: english, link: { "type": "keyword" } });
            if let Some(vectors) = vectors {
                properties[vector.as_str()] = vectors;
            }
            let mapping = json!({ "_meta": { "made_by": MADE_BY }, "properties": properties });
            let body = json!({ "settings": settings, "mappings": mapping });
            match self.call(reqwest::Method::PUT, &self.index, Some(&body)).await {
                Ok(_) => {
                    self.vectors = self.vectors_in(&mapping);
                    return Ok(());
                }
                // A type or a setting that the engine does not have.
                Err(error @ SearchEngineError::Refused { status: 400, .. }) => refused = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(refused.unwrap_or_else(|| SearchEngineError::Answer("no mapping was tried".to_owned())))
    }

    /// Can passages of this index be found by their meaning?
    pub const fn has_vectors(&self) -> bool {
        self.vectors.is_some()
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
                let mut document =
                    json!({ title: passage.title, section: passage.section, link: passage.link, text: passage.text });
                if self.vectors.is_some() {
                    document[vector.as_str()] = json!(numbers);
                }
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
mod tests;

//! Options that several commands share, and what is made of them.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use askdocs_model::faults::Faults;
use askdocs_model::scheduler::Scheduler;
use askdocs_model::server::{Models, router};
use axum::Router;
use clap::{Args, ValueEnum};
use tokenfall_agent::Agent;
use tokenfall_agent::generation::{Prices, TokenPrice};

use crate::ask::Application;
use crate::completion::{ChatClient, RetryPolicy};
use crate::embed::Embedder;
use crate::endpoint::{Endpoint, Provider};
use crate::feedback::Feedback;
use crate::idle::Idle;
use crate::index::Index;
use crate::local;
use crate::prompt::Limits;
use crate::retrieval::{Retriever, Source};
use crate::search_engine::{FieldNames, SearchEngine};
use crate::tokens::TokenCounter;

const OPENAI: &str = "https://api.openai.com/v1";
/// Tokens of an answer of the local model, which has little to say and says it slowly.
const LOCAL_MAX_TOKENS: usize = 160;
/// Answers of the local model at a time: those of one question.
pub(crate) const LOCAL_SLOTS: usize = 3;

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProviderName {
    /// A small model of this process.
    Local,
    /// OpenAI.
    #[value(name = "openai")]
    OpenAi,
    /// Azure OpenAI.
    Azure,
    /// Anything that speaks OpenAI's protocol: Ollama, vLLM, llama.cpp, LiteLLM …
    Compatible,
}

/// Which model answers, and how.
#[derive(Args, Debug)]
pub struct ChatOptions {
    /// Who answers. Default: azure if AZURE_OPENAI_ENDPOINT is set, compatible if there is a --base-url, openai if OPENAI_API_KEY is
    /// set, else local.
    #[arg(long, env = "ASKDOCS_PROVIDER", value_enum)]
    provider: Option<ProviderName>,
    /// Address of the endpoint, such as http://127.0.0.1:11434/v1.
    #[arg(long, env = "OPENAI_BASE_URL")]
    base_url: Option<String>,
    /// Model; with Azure the deployment. Default: gpt-4o-mini with OpenAI, the local one.
    #[arg(long, env = "ASKDOCS_MODEL")]
    model: Option<String>,
    #[arg(long, env = "OPENAI_API_KEY", hide_env_values = true, hide = true)]
    openai_api_key: Option<String>,
    /// Azure's endpoint, such as https://NAME.openai.azure.com.
    #[arg(long, env = "AZURE_OPENAI_ENDPOINT")]
    azure_endpoint: Option<String>,
    #[arg(long, env = "AZURE_OPENAI_API_KEY", hide_env_values = true, hide = true)]
    azure_api_key: Option<String>,
    /// Version of Azure's interface.
    #[arg(long, env = "OPENAI_API_VERSION", default_value = "2024-10-21")]
    api_version: String,
    /// Price of a million tokens in USD, of questions and of answers: 0.15/0.60.
    #[arg(long, env = "ASKDOCS_PRICE", value_parser = parse_prices)]
    price: Option<Prices>,
    /// Most tokens of an answer. Default: 1024, of the local model 160.
    #[arg(long)]
    max_tokens: Option<usize>,
    /// Most tokens of question and answer.
    #[arg(long, default_value_t = Limits::default().max_context_tokens)]
    max_context_tokens: usize,
    /// Tokens that are left free.
    #[arg(long, default_value_t = Limits::default().safety_margin)]
    safety_margin: usize,
    /// 0 gives the same answer each time.
    #[arg(long, default_value_t = 0.0)]
    temperature: f32,
    /// Most attempts for an answer, the first one included.
    #[arg(long, default_value_t = RetryPolicy::default().attempts)]
    attempts: u32,
    #[command(flatten)]
    faults: FaultOptions,
}

/// What goes wrong on purpose.
#[derive(Args, Debug)]
pub struct FaultOptions {
    /// What goes wrong on purpose with the local model: rate-limit=0.2,disconnect=0.1,server-error=0.05,slow:150=1@WORDS,stall:3000=0.1
    #[arg(long, default_value = "")]
    faults: String,
    /// The same faults each time.
    #[arg(long)]
    faults_seed: Option<u64>,
}

impl FaultOptions {
    /// The faults.
    ///
    /// # Errors
    /// If a rule is wrong.
    pub fn parse(&self) -> Result<Faults> {
        let faults: Faults = self.faults.parse().context("--faults")?;
        Ok(match self.faults_seed {
            Some(seed) => faults.seeded(seed),
            None => faults,
        })
    }
}

fn parse_prices(text: &str) -> Result<Prices, String> {
    let (input, output) = text.split_once('/').ok_or("write two prices: 0.15/0.60")?;
    let price = |text: &str| text.trim().parse::<TokenPrice>().map_err(|error| error.to_string());
    Ok(Prices::new(price(input)?, price(output)?))
}

impl ChatOptions {
    fn provider(&self) -> ProviderName {
        self.provider.unwrap_or_else(|| {
            if self.azure_endpoint.is_some() {
                ProviderName::Azure
            } else if self.base_url.is_some() {
                ProviderName::Compatible
            } else if self.openai_api_key.is_some() {
                ProviderName::OpenAi
            } else {
                ProviderName::Local
            }
        })
    }

    /// The model, ready to be asked.
    ///
    /// # Errors
    /// If something is missing or does not load.
    pub fn client(&self) -> Result<ChatClient> {
        let model = |default: &str| self.model.clone().unwrap_or_else(|| default.to_owned());
        let key = || self.openai_api_key.clone();
        let (mut limits, counter, endpoint);
        limits = Limits {
            max_tokens: self.max_tokens.unwrap_or(Limits::default().max_tokens),
            max_context_tokens: self.max_context_tokens,
            safety_margin: self.safety_margin,
        };
        match self.provider() {
            ProviderName::Local => {
                let (router, scheduler) = local_chat(self.faults.parse()?)?;
                let info = scheduler.model().info();
                limits.max_tokens = self.max_tokens.unwrap_or(LOCAL_MAX_TOKENS);
                limits.max_context_tokens = limits.max_context_tokens.min(info.context_tokens);
                endpoint = Endpoint::local(router, &info.id);
                counter = TokenCounter::Local(Arc::clone(scheduler.model()));
            }
            ProviderName::OpenAi => {
                let Some(key) = key() else { bail!("OPENAI_API_KEY is not set") };
                let (base, model) = (self.base_url.as_deref().unwrap_or(OPENAI), model("gpt-4o-mini"));
                counter = TokenCounter::for_model(&model);
                endpoint = Endpoint::http(Provider::OpenAi, base, &model, Some(key))?;
            }
            ProviderName::Azure => {
                let base = self.azure_endpoint.as_deref().context("AZURE_OPENAI_ENDPOINT is not set")?;
                let key = self.azure_api_key.clone().or_else(key).context("AZURE_OPENAI_API_KEY is not set")?;
                let model = self.model.as_deref().context("name the deployment with --model")?;
                counter = TokenCounter::for_model(model);
                let provider = Provider::Azure { api_version: self.api_version.clone() };
                endpoint = Endpoint::http(provider, base, model, Some(key))?;
            }
            ProviderName::Compatible => {
                let base = self.base_url.as_deref().context("name the endpoint with --base-url")?;
                let model = self.model.as_deref().context("name the model with --model")?;
                counter = TokenCounter::for_model(model);
                endpoint = Endpoint::http(Provider::Compatible, base, model, key())?;
            }
        }
        if limits.question() < 200 {
            bail!(
                "{} tokens are left for a question: make --max-tokens or --safety-margin smaller than {} together",
                limits.question(),
                limits.max_context_tokens
            );
        }
        let retry = RetryPolicy { attempts: self.attempts.max(1), ..RetryPolicy::default() };
        Ok(ChatClient { endpoint, limits, retry, counter, prices: self.price, temperature: self.temperature })
    }
}

/// The local language model behind the routes that everybody else uses, too.
fn local_chat(faults: Faults) -> Result<(Router, Scheduler)> {
    let scheduler = Scheduler::start(local::chat_model(&local::weights())?, LOCAL_SLOTS)?;
    let models = Models { chat: Some(scheduler.clone()), faults, ..Models::default() };
    Ok((router(models), scheduler))
}

/// What embeds passages and questions.
#[derive(Args, Debug)]
pub struct EmbeddingOptions {
    /// What embeds: `local`, `none`, or the address of an endpoint such as https://api.openai.com/v1.
    #[arg(long, env = "ASKDOCS_EMBEDDINGS", default_value = "local")]
    embeddings: String,
    /// Embedding model of the endpoint.
    #[arg(long, env = "ASKDOCS_EMBEDDING_MODEL", default_value = "text-embedding-3-small")]
    embedding_model: String,
    #[arg(
        long,
        env = "OPENAI_API_KEY",
        hide_env_values = true,
        hide = true,
        id = "embedding_api_key",
        long = "embedding-api-key"
    )]
    key: Option<String>,
}

impl EmbeddingOptions {
    /// What embeds, if anything.
    ///
    /// # Errors
    /// If the model does not load.
    pub fn embedder(&self) -> Result<Option<Embedder>> {
        Ok(match self.embeddings.as_str() {
            "none" => None,
            "local" => Some(Embedder::Local(local::embedding_model(&local::weights())?)),
            url => {
                let endpoint = Endpoint::http(Provider::Compatible, url, &self.embedding_model, self.key.clone());
                Some(Embedder::endpoint(endpoint.context("--embeddings")?))
            }
        })
    }
}

/// Where passages are.
#[derive(Args, Debug)]
pub struct SearchOptions {
    /// Folder of the embedded index.
    #[arg(long, env = "ASKDOCS_INDEX", default_value = "askdocs-index")]
    pub index: PathBuf,
    /// Elasticsearch or OpenSearch instead: https://USER:PASSWORD@HOST:9200.
    #[arg(long, env = "ASKDOCS_SEARCH", hide_env_values = true)]
    pub search: Option<String>,
    /// Index of the search engine.
    #[arg(long, env = "ASKDOCS_SEARCH_INDEX", default_value = "askdocs")]
    pub search_index: String,
    #[arg(long, env = "ASKDOCS_SEARCH_API_KEY", hide_env_values = true, hide = true)]
    search_api_key: Option<String>,
    /// Names of the fields in that index, if others: title=name,section=heading,link=url,text=body,vector=embedding
    #[arg(long, default_value = "", value_parser = parse_fields)]
    search_fields: FieldNames,
}

fn parse_fields(text: &str) -> Result<FieldNames, String> {
    let mut fields = FieldNames::default();
    for pair in text.split(',').filter(|pair| !pair.is_empty()) {
        let (field, name) = pair.split_once('=').ok_or_else(|| format!("`{pair}` is not FIELD=NAME"))?;
        let place = match field.trim() {
            "title" => &mut fields.title,
            "section" => &mut fields.section,
            "link" => &mut fields.link,
            "text" => &mut fields.text,
            "vector" => &mut fields.vector,
            other => return Err(format!("there is no field `{other}`: title, section, link, text, vector")),
        };
        name.trim().clone_into(place);
    }
    Ok(fields)
}

impl SearchOptions {
    /// The search engine, if one is named.
    ///
    /// # Errors
    /// If it does not answer.
    pub async fn engine(&self) -> Result<Option<SearchEngine>> {
        let Some(url) = &self.search else { return Ok(None) };
        let key = self.search_api_key.as_deref();
        Ok(Some(SearchEngine::connect(url, &self.search_index, key, self.search_fields.clone()).await?))
    }

    /// What finds passages.
    ///
    /// # Errors
    /// If there is no index, or the model does not load.
    pub async fn retriever(&self, embeddings: &EmbeddingOptions) -> Result<Retriever> {
        let source = match self.engine().await? {
            Some(engine) => Source::SearchEngine(Arc::new(engine)),
            None => Source::Embedded(Arc::new(Index::open(&self.index)?)),
        };
        let embedder = embeddings.embedder()?;
        if let (Source::Embedded(index), Some(embedder)) = (&source, &embedder)
            && let Some(was) = index.embedding_model()
            && was != embedder.model()
        {
            let is = embedder.model();
            bail!("the vectors of this index are of the model {was}, not {is}: run `askdocs index` with {is} first");
        }
        Ok(Retriever { source, embedder: embedder.map(Arc::new) })
    }
}

/// Where measurements go.
#[derive(Args, Debug)]
pub struct AgentOptions {
    /// Address of Tokenfall, where measurements are sent and traces are shown.
    #[arg(long, env = "ELASTIC_APM_SERVER_URL", default_value = "http://127.0.0.1:8200")]
    pub tokenfall_url: String,
}

impl AgentOptions {
    /// Starts the agent. Every option of the agent can be set by its environment variable.
    pub fn agent(&self) -> Agent {
        let agent = Agent::builder()
            .service_name("askdocs")
            .service_version(env!("CARGO_PKG_VERSION"))
            .server_url(self.tokenfall_url.clone())
            .start();
        Agent::set_global(&agent);
        agent
    }
}

/// All of the application's options.
#[derive(Args, Debug)]
pub struct ApplicationOptions {
    #[command(flatten)]
    pub(crate) search: SearchOptions,
    #[command(flatten)]
    pub(crate) embedding: EmbeddingOptions,
    #[command(flatten)]
    pub(crate) chat: ChatOptions,
    #[command(flatten)]
    pub(crate) agent: AgentOptions,
}

impl ApplicationOptions {
    /// Loads everything.
    ///
    /// # Errors
    /// If something is missing.
    pub async fn application(&self) -> Result<Arc<Application>> {
        let retriever = self.search.retriever(&self.embedding).await?;
        let chat = self.chat.client()?;
        let agent = self.agent.agent();
        let feedback = Feedback::new(agent.clone());
        Ok(Arc::new(Application { retriever, chat, agent, feedback, idle: Idle::default() }))
    }
}

//! What a span says about its parent: the part of the enrichment that needs more than one document.
//!
//! Agents report a span when it ends, so children come before their parent, often in an earlier request. [`Enricher`] keeps
//! what the children of a span told until the span itself comes. `docs/dependencies.md` has the rule.
//!
//! ```text
//! token spans ──chunks──┐
//! HTTP request ─transport┼→ Facts of the parent ─→ the parent comes: generation, wrapper or neither
//! model call ─is inside ─┘
//! ```
//!
//! Invariant: the counts of all spans of one model call sum up to one call, also if the call comes before its transports or a
//! wrapper before the call directly in it.

mod facts;
mod recent;
mod rollup;

use std::cmp::Reverse;
use std::collections::HashMap;

use tokenfall_model::document::{Dependency, DependencyRole, TokenStream, TokenfallFields};
use tokenfall_model::{Document, EventKind};

use crate::dependency::{agent_call, agent_resource, is_echo, is_token, weighted};
use crate::generation::{
    ApiRequest, ModelWord, api_request, complete_gen_ai, has_gen_ai_evidence, is_agent_step, model_word, named_provider,
};
use crate::settings::Settings;
use crate::{cost, usage};
use facts::{Calls, Chunks, Facts, Resolved, Transport};
use recent::{Keys, Recent, SpanKey};
use rollup::Rollups;

/// Spans of which facts are remembered. A span whose facts were forgotten is resolved from itself alone.
const REMEMBERED_SPANS_MAX: usize = 100_000;

/// Kind of callee of every language model.
const KIND_GENAI: &str = "genai";

/// Steps up from an HTTP request to look for its model call in the same batch.
const ANCESTORS_MAX: usize = 32;

/// Completes documents, the parts that depend on their neighbours included. Does no I/O and reads no clock; its memory is
/// bounded.
#[derive(Debug)]
pub struct Enricher {
    settings: Settings,
    keys: Keys,
    facts: Recent<Facts>,
    rollups: Rollups,
}

impl Default for Enricher {
    fn default() -> Self {
        Self::new(Settings::default())
    }
}

/// What a span is, judged by itself.
#[derive(Debug)]
enum Role {
    /// A model call, or a wrapper around some; `word` is what its type says if nobody names the provider.
    Model { provider: Option<String>, word: &'static str },
    /// An HTTP request to a model.
    Transport(ApiRequest),
    /// The arrival of chunks, if a model call is above: the agent says so, or the callee is only the echo of a type.
    Chunks,
    /// Anything else.
    Other,
    /// Not a span.
    NoSpan,
}

/// Where a document stands in its trace.
#[derive(Clone, Copy, Debug)]
struct Place {
    own: Option<SpanKey>,
    parent: Option<SpanKey>,
}

impl Enricher {
    /// Remembers everything that a usual server needs.
    pub fn new(settings: Settings) -> Self {
        Self::with_memory_of(REMEMBERED_SPANS_MAX, settings)
    }

    /// Remembers at most about this many spans.
    pub fn with_memory_of(spans: usize, settings: Settings) -> Self {
        let (keys, facts) = (Keys::default(), Recent::with_capacity_of(spans));
        Self { settings, keys, facts, rollups: Rollups::with_memory_of(spans) }
    }

    /// Completes a batch in place. The order of the documents does not matter within a batch; across batches, a child that
    /// comes after its parent is still counted right, but the parent has no stream, model or wrapper mark from it.
    pub fn enrich_batch(&mut self, documents: &mut [Document]) {
        for document in documents.iter_mut() {
            crate::enrich(document);
        }
        let calls = self.relate(documents);
        for (i, is_new) in &calls {
            usage::complete(&mut documents[*i], &self.settings.labels);
            if *is_new {
                cost::complete(&mut documents[*i], &self.settings);
            } else if let Some(fields) = documents[*i].tokenfall.as_mut() {
                fields.cost = None;
            }
        }
        let new = calls.into_iter().filter(|(_, is_new)| *is_new).map(|(i, _)| i);
        self.rollups.count(documents, new, &self.keys, &self.settings.labels);
    }

    /// The part of [`Enricher::enrich_batch`] that looks at the neighbours. Gives the model calls of the batch, and of each
    /// whether it comes for the first time.
    fn relate(&mut self, documents: &mut [Document]) -> Vec<(usize, bool)> {
        let mut roles: Vec<Role> = documents.iter().map(role_of).collect();
        let places: Vec<Place> = documents.iter().map(|d| self.place(d)).collect();
        let is_plain = |i: usize| {
            matches!(roles[i], Role::Other | Role::NoSpan) && places[i].own.is_none_or(|k| !self.facts.contains(k))
        };
        if (0..documents.len()).all(is_plain) {
            documents.iter_mut().for_each(set_agent_call);
            return Vec::new();
        }
        let by_key: HashMap<SpanKey, usize> =
            places.iter().enumerate().filter_map(|(i, place)| Some((place.own?, i))).collect();
        settle_transports(&mut roles, &places, &by_key);
        let mut calls = Vec::new();
        for i in children_first(&places, &by_key) {
            calls.extend(self.resolve(&mut documents[i], &roles[i], places[i]).map(|is_new| (i, is_new)));
        }
        calls
    }

    fn place(&self, document: &Document) -> Place {
        let key = |id: Option<&str>| Some(self.keys.key(document.trace.as_ref()?.id.as_str(), id?));
        let own = match document.kind() {
            EventKind::Span => key(document.span.as_ref().and_then(|s| s.id.as_ref()).map(AsRef::as_ref)),
            EventKind::Transaction => key(document.transaction.as_ref().and_then(|t| t.id.as_ref()).map(AsRef::as_ref)),
            EventKind::Error | EventKind::Metricset | EventKind::Log => return Place { own: None, parent: None },
        };
        // What happens in another service is that service's affair, so facts end at a transaction.
        let parent = if document.kind() == EventKind::Span {
            key(document.parent.as_ref().map(|p| p.id.as_str())).filter(|parent| Some(*parent) != own)
        } else {
            None
        };
        Place { own, parent }
    }

    /// Of a model call, says whether it is counted: not if it was before, by itself or by the span around it.
    fn resolve(&mut self, document: &mut Document, role: &Role, place: Place) -> Option<bool> {
        match role {
            Role::Model { provider, word } => return self.resolve_model(document, provider.as_deref(), word, place),
            Role::NoSpan => {
                if let Some(own) = place.own {
                    self.facts.take(own);
                }
            }
            Role::Other => {
                set_agent_call(document);
                if let Some(told) = place.own.and_then(|own| self.facts.take(own))
                    && let Some(parent) = place.parent
                {
                    self.facts.entry(parent).absorb(told);
                }
            }
            Role::Chunks => {
                if let Some(parent) = place.parent {
                    self.facts.entry(parent).add_chunks(chunks_of(document));
                }
            }
            Role::Transport(request) => self.resolve_transport(document, request, place),
        }
        None
    }

    fn resolve_transport(&mut self, document: &mut Document, request: &ApiRequest, place: Place) {
        let told = place.own.and_then(|own| self.facts.take(own)).unwrap_or_default();
        if told.has_model_call {
            self.resolve_wrapper(document, place);
            return;
        }
        let mut dependency = weighted(document, &request.provider, KIND_GENAI, DependencyRole::Transport);
        let stream = until_last_chunk(document, &mut dependency, told.chunks);
        let gross = Calls { count: dependency.count, sum_us: dependency.sum_us };
        if let Some(parent) = place.parent {
            let facts = self.facts.entry(parent);
            // If the call above was stored before, it is counted in full.
            let call = facts.resolved.as_ref().map(|call| call.resource.clone());
            let is_late = call.is_some();
            dependency.resource = call.unwrap_or(dependency.resource);
            let resource = dependency.resource.clone();
            if facts.add_transport(Transport { span: place.own, resource, gross, is_late }) {
                dependency.count = 0.0;
                dependency.sum_us = 0.0;
            }
            facts.add_chunks(told.chunks);
            facts.api_provider.get_or_insert_with(|| dependency.resource.clone());
            facts.api_operation.get_or_insert(request.operation);
            facts.api_model = facts.api_model.take().or_else(|| request.model.clone());
        }
        // Two layers of an HTTP client may both report the request.
        let inside = told.transports_of(&dependency.resource, false);
        dependency.count -= inside.count;
        dependency.sum_us -= inside.sum_us;
        complete_gen_ai(document, &dependency.resource, Some(request.operation), request.model.as_deref());
        self.remember_call(
            place,
            told,
            Resolved { resource: dependency.resource.clone(), gross, replaced: Calls::default() },
        );
        set(document, Some(dependency), stream);
    }

    /// The calls inside speak for themselves.
    fn resolve_wrapper(&mut self, document: &mut Document, place: Place) {
        set(document, None, None);
        if let Some(fields) = document.tokenfall.as_mut() {
            (fields.usage, fields.cost) = (None, None);
        }
        if let Some(own) = place.own {
            self.facts.entry(own).has_model_call = true;
        }
        self.tell_model_call(place.parent, None);
    }

    /// Keeps what a call was resolved from: it may be sent again, and more may come to light.
    fn remember_call(&mut self, place: Place, told: Facts, resolved: Resolved) {
        if let Some(own) = place.own {
            *self.facts.entry(own) = Facts { resolved: Some(resolved), ..told };
        }
    }

    fn resolve_model(
        &mut self,
        document: &mut Document,
        provider: Option<&str>,
        word: &str,
        place: Place,
    ) -> Option<bool> {
        let told = place.own.and_then(|own| self.facts.take(own)).unwrap_or_default();
        if told.has_model_call {
            self.resolve_wrapper(document, place);
            return None;
        }
        let own_request = document.url.as_deref().and_then(api_request);
        let from_own_url = own_request.as_ref().filter(|r| !r.needs_model_call).map(|r| r.provider.as_str());
        let resource = provider
            .or(told.api_provider.as_deref())
            .or(from_own_url)
            .or_else(|| agent_resource(document).filter(|_| !is_echo(document)))
            .unwrap_or(word)
            .to_owned();
        let mut dependency = weighted(document, &resource, KIND_GENAI, DependencyRole::Generation);
        let stream = until_last_chunk(document, &mut dependency, told.chunks);
        let gross = Calls { count: dependency.count, sum_us: dependency.sum_us };
        let inside = told.transports_of(&resource, false);
        let (replaced, is_new) = if let Some(before) = &told.resolved {
            (before.replaced, false)
        } else {
            let replaced = self.tell_model_call(place.parent, Some(&resource));
            // The span around it was counted when it came, and what is stored stays.
            (replaced, replaced == Calls::default())
        };
        dependency.count += replaced.count - inside.count;
        dependency.sum_us += replaced.sum_us - inside.sum_us;
        let operation = told.api_operation.or(own_request.as_ref().map(|r| r.operation));
        let operation = operation.or((stream.is_some()).then_some("chat"));
        let model = told.api_model.as_deref().or(own_request.as_ref().and_then(|r| r.model.as_deref()));
        complete_gen_ai(document, &resource, operation, model);
        set(document, Some(dependency), stream);
        self.remember_call(place, told, Resolved { resource, gross, replaced });
        Some(is_new)
    }

    /// Marks the parent of a model call. If the parent was stored as a call itself before, it turns out to be a wrapper only
    /// now, and the result takes back what it counts: minus its call, plus the transports that it had taken in.
    fn tell_model_call(&mut self, parent: Option<SpanKey>, resource: Option<&str>) -> Calls {
        let Some(parent) = parent else { return Calls::default() };
        let facts = self.facts.entry(parent);
        facts.has_model_call = true;
        if resource.is_none() || facts.resolved.as_ref().map(|r| r.resource.as_str()) != resource {
            return Calls::default();
        }
        let Some(wrapper) = facts.resolved.take() else { return Calls::default() };
        let taken_in = facts.transports_of(&wrapper.resource, true);
        Calls { count: taken_in.count - wrapper.gross.count, sum_us: taken_in.sum_us - wrapper.gross.sum_us }
    }
}

fn role_of(document: &Document) -> Role {
    if document.kind() != EventKind::Span {
        return Role::NoSpan;
    }
    if is_token(document) {
        return Role::Chunks;
    }
    if is_agent_step(document) {
        return Role::Other;
    }
    let word = model_word(document);
    if word.is_some() || has_gen_ai_evidence(document) {
        let (by_word, word) = match word {
            Some(ModelWord::Provider(provider)) => (Some(provider), provider),
            Some(ModelWord::Generic(word)) => (None, word),
            None => (None, KIND_GENAI),
        };
        let provider = named_provider(document).or(by_word).map(ToOwned::to_owned);
        return Role::Model { provider, word };
    }
    if is_echo(document) {
        return Role::Chunks;
    }
    match document.url.as_deref().and_then(api_request) {
        Some(request) if agent_resource(document).is_some() => Role::Transport(request),
        _ => Role::Other,
    }
}

/// Decides about requests whose URL alone is not enough, and gives requests the provider that the call above them names,
/// where that call is in the same batch.
fn settle_transports(roles: &mut [Role], places: &[Place], by_key: &HashMap<SpanKey, usize>) {
    for i in 0..roles.len() {
        let Role::Transport(request) = &roles[i] else { continue };
        let mut up = places[i].parent.and_then(|p| by_key.get(&p).copied());
        let mut above = None;
        for _ in 0..ANCESTORS_MAX {
            let Some(ancestor) = up else { break };
            if let Role::Model { provider, .. } = &roles[ancestor] {
                above = Some(provider.clone());
                break;
            }
            up = places[ancestor].parent.and_then(|p| by_key.get(&p).copied());
        }
        match above {
            Some(provider) => {
                let provider = provider.unwrap_or_else(|| request.provider.clone());
                let settled = ApiRequest { provider, needs_model_call: false, ..request.clone() };
                roles[i] = Role::Transport(settled);
            }
            None if request.needs_model_call => roles[i] = Role::Other,
            None => {}
        }
    }
}

/// Indices of a batch in an order in which each span comes before its parent.
fn children_first(places: &[Place], by_key: &HashMap<SpanKey, usize>) -> Vec<usize> {
    const UNKNOWN: usize = usize::MAX;
    let mut depths = vec![UNKNOWN; places.len()];
    let mut path = Vec::new();
    for start in 0..places.len() {
        let mut at = Some(start);
        // A cycle ends the climb: each index is put on the path once, with a depth that is no longer unknown.
        while let Some(i) = at.filter(|i| depths[*i] == UNKNOWN) {
            depths[i] = 0;
            path.push(i);
            at = places[i].parent.and_then(|p| by_key.get(&p).copied());
        }
        let mut depth = at.map_or(0, |i| depths[i] + 1);
        while let Some(i) = path.pop() {
            depths[i] = depth;
            depth += 1;
        }
    }
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by_key(|i| Reverse(depths[*i]));
    order
}

fn chunks_of(document: &Document) -> Chunks {
    let count = document.span.as_ref().and_then(|s| s.composite.as_ref()).map_or(1, |c| c.count);
    let first_us = document.time().as_micros();
    let length = document.duration().map_or(0, |d| i64::try_from(d.get()).unwrap_or(i64::MAX));
    Chunks { count, first_us, last_us: first_us.saturating_add(length) }
}

/// Lets a streamed call last until its last chunk. What the agent measured of the stream counts, else what token spans tell.
fn until_last_chunk(document: &Document, dependency: &mut Dependency, chunks: Chunks) -> Option<TokenStream> {
    let measured = document.tokenfall.as_ref().and_then(|fields| fields.stream.clone());
    let stream = measured.or_else(|| chunks.stream_since(document.time()))?;
    // The times of merged calls cannot be told apart.
    if document.span.as_ref().is_some_and(|s| s.composite.is_none()) {
        dependency.duration_us = stream.time_to_last_chunk_us;
        dependency.sum_us = document.representative_count() * stream.time_to_last_chunk_us as f64;
    }
    Some(stream)
}

fn set_agent_call(document: &mut Document) {
    if document.kind() == EventKind::Span {
        let dependency = agent_call(document);
        set(document, dependency, None);
    }
}

fn set(document: &mut Document, dependency: Option<Dependency>, stream: Option<TokenStream>) {
    if dependency.is_none() && stream.is_none() && document.tokenfall.is_none() {
        return;
    }
    let fields = document.tokenfall.get_or_insert_with(|| Box::new(TokenfallFields::default()));
    fields.dependency = dependency;
    // What the agent measured stays.
    fields.stream = stream.or_else(|| fields.stream.take());
}

#[cfg(test)]
mod tests;

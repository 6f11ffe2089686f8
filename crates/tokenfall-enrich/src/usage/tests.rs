use tokenfall_model::document::{GenAi, GenAiResponse, LabelValue, Name, TokenStream};
use tokenfall_model::{EventKind, ServiceName, Timestamp};

use super::*;

fn call(usage: GenAiUsage) -> Document {
    let mut document = Document::new(Timestamp::from_micros(0), EventKind::Span, ServiceName::new("s"));
    document.gen_ai = Some(Box::new(GenAi { usage: Some(usage), ..GenAi::default() }));
    document
}

fn tokens(input: Option<u64>, output: Option<u64>) -> GenAiUsage {
    GenAiUsage { input_tokens: input, output_tokens: output, ..GenAiUsage::default() }
}

/// Tokens of question and answer; their sum with its source.
type Tokens = (Option<u64>, Option<u64>, Option<(Option<u64>, &'static str)>);

fn result(mut document: Document) -> Tokens {
    complete(&mut document, &LabelMap::default());
    let usage = document.gen_ai.as_ref().and_then(|g| g.usage).unwrap_or_default();
    let fields = document.tokenfall.unwrap();
    (usage.input_tokens, usage.output_tokens, fields.usage.map(|u| (u.total_tokens, u.source.as_str())))
}

fn streamed(chunks: u64, timeline: Option<&str>) -> Document {
    let mut document = call(GenAiUsage::default());
    let stream = TokenStream {
        chunks,
        time_to_first_chunk_us: 600_000,
        time_to_last_chunk_us: 1_600_000,
        timeline: timeline.map(Into::into),
        ..TokenStream::default()
    };
    document.tokenfall = Some(Box::new(TokenfallFields { stream: Some(stream), ..TokenfallFields::default() }));
    document
}

#[test]
fn the_best_source_counts() {
    assert_eq!(result(call(tokens(Some(7), Some(3)))), (Some(7), Some(3), Some((Some(10), "reported"))));
    assert_eq!(result(call(tokens(None, None))), (None, None, None), "unknown is not zero");
    assert_eq!(result(call(tokens(None, Some(3)))), (None, Some(3), Some((None, "reported"))));
    assert_eq!(result(streamed(62, None)), (None, Some(60), Some((None, "derived"))));
    assert_eq!(result(streamed(62, Some("1;1;1;gl6M0sdA0le"))), (None, Some(62), Some((None, "derived"))));
    assert_eq!(result(streamed(2, None)), (None, None, None), "only role and end");
}

#[test]
fn texts_are_the_last_resort() {
    let said = |text: &str| Some(GenAiMessages { messages: text.into() });
    let mut document = call(tokens(None, None));
    let gen_ai = document.gen_ai.as_mut().unwrap();
    gen_ai.input = said(r#"[{"role":"user","parts":[{"type":"text","content":"12345678"}]}]"#);
    gen_ai.output = said(r#"[{"role":"assistant","parts":[{"type":"text","content":"123456789"}]}]"#);
    // Three for the message, three for the begin of the answer.
    assert_eq!(result(document.clone()), (Some(2 + 6), Some(3), Some((Some(11), "estimated"))));
    document.event.get_or_insert_default().outcome = Some(Outcome::Failure);
    assert_eq!(result(document), (None, None, None), "a call that failed");
}

#[test]
fn texts_are_counted_where_the_tokenizer_is_known() {
    let said = |text: &str| Some(GenAiMessages { messages: format!(r#"[{{"role":"user","content":"{text}"}}]"#) });
    let mut document = streamed(9, None);
    let gen_ai = document.gen_ai.as_mut().unwrap();
    gen_ai.input = said("hello world");
    gen_ai.output = said("tiktoken is great!");
    assert_eq!(result(document.clone()), (Some(3 + 6), Some(7), Some((Some(16), "estimated"))), "no model is named");
    document.gen_ai.as_mut().unwrap().request.get_or_insert_default().model = Some("gpt-3.5-turbo".into());
    assert_eq!(result(document), (Some(2 + 6), Some(6), Some((Some(14), "counted"))));
}

#[test]
fn labels_of_the_span_are_numbers_of_the_call() {
    let mut document = call(tokens(None, None));
    document.labels.insert("openai_tokens".into(), LabelValue::One("120".into()));
    document.labels.insert("model".into(), LabelValue::One("gpt-4o".into()));
    assert_eq!(result(document.clone()), (None, None, Some((Some(120), "reported"))));
    complete(&mut document, &LabelMap::default());
    assert_eq!(document.tokenfall.unwrap().model.as_deref(), Some("gpt-4o"));
}

#[test]
fn embeddings_write_nothing() {
    let mut document = call(tokens(Some(9), None));
    document.gen_ai.as_mut().unwrap().operation = Some(Name { name: "embeddings".into() });
    assert_eq!(result(document), (Some(9), None, Some((Some(9), "reported"))));
}

#[test]
fn the_model_that_answered_counts() {
    let mut document = call(tokens(Some(1), Some(1)));
    let gen_ai = document.gen_ai.as_mut().unwrap();
    gen_ai.request.get_or_insert_default().model = Some("gpt-4o".into());
    gen_ai.response = Some(GenAiResponse { model: Some("gpt-4o-2024-08-06".into()), ..GenAiResponse::default() });
    complete(&mut document, &LabelMap::default());
    assert_eq!(document.tokenfall.unwrap().model.as_deref(), Some("gpt-4o-2024-08-06"));
}

#[test]
fn time_for_each_token() {
    let mut document = streamed(103, None);
    complete(&mut document, &LabelMap::default());
    let stream = document.tokenfall.unwrap().stream.unwrap();
    assert_eq!(stream.time_per_output_token_us, Some(10_000), "one second for the 100 tokens after the first");
    assert_eq!(stream.stall_count, None, "gaps are not known");
}

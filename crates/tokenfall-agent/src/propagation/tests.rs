use std::sync::Arc;

use proptest::prelude::*;
use serde_json::Value;

use super::{TraceContext, TraceState};
use crate::id::{SpanId, TraceId};
use crate::wildcard::WildcardMatcher;

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn with_state(lines: &[&'static str]) -> TraceContext {
    TraceContext::from_headers([PARENT], lines.iter().copied()).expect("a valid traceparent")
}

#[test]
fn w3c_test_data() {
    let Some(fixtures) = tokenfall_testkit::elastic_fixtures("w3c_test_data") else { return };
    let path = fixtures.join("agent-specs/json-specs/w3c_distributed_tracing.json");
    let text = std::fs::read_to_string(path).expect("the file is there");
    let json: String = text.lines().filter(|line| !line.starts_with("//")).collect();
    let cases: Vec<Value> = serde_json::from_str(&json).expect("JSON");
    for case in &cases {
        let headers: Vec<(String, String)> = serde_json::from_value(case["headers"].clone()).expect("pairs");
        let context = TraceContext::from_pairs(headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        assert_eq!(context.is_some(), case["is_traceparent_valid"], "{case}");
        if let (Some(context), Some(valid)) = (context, case.get("is_tracestate_valid")) {
            assert_eq!(context.tracestate().is_some(), *valid, "{case}");
        }
    }
    assert!(cases.len() > 70, "{} cases", cases.len());
}

#[test]
fn traceparent() {
    let check = |value: &str, expect: Option<bool>| {
        assert_eq!(TraceContext::from_headers([value], []).map(|context| context.sampled), expect, "{value}");
    };
    let ids = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331";
    check(&format!("00-{ids}-01"), Some(true));
    check(&format!("00-{ids}-00"), Some(false));
    check(&format!("00-{ids}-03"), Some(true));
    check(&format!("01-{ids}-02-more"), Some(false));
    check(&format!("01-{ids}-01-"), Some(true));
    check(&format!("00-{ids}-01-"), None);
    check(&format!("ff-{ids}-01"), None);
    check(&format!("FF-{ids}-01"), None);
    check(&format!("00-{}-01", ids.to_uppercase()), None);
    check("", None);
    assert!(TraceContext::from_headers([PARENT, PARENT], []).is_none(), "twice");
    assert!(TraceContext::from_headers([], []).is_none());
}

#[test]
fn the_sample_rate_is_ours_and_the_rest_goes_on_as_it_came() {
    let check = |lines: &[&'static str], rate: Option<f64>, expect: Option<&str>| {
        let context = with_state(lines);
        assert_eq!(context.state.sample_rate, rate, "{lines:?}");
        assert_eq!(context.tracestate().as_deref(), expect, "{lines:?}");
    };
    check(&[], None, None);
    check(&["", "  "], None, None);
    check(&["es=s:0.5"], Some(0.5), Some("es=s:0.5"));
    check(&["b=2,es=s:0.5,a=1"], Some(0.5), Some("es=s:0.5,b=2,a=1"));
    check(&["b=2", "a=1 ,es=s:1"], Some(1.0), Some("es=s:1,b=2,a=1"));
    check(&["es=x:y;s:0.12345"], Some(0.1235), Some("es=s:0.1235"));
    check(&["es=s:0.5,es=s:0.7,a=1"], Some(0.5), Some("es=s:0.5"));
    check(&["a=1,A=1,es=s:0"], Some(0.0), Some("es=s:0"));
    // No rate, or none that can be: nothing is known, and the member goes on as it is.
    check(&["es=x:y,a=1"], None, Some("es=x:y,a=1"));
    for wrong in ["es=s:1.5", "es=s:-1", "es=s:", "es=s:NaN", "es=s:1e-1", "es=s:0.1.2"] {
        check(&[wrong], None, Some(wrong));
    }
    assert!(with_state(&["es=x"]).state.is_elastic);
    assert!(!with_state(&["other=s:1"]).state.is_elastic);
}

#[test]
fn what_others_add_is_bounded() {
    let long = (0..2000).map(|n| format!("k{n}=value")).collect::<Vec<_>>().join(",");
    let context = TraceContext::from_headers([PARENT], [long.as_str(), "es=s:0.25"]).expect("valid");
    let kept = context.tracestate().expect("something");
    assert!((8000..8300).contains(&kept.len()), "{}", kept.len());
    assert!(kept.starts_with("es=s:0.25,k0=value,k1=value,") && kept.ends_with("=value"));
    let baggage = (0..100).map(|n| format!("k{n}={}", "v".repeat(200))).collect::<Vec<_>>().join(",");
    let context = TraceContext::from_pairs([("traceparent", PARENT), ("baggage", &baggage)]).expect("valid");
    let kept = context.baggage().expect("something");
    assert!((7900..=8192).contains(&kept.len()), "{}", kept.len());
    let members = TraceContext::from_pairs([("traceparent", PARENT), ("baggage", &"a=b,".repeat(1000))]);
    assert_eq!(members.expect("valid").baggage().map(|kept| kept.split(',').count()), Some(64));
}

#[test]
fn pairs_of_any_carrier() {
    let pairs = [("X", "y"), ("TraceParent", PARENT), ("TRACESTATE", "a=1"), ("Baggage", "user=7")];
    let context = TraceContext::from_pairs(pairs).expect("valid");
    let sent = context.to_pairs();
    assert_eq!(
        sent,
        [("traceparent", PARENT.to_owned()), ("tracestate", "a=1".to_owned()), ("baggage", "user=7".to_owned())]
    );
    let back = TraceContext::from_pairs(sent.iter().map(|(name, value)| (*name, value.as_str())));
    assert_eq!(back, Some(context));
}

#[test]
fn the_old_header_of_elastic_is_read_when_the_new_one_is_not_there() {
    let old = "00-0af7651916cd43dd8448eb211c80319c-00000000000000aa-01";
    let span = |pairs: &[(&'static str, &'static str)]| {
        TraceContext::from_pairs(pairs.iter().copied()).map(|context| context.span_id.get())
    };
    assert_eq!(span(&[("elastic-apm-traceparent", old)]), Some(0xaa));
    assert_eq!(span(&[("elastic-apm-traceparent", old), ("traceparent", PARENT)]), Some(0xb7ad_6b71_6920_3331));
}

#[test]
fn baggage_that_matches_is_attached() {
    let lines = "userId=alice, server.node = DF%2028;p=1,empty=,bad name=1,=x,no equals,odd=%zz%e2%82%ac";
    let context = TraceContext::from_pairs([("traceparent", PARENT), ("baggage", lines)]).expect("valid");
    let baggage = context.state.baggage.as_deref().expect("baggage");
    let attached = |patterns: &str| -> Vec<(String, String)> {
        let matchers = WildcardMatcher::list(patterns);
        baggage.attached(&matchers).map(|(name, value)| (name.to_owned(), value)).collect()
    };
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        attached("*"),
        [pair("userId", "alice"), pair("server.node", "DF 28"), pair("empty", ""), pair("odd", "%zz€")]
    );
    assert_eq!(attached("server.*"), [pair("server.node", "DF 28")]);
    assert_eq!(attached(""), []);
    assert_eq!(context.baggage(), Some("userId=alice,server.node = DF%2028;p=1,empty=,odd=%zz%e2%82%ac"));
}

#[cfg(feature = "http")]
#[test]
fn headers_of_http() {
    let mut headers = ::http::HeaderMap::new();
    assert_eq!(TraceContext::extract(&headers), None);
    headers.append("traceparent", PARENT.parse().expect("a value"));
    headers.append("tracestate", "b=2".parse().expect("a value"));
    headers.append("tracestate", "es=s:0.5".parse().expect("a value"));
    headers.append("baggage", "theirs=1".parse().expect("a value"));
    let context = TraceContext::extract(&headers).expect("valid");
    assert_eq!(context.tracestate().as_deref(), Some("es=s:0.5,b=2"));

    let mut sent = ::http::HeaderMap::new();
    context.inject(&mut sent);
    assert_eq!(TraceContext::extract(&sent), Some(context.clone()));

    // Nothing of another trace stays, but baggage does.
    let bare = TraceContext { state: TraceState::default(), ..context };
    bare.inject(&mut sent);
    assert_eq!(sent.get("tracestate"), None);
    assert_eq!(sent.get("baggage").map(|value| value.as_bytes()), Some(b"theirs=1".as_slice()));

    headers.append("traceparent", ::http::HeaderValue::from_bytes(b"\xff").expect("a value"));
    assert_eq!(TraceContext::extract(&headers), None, "twice, though the second is no text");
}

fn any_context() -> impl Strategy<Value = TraceContext> {
    let rate = proptest::option::of((0..=10_000_u32).prop_map(|rate| f64::from(rate) / 10_000.0));
    let others = proptest::option::of("[a-d][a-z0-9]{0,9}=[!-+.-<>-~]{1,9}(,[f-z][a-z]{0,9}@[a-z]{1,9}=[!-+]{1,9})?");
    (1_u128.., 1_u64.., any::<bool>(), rate, others).prop_map(|(trace, span, sampled, sample_rate, others)| {
        TraceContext {
            trace_id: TraceId::from_raw(trace).expect("not zero"),
            span_id: SpanId::from_raw(span).expect("not zero"),
            sampled,
            state: TraceState {
                sample_rate,
                is_elastic: sample_rate.is_some(),
                others: others.map(Arc::from),
                ..TraceState::default()
            },
        }
    })
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(context in any_context()) {
        let pairs = context.to_pairs();
        let back = TraceContext::from_pairs(pairs.iter().map(|(name, value)| (*name, value.as_str())));
        prop_assert_eq!(back, Some(context));
    }

    #[test]
    fn no_text_is_too_much(parent in "\\PC{0,70}", almost in "[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}\\PC{0,3}", state in "\\PC{0,99}", bag in "[%=,;a-f ]{0,40}") {
        for parent in [&parent, &almost] {
            let pairs = [("traceparent", parent.as_str()), ("tracestate", &state), ("baggage", &bag)];
            if let Some(context) = TraceContext::from_pairs(pairs) {
                let attached = context.state.baggage.iter().flat_map(|b| b.attached(&[]).collect::<Vec<_>>()).count();
                prop_assert_eq!(attached, 0);
                let pairs = context.to_pairs();
                let back = TraceContext::from_pairs(pairs.iter().map(|(name, value)| (*name, value.as_str())));
                prop_assert_eq!(back, Some(context));
            }
        }
    }
}

//! Captured exceptions of attempts that failed.

use serde_json::{Value, json};

use super::article::{Attempt, Error, QUESTIONS, Search, Service};
use super::events::kind_of;
use super::log::error_type;

/// The error event, which comes right after its span has ended.
pub(super) fn event(search: &Search, attempt: &Attempt, error: Error) -> Value {
    let kind = error_type(error);
    let message = match error {
        Error::RateLimit => "Rate limit reached for requests. Please retry after 1 second.",
        Error::Connection => "Error communicating with OpenAI",
    };
    let mut exception = json!({"message": format!("{kind}: {message}"), "type": kind, "handled": true});
    let culprit = match search.service {
        Service::Page => {
            let (function, line) = raised_in(error);
            exception["module"] = "openai.error".into();
            exception["stacktrace"] = stacktrace(function, line);
            format!("openai.api_requestor.{function}")
        }
        Service::Assistant => "docs_assistant::answer".to_owned(),
    };
    json!({"error": {
        "context": {"tags": {"query": QUESTIONS[search.question]}, "custom": {}},
        "id": attempt.inner_ids[2],
        "exception": exception,
        "parent_id": attempt.id,
        "culprit": culprit,
        "timestamp": attempt.at_us + attempt.duration_us as i64 + 300,
        "trace_id": search.trace_id,
        "transaction_id": search.transaction_id,
        "transaction": {"sampled": true, "type": kind_of(search.service), "name": null},
    }})
}

/// Function and line of `openai/api_requestor.py` (0.27).
const fn raised_in(error: Error) -> (&'static str, u32) {
    match error {
        Error::RateLimit => ("_interpret_response_line", 765),
        Error::Connection => ("arequest_raw", 673),
    }
}

/// The page's own frame and the one that raised, in the order in which Elastic's Python agent sends them.
fn stacktrace(function: &str, line: u32) -> Value {
    json!([
        {
            "abs_path": "/app/question_answering.py",
            "filename": "question_answering.py",
            "module": "__main__",
            "function": "achat_gpt",
            "lineno": 53,
            "library_frame": false,
            "context_line": "                async for chunk in await openai.ChatCompletion.acreate(",
        },
        {
            "abs_path": "/app/venv/lib/python3.11/site-packages/openai/api_requestor.py",
            "filename": "openai/api_requestor.py",
            "module": "openai.api_requestor",
            "function": function,
            "lineno": line,
            "library_frame": true,
        },
    ])
}

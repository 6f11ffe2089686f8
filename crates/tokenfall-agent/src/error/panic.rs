//! Panics, reported by a hook.
//!
//! A panic in the hook ends the process, and the thread that panics may hold any lock. So nothing in here waits for a lock,
//! runs code of the program, or assumes that thread-locals still live.

use std::cell::Cell;
use std::panic::PanicHookInfo;
use std::sync::Arc;
use std::time::Duration;

use crate::agent::{Agent, WeakAgent};
use crate::context::{Active, Context};
use crate::core::Core;
use crate::event::{ErrorKind, ErrorPlace, ErrorRecord, Event, EventContext, Exception, Text};
use crate::id::ErrorId;
use crate::stacktrace::StackTrace;
use crate::trace::{Node, try_lock};

use super::{core, place, timestamp_us, unsampled_place};

/// How long a process that ends waits for the server.
const LAST_FLUSH: Duration = Duration::from_secs(1);

thread_local! {
    /// Is this thread in the hook already?
    static IN_HOOK: Cell<bool> = const { Cell::new(false) };
}

impl Agent {
    /// Reports every panic of the process from now on, in the current span or transaction of its thread, as an error of type
    /// `panic` that nobody handled. Then the panic hook that was there before is called. Does not keep the agent running.
    ///
    /// Where the process is about to end, that is in the main thread and with `panic = "abort"`, it waits up to a second until
    /// the server has the error.
    ///
    /// Does nothing if the agent is disabled or the thread is panicking.
    pub fn install_panic_hook(&self) {
        let Some(agent) = self.downgrade() else { return };
        // `std` refuses to change the hook then.
        if std::thread::panicking() {
            return;
        }
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            report(&agent, info);
            before(info);
        }));
    }
}

fn report(agent: &WeakAgent, info: &PanicHookInfo<'_>) {
    let Some(agent) = agent.upgrade() else { return };
    let Some(core) = agent.core() else { return };
    if !IN_HOOK.try_with(|in_hook| in_hook.replace(true)).is_ok_and(|was_in| !was_in) {
        return;
    }
    send(core, info);
    if ends_process() {
        agent.flush(LAST_FLUSH);
    }
    IN_HOOK.try_with(|in_hook| in_hook.set(false)).ok();
}

/// Is this probably the last that the process does? A panic elsewhere ends a thread or a task, which must not wait.
fn ends_process() -> bool {
    let thread = std::thread::current();
    cfg!(panic = "abort") && thread.name() != Some(crate::worker::THREAD) || thread.name() == Some("main")
}

fn send(agent: &Arc<Core>, info: &PanicHookInfo<'_>) {
    let settings = agent.settings.load();
    if !settings.recording || settings.context_propagation_only {
        return;
    }
    let active = Context::try_current().and_then(|context| context.active);
    let active = active.filter(|active| Arc::ptr_eq(core(active), agent));
    let (place, context) = match &active {
        None => (None, EventContext::default()),
        Some(Active::Unsampled(unsampled)) => (Some(unsampled_place(unsampled)), EventContext::default()),
        Some(Active::Node(node)) => {
            let (place, context) = in_node(node);
            (Some(place), context)
        }
    };
    let exception = Exception {
        message: message(info),
        kind: Some(Text::Borrowed("panic")),
        handled: false,
        stack: (settings.stack_trace_limit > 0).then(StackTrace::capture),
        ..Exception::default()
    };
    agent.send(Event::Error(Box::new(ErrorRecord {
        id: ErrorId::random(),
        timestamp_us: timestamp_us(active.as_ref()),
        place,
        culprit: info.location().map(|location| location.to_string().into()),
        what: ErrorKind::Exception(exception),
        context,
    })));
}

/// Marks the node as failed and says where it is, as far as that can be had without waiting.
fn in_node(node: &Node) -> (ErrorPlace, EventContext) {
    let is_root = node.is_root();
    if !is_root {
        node.try_remark(|remarks| remarks.errored = true);
    }
    match try_lock(&node.trace.facts) {
        Some(mut facts) => {
            facts.errored |= is_root;
            (place(node, is_root, &facts), facts.context.clone())
        }
        None => (place(node, is_root, &crate::trace::Facts::default()), EventContext::default()),
    }
}

fn message(info: &PanicHookInfo<'_>) -> Text {
    let payload = info.payload();
    match (payload.downcast_ref::<&'static str>(), payload.downcast_ref::<String>()) {
        (Some(message), _) => Text::Borrowed(message),
        (None, Some(message)) => message.clone().into(),
        (None, None) => Text::Borrowed("a panic whose payload is no text"),
    }
}

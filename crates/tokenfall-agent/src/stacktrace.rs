//! Stack traces: taken cheaply where something happens, put into words on the agent's thread.
//!
//! `std` gives a stack trace as text only, so that text is what is read, whether the agent took it or it came with an error:
//!
//! ```text
//!    3: shop::cart::Cart::total::{{closure}}
//!              at ./src/cart.rs:17:9
//! ```
//!
//! Functions that were inlined are there too, but without their path: `total`. Of them only the file tells whose they are.

use std::path::Path;
use std::sync::Arc;

/// A stack trace that may not have been resolved yet.
#[derive(Clone, Debug)]
pub(crate) enum StackTrace {
    /// Taken by the agent. Symbols are looked up when it is written.
    Captured(Arc<std::backtrace::Backtrace>),
    /// Text of a `Backtrace` that came with an error.
    Printed(Arc<str>),
}

/// A call that was under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// Whole path of the function, without type arguments.
    pub(crate) path: String,
    /// Function, with its type if it has one: `Cart::total`.
    pub(crate) function: String,
    pub(crate) module: Option<String>,
    /// Path from the crate's folder, or from the current directory.
    pub(crate) filename: Option<String>,
    pub(crate) abs_path: Option<String>,
    pub(crate) line: Option<u32>,
    pub(crate) column: Option<u32>,
    owner: Owner,
}

impl Frame {
    /// Is it code of a dependency, of the standard library or of the agent?
    pub(crate) fn is_library(&self) -> bool {
        self.owner != Owner::Program
    }

    /// Where it is, in short.
    pub(crate) fn culprit(&self) -> String {
        match &self.filename {
            // An inlined function has no path.
            Some(filename) if self.module.is_none() => format!("{} ({filename})", self.path),
            _ => self.path.clone(),
        }
    }
}

impl StackTrace {
    /// Takes the stack of the caller. Costs microseconds; names are looked up later.
    pub(crate) fn capture() -> Self {
        Self::Captured(Arc::new(std::backtrace::Backtrace::force_capture()))
    }

    /// Bytes on the heap, roughly.
    pub(crate) fn heap_bytes(&self) -> usize {
        match self {
            Self::Captured(_) => 4096,
            Self::Printed(text) => text.len(),
        }
    }

    /// At most `max` frames, innermost first, without the machinery around the program: what takes stacks and panics above,
    /// what calls `main` and threads below. Looks symbols up the first time, which can take milliseconds.
    pub(crate) fn frames(&self, max: usize) -> Vec<Frame> {
        match self {
            _ if max == 0 => Vec::new(),
            Self::Captured(backtrace) => frames(&backtrace.to_string(), max),
            Self::Printed(text) => frames(text, max),
        }
    }
}

fn frames(text: &str, max: usize) -> Vec<Frame> {
    let calls = calls(text);
    let current = std::env::current_dir().ok();
    let end = calls.iter().position(|call| call.symbol.contains("__rust_begin_short_backtrace")).unwrap_or(calls.len());
    let calls = calls.get(..end).unwrap_or_default();
    // Whoever was called by a panic is above the call of the panic hook, the program below.
    let after_hook = calls.iter().position(|call| call.symbol.contains("PanicHookInfo")).map_or(0, |hook| hook + 1);
    // Whoever emitted a `tracing` event is below its dispatch, the layers that it went through above.
    let is_dispatch =
        |call: &Call<'_>| call.symbol.contains("tracing_core::event::Event") && call.symbol.ends_with("dispatch");
    let after_event = calls.iter().rposition(is_dispatch).map_or(0, |dispatch| dispatch + 1);
    let frames = calls.iter().skip(after_hook.max(after_event)).map(|call| frame(call, current.as_deref()));
    frames.skip_while(|frame| frame.owner.is_machinery()).take(max).collect()
}

/// Whose code is it?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    Program,
    Dependency,
    /// The standard library. Innermost it is how panics begin and stacks are taken, or what the program called wrongly.
    Std,
    Agent,
}

impl Owner {
    fn is_machinery(self) -> bool {
        matches!(self, Self::Std | Self::Agent)
    }
}

/// A call as it is printed.
#[derive(Clone, Copy, Debug, Default)]
struct Call<'a> {
    symbol: &'a str,
    file: Option<&'a str>,
    line: Option<u32>,
    column: Option<u32>,
}

/// Reads the text of a `Backtrace`. Lines that do not fit are skipped.
fn calls(text: &str) -> Vec<Call<'_>> {
    let mut calls: Vec<Call<'_>> = Vec::new();
    for line in text.lines() {
        let line = line.trim();
        if let Some(location) = line.strip_prefix("at ") {
            if let Some(call) = calls.last_mut().filter(|call| call.file.is_none()) {
                let (file, line, column) = location_parts(location);
                *call = Call { file: Some(file), line, column, ..*call };
            }
            continue;
        }
        // Functions that were inlined into the one after them have no number of their own.
        let numbered = line.split_once(": ").filter(|(number, _)| number.bytes().all(|b| b.is_ascii_digit()));
        let symbol = numbered.map_or(line, |(_, rest)| rest.trim());
        let symbol = symbol.strip_prefix("0x").and_then(|rest| rest.split_once(" - ")).map_or(symbol, |(_, name)| name);
        let is_call = numbered.is_some() || !(calls.is_empty() || line.contains(": "));
        if is_call && !symbol.is_empty() && symbol != "<unknown>" {
            calls.push(Call { symbol, ..Call::default() });
        }
    }
    calls
}

/// File, line and column of `file:17:9` or `file:17`.
fn location_parts(location: &str) -> (&str, Option<u32>, Option<u32>) {
    let number = |text: &'_ str| text.rsplit_once(':').and_then(|(rest, n)| Some((rest.len(), n.parse::<u32>().ok()?)));
    let cut = |end: usize| location.get(..end).unwrap_or(location);
    let Some((end, last)) = number(location) else { return (location, None, None) };
    match number(cut(end)) {
        Some((file_end, line)) => (cut(file_end), Some(line), Some(last)),
        None => (cut(end), Some(last), None),
    }
}

fn frame(call: &Call<'_>, current: Option<&Path>) -> Frame {
    let segments = segments(call.symbol);
    let path = segments.join("::");
    let (module, function) = module_and_function(&segments);
    let file = call.file.map(|file| file.replace('\\', "/"));
    let relative = file.as_deref().and_then(|file| file.strip_prefix("./"));
    let abs_path = match (relative, current) {
        (Some(relative), Some(current)) => Some(current.join(relative).to_string_lossy().into_owned()),
        _ => file.clone(),
    };
    Frame {
        owner: owner(call.symbol, abs_path.as_deref()),
        filename: file.as_deref().map(|file| filename(file).to_owned()),
        path,
        function,
        module,
        abs_path,
        line: call.line,
        column: call.column,
    }
}

/// Folders that hold the code of dependencies.
const DEPENDENCIES: &[&str] = &["/registry/src/", "/git/checkouts/", "/vendor/"];
/// Folders that hold the code of the standard library.
const STD: &[&str] = &["/rustc/", "/rustlib/src/"];
/// Folder of this crate when it was compiled.
const AGENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/");

/// Types whose methods are the standard library's.
const PRIMITIVES: &[&str] = &["bool", "char", "f32", "f64", "i32", "i64", "str", "u8", "u32", "u64", "usize"];
/// Crates around many programs, with those whose names begin alike (`tower_http`). Without debug information a name is all that
/// tells them from the program.
const FRAMEWORKS: &[&str] = &[
    "async_openai",
    "axum",
    "futures",
    "h2",
    "http",
    "hyper",
    "log",
    "reqwest",
    "rustls",
    "sqlx",
    "tokio",
    "tonic",
    "tower",
    "tracing",
];

fn is_of(root: &str, family: &str) -> bool {
    root.strip_prefix(family).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
}

fn owner(symbol: &str, file: Option<&str>) -> Owner {
    let is_in = |folders: &[&str]| file.is_some_and(|file| folders.iter().any(|folder| file.contains(folder)));
    let root = root_path(symbol).split("::").next().unwrap_or_default();
    // Tests of this crate stand for programs.
    let is_test = symbol.contains("::tests::") || file.is_some_and(|file| file.ends_with("/tests.rs"));
    match (root, file) {
        _ if is_in(STD) => Owner::Std,
        ("tokenfall_agent", _) if !is_test => Owner::Agent,
        (_, Some(file)) if file.starts_with(AGENT) && !is_test => Owner::Agent,
        _ if is_in(DEPENDENCIES) => Owner::Dependency,
        (_, Some(file)) if Path::new(file).extension().is_some_and(|extension| extension == "rs") => Owner::Program,
        ("std" | "core" | "alloc" | "__rustc" | "rust_begin_unwind", None) => Owner::Std,
        (root, None) if PRIMITIVES.contains(&root) => Owner::Std,
        (root, None) if FRAMEWORKS.iter().any(|name| is_of(root, name)) => Owner::Dependency,
        // C, or a Rust program without debug information.
        _ if symbol.contains("::") => Owner::Program,
        _ => Owner::Dependency,
    }
}

/// The file from the folder of its crate on, where that can be told.
fn filename(file: &str) -> &str {
    if let Some(relative) = file.strip_prefix("./") {
        return relative;
    }
    let after = |start: usize| file.get(start..).unwrap_or(file);
    if let Some(rest) = file.strip_prefix("/rustc/") {
        return rest.split_once('/').map_or(file, |(_, path)| path);
    }
    let source = file.rfind("/src/").or_else(|| file.rfind("/tests/")).or_else(|| file.rfind("/examples/"));
    let Some(source) = source else { return file };
    let folder = file.get(..source).and_then(|before| before.rfind('/')).map_or(0, |slash| slash + 1);
    after(folder)
}

/// Parts of a path between the `::` that are in no brackets, without type arguments and the hash at the end.
fn segments(symbol: &str) -> Vec<&str> {
    let mut segments = Vec::new();
    let (mut depth, mut start, mut before) = (0_u32, 0, ' ');
    for (at, c) in symbol.char_indices() {
        match c {
            '<' | '(' | '[' | '{' => depth += 1,
            // `->` closes nothing.
            '>' if before == '-' => {}
            '>' | ')' | ']' | '}' => depth = depth.saturating_sub(1),
            ':' if depth == 0 && before == ':' => {
                segments.push(symbol.get(start..at - 1).unwrap_or_default());
                start = at + 1;
            }
            _ => {}
        }
        before = c;
    }
    segments.push(symbol.get(start..).unwrap_or_default());
    let is_hash = |segment: &str| {
        segment.len() == 17 && segment.starts_with('h') && segment.bytes().skip(1).all(|b| b.is_ascii_hexdigit())
    };
    if segments.len() > 1 && segments.last().is_some_and(|last| is_hash(last)) {
        segments.pop();
    }
    let mut is_first = true;
    segments.retain(|segment| std::mem::take(&mut is_first) || !segment.starts_with('<'));
    for segment in &mut segments {
        *segment = match segment.find('<') {
            Some(arguments) if arguments > 0 => segment.get(..arguments).unwrap_or(segment),
            _ => segment,
        };
    }
    segments
}

/// Splits before the function, its type and what it is a closure of.
fn module_and_function(segments: &[&str]) -> (Option<String>, String) {
    let is_type = |segment: &str| segment.starts_with(|c: char| c.is_uppercase() || c == '<');
    let named = segments.iter().rposition(|segment| !segment.starts_with('{')).unwrap_or(0);
    let start = match named.checked_sub(1) {
        Some(before) if segments.get(before).is_some_and(|segment| is_type(segment)) => before,
        _ => named,
    };
    let (module, function) = segments.split_at(start);
    let mut module = module.join("::");
    if module.is_empty()
        && let Some(first) = segments.first().filter(|first| first.starts_with('<'))
    {
        module = root_path(first).rsplit_once("::").map_or_else(String::new, |(module, _)| module.to_owned());
    }
    ((!module.is_empty()).then_some(module), function.join("::"))
}

/// The first path in `<&mut shop::cart::Cart<T> as Trait>` and the like: `shop::cart::Cart`.
fn root_path(symbol: &str) -> &str {
    let mut rest = symbol;
    while let Some(inner) =
        ["<", "&", "*", "(", "[", "mut ", "dyn ", "const "].iter().find_map(|p| rest.strip_prefix(p))
    {
        rest = inner;
    }
    rest.split([' ', '<', '>', ',', '(', ')', '[', ']', ';', '{']).next().unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_come_apart() {
        let check = |symbol: &str, module: Option<&str>, function: &str| {
            let (found, name) = module_and_function(&segments(symbol));
            assert_eq!((found.as_deref(), name.as_str()), (module, function), "{symbol}");
        };
        check("main", None, "main");
        check("shop::main", Some("shop"), "main");
        check("shop::cart::Cart::total", Some("shop::cart"), "Cart::total");
        check(
            "shop::cart::Cart::total::{{closure}}::{{closure}}",
            Some("shop::cart"),
            "Cart::total::{{closure}}::{{closure}}",
        );
        check("shop::run::{closure#0}", Some("shop"), "run::{closure#0}");
        check("shop::run::h0123456789abcdef", Some("shop"), "run");
        check("shop::run::<shop::A, fn(u8) -> shop::B>", Some("shop"), "run");
        check(
            "<shop::cart::Cart as core::ops::drop::Drop>::drop",
            Some("shop::cart"),
            "<shop::cart::Cart as core::ops::drop::Drop>::drop",
        );
        check(
            "<&dyn core::ops::Fn<(), Output = i32> as core::ops::FnOnce<()>>::call_once",
            Some("core::ops"),
            "<&dyn core::ops::Fn<(), Output = i32> as core::ops::FnOnce<()>>::call_once",
        );
        check("<fn() -> a::B as c::D>::e", None, "<fn() -> a::B as c::D>::e");
        check("call_once<shop::run::{closure_env#0}, ()>", None, "call_once");
        check("alloc::vec::Vec<T,A>::push", Some("alloc::vec"), "Vec::push");
        check("", None, "");
    }

    const PANIC: &str = "\
   0: tokenfall_agent::error::report::{{closure}}
             at /home/ada/.cargo/registry/src/index.crates.io-1/tokenfall-agent-0.1.0/src/error.rs:1:1
   1: shop::hooks::install::{{closure}}
             at ./demo/hooks.rs:10:64
   2: <alloc::boxed::Box<dyn for<'a, 'b> core::ops::function::Fn<(&'a std::panic::PanicHookInfo<'b>,), Output = ()>> as core::ops::function::Fn<(&std::panic::PanicHookInfo,)>>::call
             at /rustc/59807616/library/alloc/src/boxed.rs:2254:9
   3: std::panicking::panic_with_hook
             at /rustc/59807616/library/std/src/panicking.rs:833:13
   4: std::sys::backtrace::__rust_end_short_backtrace::<std::panicking::panic_handler::{closure#0}, !>
   5: __rustc::rust_begin_unwind
   6: core::panicking::panic_fmt
             at /rustc/59807616/library/core/src/panicking.rs:80:14
   7: core::option::Option<T>::unwrap
             at /rustc/59807616/library/core/src/option.rs:1016:21
   8: serde_json::de::from_str
             at /home/ada/.cargo/registry/src/index.crates.io-1/serde_json-1.0.1/src/de.rs:2703:5
      shop::cart::Cart::total::{{closure}}
             at ./demo/cart.rs:11:102
   9: shop::main
             at /build/shop/src/main.rs:5
  10: <unknown>
  11: plugin_call
             at C:\\plugin\\plugin.c:7:1
 nonsense: without a number
  12: std::sys::backtrace::__rust_begin_short_backtrace
             at /rustc/59807616/library/std/src/sys/backtrace.rs:166:18
  13: main
";

    #[test]
    fn what_a_panic_leaves_is_what_the_program_did() {
        let frames = StackTrace::Printed(PANIC.into()).frames(50);
        let current = std::env::current_dir().expect("a current directory");
        let check = |i: usize, function, module: Option<&str>, filename, abs_path: &str, line, column, is_library| {
            let frame: &Frame = &frames[i];
            let found = (frame.function.as_str(), frame.module.as_deref(), frame.filename.as_deref());
            assert_eq!(found, (function, module, Some(filename)));
            assert_eq!(frame.abs_path.as_deref(), Some(abs_path));
            assert_eq!((frame.line, frame.column, frame.is_library()), (Some(line), column, is_library), "{function}");
        };
        let registry = "/home/ada/.cargo/registry/src/index.crates.io-1/serde_json-1.0.1/src/de.rs";
        check(0, "from_str", Some("serde_json::de"), "serde_json-1.0.1/src/de.rs", registry, 2703, Some(5), true);
        let cart = current.join("demo/cart.rs");
        let cart = cart.to_str().expect("text");
        check(1, "Cart::total::{{closure}}", Some("shop::cart"), "demo/cart.rs", cart, 11, Some(102), false);
        check(2, "main", Some("shop"), "shop/src/main.rs", "/build/shop/src/main.rs", 5, None, false);
        check(3, "plugin_call", None, "C:/plugin/plugin.c", "C:/plugin/plugin.c", 7, Some(1), true);
        assert_eq!(frames.len(), 4);
        assert_eq!(frames[1].path, "shop::cart::Cart::total::{{closure}}");
        assert_eq!(frames[1].culprit(), "shop::cart::Cart::total::{{closure}}");
        assert_eq!(frames[3].culprit(), "plugin_call (C:/plugin/plugin.c)");
    }

    #[test]
    fn no_more_frames_than_wanted() {
        assert_eq!(StackTrace::Printed(PANIC.into()).frames(2).len(), 2);
        assert_eq!(StackTrace::Printed(PANIC.into()).frames(0), []);
        assert_eq!(StackTrace::Printed("disabled backtrace".into()).frames(9), []);
        assert_eq!(StackTrace::Printed("".into()).frames(9), []);
    }

    #[test]
    fn without_debug_information_names_decide() {
        let text = "   0: core::fmt::write\n   1: <alloc::vec::Vec<T> as std::io::Write>::write\n   2: shop::main\n   \
                    3: <alloc::vec::Vec<T> as shop::Sum>::sum\n   4: qsort\n";
        let frames = StackTrace::Printed(text.into()).frames(9);
        let library: Vec<_> = frames.iter().map(|frame| (frame.path.as_str(), frame.is_library())).collect();
        let sum = "<alloc::vec::Vec<T> as shop::Sum>::sum";
        assert_eq!(library, [("shop::main", false), (sum, true), ("qsort", true)]);
    }

    #[test]
    fn files_tell_whose_inlined_functions_are() {
        let agent = format!("{AGENT}stacktrace.rs");
        let text = format!(
            "   0: capture\n             at {agent}:9:5\n   1: unwrap<u8>\n             at /rustc/1/library/core/src/option.rs:1:1
      total\n             at /build/shop/src/cart.rs:17:9\n   2: shop::main\n             at {agent}/../../main.rs:5:1\n"
        );
        let frames = StackTrace::Printed(text.into()).frames(9);
        assert_eq!(frames[0].culprit(), "total (shop/src/cart.rs)");
        assert!(!frames[0].is_library());
        assert_eq!(frames[1].function, "main");
    }

    #[test]
    fn without_debug_information_the_program_is_told_from_what_surrounds_it() {
        let text = "\
   0: <tracing_subscriber::filter::layer_filters::Filtered<L,F,S> as tracing_subscriber::layer::Layer<S>>::on_event::{{closure}}
   1: tracing_core::event::Event::dispatch
   2: todos::handlers::create::{{closure}}
   3: <usize as core::slice::index::SliceIndex<[T]>>::index
   4: axum::handler::Handler::call
   5: tokio::runtime::task::core::Core<T,S>::poll
   6: tower_http::trace::service::call
";
        let frames = StackTrace::Printed(text.into()).frames(50);
        let owners: Vec<_> = frames.iter().map(|frame| frame.owner).collect();
        let framework = Owner::Dependency;
        assert_eq!(owners, [Owner::Program, Owner::Std, framework, framework, framework]);
    }
}

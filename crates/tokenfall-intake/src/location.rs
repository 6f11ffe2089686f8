//! Where in a line did decoding fail? Found only after a failure, so that good lines pay nothing for it.

/// Parts of a path that a message names; deeper ones are left out.
const PATH_PARTS_MAX: usize = 12;
/// Longest part of a path that a message names, in bytes.
const PATH_PART_BYTES_MAX: usize = 64;

/// Describes a decode error: path, what was wrong, line and column.
pub(crate) fn describe(line: &str, number: u64, error: &serde_json::Error) -> String {
    let column = error.column().min(line.len());
    let text = error.to_string();
    // serde_json ends with its own position, in which the line is always 1 because it sees one line at a time.
    let what = text.rfind(" at line ").and_then(|at| text.get(..at)).unwrap_or(&text);
    let path = path_at(line.as_bytes().get(..column).unwrap_or_default());
    let separator = if path.is_empty() { "" } else { ": " };
    format!("decode error: data read error: {path}{separator}{what} on line {number}, column {column}")
}

/// The keys that lead to the end of `prefix`, a start of a JSON text.
fn path_at(prefix: &[u8]) -> String {
    let mut keys: Vec<&[u8]> = Vec::new();
    let mut last: &[u8] = b"";
    let mut rest = prefix;
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'"' => {
                let end = string_end(tail);
                last = tail.get(..end).unwrap_or(tail);
                rest = tail.get(end + 1..).unwrap_or_default();
            }
            b':' => {
                if let Some(key) = keys.last_mut() {
                    *key = last;
                }
            }
            b'{' | b'[' => keys.push(b""),
            b'}' | b']' => drop(keys.pop()),
            _ => {}
        }
    }
    let named: Vec<_> = keys
        .iter()
        .filter(|key| !key.is_empty())
        .take(PATH_PARTS_MAX)
        .map(|key| String::from_utf8_lossy(key.get(..PATH_PART_BYTES_MAX).unwrap_or(key)))
        .collect();
    named.join(".")
}

/// Offset of the quote that ends a string whose opening quote has been read.
fn string_end(text: &[u8]) -> usize {
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|t| memchr::memchr2(b'"', b'\\', t)) {
        if text.get(at + found) == Some(&b'"') {
            return at + found;
        }
        at += found + 2;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::path_at;

    #[test]
    fn names_the_keys() {
        assert_eq!(
            path_at(br#"{"span":{"a\"b":1,"context":{"db":{},"http":{"status_code":"x""#),
            "span.context.http.status_code"
        );
        assert_eq!(path_at(br#"{"error":{"exception":{"cause":[{"type":1"#), "error.exception.cause.type");
        assert_eq!(path_at(b""), "");
    }
}

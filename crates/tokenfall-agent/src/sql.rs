//! Names of database spans: what a statement does, and to which table.
//!
//! Not a parser: the tokens that decide are looked for, whatever dialect is around them (agent specification, "SQL
//! signatures"). Any text is accepted; time is linear in its length.

mod token;

use token::{Kind, Token, Tokens};

/// Short name of a statement, such as `SELECT FROM users`: the verb, and the first table that it is about.
///
/// Values never get in. A statement that is not understood gives its first word in capitals; one without words gives an empty
/// text.
///
/// ```
/// use tokenfall_agent::sql::signature;
///
/// assert_eq!(signature("select name from users where id = 7"), "SELECT FROM users");
/// assert_eq!(signature("INSERT INTO shop.orders VALUES (1)"), "INSERT INTO shop.orders");
/// assert_eq!(signature("CREATE TABLE users (id int)"), "CREATE");
/// ```
pub fn signature(statement: &str) -> String {
    let mut words = Words { tokens: Tokens::new(statement) };
    let Some(verb) = words.by_ref().find(|token| token.kind != Kind::LeftParenthesis) else { return String::new() };
    let signature = match verb.kind {
        Kind::Call => words.skip_to(Kind::Ident).map(|name| format!("CALL {}", name.text)),
        Kind::Delete => words.table_after(Kind::From).map(|table| format!("DELETE FROM {table}")),
        Kind::Insert => words.table_after(Kind::Into).map(|table| format!("INSERT INTO {table}")),
        Kind::Replace => words.table_after(Kind::Into).map(|table| format!("REPLACE INTO {table}")),
        Kind::Select => words.selected_table().map(|table| format!("SELECT FROM {table}")),
        Kind::Update => words.updated_table().map(|table| format!("UPDATE {table}")),
        _ => None,
    };
    signature.unwrap_or_else(|| match verb.kind {
        // Neither a value nor a sign is a name.
        Kind::String | Kind::Number | Kind::Other | Kind::Period | Kind::RightParenthesis => String::new(),
        _ => verb.text.to_uppercase(),
    })
}

/// Tokens without comments.
struct Words<'a> {
    tokens: Tokens<'a>,
}

impl<'a> Iterator for Words<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        self.tokens.find(|token| token.kind != Kind::Comment)
    }
}

impl<'a> Words<'a> {
    fn skip_to(&mut self, kind: Kind) -> Option<Token<'a>> {
        self.find(|token| token.kind == kind)
    }

    /// Table after the first `keyword`.
    fn table_after(&mut self, keyword: Kind) -> Option<String> {
        self.skip_to(keyword)?;
        let first = self.next().filter(|token| token.kind == Kind::Ident)?;
        Some(self.qualified(first))
    }

    /// First table of the outermost `SELECT`; `None` if that reads from another `SELECT`.
    fn selected_table(&mut self) -> Option<String> {
        let mut depth = 0_usize;
        while let Some(token) = self.next() {
            match token.kind {
                Kind::LeftParenthesis => depth += 1,
                Kind::RightParenthesis => depth = depth.saturating_sub(1),
                Kind::From if depth == 0 => {
                    let first = self.next().filter(|token| token.kind == Kind::Ident)?;
                    return Some(self.qualified(first));
                }
                _ => {}
            }
        }
        None
    }

    /// Table after `UPDATE` and its modifiers.
    fn updated_table(&mut self) -> Option<String> {
        loop {
            let token = self.next()?;
            match token.kind {
                Kind::Ident if is_modifier(token.text) => {}
                Kind::Ident => return Some(self.qualified(token)),
                // `UPDATE OR REPLACE table`
                Kind::Or => drop(self.next()),
                _ => return None,
            }
        }
    }

    /// `first`, and what follows it after periods.
    fn qualified(&mut self, first: Token<'a>) -> String {
        let mut name = first.text.to_owned();
        while self.next().is_some_and(|token| token.kind == Kind::Period) {
            let Some(part) = self.next().filter(|token| token.kind == Kind::Ident) else { break };
            name.push('.');
            name.push_str(part.text);
        }
        name
    }
}

fn is_modifier(word: &str) -> bool {
    ["IGNORE", "LOW_PRIORITY", "ONLY"].iter().any(|modifier| word.eq_ignore_ascii_case(modifier))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn cases(test: &str, file: &str) -> Vec<Value> {
        let Some(fixtures) = tokenfall_testkit::elastic_fixtures(test) else { return Vec::new() };
        let path = fixtures.join("agent-specs/json-specs").join(file);
        let text = std::fs::read_to_string(path).expect("the file is there");
        serde_json::from_str(&text).expect("it is a list")
    }

    fn text<'a>(case: &'a Value, key: &str) -> &'a str {
        case[key].as_str().expect("a text")
    }

    #[test]
    fn signatures_are_those_of_the_specification() {
        for case in cases("signatures_are_those_of_the_specification", "sql_signature_examples.json") {
            assert_eq!(signature(text(&case, "input")), text(&case, "output"), "{case}");
        }
    }

    #[test]
    fn tokens_are_those_of_the_specification() {
        for case in cases("tokens_are_those_of_the_specification", "sql_token_examples.json") {
            let tokens: Vec<(String, String)> = Tokens::new(text(&case, "input"))
                .map(|token| (token.kind.name().to_owned(), token.text.to_owned()))
                .collect();
            let expect: Vec<(String, String)> = case["tokens"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|token| (text(token, "kind").to_owned(), text(token, "text").to_owned()))
                .collect();
            assert_eq!(tokens, expect, "{case}");
        }
    }

    #[test]
    fn what_the_specification_does_not_say() {
        let check = |statement: &str, expect: &str| assert_eq!(signature(statement), expect, "{statement}");
        check("select a from t", "SELECT FROM t");
        check("/* hint */ SELECT a FROM -- x\n t", "SELECT FROM t");
        check("SELECT abs($1) FROM t", "SELECT FROM t");
        check("(SELECT a FROM t) UNION SELECT b FROM u", "SELECT FROM t");
        check("UPDATE OR REPLACE t SET a = 1", "UPDATE t");
        check("replace into t values (1)", "REPLACE INTO t");
        check("WITH x AS (SELECT 1) SELECT * FROM x", "WITH");
        check("INSERT INTO \"it's\" VALUES ('secret')", "INSERT INTO it's");
        check("'secret'", "");
        check("vacuum", "VACUUM");
    }

    #[test]
    fn many_dollar_signs_do_not_take_long() {
        let parameters: Vec<String> = (0..200_000).map(|n| format!("$a{n}$")).collect();
        let statement = parameters.join(" ");
        let start = std::time::Instant::now();
        assert_eq!(signature(&format!("SELECT {statement}")), "SELECT");
        assert!(start.elapsed().as_secs() < 5, "took {:?}", start.elapsed());
    }

    proptest! {
        #[test]
        fn every_text_has_a_signature(statement in "(?s)[ -~\\n\\PC]{0,200}") {
            let _: String = signature(&statement);
        }

        #[test]
        fn every_soup_of_signs_has_a_signature(statement in "[a$'\"`\\[\\]()/*\\-.\\\\0-9eE+ \\n選]{0,80}") {
            for verb in ["", "SELECT ", "UPDATE ", "INSERT INTO ", "CALL "] {
                let _: String = signature(&format!("{verb}{statement}"));
            }
        }

        #[test]
        fn values_never_get_in(value in "[a-z]{8}") {
            let statement = format!("SELECT x, '{value}' FROM t WHERE y = '{value}' AND z = $q${value}$q$");
            prop_assert_eq!(signature(&statement), "SELECT FROM t");
        }
    }
}

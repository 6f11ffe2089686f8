//! From a [`Filter`] to a Tantivy query.
//!
//! A condition on a field that does not exist, or that makes no sense for its kind (a range of words), matches nothing.

use tantivy::query::{AllQuery, BooleanQuery, EmptyQuery, ExistsQuery, Occur, Query, TermQuery, TermSetQuery};
use tantivy::schema::{Field, IndexRecordOption, Term};
use tantivy::tokenizer::TokenizerManager;
use tokenfall_model::fields::FieldKind;
use tokenfall_query::{Filter, Value};

use super::field::{Target, label_term};
use super::range::{NumberQuery, Numbers};
use super::terms::TermPartQuery;
use crate::embedded::schema::{DocumentSchema, indexed_keyword};

/// Alternatives up to this number are looked up one by one; more by one walk over the dictionary.
const LOOKUPS_MAX: usize = 16;

/// Makes queries for the partitions that share a schema.
pub(super) struct Compiler<'a> {
    schema: &'a DocumentSchema,
    tokenizers: &'a TokenizerManager,
}

impl<'a> Compiler<'a> {
    /// For one partition.
    pub(super) fn new(schema: &'a DocumentSchema, tokenizers: &'a TokenizerManager) -> Self {
        Self { schema, tokenizers }
    }

    /// The query that matches what the filter matches.
    pub(super) fn query(&self, filter: &Filter) -> Box<dyn Query> {
        match filter {
            Filter::All => Box::new(AllQuery),
            Filter::Term { field, value } => self.one_of(field, std::slice::from_ref(value)),
            Filter::Terms { field, values } => self.one_of(field, values),
            Filter::Range { field, gte, lt } => self.numbers(field, Numbers::Range { gte: *gte, lt: *lt }),
            Filter::Exists { field } => self.exists(field),
            Filter::Prefix { field, prefix } => self.prefix(field, prefix),
            Filter::Match { field, text } => self.matches(field, text),
            Filter::And(filters) => all(filters.iter().map(|f| self.clause(f)).collect()),
            Filter::Or(filters) => any(filters.iter().map(|f| self.query(f)).collect()),
            Filter::Not(_) => all(vec![self.clause(filter)]),
        }
    }

    /// A filter as one of several conditions: tells what must not hold, so that `And` needs no complement of a set.
    fn clause(&self, filter: &Filter) -> (Occur, Box<dyn Query>) {
        match filter {
            Filter::Not(inner) => (Occur::MustNot, self.query(inner)),
            other => (Occur::Must, self.query(other)),
        }
    }

    fn one_of(&self, name: &str, values: &[Value]) -> Box<dyn Query> {
        match Target::find(self.schema, name) {
            Target::Schema { field, kind: FieldKind::Keyword | FieldKind::Id, .. } => {
                let term = |value| Term::from_field_text(field, indexed_keyword(&text_of(value)));
                terms(values.iter().map(term).collect())
            }
            Target::Schema { field, kind: FieldKind::Text, .. } => {
                any(values.iter().map(|value| self.words(field, &text_of(value))).collect())
            }
            Target::Schema { field, kind: FieldKind::Bool, .. } => {
                terms(values.iter().filter_map(bool_of).map(|b| Term::from_field_bool(field, b)).collect())
            }
            Target::Schema { kind: FieldKind::Long | FieldKind::Double | FieldKind::Date, .. }
            | Target::Number { .. } => {
                any(values.iter().filter_map(number_of).map(|n| self.numbers(name, n)).collect())
            }
            Target::Label { field, column } => {
                let term = |value| {
                    let mut term = label_term(field, &column);
                    term.append_type_and_str(indexed_keyword(&text_of(value)));
                    term
                };
                terms(values.iter().map(term).collect())
            }
            Target::Nothing => Box::new(EmptyQuery),
        }
    }

    fn numbers(&self, name: &str, numbers: Numbers) -> Box<dyn Query> {
        match Target::find(self.schema, name) {
            Target::Schema { name, kind: FieldKind::Long | FieldKind::Double | FieldKind::Date, .. } => {
                Box::new(NumberQuery { column: name.to_owned(), numbers })
            }
            Target::Number { column } => Box::new(NumberQuery { column, numbers }),
            Target::Schema { .. } | Target::Label { .. } | Target::Nothing => Box::new(EmptyQuery),
        }
    }

    fn exists(&self, name: &str) -> Box<dyn Query> {
        match Target::find(self.schema, name) {
            Target::Schema { field, kind: FieldKind::Id | FieldKind::Text, .. } => {
                Box::new(TermPartQuery::new(field, b"", b""))
            }
            Target::Schema { name, .. } => Box::new(ExistsQuery::new(name.to_owned(), false)),
            Target::Label { column, .. } | Target::Number { column } => Box::new(ExistsQuery::new(column, false)),
            Target::Nothing => Box::new(EmptyQuery),
        }
    }

    fn prefix(&self, name: &str, prefix: &str) -> Box<dyn Query> {
        match Target::find(self.schema, name) {
            Target::Schema { field, kind: FieldKind::Keyword | FieldKind::Id, .. } => {
                Box::new(TermPartQuery::new(field, prefix.as_bytes(), b""))
            }
            Target::Label { field, column } => {
                let mut term = label_term(field, &column);
                term.append_type_and_str(prefix);
                Box::new(TermPartQuery::new(field, term.serialized_value_bytes(), b""))
            }
            Target::Schema { .. } | Target::Number { .. } | Target::Nothing => Box::new(EmptyQuery),
        }
    }

    fn matches(&self, name: &str, text: &str) -> Box<dyn Query> {
        match Target::find(self.schema, name) {
            Target::Schema { field, kind: FieldKind::Text, .. } => self.words(field, text),
            Target::Schema { field, kind: FieldKind::Keyword | FieldKind::Id, .. } => {
                Box::new(TermPartQuery::new(field, b"", text.as_bytes()))
            }
            Target::Label { field, column } => {
                let mut term = label_term(field, &column);
                term.append_type_and_str("");
                Box::new(TermPartQuery::new(field, term.serialized_value_bytes(), text.as_bytes()))
            }
            Target::Schema { .. } | Target::Number { .. } | Target::Nothing => Box::new(EmptyQuery),
        }
    }

    /// All words of the text; a text without words matches nothing.
    fn words(&self, field: Field, text: &str) -> Box<dyn Query> {
        let Some(mut analyzer) = self.tokenizers.get("default") else { return Box::new(EmptyQuery) };
        let mut clauses = Vec::new();
        analyzer.token_stream(text).process(&mut |token| {
            clauses.push((Occur::Must, term_query(Term::from_field_text(field, &token.text))));
        });
        if clauses.is_empty() { Box::new(EmptyQuery) } else { all(clauses) }
    }
}

/// The text that a keyword is compared with.
pub(super) fn text_of(value: &Value) -> String {
    match value {
        Value::Bool(b) => b.to_string(),
        Value::Long(n) => n.to_string(),
        Value::Double(n) => n.to_string(),
        Value::Str(text) => text.clone(),
    }
}

/// The number that a number is compared with.
pub(super) fn number_of(value: &Value) -> Option<Numbers> {
    match value {
        Value::Bool(_) => None,
        Value::Long(n) => Some(Numbers::Long(*n)),
        Value::Double(n) => Some(Numbers::Double(*n)),
        Value::Str(text) => text.parse().map(Numbers::Long).or_else(|_| text.parse().map(Numbers::Double)).ok(),
    }
}

/// The bool that a bool is compared with.
pub(super) fn bool_of(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(b) => Some(*b),
        Value::Str(text) => text.parse().ok(),
        Value::Long(_) | Value::Double(_) => None,
    }
}

fn term_query(term: Term) -> Box<dyn Query> {
    Box::new(TermQuery::new(term, IndexRecordOption::Basic))
}

/// Any of the terms.
fn terms(mut terms: Vec<Term>) -> Box<dyn Query> {
    if terms.len() > LOOKUPS_MAX {
        return Box::new(TermSetQuery::new(terms));
    }
    terms.sort_unstable();
    terms.dedup();
    any(terms.into_iter().map(term_query).collect())
}

fn any(mut queries: Vec<Box<dyn Query>>) -> Box<dyn Query> {
    match queries.len() {
        0 => Box::new(EmptyQuery),
        1 => queries.remove(0),
        _ => Box::new(BooleanQuery::new(queries.into_iter().map(|query| (Occur::Should, query)).collect())),
    }
}

fn all(mut clauses: Vec<(Occur, Box<dyn Query>)>) -> Box<dyn Query> {
    match clauses.as_slice() {
        [] => Box::new(AllQuery),
        [(Occur::Must, _)] => clauses.remove(0).1,
        _ => {
            if clauses.iter().all(|(occur, _)| *occur == Occur::MustNot) {
                clauses.push((Occur::Must, Box::new(AllQuery)));
            }
            Box::new(BooleanQuery::new(clauses))
        }
    }
}

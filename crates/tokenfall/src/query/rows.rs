//! A list of an answer as a table.

use std::fmt;

use crate::table::Table;
use anyhow::{Context as _, bail};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// JSON whose objects keep the order in which their fields were sent.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json {
    Object(Vec<(String, Json)>),
    Array(Vec<Json>),
    /// A number, text, true or false as it is shown; nothing for null.
    Scalar(String),
}

impl Json {
    pub(super) fn parse(text: &str) -> anyhow::Result<Self> {
        serde_json::from_str(text).context("the answer is no JSON")
    }

    /// The list with this name, or the first one of rows, else of columns; without any list, the fields themselves.
    pub(super) fn table(&self, name: Option<&str>) -> anyhow::Result<Table> {
        let Self::Object(fields) = self else { bail!("the answer has no list; use --format json") };
        let lists: Vec<(&str, Table)> =
            fields.iter().filter_map(|(key, value)| Some((key.as_str(), value.as_list()?))).collect();
        let names: Vec<&str> = lists.iter().map(|(key, _)| *key).collect();
        if let Some(name) = name {
            let list = lists.into_iter().find(|(key, _)| *key == name).map(|(_, table)| table);
            return list.with_context(|| format!("the answer has no list {name}; it has: {}", names.join(", ")));
        }
        // Columns are for pictures: a list of rows says more.
        let is_rows = |name: &str| fields.iter().any(|(key, value)| key == name && matches!(value, Self::Array(_)));
        let first = lists.iter().position(|(key, _)| is_rows(key)).unwrap_or(0);
        Ok(lists.into_iter().nth(first).map_or_else(|| self.as_fields(), |(_, table)| table))
    }

    /// A list of objects, or an object of columns of the same length.
    fn as_list(&self) -> Option<Table> {
        match self {
            Self::Array(items) if items.is_empty() || items.iter().any(|item| matches!(item, Self::Object(_))) => {
                Some(rows_of(items))
            }
            Self::Object(columns) => {
                let columns: Vec<(&String, &Vec<Self>)> = columns
                    .iter()
                    .filter_map(|(name, column)| match column {
                        Self::Array(values) => Some((name, values)),
                        _ => None,
                    })
                    .collect();
                let length = columns.first()?.1.len();
                let columns: Vec<_> = columns.into_iter().filter(|(_, values)| values.len() == length).collect();
                (columns.len() > 1).then(|| Table {
                    columns: columns.iter().map(|(name, _)| (*name).clone()).collect(),
                    rows: (0..length).map(|i| columns.iter().map(|(_, v)| v[i].short()).collect()).collect(),
                })
            }
            _ => None,
        }
    }

    fn as_fields(&self) -> Table {
        let mut cells = Vec::new();
        self.flatten("", &mut cells);
        let rows = cells.into_iter().map(|(name, value)| vec![name, value]).collect();
        Table { columns: vec!["field".to_owned(), "value".to_owned()], rows }
    }

    /// The scalars inside, by dotted name.
    fn flatten(&self, prefix: &str, cells: &mut Vec<(String, String)>) {
        match self {
            Self::Object(fields) => {
                for (name, value) in fields {
                    let name = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
                    value.flatten(&name, cells);
                }
            }
            Self::Array(_) | Self::Scalar(_) => cells.push((prefix.to_owned(), self.short())),
        }
    }

    /// One cell: a list of scalars with commas, of a list of objects how many they are.
    fn short(&self) -> String {
        match self {
            Self::Scalar(text) => text.clone(),
            Self::Array(items) if items.iter().all(|item| matches!(item, Self::Scalar(_))) => {
                items.iter().map(Self::short).collect::<Vec<_>>().join(", ")
            }
            Self::Array(items) => format!("[{}]", items.len()),
            Self::Object(_) => "{…}".to_owned(),
        }
    }
}

/// A row for each object; its scalars are the columns.
fn rows_of(items: &[Json]) -> Table {
    let flat: Vec<Vec<(String, String)>> = items
        .iter()
        .map(|item| {
            let mut cells = Vec::new();
            item.flatten("", &mut cells);
            // Series are for charts: their numbers would hide everything else.
            cells.retain(|(name, _)| !name.starts_with("series.") && !name.contains(".series."));
            cells
        })
        .collect();
    let mut columns: Vec<String> = Vec::new();
    for (name, _) in flat.iter().flatten() {
        if !columns.contains(name) {
            columns.push(name.clone());
        }
    }
    let cell = |cells: &[(String, String)], column: &String| {
        cells.iter().find(|(name, _)| name == column).map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let rows = flat.iter().map(|cells| columns.iter().map(|column| cell(cells, column)).collect()).collect();
    Table { columns, rows }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Json::Object(fields))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Json::Array(items))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Scalar(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Scalar(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Scalar(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Scalar(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Scalar(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Scalar(String::new()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEND: &str = r#"{"range":{"from_us":1},"total":{"usd":"0.5"},"series":{"start_us":0,"usd":["1","2"],"transactions":[1,2]},
        "rows":[{"key":"a, b","usd":"0.0000001","tokens":{"in":1,"out":null}},{"key":"\"q\"","usd":"12"}],"unpriced":[]}"#;

    #[test]
    fn the_first_list_or_the_named_one() {
        let json = Json::parse(SPEND).unwrap();
        assert_eq!(json.table(Some("series")).unwrap().columns, ["usd", "transactions"]);
        let rows = json.table(None).unwrap();
        assert_eq!(rows.columns, ["key", "usd", "tokens.in", "tokens.out"]);
        assert_eq!(rows.csv(), "key,usd,tokens.in,tokens.out\n\"a, b\",0.0000001,1,\n\"\"\"q\"\"\",12,,");
        assert_eq!(
            rows.aligned(),
            "key         usd  tokens.in  tokens.out\na, b  0.0000001          1\n\"q\"          12"
        );
        assert!(json.table(Some("nothing")).unwrap_err().to_string().contains("rows"));
        assert_eq!(json.table(Some("unpriced")).unwrap().aligned(), "(nothing)");
    }

    #[test]
    fn without_a_list_the_fields() {
        let json = Json::parse(r#"{"a":{"b":1,"c":[1,2]},"d":true}"#).unwrap();
        assert_eq!(json.table(None).unwrap().csv(), "field,value\na.b,1\na.c,\"1, 2\"\nd,true");
    }
}

//! `tokenfall prices`: the price list with what a file puts over it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::{Arg, ArgMatches, Command, value_parser};
use tokenfall_price::{PriceList, PriceRow, parse_rows};

use crate::options::Settings;
use crate::table::Table;

/// Price file in the data directory, which `tokenfall prices import` writes.
const FILE: &str = "prices.jsonl";

/// The list that the server goes by.
///
/// # Errors
/// If the file that the configuration names, or the one in the data directory, cannot be read.
pub(crate) fn price_list(settings: &Settings) -> anyhow::Result<Arc<PriceList>> {
    let embedded = PriceList::embedded();
    let path = file(settings);
    if settings.prices.is_none() && !path.exists() {
        return Ok(Arc::new(embedded));
    }
    let text =
        std::fs::read_to_string(&path).with_context(|| format!("cannot read the prices in {}", path.display()))?;
    Ok(Arc::new(embedded.with_overrides(&path.display().to_string(), &text)?))
}

fn file(settings: &Settings) -> PathBuf {
    settings.prices.clone().unwrap_or_else(|| settings.data.join(FILE))
}

/// The subcommands.
pub(crate) fn command(with_options: impl Fn(Command) -> Command) -> Command {
    let contains = |name: &'static str, help: &'static str| Arg::new(name).long(name).value_name("TEXT").help(help);
    Command::new("prices")
        .about("Look at the prices of models, or put your own over them")
        .subcommand_required(true)
        .subcommand(with_options(
            Command::new("list")
                .about("Print the prices, in US dollars for a million tokens")
                .arg(contains("model", "Only models whose name contains this"))
                .arg(contains("provider", "Only providers whose name contains this"))
                .arg(
                    Arg::new("format")
                        .long("format")
                        .value_parser(["table", "jsonl", "csv"])
                        .default_value("table")
                        .help("jsonl is the format that `import` takes"),
                ),
        ))
        .subcommand(with_options(
            Command::new("import")
                .about("Take prices from a file; they come before those of the program. Restart the server afterwards")
                .arg(
                    Arg::new("file")
                        .required(true)
                        .value_name("FILE")
                        .value_parser(value_parser!(PathBuf))
                        .help("Rows as in docs/formats/prices.md"),
                ),
        ))
}

/// `tokenfall prices list`.
pub(crate) fn list(settings: &Settings, matches: &ArgMatches) -> anyhow::Result<String> {
    let list = price_list(settings)?;
    let has = |text: &str, flag: &str| {
        matches.get_one::<String>(flag).is_none_or(|part| text.to_lowercase().contains(&part.to_lowercase()))
    };
    let rows: Vec<(&str, &PriceRow)> =
        list.rows().filter(|(_, row)| has(&row.model, "model") && has(&row.provider, "provider")).collect();
    if rows.is_empty() {
        bail!(
            "no model like that is in the list; `tokenfall prices list` prints all, `tokenfall prices import` adds yours"
        );
    }
    match matches.get_one::<String>("format").map(String::as_str) {
        Some("jsonl") => {
            let lines: Result<Vec<String>, _> = rows.iter().map(|(_, row)| serde_json::to_string(row)).collect();
            Ok(lines?.join("\n"))
        }
        format => {
            let columns = COLUMNS.map(str::to_owned).to_vec();
            let table = Table { columns, rows: rows.iter().map(|row| cells(row).to_vec()).collect() };
            Ok(if format == Some("csv") { table.csv() } else { table.aligned() })
        }
    }
}

const COLUMNS: [&str; 10] = [
    "provider",
    "model",
    "valid_from",
    "tier",
    "input",
    "cache_read",
    "cache_write",
    "output",
    "longer questions",
    "list",
];

fn cells((list, row): &(&str, &PriceRow)) -> [String; 10] {
    let usd = |price: Option<tokenfall_price::Usd>| price.map_or_else(String::new, |usd| usd.to_string());
    let above = |long: &tokenfall_price::LongPrices| {
        format!("> {}: {} / {}", long.input_tokens, usd(long.prices.input), usd(long.prices.output))
    };
    [
        row.provider.clone(),
        row.model.clone(),
        row.valid_from.clone().unwrap_or_default(),
        row.tier
            .clone()
            .or_else(|| row.hours_utc.as_ref().map(|[from, to]| format!("{from}–{to} UTC")))
            .unwrap_or_default(),
        usd(row.prices.input),
        usd(row.prices.cache_read),
        usd(row.prices.cache_write),
        usd(row.prices.output),
        row.above.iter().map(above).collect::<Vec<_>>().join("; "),
        (*list).to_owned(),
    ]
}

/// `tokenfall prices import`.
pub(crate) fn import(settings: &Settings, matches: &ArgMatches) -> anyhow::Result<String> {
    let source = matches.get_one::<PathBuf>("file").context("no file")?;
    let text = std::fs::read_to_string(source).with_context(|| format!("cannot read {}", source.display()))?;
    let rows = parse_rows(&source.display().to_string(), &text)?;
    if rows.is_empty() {
        bail!("{} has no price rows; docs/formats/prices.md has examples", source.display());
    }
    let target = file(settings);
    let had = std::fs::read_to_string(&target).ok();
    write(&target, &text)?;
    let before = had.map_or_else(String::new, |old| format!(" (instead of {} bytes before)", old.len()));
    Ok(format!(
        "{} rows of {} models are in {}{before}.\nA running server reads them when it is started again; calls that are stored \
         keep the cost they have.",
        rows.len(),
        rows.iter().map(|row| (&row.provider, &row.model)).collect::<std::collections::BTreeSet<_>>().len(),
        target.display()
    ))
}

/// Writes beside and moves, so that a server that starts meanwhile reads the old file or the new one.
fn write(target: &Path, text: &str) -> anyhow::Result<()> {
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let beside = target.with_extension("jsonl.new");
    let written = || -> std::io::Result<()> {
        let mut file = std::fs::File::create(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&beside, target)
    };
    written().with_context(|| format!("cannot write {}", target.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(folder: &Path) -> Settings {
        Settings { data: folder.join("data"), ..Settings::default() }
    }

    fn parsed(arguments: &[&str]) -> ArgMatches {
        let all = ["prices"].iter().chain(arguments);
        command(|command| command).get_matches_from(all)
    }

    #[test]
    fn imported_prices_come_first() {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(folder.path());
        let own = folder.path().join("own.jsonl");
        std::fs::write(&own, "{\"provider\":\"openai\",\"model\":\"gpt-4o\",\"input\":\"1\",\"output\":\"2\"}\n")
            .unwrap();
        let matches = parsed(&["import", own.to_str().unwrap()]);
        let said = import(&settings, matches.subcommand().unwrap().1).unwrap();
        assert!(said.starts_with("1 rows of 1 models"), "{said}");
        let matches = parsed(&["list", "--model", "GPT-4o", "--format", "csv"]);
        let csv = list(&settings, matches.subcommand().unwrap().1).unwrap();
        let line = csv.lines().nth(1).unwrap();
        assert!(line.starts_with("openai,gpt-4o,,,1,,,2,,") && line.ends_with(FILE), "{line}");
        assert!(csv.lines().count() > 5, "the list of the program is still there");
    }

    #[test]
    fn a_bad_file_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(folder.path());
        let own = folder.path().join("own.jsonl");
        for (text, part) in [("", "no price rows"), ("{\"provider\":1}", "line 1 of")] {
            std::fs::write(&own, text).unwrap();
            let matches = parsed(&["import", own.to_str().unwrap()]);
            let error = import(&settings, matches.subcommand().unwrap().1).unwrap_err();
            assert!(format!("{error:#}").contains(part), "{error:#}");
        }
        assert!(!file(&settings).exists());
    }
}

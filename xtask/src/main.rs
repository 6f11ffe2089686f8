//! Project rules that no compiler checks. `cargo xtask tidy` fails with a list of what is against them; `cargo xtask agent`
//! checks the published crate in all its shapes; `cargo xtask prices FILE` makes the embedded price list.

mod agent;
mod layers;
mod prices;
mod tidy;

use anyhow::{Context as _, Result, bail};

fn main() -> Result<()> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in the repository")?;
    match std::env::args().nth(1).as_deref() {
        Some("tidy") => {
            let mut violations = layers::violations(root)?;
            violations.extend(tidy::violations(root)?);
            if violations.is_empty() {
                return Ok(());
            }
            bail!("{} against the project's rules:\n  {}", violations.len(), violations.join("\n  "));
        }
        Some("agent") => agent::check(root),
        Some("prices") => {
            let source =
                std::env::args().nth(2).context("usage: cargo xtask prices PRICES.JSON of the crate genai-prices")?;
            prices::convert(root, std::path::Path::new(&source))
        }
        _ => bail!("usage: cargo xtask tidy|agent|prices"),
    }
}

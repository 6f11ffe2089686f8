//! Faults on purpose: so that errors, retries and stalls can be seen without waiting for a provider to fail.
//!
//! ```text
//! rate-limit=0.2,disconnect=0.1,slow:150=1@frozen node
//! ```
//!
//! A rule is a kind, for some kinds milliseconds, a probability, and, after `@`, words that the last message must contain (with
//! askdocs that is the question and the passage). The first
//! rule that strikes decides. Commas separate rules.

use std::fmt;
use std::str::FromStr;
use std::sync::Mutex;
use std::time::Duration;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Status 429, as when too many tokens a minute were asked for.
    RateLimit,
    /// Status 503.
    ServerError,
    /// The connection breaks off: for one half of the requests before the first token, for the other after some.
    Disconnect,
    /// Each token comes this much later.
    Slow(Duration),
    /// Once in the answer nothing comes for this long.
    Stall(Duration),
}

#[derive(Clone, Debug, PartialEq)]
struct Rule {
    fault: Fault,
    probability: f64,
    /// In lower case.
    words: Option<String>,
}

/// Rules, and the dice.
#[derive(Debug, Default)]
pub struct Faults {
    rules: Vec<Rule>,
    dice: Mutex<Dice>,
}

#[derive(Debug)]
struct Dice(fastrand::Rng);

impl Default for Dice {
    fn default() -> Self {
        Self(fastrand::Rng::new())
    }
}

/// What a request meets with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Struck {
    /// The fault.
    pub fault: Fault,
    /// Where in the answer, from 0 (its beginning) to 1, if it matters.
    pub place: f64,
}

impl Faults {
    /// The same faults for the same requests in the same order.
    #[must_use]
    pub fn seeded(self, seed: u64) -> Self {
        Self { dice: Mutex::new(Dice(fastrand::Rng::with_seed(seed))), ..self }
    }

    /// Is there any rule?
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Throws the dice for a request with this last message.
    pub fn strike(&self, message: &str) -> Option<Struck> {
        if self.rules.is_empty() {
            return None;
        }
        let message = message.to_lowercase();
        let mut dice = self.dice.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let struck = self.rules.iter().find(|rule| {
            rule.words.as_ref().is_none_or(|words| message.contains(words.as_str())) && dice.0.f64() < rule.probability
        })?;
        Some(Struck { fault: struck.fault, place: dice.0.f64() })
    }
}

/// What is wrong with a rule.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultsError {
    /// No `=`.
    #[error("`{0}` is no rule: write KIND=PROBABILITY, such as rate-limit=0.2")]
    NoProbability(String),
    /// Not between 0 and 1.
    #[error("`{0}` is no probability: write a number from 0 to 1")]
    Probability(String),
    /// Not known.
    #[error(
        "there is no fault `{0}`: write rate-limit, server-error, disconnect, slow:MILLISECONDS or stall:MILLISECONDS"
    )]
    Kind(String),
}

impl FromStr for Faults {
    type Err = FaultsError;

    fn from_str(text: &str) -> Result<Self, FaultsError> {
        let rules =
            text.split(',').map(str::trim).filter(|rule| !rule.is_empty()).map(rule).collect::<Result<_, _>>()?;
        Ok(Self { rules, ..Self::default() })
    }
}

fn rule(text: &str) -> Result<Rule, FaultsError> {
    let (rule, words) = match text.split_once('@') {
        Some((rule, words)) => (rule, Some(words.trim().to_lowercase())),
        None => (text, None),
    };
    let (kind, probability) = rule.split_once('=').ok_or_else(|| FaultsError::NoProbability(text.to_owned()))?;
    let probability = probability
        .trim()
        .parse()
        .ok()
        .filter(|probability| (0.0..=1.0).contains(probability))
        .ok_or_else(|| FaultsError::Probability(probability.to_owned()))?;
    let unknown = || FaultsError::Kind(kind.to_owned());
    let (name, milliseconds) = match kind.trim().split_once(':') {
        Some((name, number)) => (name, Some(number.parse().map_err(|_| unknown())?)),
        None => (kind.trim(), None),
    };
    let lasting = |default| Duration::from_millis(milliseconds.unwrap_or(default));
    let fault = match name {
        "rate-limit" => Fault::RateLimit,
        "server-error" => Fault::ServerError,
        "disconnect" => Fault::Disconnect,
        "slow" => Fault::Slow(lasting(100)),
        "stall" => Fault::Stall(lasting(3_000)),
        _ => return Err(unknown()),
    };
    Ok(Rule { fault, probability, words })
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RateLimit => f.write_str("rate-limit"),
            Self::ServerError => f.write_str("server-error"),
            Self::Disconnect => f.write_str("disconnect"),
            Self::Slow(lasting) => write!(f, "slow:{}", lasting.as_millis()),
            Self::Stall(lasting) => write!(f, "stall:{}", lasting.as_millis()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_strike_as_often_as_they_say() {
        let faults: Faults = "rate-limit=0.2, disconnect=0.1".parse().expect("two rules");
        let faults = faults.seeded(7);
        let struck: Vec<_> = (0..10_000).filter_map(|_| faults.strike("anything")).map(|s| s.fault).collect();
        let count = |fault| struck.iter().filter(|&&s| s == fault).count();
        assert!((1_900..2_100).contains(&count(Fault::RateLimit)), "{}", count(Fault::RateLimit));
        assert!((720..880).contains(&count(Fault::Disconnect)), "a tenth of the rest: {}", count(Fault::Disconnect));
    }

    #[test]
    fn words_say_which_messages_are_meant() {
        let faults: Faults = "slow:150=1@Frozen Node,stall=1@ingest".parse().expect("two rules");
        let fault = |question| faults.strike(question).map(|struck| struck.fault);
        assert_eq!(fault("How do I mount a frozen node?"), Some(Fault::Slow(Duration::from_millis(150))));
        assert_eq!(fault("How to create an ingest pipeline?"), Some(Fault::Stall(Duration::from_secs(3))));
        assert_eq!(fault("What is a shard?"), None);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let error = |text: &str| text.parse::<Faults>().expect_err("wrong").to_string();
        assert!(error("rate-limit").contains("KIND=PROBABILITY"));
        assert!(error("rate-limit=2").contains("from 0 to 1"));
        assert!(error("gremlins=0.1").contains("there is no fault `gremlins`"));
        assert!(error("slow:soon=0.1").contains("MILLISECONDS"));
        assert!("".parse::<Faults>().expect("no rules").is_empty());
    }
}

//! The traffic of a page that answers questions about documentation with language models, as the article found it: the search engine
//! answers in 125 ms, a completion takes 0.6 s and 40 ms a token, a search costs about 1.1 cents, some attempts fail and are tried
//! again. One question is answered at greater length and so more slowly; two fail more often.

use super::random::Random;

/// What is asked, the most popular first.
pub(super) const QUESTIONS: [&str; 24] = [
    "How do I set the number of shards?",
    "What is the difference between a keyword and a text field?",
    "How do I create an ingest pipeline?",
    "How do I reindex into another cluster?",
    "How do I mount and index a frozen node?",
    "How to create an ingest pipeline with a script processor?",
    "How do I secure a cluster with TLS?",
    "What does the yellow cluster state mean?",
    "How do I restore a snapshot?",
    "How do I use a runtime field?",
    "How do I tune the heap size?",
    "What is the default refresh interval?",
    "How do I delete old indices automatically?",
    "How do I explain a slow query?",
    "How do I search across clusters?",
    "How do I change a mapping?",
    "What is a data stream?",
    "How do I page through many results?",
    "How do I use vectors for search?",
    "How do I write an aggregation?",
    "How do I add a synonym?",
    "How do I monitor the garbage collector?",
    "How do I limit what a user can see?",
    "How do I install a plugin?",
];
/// The question that is answered at length.
pub(super) const SLOW: usize = 4;
/// The questions that fail more often.
pub(super) const FAILING: [usize; 2] = [2, 5];

const USERS: usize = 40;
const TEAMS: [&str; 4] = ["search", "platform", "support", "sales"];
const REGIONS: [&str; 3] = ["eu-west", "us-east", "ap-south"];
const DAY_US: i64 = 86_400_000_000;
const SECOND_US: f64 = 1e6;

/// Attempts of one completion.
const ATTEMPTS_MAX: usize = 3;
/// Share of attempts that the provider turns away.
const RATE_LIMITED: f64 = 0.03;
/// Share of completions of the failing questions, and of others, that are given up after all attempts.
const GIVEN_UP_OFTEN: f64 = 0.12;
const GIVEN_UP: f64 = 0.004;

/// Which program answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    /// The page of the article: Python, Elastic's agent, tokens and cost in labels of the transaction.
    Page,
    /// A newer one that sends OpenTelemetry's `gen_ai.*` attributes.
    Assistant,
}

/// How much traffic.
#[derive(Clone, Copy, Debug)]
pub(super) struct Article {
    pub(super) days: u32,
    pub(super) searches: u32,
    pub(super) seed: u64,
    /// End, in microseconds since the epoch.
    pub(super) until_us: i64,
}

/// One search with its answers. Times are microseconds since the epoch, durations microseconds.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Search {
    pub(super) service: Service,
    pub(super) trace_id: String,
    pub(super) transaction_id: String,
    pub(super) at_us: i64,
    pub(super) duration_us: u64,
    pub(super) question: usize,
    pub(super) user: String,
    pub(super) session: String,
    pub(super) team: &'static str,
    pub(super) region: &'static str,
    pub(super) experiment: bool,
    /// Version of the prompt: another one each week.
    pub(super) prompt_version: i64,
    /// Span of the search engine, which comes first.
    pub(super) engine_id: String,
    pub(super) engine_us: u64,
    /// The span around all completions of the page.
    pub(super) group_id: String,
    pub(super) attempts: Vec<Attempt>,
    pub(super) failed: bool,
}

/// One request to a model.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Attempt {
    pub(super) id: String,
    /// Span of the HTTP request, span of the tokens, error.
    pub(super) inner_ids: [String; 3],
    /// Which of the answers of the search it is for, from 0, and the how manieth attempt, from 1.
    pub(super) answer: usize,
    pub(super) number: usize,
    pub(super) at_us: i64,
    pub(super) duration_us: u64,
    pub(super) model: &'static str,
    pub(super) input_tokens: u64,
    pub(super) cached_tokens: u64,
    /// What came back; none if it failed.
    pub(super) answered: Option<Answered>,
    pub(super) error: Option<Error>,
}

/// A streamed answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Answered {
    pub(super) output_tokens: u64,
    /// When each token came, from the begin of the attempt.
    pub(super) arrivals_us: Vec<u64>,
    /// Token before which the stream stood still, counted from 0.
    pub(super) stalled_before: Option<usize>,
    pub(super) is_captured: bool,
}

impl Answered {
    /// The gap of a stream that stood still.
    pub(super) fn stall_us(&self) -> Option<u64> {
        let token = self.stalled_before?;
        Some(self.arrivals_us.get(token)? - self.arrivals_us.get(token.checked_sub(1)?)?)
    }
}

/// Why an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Error {
    RateLimit,
    Connection,
}

impl Article {
    /// The searches by time.
    pub(super) fn searches(self) -> Vec<Search> {
        let mut random = Random::new(self.seed);
        let mut searches = Vec::with_capacity(self.searches as usize);
        while searches.len() < self.searches as usize {
            let turns = (1 + random.popular(6)).min(self.searches as usize - searches.len());
            let user = random.popular(USERS);
            let session = random.id(8);
            let mut at_us = self.moment(&mut random);
            for _ in 0..turns {
                let search = search(&mut random, at_us, user, &session);
                let pause = random.lognormal(40.0, 0.8) * SECOND_US;
                at_us = search.at_us + search.duration_us as i64 + pause as i64;
                searches.push(search);
            }
        }
        searches.sort_by(|a, b| a.at_us.cmp(&b.at_us).then_with(|| a.trace_id.cmp(&b.trace_id)));
        searches
    }

    /// A moment in the time of the traffic: people ask by day, and less at weekends.
    fn moment(self, random: &mut Random) -> i64 {
        // A session ends before the traffic does.
        let span_us = (i64::from(self.days) * DAY_US - DAY_US / 48) as f64;
        loop {
            let at_us = self.until_us - DAY_US / 48 - (random.share() * span_us) as i64;
            let hour = (at_us.rem_euclid(DAY_US) as f64 / 3.6e9 - 13.0) / 24.0;
            let by_day = 0.55 + 0.45 * (hour * std::f64::consts::TAU).cos();
            // The epoch began on a Thursday.
            let weekday = (at_us.div_euclid(DAY_US) + 3).rem_euclid(7);
            if random.chance(by_day * if weekday >= 5 { 0.35 } else { 1.0 }) {
                return at_us;
            }
        }
    }
}

fn search(random: &mut Random, at_us: i64, user: usize, session: &str) -> Search {
    // Who asks often does so from the newer program, too; what they ask has nothing to do with it.
    let service = if random.chance(0.3) { Service::Assistant } else { Service::Page };
    let question = random.popular(QUESTIONS.len());
    let engine_us = (random.lognormal(118_000.0, 0.33)) as u64;
    let answers = if service == Service::Page { 3 } else { 1 };
    let begin_us = at_us + engine_us as i64 + 4_000;
    let mut attempts = Vec::new();
    for answer in 0..answers {
        answer_of(random, service, question, answer, begin_us, &mut attempts);
    }
    let ends = attempts.iter().map(|attempt| attempt.at_us + attempt.duration_us as i64);
    let end_us = ends.max().unwrap_or(begin_us) + 3_000;
    let failed = (0..answers).any(|n| !attempts.iter().any(|a| a.answer == n && a.answered.is_some()));
    Search {
        service,
        trace_id: random.id(16),
        transaction_id: random.id(8),
        at_us,
        duration_us: (end_us - at_us) as u64,
        question,
        user: format!("user-{:02}", user + 1),
        session: session.to_owned(),
        team: TEAMS[user % TEAMS.len()],
        region: REGIONS[random.below(REGIONS.len())],
        experiment: random.chance(0.5),
        // By the calendar, with no effect.
        prompt_version: 1 + (at_us / DAY_US) / 7 % 100,
        engine_id: random.id(8),
        engine_us,
        group_id: random.id(8),
        attempts,
        failed,
    }
}

/// One answer with the attempts that it takes.
fn answer_of(
    random: &mut Random,
    service: Service,
    question: usize,
    answer: usize,
    begin_us: i64,
    attempts: &mut Vec<Attempt>,
) {
    let given_up = random.chance(if FAILING.contains(&question) { GIVEN_UP_OFTEN } else { GIVEN_UP });
    let model = match service {
        Service::Page => "gpt-35-turbo",
        Service::Assistant if random.chance(0.25) => "gpt-4o",
        Service::Assistant => "gpt-4o-mini",
    };
    let input_tokens = random.between(1_280.0, 2_000.0) as u64;
    let cached_tokens = if service == Service::Assistant && random.chance(0.4) { 1_024 } else { 0 };
    let length = if question == SLOW { 340.0 } else { 190.0 };
    let output_tokens = random.lognormal(length, 0.42).clamp(12.0, 900.0) as u64;
    let mut at_us = begin_us;
    for number in 1..=ATTEMPTS_MAX {
        let error = if given_up {
            Some(if FAILING.contains(&question) { Error::Connection } else { Error::RateLimit })
        } else if number < ATTEMPTS_MAX && random.chance(RATE_LIMITED) {
            Some(Error::RateLimit)
        } else {
            None
        };
        let (answered, duration_us) = match error {
            Some(Error::RateLimit) => (None, random.lognormal(60_000.0, 0.3) as u64),
            Some(Error::Connection) => (None, random.lognormal(900_000.0, 0.4) as u64),
            None => {
                let (arrivals_us, stalled_before) = arrivals(random, service, model, output_tokens);
                let last = arrivals_us.last().copied().unwrap_or(0);
                let is_captured = service == Service::Assistant && random.chance(0.3);
                (Some(Answered { output_tokens, arrivals_us, stalled_before, is_captured }), last + 2_000)
            }
        };
        attempts.push(Attempt {
            id: random.id(8),
            inner_ids: [random.id(8), random.id(8), random.id(16)],
            answer,
            number,
            at_us,
            duration_us,
            model,
            input_tokens,
            cached_tokens,
            answered,
            error,
        });
        if error.is_none() {
            break;
        }
        // Crude exponential back-off, as in the article.
        at_us += duration_us as i64 + (SECOND_US * 2_f64.powi(number as i32 - 1)) as i64;
    }
}

/// Arrivals of the tokens: the first after about 0.6 s, then one every 40 ms (22 ms for the small model of the newer program). Now
/// and then an answer of the newer program stands still before the token that is given beside them.
fn arrivals(random: &mut Random, service: Service, model: &str, tokens: u64) -> (Vec<u64>, Option<usize>) {
    let each_us = if model == "gpt-4o-mini" { 22_000.0 } else { 40_000.0 };
    let pace = each_us * (1.0 + 0.03 * random.normal()).max(0.5);
    let stall = if service == Service::Assistant && random.chance(0.06) {
        Some((1 + random.below(tokens.max(2) as usize - 1), random.between(0.8, 4.0) * SECOND_US))
    } else {
        None
    };
    let mut at = random.lognormal(590_000.0, 0.12);
    let arrivals = (0..tokens)
        .map(|i| {
            if i > 0 {
                at += pace * random.between(0.7, 1.3);
            }
            if let Some((token, length)) = stall
                && token as u64 == i
            {
                at += length;
            }
            at as u64
        })
        .collect();
    (arrivals, stall.map(|(token, _)| token))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn searches(seed: u64) -> Vec<Search> {
        Article { days: 30, searches: 4_000, seed, until_us: 1_795_000_000_000_000 }.searches()
    }

    fn mean(values: impl Iterator<Item = f64>) -> f64 {
        let values: Vec<f64> = values.collect();
        values.iter().sum::<f64>() / values.len() as f64
    }

    #[test]
    fn the_same_seed_gives_the_same_traffic() {
        assert_eq!(searches(7), searches(7));
        assert_ne!(searches(7), searches(8));
    }

    #[test]
    fn the_figures_of_the_article() {
        let all = searches(1);
        assert_eq!(all.len(), 4_000);
        let engine = mean(all.iter().map(|s| s.engine_us as f64 / 1e3));
        assert!((120.0..130.0).contains(&engine), "{engine} ms");
        let page = || all.iter().filter(|s| s.service == Service::Page);
        let answered = || page().flat_map(|s| &s.attempts).filter_map(|a| Some((a, a.answered.as_ref()?)));
        let duration = mean(answered().map(|(a, _)| a.duration_us as f64 / 1e6));
        assert!((8.2..9.2).contains(&duration), "{duration} s");
        let tokens = |s: &Search| -> u64 {
            let answered = s.attempts.iter().filter_map(|a| Some(a.input_tokens + a.answered.as_ref()?.output_tokens));
            answered.sum()
        };
        let cents = mean(page().filter(|s| !s.failed).map(|s| tokens(s) as f64 * 0.0002));
        assert!((1.0..1.2).contains(&cents), "{cents} cents");
        let failing = |s: &&Search| FAILING.contains(&s.question);
        let rate = |set: Vec<&Search>| mean(set.iter().map(|s| f64::from(u8::from(s.failed))));
        let (often, seldom) = (rate(page().filter(failing).collect()), rate(page().filter(|s| !failing(s)).collect()));
        assert!(often > 0.2 && seldom < 0.05, "{often} {seldom}");
    }
}

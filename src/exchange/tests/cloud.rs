//! A platform that does what the test says and writes down what it took: only the books of the other side can show
//! that a message was lost or doubled.

use std::collections::{BTreeMap, VecDeque};

use crate::http::{Request, Response, TransportError, TransportErrorKind};

/// What happens to one request.
#[derive(Clone, Copy, Debug)]
pub enum Fate {
    /// The platform does its work.
    Served,
    /// It answers this and does nothing. On AWS an HTTP status, on Aliyun a result code.
    Answered(u16),
    /// It does its work and answers this nevertheless.
    ServedButAnswered(u16),
    /// There is no answer, and the platform never saw the request.
    Failed(TransportErrorKind),
    /// The platform did its work and the answer got lost.
    ServedButLost(TransportErrorKind),
    /// Just before the request comes, the platform forgets every token.
    Revoked,
}

/// A fate and when it shows.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    pub fate: Fate,
    pub latency_ms: u64,
}

/// How long everything takes that says nothing else.
pub const LATENCY_MS: u64 = 50;

impl From<Fate> for Turn {
    fn from(fate: Fate) -> Self {
        Self { fate, latency_ms: LATENCY_MS }
    }
}

/// The fates of the first requests, and of all others.
#[derive(Clone, Debug)]
pub struct Script {
    turns: VecDeque<Turn>,
    rest: Turn,
}

impl Script {
    pub fn new(turns: impl IntoIterator<Item: Into<Turn>>) -> Self {
        Self { turns: turns.into_iter().map(Into::into).collect(), rest: Fate::Served.into() }
    }

    pub fn always(rest: impl Into<Turn>) -> Self {
        Self { turns: VecDeque::new(), rest: rest.into() }
    }

    pub fn then_always(self, rest: impl Into<Turn>) -> Self {
        Self { rest: rest.into(), ..self }
    }

    fn next(&mut self) -> Turn {
        self.turns.pop_front().unwrap_or(self.rest)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Aws,
    /// With temporary keys.
    AwsWithKeys,
    Aliyun,
}

/// A simulated platform.
#[derive(Clone, Debug)]
pub struct Cloud {
    kind: Kind,
    /// What happens to messages.
    pub messages: Script,
    /// What happens to authentications.
    pub authentications: Script,
    /// The token that is accepted.
    pub token: Option<String>,
    /// Until when it is.
    token_ends_ms: u64,
    /// How long a new one is accepted.
    pub token_life_ms: u64,
    /// Issued instead of numbered ones.
    pub fixed_token: Option<&'static str>,
    /// The result code for a bad token.
    pub rejection: u16,
    /// Tokens issued.
    pub issued: u32,
    /// After so many messages it forgets the token.
    pub token_messages: Option<u32>,
    /// Messages that it took with the present token.
    taken_with_token: u32,
    /// How often it has forgotten one so.
    pub strikes: u32,
    /// When to come back, with every refusal that the script wants.
    pub retry_after: Option<&'static str>,
    /// Messages it takes in a second, if it has a limit.
    pub per_second: Option<u32>,
    /// A second, and how many it took in that.
    taken: (u64, u32),
    /// Whether it looks at timestamps, and says what time it is: that of the driver's start, all the time.
    pub has_clock: bool,
    /// How often each payload was accepted.
    ledger: BTreeMap<Vec<u8>, u32>,
}

impl Cloud {
    pub fn aws(messages: Script) -> Self {
        Self::new(Kind::Aws, messages, Script::always(Fate::Served))
    }

    pub fn aws_with_keys(messages: Script, keys: Script) -> Self {
        Self { rejection: 403, ..Self::new(Kind::AwsWithKeys, messages, keys) }
    }

    pub fn aliyun(messages: Script, authentications: Script) -> Self {
        Self::new(Kind::Aliyun, messages, authentications)
    }

    fn new(kind: Kind, messages: Script, authentications: Script) -> Self {
        Self {
            kind,
            messages,
            authentications,
            token: None,
            token_ends_ms: u64::MAX,
            token_life_ms: u64::MAX,
            fixed_token: None,
            rejection: 20001,
            issued: 0,
            token_messages: None,
            taken_with_token: 0,
            strikes: 0,
            retry_after: None,
            per_second: None,
            taken: (0, 0),
            has_clock: false,
            ledger: BTreeMap::new(),
        }
    }

    /// Accepts this token from an earlier time.
    pub fn with_token(self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self }
    }

    /// Looks at timestamps, and says what time it is.
    pub fn with_clock(self) -> Self {
        Self { has_clock: true, ..self }
    }

    /// How often a payload was accepted.
    pub fn accepted(&self, payload: &[u8]) -> u32 {
        self.ledger.get(payload).copied().unwrap_or(0)
    }

    /// How many messages were accepted.
    pub fn total_accepted(&self) -> u32 {
        self.ledger.values().sum()
    }

    /// What becomes of a request, and how long it takes.
    pub fn receive(&mut self, now_ms: u64, request: &Request) -> (u64, Result<Response, TransportError>) {
        let length = request.headers.iter().find(|(name, _)| name == "content-length").map(|(_, length)| length);
        assert_eq!(length, Some(&request.body.len().to_string()));
        let Turn { fate, latency_ms } = match is_authentication(request) {
            true => self.authentications.next(),
            false => self.messages.next(),
        };
        let result = match fate {
            Fate::Served => Ok(self.serve(now_ms, request)),
            Fate::Answered(code) => {
                let mut response = self.answer(code, "null");
                let retry_after = self.retry_after.map(|value| ("Retry-After".to_owned(), value.as_bytes().to_vec()));
                response.headers.extend(retry_after);
                Ok(response)
            }
            Fate::ServedButAnswered(code) => {
                self.serve(now_ms, request);
                Ok(self.answer(code, "null"))
            }
            Fate::Failed(failure) => Err(failure.into()),
            Fate::ServedButLost(failure) => {
                self.serve(now_ms, request);
                Err(failure.into())
            }
            Fate::Revoked => {
                self.token = None;
                Ok(self.serve(now_ms, request))
            }
        };
        (latency_ms, result)
    }

    fn serve(&mut self, now_ms: u64, request: &Request) -> Response {
        if is_authentication(request) {
            return if self.accepts_time(request) { self.issue(now_ms) } else { self.answer(20000, "null") };
        }
        if self.kind != Kind::Aws && !self.accepts(now_ms, password(request)) {
            return self.answer(self.rejection, "null");
        }
        if !self.accepts_signature(request) {
            return self.answer(403, "null");
        }
        let second = now_ms / 1_000;
        let taken = if self.taken.0 == second { self.taken.1 } else { 0 };
        if self.per_second.is_some_and(|limit| taken >= limit) {
            return self.answer(if self.kind == Kind::Aliyun { 40000 } else { 429 }, "null");
        }
        self.taken = (second, taken + 1);
        self.taken_with_token += 1;
        if self.token_messages == Some(self.taken_with_token) {
            self.token = None;
            self.strikes += 1;
        }
        *self.ledger.entry(request.body.to_vec()).or_default() += 1;
        match self.kind {
            Kind::Aws | Kind::AwsWithKeys => self.answer(200, "null"),
            Kind::Aliyun => self.answer(0, r#"{"messageId":1207967842654323713}"#),
        }
    }

    fn issue(&mut self, now_ms: u64) -> Response {
        self.issued += 1;
        self.taken_with_token = 0;
        let token = self.fixed_token.map_or_else(|| format!("token-{}", self.issued), str::to_owned);
        let answer = match self.kind {
            Kind::Aliyun => self.answer(0, &format!(r#"{{"token":"{token}"}}"#)),
            Kind::Aws | Kind::AwsWithKeys => key(&token),
        };
        self.token = Some(token);
        self.token_ends_ms = now_ms.saturating_add(self.token_life_ms);
        answer
    }

    fn accepts(&self, now_ms: u64, token: Option<&str>) -> bool {
        token.is_some() && token == self.token.as_deref() && now_ms < self.token_ends_ms
    }

    fn answer(&self, code: u16, info: &str) -> Response {
        let (status, body) = match self.kind {
            Kind::AwsWithKeys if code == self.rejection => {
                (code, r#"{"message":"The security token included in the request is expired"}"#.to_owned())
            }
            Kind::Aws | Kind::AwsWithKeys => (code, r#"{"message":"words","traceId":"trace"}"#.to_owned()),
            Kind::Aliyun => (200, format!(r#"{{"code":{code},"message":"words","info":{info}}}"#)),
        };
        let date = ("date".to_owned(), DATE.as_bytes().to_vec());
        let headers = if self.has_clock { vec![date] } else { vec![] };
        Response { status, headers, body: body.into_bytes() }
    }

    /// Whether the timestamp of an authentication, if it has one, is of this quarter of an hour.
    fn accepts_time(&self, request: &Request) -> bool {
        const QUARTER_MS: u64 = 15 * 60 * 1000;
        let body = String::from_utf8(request.body.to_vec()).unwrap();
        let timestamp = body.split_once(r#""timestamp":""#).map(|(_, rest)| rest.trim_matches(['"', '}']));
        let timestamp: Option<u64> = timestamp.map(|digits| digits.parse().unwrap());
        !self.has_clock || timestamp.is_none_or(|timestamp| timestamp.abs_diff(super::UNIX_START_MS) < QUARTER_MS)
    }
}

impl Cloud {
    /// Whether the time of a signature, if it has one, is within five minutes.
    fn accepts_signature(&self, request: &Request) -> bool {
        let Some((_, time)) = request.headers.iter().find(|(name, _)| name == "x-amz-date") else { return true };
        let digits = |from: usize, to: usize| time.get(from..to).unwrap();
        let date = format!(
            "{}-{}-{}T{}:{}:{}Z",
            digits(0, 4),
            digits(4, 6),
            digits(6, 8),
            digits(9, 11),
            digits(11, 13),
            digits(13, 15)
        );
        let signed_s = crate::calendar::read_timestamp(&date).unwrap();
        !self.has_clock || signed_s.abs_diff(super::UNIX_START_MS / 1_000) <= 5 * 60
    }
}

/// When the driver starts.
const DATE: &str = "Tue, 14 Nov 2023 22:13:20 GMT";

/// A temporary key that is good for an hour from then on.
fn key(token: &str) -> Response {
    let key = format!(
        r#"{{"credentials":{{"accessKeyId":"ASIA","secretAccessKey":"secret","sessionToken":"{token}","expiration":"2023-11-14T23:13:20Z"}}}}"#
    );
    Response { status: 200, headers: vec![], body: key.into_bytes() }
}

pub fn is_authentication(request: &Request) -> bool {
    request.path_with_query == "/auth" || request.path_with_query.starts_with("/role-aliases/")
}

/// The token of a request.
pub fn password(request: &Request) -> Option<&str> {
    let is_token = |name: &str| matches!(name, "password" | "x-amz-security-token");
    request.headers.iter().find(|(name, _)| is_token(name)).map(|(_, value)| value.as_str())
}

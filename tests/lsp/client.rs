//! A client that holds the server to the protocol: what it sends unasked must be allowed by the
//! client's capabilities, in order, and read by the test.

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::workspace::uri;

/// How long an answer may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// Initialize parameters of a client that can do everything.
pub const VSCODE: &str = include_str!("clients/vscode.json");
/// Of one that cannot refresh hints.
pub const HELIX: &str = include_str!("clients/helix-25.07.json");
/// Of one that cannot watch files.
pub const NEOVIM: &str = include_str!("clients/neovim-0.12.json");
/// Of one that cannot show documents.
pub const ZED: &str = include_str!("clients/zed.json");
/// Of one that refreshes nothing and has no lenses.
pub const EGLOT: &str = include_str!("clients/eglot.json");

pub struct Client {
    to_server: Option<UnboundedSender<Vec<u8>>>,
    from_server: Receiver<Value>,
    server: Option<JoinHandle<bool>>,
    capabilities: Value,
    next_id: i64,
    /// Answers that came before they were waited for.
    early: HashMap<i64, Value>,
    /// What came and was not read yet.
    unread: VecDeque<Value>,
    /// Whether a progress is going on, by token.
    progress: HashMap<String, Progress>,
    /// Answers to `window/showMessageRequest`, in order; `null` for none.
    pub choices: VecDeque<Value>,
    /// What `workspace/configuration` answers for `bytecost`, by scope; the rest gets the empty one.
    pub configuration: HashMap<String, Value>,
    /// Lines of the log.
    pub log: Vec<String>,
    /// Methods of requests the server has made.
    pub requests: Vec<(String, Value)>,
    ended: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    Created,
    Begun(Vec<Value>),
    Ended(Vec<Value>),
}

impl Client {
    /// Starts a server and says nothing yet.
    pub fn connect() -> Self {
        let (to_server, mut bytes) = unbounded_channel::<Vec<u8>>();
        let (messages, from_server) = channel();
        let server = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            let (near, far) = tokio::io::duplex(1 << 16);
            let (input, output) = tokio::io::split(far);
            let (read, mut write) = tokio::io::split(near);
            runtime.spawn(async move {
                while let Some(bytes) = bytes.recv().await {
                    if write.write_all(&bytes).await.is_err() {
                        break;
                    }
                }
                let _ = write.shutdown().await;
            });
            let reading = runtime.spawn(async move {
                let mut read = BufReader::new(read);
                while let Some(message) = next_message(&mut read).await {
                    let _ = messages.send(message);
                }
            });
            let orderly = runtime.block_on(bytecost::lsp::serve(input, output, std::future::pending()));
            runtime.block_on(async {
                let _ = tokio::time::timeout(Duration::from_secs(1), reading).await;
            });
            runtime.shutdown_background();
            orderly
        });
        Self {
            to_server: Some(to_server),
            from_server,
            server: Some(server),
            capabilities: Value::Null,
            next_id: 0,
            early: HashMap::new(),
            unread: VecDeque::new(),
            progress: HashMap::new(),
            choices: VecDeque::new(),
            configuration: HashMap::new(),
            log: Vec::new(),
            requests: Vec::new(),
            ended: false,
        }
    }

    /// Starts a server for a recorded client in a folder, with settings.
    pub fn start(recorded: &str, root: &Path, settings: Value) -> Self {
        Self::start_in(recorded, &[root], settings)
    }

    /// As [`Client::start`] in several folders.
    pub fn start_in(recorded: &str, roots: &[&Path], settings: Value) -> Self {
        let mut client = Self::connect();
        client.initialize(recorded, roots, settings);
        client.notify("initialized", json!({}));
        client
    }

    /// Sends `initialize`.
    pub fn initialize(&mut self, recorded: &str, roots: &[&Path], settings: Value) -> Value {
        let mut params: Value = serde_json::from_str(recorded).expect("a fixture");
        self.capabilities = params["capabilities"].clone();
        params["processId"] = json!(std::process::id());
        params["rootUri"] = json!(roots.first().map(|root| uri(root)));
        params["workspaceFolders"] = json!(
            roots
                .iter()
                .map(|root| json!({"uri": uri(root), "name": "x"}))
                .collect::<Vec<_>>()
        );
        if !params["initializationOptions"].is_object() {
            params["initializationOptions"] = json!({});
        }
        if let Value::Object(settings) = settings {
            for (key, value) in settings {
                params["initializationOptions"][key] = value;
            }
        }
        self.request("initialize", params).expect("capabilities")
    }

    /// Sends bytes as they are.
    pub fn send_raw(&self, bytes: &[u8]) {
        if let Some(to_server) = &self.to_server {
            to_server.send(bytes.to_vec()).expect("the server reads");
        }
    }

    pub fn send(&self, message: &Value) {
        let body = message.to_string();
        self.send_raw(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
    }

    pub fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    /// Sends a request without waiting for the answer.
    pub fn ask(&mut self, method: &str, params: Value) -> i64 {
        self.next_id += 1;
        let mut message = json!({"jsonrpc": "2.0", "id": self.next_id, "method": method});
        if !params.is_null() {
            message["params"] = params;
        }
        self.send(&message);
        self.next_id
    }

    /// Sends a request and waits for its result or error.
    pub fn request(&mut self, method: &str, params: Value) -> Result<Value, Value> {
        let id = self.ask(method, params);
        self.answer(&json!(id))
    }

    /// Waits for the answer to a request.
    pub fn answer(&mut self, id: &Value) -> Result<Value, Value> {
        let read = |message: Value| match message.get("error") {
            Some(error) => Err(error.clone()),
            None => Ok(message["result"].clone()),
        };
        if let Some(message) = id.as_i64().and_then(|id| self.early.remove(&id)) {
            return read(message);
        }
        loop {
            let message = self.next("an answer");
            if message.get("method").is_none() && message["id"] == *id {
                return read(message);
            }
            self.arrived(message);
        }
    }

    pub fn execute(&mut self, command: &str, arguments: Value) -> Result<Value, Value> {
        self.request(
            "workspace/executeCommand",
            json!({"command": command, "arguments": arguments}),
        )
    }

    pub fn open(&mut self, uri: &str, text: &str) {
        self.notify(
            "textDocument/didOpen",
            json!({"textDocument": {"uri": uri, "languageId": "python", "version": 1, "text": text}}),
        );
    }

    /// Replaces a range, `[line, column, end line, end column]`.
    pub fn edit(&mut self, uri: &str, version: i32, range: [u32; 4], text: &str) {
        let [line, column, end_line, end_column] = range;
        let range = json!({
            "start": {"line": line, "character": column},
            "end": {"line": end_line, "character": end_column},
        });
        self.notify(
            "textDocument/didChange",
            json!({"textDocument": {"uri": uri, "version": version},
                "contentChanges": [{"range": range, "text": text}]}),
        );
    }

    pub fn save(&mut self, uri: &str) {
        self.notify("textDocument/didSave", json!({"textDocument": {"uri": uri}}));
    }

    /// Hints by line, 0-based: columns and labels.
    pub fn hints(&mut self, uri: &str) -> Vec<(u32, u32, String)> {
        let range = json!({"start": {"line": 0, "character": 0}, "end": {"line": 9999, "character": 0}});
        let hints = self
            .request(
                "textDocument/inlayHint",
                json!({"textDocument": {"uri": uri}, "range": range}),
            )
            .expect("hints");
        let hints = hints.as_array().cloned().unwrap_or_default();
        let number = |value: &Value| u32::try_from(value.as_u64().expect("a number")).expect("small");
        hints
            .iter()
            .map(|hint| {
                let position = &hint["position"];
                (
                    number(&position["line"]),
                    number(&position["character"]),
                    hint["label"].as_str().expect("a label").to_owned(),
                )
            })
            .collect()
    }

    /// Lines with hints, 0-based.
    pub fn hinted(&mut self, uri: &str) -> Vec<u32> {
        self.hints(uri).into_iter().map(|(line, _, _)| line).collect()
    }

    /// The Markdown of a hover.
    pub fn hover(&mut self, uri: &str, line: u32, character: u32) -> Option<String> {
        let hover = self
            .request(
                "textDocument/hover",
                json!({"textDocument": {"uri": uri}, "position": {"line": line, "character": character}}),
            )
            .expect("a hover");
        Some(hover["contents"]["value"].as_str()?.to_owned())
    }

    /// Runs and waits for the end of it; the end's message.
    pub fn run(&mut self, arguments: Value) -> String {
        let before = self.progress.len();
        self.execute("bytecost.run", json!([arguments]))
            .expect("a run begins");
        let supports = self.can("/window/workDoneProgress");
        assert!(supports, "without progress, wait for the log");
        self.wait("the end of the run", |client| {
            let ended = |(_, progress): &(_, &Progress)| matches!(progress, Progress::Ended(_));
            client.progress.iter().filter(ended).count() > before
        });
        let newest = self.progress.keys().max().expect("a token").clone();
        self.ending(&newest)
    }

    fn ending(&self, token: &str) -> String {
        let Some(Progress::Ended(reports)) = self.progress.get(token) else {
            panic!("{token} has not ended");
        };
        let last = reports.last().expect("an end");
        last["message"].as_str().unwrap_or_default().to_owned()
    }

    /// What a progress said so far.
    pub fn reports(&self, number: usize) -> Vec<Value> {
        match self.progress.get(&format!("bytecost/{number}")) {
            Some(Progress::Begun(reports) | Progress::Ended(reports)) => reports.clone(),
            _ => Vec::new(),
        }
    }

    /// Whether a progress has ended.
    pub fn has_ended(&self, number: usize) -> bool {
        matches!(
            self.progress.get(&format!("bytecost/{number}")),
            Some(Progress::Ended(_))
        )
    }

    /// Waits for the diagnostics of a file.
    pub fn diagnostics(&mut self, uri: &str) -> Vec<Value> {
        let message = self.claim("textDocument/publishDiagnostics", |params| params["uri"] == uri);
        message["diagnostics"].as_array().expect("diagnostics").clone()
    }

    /// Waits for a message to the user.
    pub fn message(&mut self) -> String {
        let message = self.claim("window/showMessage", |_| true);
        message["message"].as_str().expect("a message").to_owned()
    }

    /// Waits for a line in the log.
    pub fn wait_for_log(&mut self, part: &str) -> String {
        self.wait(part, |client| client.log.iter().any(|line| line.contains(part)));
        self.log
            .iter()
            .find(|line| line.contains(part))
            .expect("it came")
            .clone()
    }

    /// Waits for a request of the server.
    pub fn wait_for_request(&mut self, method: &str) -> Value {
        self.wait(method, |client| {
            client.requests.iter().any(|(name, _)| name == method)
        });
        let at = self
            .requests
            .iter()
            .position(|(name, _)| name == method)
            .expect("it came");
        self.requests.remove(at).1
    }

    fn claim(&mut self, method: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let is_it = |message: &Value| message["method"] == method && wanted(&message["params"]);
        self.wait(method, |client| client.unread.iter().any(is_it));
        let at = self.unread.iter().position(is_it).expect("it came");
        self.unread.remove(at).expect("it is there")["params"].clone()
    }

    /// Reads messages until something holds.
    pub fn wait(&mut self, what: &str, mut holds: impl FnMut(&Self) -> bool) {
        while !holds(self) {
            let message = self.next(what);
            self.arrived(message);
        }
    }

    /// Asks again until there is an answer: what is loaded is read in the background.
    pub fn until<T>(&mut self, what: &str, mut answer: impl FnMut(&mut Self) -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = answer(self) {
                return found;
            }
            assert!(Instant::now() < end, "waited for {what}; log: {:#?}", self.log);
            self.settle(Duration::from_millis(50));
        }
    }

    /// Reads what comes within a while.
    pub fn settle(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while let Ok(message) = self
            .from_server
            .recv_timeout(end.saturating_duration_since(Instant::now()))
        {
            self.arrived(message);
        }
    }

    fn next(&mut self, what: &str) -> Value {
        match self.from_server.recv_timeout(PATIENCE) {
            Ok(message) => message,
            Err(RecvTimeoutError::Timeout) => panic!(
                "waited for {what}; unread: {:?}, progress: {:?}, log: {:#?}",
                self.unread, self.progress, self.log
            ),
            Err(RecvTimeoutError::Disconnected) => panic!("the server ended; log: {:#?}", self.log),
        }
    }

    fn can(&self, pointer: &str) -> bool {
        self.capabilities.pointer(pointer) == Some(&json!(true))
    }

    fn arrived(&mut self, message: Value) {
        assert_eq!(message["jsonrpc"], "2.0", "{message}");
        let Some(method) = message["method"].as_str() else {
            if let Some(id) = message["id"].as_i64() {
                assert!(
                    (1..=self.next_id).contains(&id),
                    "an answer nobody asked for: {message}"
                );
                assert_eq!(self.early.insert(id, message), None, "one answer a request");
                return;
            }
            // An error without an id tells of a message that was none.
            assert!(message["id"].is_null(), "an answer nobody asked for: {message}");
            self.unread.push_back(message);
            return;
        };
        let params = message["params"].clone();
        match message.get("id") {
            Some(id) => {
                let answer = self.answer_to(method, &params);
                self.requests.push((method.to_owned(), params));
                self.send(&json!({"jsonrpc": "2.0", "id": id, "result": answer}));
            }
            None => self.notified(method, &params, message.clone()),
        }
    }

    fn answer_to(&mut self, method: &str, params: &Value) -> Value {
        let needs = match method {
            "window/workDoneProgress/create" => "/window/workDoneProgress",
            "workspace/configuration" => "/workspace/configuration",
            "workspace/inlayHint/refresh" => "/workspace/inlayHint/refreshSupport",
            "workspace/codeLens/refresh" => "/workspace/codeLens/refreshSupport",
            "window/showDocument" => "/window/showDocument/support",
            "client/registerCapability" | "window/showMessageRequest" => "",
            _ => panic!("the server made an unexpected request: {method} {params}"),
        };
        assert!(
            needs.is_empty() || self.can(needs),
            "{method} was asked of a client that cannot"
        );
        match method {
            "window/workDoneProgress/create" => {
                // Zed takes no numbers.
                let token = params["token"].as_str().expect("a string").to_owned();
                let known = self.progress.insert(token, Progress::Created);
                assert_eq!(known, None, "a token is used once");
                Value::Null
            }
            "client/registerCapability" => {
                for registration in params["registrations"].as_array().expect("some") {
                    let method = registration["method"].as_str().expect("a method");
                    let dynamic = format!("/{method}/dynamicRegistration");
                    assert!(self.can(&dynamic), "{method} cannot be registered");
                }
                Value::Null
            }
            "workspace/configuration" => {
                let items = params["items"].as_array().expect("items");
                let answer = |item: &Value| {
                    assert_eq!(item["section"], "bytecost");
                    let scope = item["scopeUri"].as_str().unwrap_or_default();
                    let scoped = self.configuration.get(scope);
                    scoped.or(self.configuration.get("")).cloned().unwrap_or_default()
                };
                items.iter().map(answer).collect()
            }
            "window/showDocument" => json!({"success": true}),
            "window/showMessageRequest" => self
                .choices
                .pop_front()
                .unwrap_or_else(|| panic!("an unexpected question: {params}")),
            _ => Value::Null,
        }
    }

    fn notified(&mut self, method: &str, params: &Value, message: Value) {
        match method {
            "window/logMessage" => {
                let line = params["message"].as_str().expect("a line");
                self.log.push(line.to_owned());
            }
            "$/progress" => self.progressed(params),
            "textDocument/publishDiagnostics" | "window/showMessage" => self.unread.push_back(message),
            _ => panic!("the server sent an unexpected notification: {message}"),
        }
    }

    fn progressed(&mut self, params: &Value) {
        let token = params["token"].as_str().expect("a string");
        let value = params["value"].clone();
        let progress = self.progress.get_mut(token).expect("a token that was created");
        match (value["kind"].as_str().expect("a kind"), &mut *progress) {
            ("begin", Progress::Created) => {
                assert_eq!(value["cancellable"], true);
                *progress = Progress::Begun(vec![value]);
            }
            ("report", Progress::Begun(reports)) => {
                let before = reports.last().map(|report| report["percentage"].as_u64());
                assert!(
                    value["percentage"].as_u64() >= before.flatten(),
                    "never less: {value}"
                );
                reports.push(value);
            }
            ("end", Progress::Begun(reports)) => {
                let mut reports = std::mem::take(reports);
                reports.push(value);
                *progress = Progress::Ended(reports);
            }
            (kind, before) => panic!("{kind} of {token} after {before:?}"),
        }
    }

    /// Shuts down by the book; nothing may be left that the test has not read.
    pub fn finish(mut self) {
        assert_eq!(self.request("shutdown", Value::Null), Ok(Value::Null));
        self.notify("exit", Value::Null);
        assert!(self.join(), "the end is orderly");
        self.check_unread();
    }

    /// The client is gone.
    pub fn vanish(mut self) -> bool {
        self.to_server = None;
        let orderly = self.join();
        self.check_unread();
        orderly
    }

    /// Says `exit` and waits for the end; whether it was orderly.
    pub fn exit(mut self) -> bool {
        self.notify("exit", Value::Null);
        let orderly = self.join();
        self.check_unread();
        orderly
    }

    fn join(&mut self) -> bool {
        self.ended = true;
        let server = self.server.take().expect("it runs");
        let orderly = server.join().expect("the server does not panic");
        while let Ok(message) = self.from_server.try_recv() {
            // Requests that come now find nobody.
            if message.get("id").is_none_or(Value::is_null) {
                self.arrived(message);
            }
        }
        orderly
    }

    fn check_unread(&self) {
        assert!(self.early.is_empty(), "nobody read {:?}", self.early);
        assert!(self.unread.is_empty(), "nobody read {:#?}", self.unread);
        assert!(self.choices.is_empty(), "nobody asked for {:?}", self.choices);
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        assert!(
            self.ended || std::thread::panicking(),
            "end the client with finish, vanish or exit"
        );
    }
}

async fn next_message(read: &mut (impl tokio::io::AsyncBufRead + Unpin)) -> Option<Value> {
    let mut length = None;
    loop {
        let mut line = String::new();
        if read.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let line = line.trim();
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(": ").expect("a header");
        assert_eq!(name, "Content-Length");
        length = Some(value.parse::<usize>().expect("a length"));
    }
    let mut body = vec![0; length.expect("a length")];
    read.read_exact(&mut body).await.ok()?;
    Some(serde_json::from_slice(&body).expect("JSON"))
}

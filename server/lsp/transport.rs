//! Messages between a client and a service: reading, order, answers, panics, the end.
//!
//! The framework brings a loop of its own, which ends at the first message it cannot decode,
//! dies of a handler's panic and starves behind four slow handlers. This one does none of that.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use futures::future::{BoxFuture, FutureExt, poll_fn};
use futures::stream::{FuturesUnordered, StreamExt};
use futures::{SinkExt, poll};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::mpsc;
use tower_lsp_server::ClientSocket;
use tower_lsp_server::jsonrpc::{Error, ErrorCode, Id, Request, Response};
use tower_service::Service;

use super::frame::{self, Frame};

/// How the conversation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The client said `exit`.
    Exit,
    /// The client is gone.
    Gone,
}

/// How long the last messages may take to be written.
const FLUSH: std::time::Duration = std::time::Duration::from_millis(200);

type Answer = BoxFuture<'static, Option<Response>>;

/// Carries messages until the client says `exit` or is gone.
///
/// Handlers start in the order of their messages, and what a handler does before it waits is
/// done before the next one starts. Each request is answered once, also by a handler that
/// panics. `panicked` is told the method and the message of every panic.
pub async fn serve<S>(
    input: impl AsyncRead + Unpin,
    output: impl AsyncWrite + Unpin,
    service: S,
    socket: ClientSocket,
    panicked: impl Fn(&str, &str) + Clone + Send + 'static,
) -> End
where
    S: Service<Request, Response = Option<Response>>,
    S::Future: Send + 'static,
{
    let (mut from_server, mut to_server) = socket.split();
    let (out, mut outgoing) = mpsc::unbounded_channel::<Vec<u8>>();
    let (later, mut started) = mpsc::unbounded_channel::<Answer>();

    let mut reading = std::pin::pin!(async {
        let mut reader = Reader {
            service,
            out: out.clone(),
            later,
            panicked,
        };
        let mut input = BufReader::with_capacity(1 << 16, input);
        loop {
            match frame::read(&mut input).await {
                Frame::End => return End::Gone,
                Frame::Malformed(what) => reader.refuse(ErrorCode::ParseError, what.to_owned()),
                Frame::TooLarge(bytes) => reader.refuse(
                    ErrorCode::InvalidRequest,
                    format!("a message of {bytes} bytes is too large"),
                ),
                Frame::Message(bytes) => match reader.parse(&bytes) {
                    Some(Incoming::Request(request)) => {
                        let exit = request.method() == "exit";
                        reader.call(request).await;
                        if exit {
                            return End::Exit;
                        }
                    }
                    Some(Incoming::Response(response)) => {
                        // Fails only after the exit.
                        let _ = to_server.send(response).await;
                    }
                    None => {}
                },
            }
        }
    });
    let mut forwarding = std::pin::pin!(async {
        while let Some(request) = from_server.next().await {
            send(&out, &request);
        }
        std::future::pending::<()>().await;
    });
    let mut answering = std::pin::pin!(async {
        let mut answers = FuturesUnordered::new();
        loop {
            tokio::select! {
                Some(answer) = started.recv() => answers.push(answer),
                Some(answer) = answers.next() => {
                    if let Some(response) = answer {
                        send(&out, &response);
                    }
                }
                else => std::future::pending::<()>().await,
            }
        }
    });
    let mut output = output;
    let mut writing = std::pin::pin!(async {
        while let Some(bytes) = outgoing.recv().await.filter(|bytes| !bytes.is_empty()) {
            let written = async {
                output.write_all(&bytes).await?;
                if outgoing.is_empty() {
                    output.flush().await?;
                }
                std::io::Result::Ok(())
            };
            if written.await.is_err() {
                return;
            }
        }
    });
    let end = tokio::select! {
        end = &mut reading => end,
        () = &mut writing => End::Gone,
        () = &mut forwarding => End::Gone,
        () = &mut answering => End::Gone,
    };
    // What was answered before the end may still be on its way.
    let _ = out.send(Vec::new());
    let _ = tokio::time::timeout(FLUSH, writing).await;
    end
}

enum Incoming {
    Request(Request),
    Response(Response),
}

struct Reader<S, P> {
    service: S,
    out: mpsc::UnboundedSender<Vec<u8>>,
    later: mpsc::UnboundedSender<Answer>,
    panicked: P,
}

impl<S, P> Reader<S, P>
where
    S: Service<Request, Response = Option<Response>>,
    S::Future: Send + 'static,
    P: Fn(&str, &str) + Clone + Send + 'static,
{
    fn refuse(&self, code: ErrorCode, message: String) {
        self.refuse_id(Id::Null, code, message);
    }

    fn refuse_id(&self, id: Id, code: ErrorCode, message: String) {
        tracing::warn!("refused a message: {message}");
        let error = Error {
            code,
            message: message.into(),
            data: None,
        };
        send(&self.out, &Response::from_error(id, error));
    }

    /// Reads a body; what is no message is answered here.
    fn parse(&self, bytes: &[u8]) -> Option<Incoming> {
        let mut message: Value = match serde_json::from_slice(bytes) {
            Ok(message) => message,
            Err(error) => {
                self.refuse(
                    ErrorCode::ParseError,
                    format!("a message that is not JSON: {error}"),
                );
                return None;
            }
        };
        let is_request = message.get("method").is_some();
        if is_request {
            if let Some(params) = message.get_mut("params") {
                repair_uris(params);
            }
            let id = message.get("id").cloned();
            match serde_json::from_value(message) {
                Ok(request) => return Some(Incoming::Request(request)),
                Err(error) => {
                    let id = id
                        .and_then(|id| serde_json::from_value(id).ok())
                        .unwrap_or(Id::Null);
                    self.refuse_id(
                        id,
                        ErrorCode::InvalidRequest,
                        format!("a malformed request: {error}"),
                    );
                }
            }
        } else if message.get("id").is_some() {
            match serde_json::from_value(message) {
                Ok(response) => return Some(Incoming::Response(response)),
                // An answer to an answer helps nobody.
                Err(error) => tracing::warn!("passed over a malformed response: {error}"),
            }
        } else {
            self.refuse(
                ErrorCode::InvalidRequest,
                "a message with neither method nor id".to_owned(),
            );
        }
        None
    }

    /// Starts the handler; one that has to wait goes on beside the reading.
    async fn call(&mut self, request: Request) {
        let method = request.method().to_owned();
        let id = request.id().cloned();
        if poll_fn(|context| self.service.poll_ready(context)).await.is_err() {
            return;
        }
        let started = std::panic::catch_unwind(AssertUnwindSafe(|| self.service.call(request)));
        let panicked = self.panicked.clone();
        let answer_panic = move |panic: Box<dyn Any + Send>| {
            let message = message_of(&*panic);
            panicked(&method, message);
            id.map(|id| {
                Response::from_error(
                    id,
                    Error {
                        code: ErrorCode::InternalError,
                        message: format!("bytecost failed in {method}: {message}").into(),
                        data: None,
                    },
                )
            })
        };
        let mut answer: Answer = match started {
            Ok(future) => AssertUnwindSafe(future)
                .catch_unwind()
                .map(|done| match done {
                    Ok(answer) => answer.ok().flatten(),
                    Err(panic) => answer_panic(panic),
                })
                .boxed(),
            Err(panic) => {
                if let Some(response) = answer_panic(panic) {
                    send(&self.out, &response);
                }
                return;
            }
        };
        match poll!(&mut answer) {
            std::task::Poll::Ready(Some(response)) => send(&self.out, &response),
            std::task::Poll::Ready(None) => {}
            std::task::Poll::Pending => {
                let _ = self.later.send(answer);
            }
        }
    }
}

fn message_of(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message")
}

fn send(out: &mpsc::UnboundedSender<Vec<u8>>, message: &impl Serialize) {
    let body = serde_json::to_vec(message).unwrap_or_else(|error| {
        // String keys and finite numbers: it cannot come to this.
        let body = json!({"jsonrpc": "2.0", "method": "window/logMessage",
            "params": {"type": 1, "message": format!("bytecost could not write a message: {error}")}});
        body.to_string().into_bytes()
    });
    // Fails only when the writer is gone, and then so is the client.
    let _ = out.send(frame::framed(&body));
}

/// Encodes in every URI what RFC 3986 does not allow bare: Helix and others send `[` and `|` as
/// the WHATWG standard has them, and the framework drops a message with such a URI.
fn repair_uris(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                match value {
                    Value::String(text) if key.ends_with("uri") || key.ends_with("Uri") => {
                        if let Some(repaired) = repaired(text) {
                            *text = repaired;
                        }
                    }
                    Value::Object(_) | Value::Array(_) => repair_uris(value),
                    _ => {}
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(repair_uris),
        _ => {}
    }
}

fn repaired(uri: &str) -> Option<String> {
    let rest = uri.strip_prefix("file://")?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=:@/?#".contains(&byte);
    if rest.bytes().all(allowed) {
        return None;
    }
    let mut text = "file://".to_owned();
    for byte in rest.bytes() {
        if allowed(byte) {
            text.push(char::from(byte));
        } else {
            use std::fmt::Write;
            let _ = write!(text, "%{byte:02X}");
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tokio::io::AsyncReadExt;
    use tower_lsp_server::ls_types::{
        ExecuteCommandParams, Hover, HoverParams, InitializeParams, InitializeResult,
    };
    use tower_lsp_server::{LanguageServer, LspService, jsonrpc};

    use super::*;

    struct Panics;

    impl LanguageServer for Panics {
        async fn initialize(&self, _: InitializeParams) -> jsonrpc::Result<InitializeResult> {
            Ok(InitializeResult::default())
        }

        async fn shutdown(&self) -> jsonrpc::Result<()> {
            panic!("at once")
        }

        async fn hover(&self, _: HoverParams) -> jsonrpc::Result<Option<Hover>> {
            tokio::task::yield_now().await;
            panic!("later: {}", 1)
        }

        async fn initialized(&self, _: tower_lsp_server::ls_types::InitializedParams) {
            panic!("in a notification")
        }

        async fn execute_command(&self, _: ExecuteCommandParams) -> jsonrpc::Result<Option<Value>> {
            Ok(Some(Value::from("fine")))
        }
    }

    #[tokio::test]
    async fn a_panic_is_answered_and_told_and_harms_nobody_else() {
        let mut input = Vec::new();
        let at = json!({"textDocument": {"uri": "file:///x"}, "position": {"line": 0, "character": 0}});
        for message in [
            json!({"id": 1, "method": "initialize", "params": {"capabilities": {}}}),
            json!({"method": "initialized", "params": {}}),
            json!({"id": 2, "method": "textDocument/hover", "params": at}),
            json!({"id": 3, "method": "workspace/executeCommand", "params": {"command": "x", "arguments": []}}),
            json!({"id": 4, "method": "shutdown"}),
        ] {
            let mut message = message;
            message["jsonrpc"] = json!("2.0");
            input.extend(frame::framed(message.to_string().as_bytes()));
        }
        let told = Arc::new(Mutex::new(Vec::new()));
        let tell = Arc::clone(&told);
        let (mut near, far) = tokio::io::duplex(1 << 16);
        let (read, write) = tokio::io::split(far);
        let (service, socket) = LspService::new(|_| Panics);
        let served = tokio::spawn(serve(
            read,
            write,
            service,
            socket,
            move |method: &str, what: &str| {
                tell.lock().unwrap().push(format!("{method}: {what}"));
            },
        ));
        near.write_all(&input).await.unwrap();
        let mut answers = BufReader::new(&mut near);
        let mut found = Vec::new();
        for _ in 0..4 {
            let Frame::Message(bytes) = frame::read(&mut answers).await else {
                panic!("an answer");
            };
            let answer: Value = serde_json::from_slice(&bytes).unwrap();
            found.push((answer["id"].as_i64().unwrap(), answer["error"]["code"].as_i64()));
        }
        found.sort_unstable();
        assert_eq!(
            found,
            [(1, None), (2, Some(-32603)), (3, None), (4, Some(-32603))]
        );
        near.shutdown().await.unwrap();
        assert_eq!(served.await.unwrap(), End::Gone);
        let mut rest = Vec::new();
        near.read_to_end(&mut rest).await.unwrap();
        assert!(rest.is_empty());
        let mut told = told.lock().unwrap().clone();
        told.sort();
        assert_eq!(
            told,
            [
                "initialized: in a notification",
                "shutdown: at once",
                "textDocument/hover: later: 1"
            ]
        );
    }
}

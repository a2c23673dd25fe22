//! The program itself, as an editor starts it.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::client;
use super::workspace::{Workspace, python, uri, wait_until_gone};

struct Server {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Server {
    fn start(workspace: &Workspace) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_bytecost"))
            .arg("lsp")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut server = Self { child, output };
        let mut params: Value = serde_json::from_str(client::HELIX).unwrap();
        params["capabilities"]["workspace"] = json!({});
        params["rootUri"] = json!(uri(&workspace.root()));
        params["initializationOptions"] = json!({"python": python()});
        server.send(&json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}));
        assert_eq!(server.read()["id"], 1);
        server.send(&json!({"jsonrpc": "2.0", "method": "initialized", "params": {}}));
        server
    }

    fn send(&mut self, message: &Value) {
        let body = message.to_string();
        let stdin = self.child.stdin.as_mut().unwrap();
        write!(stdin, "Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        stdin.flush().unwrap();
    }

    fn read(&mut self) -> Value {
        let mut length = 0;
        loop {
            let mut line = String::new();
            assert!(self.output.read_line(&mut line).unwrap() > 0, "the server ended");
            match line.trim().strip_prefix("Content-Length: ") {
                Some(number) => length = number.parse().unwrap(),
                None if line.trim().is_empty() => break,
                None => panic!("not the protocol: {line:?}"),
            }
        }
        let mut body = vec![0; length];
        self.output.read_exact(&mut body).unwrap();
        serde_json::from_slice(&body).unwrap()
    }

    fn run_endless(&mut self, workspace: &Workspace) -> String {
        workspace.write(
            "endless.py",
            "import os, time\nprint('loud', flush=True)\nos.write(1, b'raw')\n\
             with open('pids', 'w') as file:\n    file.write(f'{os.getpid()}\\n')\nwhile True:\n    time.sleep(0.01)\n",
        );
        let arguments = json!([{"uri": workspace.uri("endless.py")}]);
        let params = json!({"command": "bytecost.run", "arguments": arguments});
        self.send(
            &json!({"jsonrpc": "2.0", "id": 2, "method": "workspace/executeCommand", "params": params}),
        );
        workspace.wait_for("pids")
    }

    fn wait(&mut self) -> Option<i32> {
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < end, "the server goes on");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn exit_codes_tell_an_orderly_end_from_another() {
    let workspace = Workspace::kern();
    let mut server = Server::start(&workspace);
    server.send(&json!({"jsonrpc": "2.0", "id": 2, "method": "shutdown"}));
    assert_eq!(server.read()["id"], 2);
    server.send(&json!({"jsonrpc": "2.0", "method": "exit"}));
    // Standard input stays open: the server must not wait for its end.
    assert_eq!(server.wait(), Some(0));

    let mut server = Server::start(&workspace);
    server.send(&json!({"jsonrpc": "2.0", "method": "exit"}));
    assert_eq!(server.wait(), Some(1));

    let mut server = Server::start(&workspace);
    drop(server.child.stdin.take());
    assert_eq!(server.wait(), Some(1));
    let mut log = String::new();
    server
        .child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut log)
        .unwrap();
    assert_eq!(log, "");
}

#[cfg(unix)]
#[test]
fn a_signal_ends_the_run_with_the_server() {
    for signal in ["TERM", "INT", "HUP", "KILL"] {
        let workspace = Workspace::kern();
        let mut server = Server::start(&workspace);
        let pid = server.run_endless(&workspace);
        let id = server.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-s", signal, &id])
                .status()
                .unwrap()
                .success()
        );
        server.wait();
        wait_until_gone(&pid);
    }
}

#[test]
fn the_output_of_the_target_stays_out_of_the_protocol() {
    let workspace = Workspace::kern();
    let mut server = Server::start(&workspace);
    let pid = server.run_endless(&workspace);
    let mut lines = Vec::new();
    // Every byte read so far and now is a message, or read() fails.
    while !(lines.contains(&"loud".to_owned()) && lines.contains(&"raw".to_owned())) {
        let message = server.read();
        if message["method"] == "window/logMessage" {
            lines.push(message["params"]["message"].as_str().unwrap().to_owned());
        }
        if message["method"] == "window/workDoneProgress/create" {
            server.send(&json!({"jsonrpc": "2.0", "id": message["id"], "result": null}));
            // A line that has no end yet comes when the target ends.
            let params = json!({"command": "bytecost.cancel", "arguments": []});
            server.send(
                &json!({"jsonrpc": "2.0", "id": 3, "method": "workspace/executeCommand", "params": params}),
            );
        }
    }
    wait_until_gone(&pid);
}

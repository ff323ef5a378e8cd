//! A real CalDAV server: Radicale, where a Python has it (`REVEILLE_RADICALE` names one, else `python3` is asked).

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;
use url::Url;

/// A server of its own, which ends with the test.
pub struct Radicale {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Drop for Radicale {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Radicale {
    /// None where there is no Radicale, which is said.
    pub fn start() -> Option<Radicale> {
        let python = std::env::var("REVEILLE_RADICALE").unwrap_or_else(|_| "python3".to_owned());
        let asked = Command::new(&python)
            .args(["-m", "radicale", "--version"])
            .output();
        if !asked.is_ok_and(|asked| asked.status.success()) {
            // Past the test's own capture, so that it is seen.
            let _ = writeln!(
                std::io::stderr(),
                "LEFT OUT: no Radicale. `pip install radicale`, and `REVEILLE_RADICALE=` its python, run the tests of CalDAV against it."
            );
            return None;
        }
        // In memory where that can be: Radicale waits for the disk after each of its files.
        let folder = TempDir::new_in("/dev/shm").or_else(|_| TempDir::new());
        let folder = folder.expect("a folder");
        let path = |name: &str| folder.path().join(name).display().to_string();
        fs::write(path("users"), "me:hunter2\nyou:other\n").expect("written");
        // A port that was free a moment ago may be taken by another test: then another one.
        for _ in 0..5 {
            let port = TcpListener::bind("127.0.0.1:0")
                .and_then(|free| free.local_addr())
                .expect("a port")
                .port();
            let config = format!(
                "[server]\nhosts = 127.0.0.1:{port}\n[auth]\ntype = htpasswd\nhtpasswd_filename = {}\nhtpasswd_encryption = plain\ndelay = 0\n\
                 [storage]\nfilesystem_folder = {}\n[logging]\nlevel = info\n",
                path("users"),
                path("data")
            );
            fs::write(path("config"), config).expect("written");
            let child = Command::new(&python)
                .args(["-m", "radicale", "-C", &path("config")])
                .stderr(Stdio::piped())
                .stdout(Stdio::null())
                .spawn();
            let mut child = child.expect("a server");
            let log = BufReader::new(child.stderr.take().expect("a log"));
            let mut lines = log.lines().map_while(Result::ok);
            if lines.any(|line| line.contains("server ready")) {
                // Read on, or the server stops when the pipe is full.
                std::thread::spawn(move || lines.for_each(drop));
                return Some(Radicale {
                    child,
                    port,
                    _folder: folder,
                });
            }
            let _ = child.wait();
        }
        panic!("Radicale does not start");
    }

    /// An address of it.
    pub fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://127.0.0.1:{}{path}", self.port)).expect("a URL")
    }

    /// Makes a calendar, as another program would.
    pub fn make(&self, name: &str, component: &str) -> Url {
        let body = format!(
            "<C:mkcalendar xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\"><D:set><D:prop><D:displayname>{name}</D:displayname>\
             <C:supported-calendar-component-set><C:comp name=\"{component}\"/></C:supported-calendar-component-set></D:prop></D:set></C:mkcalendar>"
        );
        let answer = self.raw("MKCALENDAR", &format!("/me/{name}/"), &body);
        assert!(
            answer.starts_with("HTTP/1.0 201") || answer.starts_with("HTTP/1.1 201"),
            "{answer}"
        );
        self.url(&format!("/me/{name}/"))
    }

    /// What it answers to a request, head and all.
    pub fn raw(&self, method: &str, path: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("a connection");
        let kind = match method {
            "PUT" => "text/calendar",
            _ => "application/xml",
        };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic bWU6aHVudGVyMg==\r\nConnection: close\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all((head + body).as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    }
}

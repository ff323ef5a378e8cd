//! What a program writes: the beginning is kept, the rest counted.

use tokio::io::{AsyncRead, AsyncReadExt};

/// One of a program's two streams.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Output {
    /// Its first bytes.
    pub bytes: Vec<u8>,
    /// How many more there were.
    pub omitted: u64,
}

impl Output {
    /// As text; what is not UTF-8 becomes U+FFFD.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// Reads to the end, so that the program never waits for us, and keeps `max` bytes.
    pub(super) async fn gather(&mut self, stream: Option<impl AsyncRead + Unpin>, max: usize) {
        let Some(mut stream) = stream else { return };
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(read @ 1..) = stream.read(&mut buffer).await {
            let kept = read.min(max - self.bytes.len());
            self.bytes.extend_from_slice(&buffer[..kept]);
            self.omitted += (read - kept) as u64;
        }
    }
}

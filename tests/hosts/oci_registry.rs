//! A host of wasmCloud takes components from an OCI registry and from nowhere else. This is one with one image, as it is laid down in
//! the [distribution specification](https://github.com/opencontainers/distribution-spec/blob/main/spec.md): its manifest, and the two
//! blobs that this names.

use std::sync::Arc;

use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

struct Blob {
    media_type: &'static str,
    digest: String,
    bytes: Vec<u8>,
}

impl Blob {
    fn new(media_type: &'static str, bytes: Vec<u8>) -> Self {
        Self { media_type, digest: format!("sha256:{}", hex::encode(Sha256::digest(&bytes))), bytes }
    }

    fn descriptor(&self) -> serde_json::Value {
        json!({ "mediaType": self.media_type, "digest": self.digest, "size": self.bytes.len() })
    }
}

/// Ends with its connections when it is dropped.
pub struct OciRegistry {
    /// What an operator names.
    pub image: String,
    accepting: JoinHandle<()>,
}

impl OciRegistry {
    pub async fn start(component: &[u8]) -> Self {
        let layer = Blob::new("application/wasm", component.to_vec());
        let config = json!({
            "created": "2026-01-01T00:00:00Z", "architecture": "wasm", "os": "wasip2", "layerDigests": [layer.digest],
        });
        let config = Blob::new("application/vnd.wasm.config.v0+json", config.to_string().into_bytes());
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "config": config.descriptor(), "layers": [layer.descriptor()],
        });
        let manifest = Blob::new(MANIFEST, manifest.to_string().into_bytes());
        let blobs = Arc::new([manifest, config, layer]);

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let image = format!("{}/edge:test", listener.local_addr().unwrap());
        let accepting = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let blobs = Arc::clone(&blobs);
                connections.spawn(async move { serve(client, blobs.as_slice()).await });
            }
        });
        Self { image, accepting }
    }
}

impl Drop for OciRegistry {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve(client: TcpStream, blobs: &[Blob]) -> std::io::Result<()> {
    /// The first byte of TLS. Hosts try that first, and take a connection that is closed for a registry without.
    const HANDSHAKE: u8 = 22;

    let mut client = BufReader::new(client);
    while client.fill_buf().await?.first().is_some_and(|first| *first != HANDSHAKE) {
        let (mut request, mut line) = (String::new(), String::new());
        client.read_line(&mut request).await?;
        // An empty line ends the head.
        while client.read_line(&mut line).await? > 2 {
            line.clear();
        }
        let mut words = request.split(' ');
        let (Some(method), Some(path)) = (words.next(), words.next()) else { return Ok(()) };
        let is_manifest = path.contains("/manifests/");
        let blob = blobs.iter().find(|blob| path.ends_with(&blob.digest));
        let (status, media_type, digest, body) = match blob.or_else(|| blobs.first().filter(|_| is_manifest)) {
            Some(blob) => ("200 OK", blob.media_type, blob.digest.as_str(), blob.bytes.as_slice()),
            None if path == "/v2/" => ("200 OK", "application/json", "", b"{}".as_slice()),
            None => ("404 Not Found", "application/json", "", b"{}".as_slice()),
        };
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: {media_type}\r\nDocker-Content-Digest: {digest}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        client.write_all(head.as_bytes()).await?;
        if method != "HEAD" {
            client.write_all(body).await?;
        }
    }
    Ok(())
}

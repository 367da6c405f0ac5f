//! The AWS clients' HTTP stack: HTTP/1.1 over rustls, with Amazon's root certificates compiled in.
//!
//! Kept because AWS's own client, `aws-smithy-http-client`, cannot be built without HTTP/2, which none of these
//! services needs: with it, the webhook's zip was 3.52 MB, not 2.97, and its memory 9.3 MB, not 8.1
//! (docs/performance.md#where-the-time-goes).

use std::{
    error::Error,
    io, iter,
    sync::LazyLock,
    task::{Context, Poll},
    time::Duration,
};

use aws_smithy_runtime_api::client::{
    connection::{CaptureSmithyConnection, ConnectionMetadata},
    http::{HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use aws_smithy_types::body::SdkBody;
use futures_util::future::BoxFuture;
use hyper_rustls::HttpsConnector;
use hyper_util::{
    client::legacy::{self, Client, connect},
    rt::{TokioExecutor, TokioTimer},
};
use lambda_http::http::{Request, Uri};
use rustls::{ClientConfig, RootCertStore, pki_types::CertificateDer};
use tokio::time::timeout;
use tower::{BoxError, Service};

/// The roots of Amazon Trust Services (<https://www.amazontrust.com/repository/>), which the certificates of AWS's
/// endpoints chain to. Compiled in, and no others: a start reads nothing from disk, and only AWS is reached from here.
const AMAZON_ROOTS: [&[u8]; 5] = [
    include_bytes!("roots/AmazonRootCA1.cer"),
    include_bytes!("roots/AmazonRootCA2.cer"),
    include_bytes!("roots/AmazonRootCA3.cer"),
    include_bytes!("roots/AmazonRootCA4.cer"),
    include_bytes!("roots/SFSRootCAG2.cer"),
];

/// Connecting within a region takes a few milliseconds; a connection that takes a second is lost.
const CONNECT: Duration = Duration::from_secs(1);

/// The HTTP client of all services, created for the first request.
pub(super) fn client() -> SharedHttpClient {
    let connector = LazyLock::new(|| SharedHttpConnector::new(Connector::new(&AMAZON_ROOTS)));
    http_client_fn(move |_, _| connector.clone())
}

/// Keeps connections open for later requests.
#[derive(Debug)]
struct Connector(Client<ConnectTimeout, SdkBody>);

impl Connector {
    /// Trusts only these roots (DER).
    fn new(roots: &[&[u8]]) -> Self {
        let mut tcp = connect::HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let pool = Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).clone();
        Self(pool.build(ConnectTimeout(HttpsConnector::from((tcp, tls(roots))))))
    }
}

/// Connects, including name resolution and handshake, or times out.
#[derive(Clone)]
struct ConnectTimeout(HttpsConnector<connect::HttpConnector>);

impl Service<Uri> for ConnectTimeout {
    type Response = <HttpsConnector<connect::HttpConnector> as Service<Uri>>::Response;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let connection = self.0.call(to);
        Box::pin(async move { timeout(CONNECT, connection).await.map_err(io::Error::from)? })
    }
}

/// Reads nothing from disk.
fn tls(roots: &[&[u8]]) -> ClientConfig {
    let mut trusted = RootCertStore::empty();
    trusted.add_parsable_certificates(roots.iter().map(|root| CertificateDer::from_slice(root)));
    ClientConfig::builder().with_root_certificates(trusted).with_no_client_auth()
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut request = match request.try_into_http1x() {
            Ok(request) => request,
            Err(error) => return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into()))),
        };
        allow_discarding(&mut request);
        let response = self.0.request(request);
        HttpConnectorFuture::new(async move {
            let response = response.await.map_err(failure)?;
            HttpResponse::try_from(response.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// Lets the SDK discard a connection: it does so after server errors, so that the retry may reach another server.
fn allow_discarding(request: &mut Request<SdkBody>) {
    let connection = connect::capture_connection(request);
    let Some(wanted) = request.extensions().get::<CaptureSmithyConnection>() else { return };
    wanted.set_connection_retriever(move || {
        connection.connection_metadata().as_ref()?;
        let connection = connection.clone();
        let discard = move || {
            if let Some(connected) = connection.connection_metadata().as_ref() {
                connected.poison();
            }
        };
        Some(ConnectionMetadata::builder().proxied(false).poison_fn(discard).build())
    });
}

/// Classifies a failure for the SDK: network errors are retried, responses that are not HTTP are not.
fn failure(error: legacy::Error) -> ConnectorError {
    let is_timeout = causes(&error)
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::TimedOut);
    let is_unreadable = causes(&error).filter_map(|cause| cause.downcast_ref()).any(hyper::Error::is_parse);
    let error = error.into();
    if is_timeout {
        ConnectorError::timeout(error)
    } else if is_unreadable {
        ConnectorError::other(error, None)
    } else {
        ConnectorError::io(error)
    }
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    iter::successors(Some(error), |&error| error.source())
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeSet,
        net::SocketAddr,
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
    };

    use rcgen::CertifiedKey;
    use rustls::{ServerConfig, pki_types::PrivateKeyDer};
    use tokio::{
        io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
        net::{TcpListener, TcpSocket},
    };
    use tokio_rustls::TlsAcceptor;

    use super::*;

    const FINE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfine";

    /// Sends the same response to every request.
    struct Server {
        address: SocketAddr,
        connections: Arc<AtomicUsize>,
    }

    impl Server {
        async fn start(tls: Option<TlsAcceptor>, response: &'static str) -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let connections = Arc::<AtomicUsize>::default();
            let counted = Arc::clone(&connections);
            tokio::spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    counted.fetch_add(1, Ordering::SeqCst);
                    match &tls {
                        None => drop(tokio::spawn(serve(stream, response))),
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                tokio::spawn(serve(stream, response));
                            }
                        }
                    }
                }
            });
            Self { address, connections }
        }

        fn connections(&self) -> usize {
            self.connections.load(Ordering::SeqCst)
        }
    }

    async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, response: &str) {
        let mut request = Vec::new();
        while let Ok(1..) = stream.read_buf(&mut request).await {
            if request.ends_with(b"\r\n\r\n") {
                request.clear();
                if response.is_empty() || stream.write_all(response.as_bytes()).await.is_err() {
                    return;
                }
                stream.flush().await.ok();
            }
        }
    }

    /// A self-signed certificate for this machine, and a TLS server with it.
    fn certificate() -> (Vec<u8>, TlsAcceptor) {
        let CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let config =
            ServerConfig::builder().with_no_client_auth().with_single_cert(vec![cert.der().clone()], key);
        (cert.der().to_vec(), TlsAcceptor::from(Arc::new(config.unwrap())))
    }

    async fn body(connector: &Connector, request: HttpRequest) -> Result<String, ConnectorError> {
        let response = connector.call(request).await?;
        let body =
            aws_smithy_types::byte_stream::ByteStream::new(response.into_body()).collect().await.unwrap();
        Ok(String::from_utf8(body.to_vec()).unwrap())
    }

    fn get(scheme: &str, address: SocketAddr) -> HttpRequest {
        HttpRequest::get(format!("{scheme}://{address}/")).unwrap()
    }

    #[tokio::test]
    async fn a_server_with_a_trusted_root_is_reached_on_one_kept_connection() {
        let (root, tls) = certificate();
        let server = Server::start(Some(tls), FINE).await;
        let connector = Connector::new(&[&root]);
        for _ in 0..3 {
            assert_eq!(body(&connector, get("https", server.address)).await.unwrap(), "fine");
        }
        assert_eq!(server.connections(), 1);
    }

    #[tokio::test]
    async fn a_server_with_another_root_is_refused() {
        let (_, tls) = certificate();
        let server = Server::start(Some(tls), FINE).await;
        for roots in [&[certificate().0.as_slice()][..], &AMAZON_ROOTS] {
            let error = body(&Connector::new(roots), get("https", server.address)).await.unwrap_err();
            assert!(error.is_io(), "{error:?}");
        }
    }

    #[tokio::test]
    async fn a_discarded_connection_is_not_used_again() {
        let server = Server::start(None, FINE).await;
        let connector = Connector::new(&AMAZON_ROOTS);
        let capture = CaptureSmithyConnection::new();
        let mut request = get("http", server.address);
        request.add_extension(capture.clone());
        body(&connector, request).await.unwrap();
        capture.get().unwrap().poison();
        body(&connector, get("http", server.address)).await.unwrap();
        assert_eq!(server.connections(), 2);
    }

    #[tokio::test]
    async fn network_errors_can_be_retried_and_responses_that_are_not_http_cannot() {
        let connector = Connector::new(&AMAZON_ROOTS);
        let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let error = body(&connector, get("http", nobody)).await.unwrap_err();
        assert!(error.is_io(), "{error:?}");
        let silent = Server::start(None, "").await;
        let error = body(&connector, get("http", silent.address)).await.unwrap_err();
        assert!(error.is_io(), "{error:?}");
        let other = Server::start(None, "SSH-2.0-OpenSSH\r\n\r\n").await;
        let error = body(&connector, get("http", other.address)).await.unwrap_err();
        assert!(error.is_other() && error.as_other().is_none(), "{error:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_connection_is_a_timeout() {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = socket.local_addr().unwrap();
        // The backlog has room for one connection, and nobody accepts it: the next one gets no response.
        let _queue = socket.listen(0).unwrap();
        let _waiting = std::net::TcpStream::connect(address).unwrap();
        let error = body(&Connector::new(&AMAZON_ROOTS), get("http", address)).await.unwrap_err();
        assert!(error.is_timeout(), "{error:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_handshake_that_stalls_is_a_timeout() {
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let connector = Connector::new(&AMAZON_ROOTS);
        let response = body(&connector, get("https", silent.local_addr().unwrap()));
        let error = timeout(Duration::from_mins(1), response).await.unwrap().unwrap_err();
        assert!(error.is_timeout(), "{error:?}");
    }

    #[test]
    fn the_compiled_in_roots_are_mozillas_roots_of_amazon() {
        let contains = |der: &[u8], name: &str| der.windows(name.len()).any(|part| part == name.as_bytes());
        let amazons = webpki_root_certs::TLS_SERVER_ROOT_CERTS
            .iter()
            .map(AsRef::as_ref)
            .filter(|der| contains(der, "Amazon Root CA") || contains(der, "Starfield Services Root"));
        assert_eq!(BTreeSet::from(AMAZON_ROOTS), amazons.collect());
    }
}

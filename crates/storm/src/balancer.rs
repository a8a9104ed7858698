//! A balancer in front of several proxies: gives each new connection to the next node that accepts one, and hands bytes back
//! and forth until either side ends. It knows nothing of HTTP and repeats nothing. Ends when dropped.

use anyhow::Context;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

/// How long a node may take to accept. One that stands still has its connections accepted by the system, until that has no
/// more room for them.
const ACCEPT: Duration = Duration::from_secs(1);

/// The running balancer.
pub(crate) struct Balancer {
    pub(crate) address: SocketAddr,
    serving: AbortHandle,
}

impl Balancer {
    /// Starts it in front of these nodes.
    pub(crate) async fn start(nodes: Vec<SocketAddr>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("no port for the balancer")?;
        let address = listener.local_addr()?;
        Ok(Self { address, serving: tokio::spawn(serve(listener, nodes.into())).abort_handle() })
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, nodes: Arc<[SocketAddr]>) {
    // They end with it.
    let mut connections = JoinSet::new();
    let mut next = 0;
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // A client that has gone already is none.
                let Ok((client, _)) = accepted else { continue };
                connections.spawn(carry(client, Arc::clone(&nodes), next));
                next = (next + 1) % nodes.len();
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Carries a connection to the first node from `first` on that accepts it. Where none does it is cut.
async fn carry(mut client: TcpStream, nodes: Arc<[SocketAddr]>, first: usize) {
    for nth in 0..nodes.len() {
        let node = nodes[(first + nth) % nodes.len()];
        let connecting = tokio::time::timeout(ACCEPT, TcpStream::connect(node));
        if let Ok(Ok(mut node)) = connecting.await {
            // Small answers must not wait for more; how either side ends is the other's to see.
            let _ = client.set_nodelay(true).and(node.set_nodelay(true));
            let _ = copy_bidirectional(&mut client, &mut node).await;
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// A node that says one letter to each connection.
    async fn node(letter: u8) -> (SocketAddr, AbortHandle) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let serving = tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                client.write_all(&[letter]).await.expect("the client reads");
            }
        });
        (address, serving.abort_handle())
    }

    async fn ask(balancer: &Balancer) -> Option<u8> {
        let mut connection = TcpStream::connect(balancer.address).await.expect("it listens");
        connection.read_u8().await.ok()
    }

    #[tokio::test]
    async fn connections_go_to_the_nodes_in_turn_and_one_that_is_down_is_skipped() {
        let (a, _) = node(b'a').await;
        let (b, b_serves) = node(b'b').await;
        let (c, _) = node(b'c').await;
        let balancer = Balancer::start(vec![a, b, c]).await.expect("it starts");
        let mut answers = Vec::new();
        for _ in 0..4 {
            answers.extend(ask(&balancer).await);
        }
        assert_eq!(answers, *b"abca");
        b_serves.abort();
        while TcpStream::connect(b).await.is_ok() {
            tokio::task::yield_now().await;
        }
        assert_eq!(ask(&balancer).await, Some(b'c'));
        assert_eq!(ask(&balancer).await, Some(b'c'), "the turn is counted by connections");
    }

    #[tokio::test]
    async fn where_no_node_is_left_the_connection_is_cut() {
        let (a, serves) = node(b'a').await;
        serves.abort();
        while TcpStream::connect(a).await.is_ok() {
            tokio::task::yield_now().await;
        }
        let balancer = Balancer::start(vec![a]).await.expect("it starts");
        assert_eq!(ask(&balancer).await, None);
    }
}

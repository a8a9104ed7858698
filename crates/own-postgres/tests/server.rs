//! A real server: it keeps what was committed however it ends, and nobody else may come in. Where no server is
//! installed the tests are left out, and that is said; `cargo xtask test` installs one.

use own_postgres::{End, Programs, Server};
use sqlx::{Connection, PgConnection};
use std::io::{Write, stderr};
use std::net::{SocketAddr, TcpStream};

fn server() -> Option<Server> {
    let Some(programs) = Programs::find() else {
        writeln!(stderr(), "LEFT OUT: no PostgreSQL server is installed here").expect("stderr is there");
        return None;
    };
    Some(Server::start(&programs, &std::env::temp_dir()).expect("it starts"))
}

async fn connect(server: &Server) -> PgConnection {
    PgConnection::connect(&server.url("postgres")).await.expect("it takes connections")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_committed_is_there_after_any_end() {
    let Some(mut server) = server() else { return };
    let mut client = connect(&server).await;
    sqlx::query("CREATE TABLE kept (number int)").execute(&mut client).await.expect("made");
    for (number, end) in [(1, End::Kill), (2, End::Fast)] {
        let mut client = connect(&server).await;
        sqlx::query("INSERT INTO kept VALUES ($1)").bind(number).execute(&mut client).await.expect("committed");
        server.end(end).expect("it ends");
        assert!(PgConnection::connect(&server.url("postgres")).await.is_err(), "it has ended by {end:?}");
        server.start_again().expect("it starts again");
    }
    let mut client = connect(&server).await;
    let kept: Vec<(i32,)> =
        sqlx::query_as("SELECT number FROM kept ORDER BY 1").fetch_all(&mut client).await.expect("read");
    assert_eq!(kept, [(1,), (2,)]);
    let (synced,): (String,) = sqlx::query_as("SHOW fsync").fetch_one(&mut client).await.expect("read");
    assert_eq!(synced, "on");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_listens_on_loopback_alone_and_ends_when_dropped() {
    let Some(server) = server() else { return };
    let mut client = connect(&server).await;
    let (addresses,): (String,) = sqlx::query_as("SHOW listen_addresses").fetch_one(&mut client).await.expect("read");
    let (sockets,): (String,) =
        sqlx::query_as("SHOW unix_socket_directories").fetch_one(&mut client).await.expect("read");
    assert_eq!((addresses.as_str(), sockets.as_str()), ("127.0.0.1", ""));
    let url = server.url("postgres");
    let address: SocketAddr =
        url.split(['@', '/']).nth(3).and_then(|address| address.parse().ok()).expect("an address");
    assert!(TcpStream::connect(address).is_ok());
    drop(server);
    assert!(TcpStream::connect(address).is_err(), "it has ended");
}

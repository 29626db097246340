//! An HTTP proxy that counts connections: the client is told of it as it is told of any proxy.

use rollkey::http::Proxy;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};

static CONNECTIONS: AtomicUsize = AtomicUsize::new(0);

/// How many connections were opened through it so far.
pub(crate) fn connections() -> usize {
    CONNECTIONS.load(Ordering::SeqCst)
}

/// Starts one, on threads of its own, for as long as the process lives.
pub(crate) fn start() -> Proxy {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            std::thread::spawn(move || relay(client));
        }
    });
    Proxy::new(&format!("http://{address}"), None).expect("an address")
}

/// `CONNECT host:port`, an answer, and then bytes in both directions until one side has enough.
fn relay(mut client: TcpStream) -> Option<()> {
    let mut lines = BufReader::new(client.try_clone().ok()?).lines();
    let target = lines.next()?.ok()?.split(' ').nth(1)?.to_owned();
    while !lines.next()?.ok()?.is_empty() {}
    let mut server = TcpStream::connect(target).ok()?;
    for end in [&client, &server] {
        end.set_nodelay(true).ok()?;
    }
    CONNECTIONS.fetch_add(1, Ordering::SeqCst);
    client.write_all(b"HTTP/1.1 200 here you are\r\n\r\n").ok()?;
    let (mut from_server, mut to_client) = (server.try_clone().ok()?, client.try_clone().ok()?);
    std::thread::spawn(move || _ = std::io::copy(&mut from_server, &mut to_client));
    std::io::copy(&mut client, &mut server).ok()?;
    Some(())
}

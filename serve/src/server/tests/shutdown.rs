//! The end of a server loses nothing that it has begun, and does not wait for what has nothing to do.

use super::*;

#[tokio::test]
async fn what_is_under_way_is_finished_and_nothing_new_is_taken() {
    let desk = Desk::new();
    desk.configure(&format!("{GENEROUS}[limits]\nidle_timeout = \"1h\"\ndrain_timeout = \"1h\"\n"));
    let server = desk.start().await;
    let address = server.local_addr();
    // It leaves an instance that waits for an hour, and a connection that has no request any more.
    let mut idle = TcpStream::connect(address).await.unwrap();
    idle.write_all(b"GET /config HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    idle.read_u8().await.unwrap();

    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = b"PUT /body HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\nconnection: close\r\n\r\n21";
    stream.write_all(head).await.unwrap();
    while server.statistics().busy < 1 {
        tokio::task::yield_now().await;
    }
    let ended = tokio::spawn(server.shutdown());
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    stream.write_all(b".5").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("21.5"), "{answer}");
    assert_eq!(ended.await.unwrap(), Drained { cut_off: 0 });
}

#[tokio::test]
async fn what_takes_too_long_is_cut_off_when_the_time_for_it_is_over_and_counted() {
    let desk = Desk::new();
    desk.configure(&format!("{GENEROUS}[limits]\ndrain_timeout = \"50ms\"\n"));
    let server = desk.start().await;
    let mut stream = TcpStream::connect(server.local_addr()).await.unwrap();
    stream.write_all(b"PUT /body HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\n21").await.unwrap();
    while server.statistics().busy < 1 {
        tokio::task::yield_now().await;
    }
    assert_eq!(server.shutdown().await, Drained { cut_off: 1 });
}

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

/// Half a body, to a guest that waits for the other half.
async fn hang(server: &Server) -> TcpStream {
    let mut stream = TcpStream::connect(server.local_addr()).await.unwrap();
    let head = b"PUT /body HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 4\r\n\r\n21";
    stream.write_all(head).await.unwrap();
    while server.statistics().busy < 1 {
        tokio::task::yield_now().await;
    }
    stream
}

async fn rest(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn who_waits_when_the_time_is_over_is_told_what_has_become_of_the_message() {
    let desk = Desk::new();
    let patient = ["queue_timeout", "stall_timeout", "body_timeout", "deadline", "header_timeout"];
    let patient: String = patient.iter().map(|key| format!("{key} = \"1h\"\n")).collect();
    desk.configure(&format!("{GENEROUS}[limits]\ninstances = 1\ndrain_timeout = \"1m\"\n{patient}"));
    let server = desk.start().await;
    let in_a_guest = hang(&server).await;
    let mut in_the_queue = TcpStream::connect(server.local_addr()).await.unwrap();
    let head = b"PUT /body HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    in_the_queue.write_all(head).await.unwrap();
    while server.statistics().waiting < 1 {
        tokio::task::yield_now().await;
    }
    // From here on a minute takes as long as there is something to do in it.
    tokio::time::pause();
    let (drained, told, queued) = tokio::join!(server.shutdown(), rest(in_a_guest), rest(in_the_queue));
    assert!(told.starts_with("HTTP/1.1 504 ") && told.contains("\"outcome\":\"unknown\""), "{told}");
    assert!(queued.starts_with("HTTP/1.1 503 ") && queued.contains("\"outcome\":\"not-sent\""), "{queued}");
    // No guest has seen the other one, and it may come again.
    assert_eq!(drained, Drained { cut_off: 1 });
}

#[tokio::test]
async fn a_guest_that_goes_on_without_its_client_and_is_stopped_is_counted() {
    // It takes connections and says nothing.
    let cloud = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let desk = Desk::new();
    let route = format!("[[route]]\nendpoint = \"nowhere\"\nconnect_to = \"{}\"\n", cloud.local_addr().unwrap());
    desk.configure(&format!("{GENEROUS}{route}"));
    let server = desk.start().await;
    let mut stream = TcpStream::connect(server.local_addr()).await.unwrap();
    stream.write_all(b"POST /topics/a HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    while server.statistics().busy < 1 {
        tokio::task::yield_now().await;
    }
    stream.set_zero_linger().unwrap();
    drop(stream);
    assert_eq!(server.shutdown().await, Drained { cut_off: 1 });
}

#[tokio::test]
async fn a_server_that_is_dropped_takes_no_new_connection_and_finishes_what_it_has() {
    let desk = Desk::new();
    desk.configure(GENEROUS);
    let server = desk.start().await;
    let address = server.local_addr();
    let mut stream = hang(&server).await;
    drop(server);
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    stream.write_all(b".5").await.unwrap();
    let answer = rest(stream).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("21.5"), "{answer}");
}

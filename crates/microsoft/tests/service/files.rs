//! Files of recordings.

use super::station::{Station, ok};
use dreiklang_microsoft::Failure;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

#[tokio::test]
async fn a_file_is_fetched_with_proof_for_the_resource_and_deleted() {
    let station = Station::start(vec![ok("RIFF and more")]).await;
    let client = station.client();
    let address = format!("{}/v1/objects/d/content/audio", station.address);
    let mut file = Vec::new();
    assert_eq!(client.fetch(&address, &mut file, 1_000).await.unwrap(), 13);
    assert_eq!(file, b"RIFF and more");
    client.delete_file(&format!("{}/v1/objects/d", station.address)).await.unwrap();
    let asked = station.asked();
    assert_eq!(asked[0].target, "/v1/objects/d/content/audio");
    assert_eq!(asked[0].header("x-ms-host"), station.address.trim_start_matches("http://"));
    assert!(asked[0].header("authorization").starts_with("HMAC-SHA256"));
    assert_eq!(asked[1].method.as_str(), "DELETE");
}

#[tokio::test]
async fn a_transfer_that_breaks_is_taken_up_where_it_broke() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let served = tokio::spawn(async move {
        let mut heads = Vec::new();
        for answer in [
            "HTTP/1.1 200 OK\r\ncontent-length: 10\r\nconnection: close\r\n\r\n01234",
            "HTTP/1.1 206 Partial Content\r\ncontent-length: 5\r\nconnection: close\r\n\r\n56789",
        ] {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = vec![0; 4_096];
            let read = stream.read(&mut head).await.unwrap();
            heads.push(String::from_utf8_lossy(&head[..read]).to_ascii_lowercase());
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
        }
        heads
    });
    let station = Station { address: address.clone(), ..Station::default() };
    let mut file = Vec::new();
    assert_eq!(station.client().fetch(&format!("{address}/f"), &mut file, 100).await.unwrap(), 10);
    assert_eq!(file, b"0123456789");
    let heads = served.await.unwrap();
    assert!(!heads[0].contains("range:"), "{}", heads[0]);
    assert!(heads[1].contains("range: bytes=5-"), "{}", heads[1]);
}

#[tokio::test]
async fn our_proof_is_sent_to_places_of_recordings_only_and_a_file_has_an_end() {
    let station = Station::start(vec![ok("0123456789")]).await;
    let client = station.client();
    for elsewhere in ["http://127.0.0.2:9/f", "http://asm.skype.com.evil.example/f"] {
        assert!(matches!(client.fetch(elsewhere, &mut Vec::new(), 10).await, Err(Failure::Impossible(_))), "{elsewhere}");
    }
    assert!(matches!(client.fetch(&format!("{}/f", station.address), &mut Vec::new(), 9).await, Err(Failure::Unreadable(_))));
}

//! The threads that read, each with its own connection, all fed from one queue.

use crate::{failure::Failure, limits};
use rusqlite::Connection;
use std::{
    sync::{
        Arc, Mutex,
        mpsc::{self, Receiver, SyncSender},
    },
    thread::JoinHandle,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

type Body = Box<dyn FnOnce(&Connection) + Send>;

pub(super) struct Readers {
    sender: Mutex<Option<SyncSender<(Body, OwnedSemaphorePermit)>>>,
    room: Arc<Semaphore>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Readers {
    pub(super) fn start(connections: Vec<Connection>) -> Result<Readers, Failure> {
        let (sender, receiver) = mpsc::sync_channel::<(Body, OwnedSemaphorePermit)>(limits::READ_QUEUE);
        let receiver = Arc::new(Mutex::new(receiver));
        let mut threads = Vec::with_capacity(connections.len());
        for db in connections {
            let receiver = Arc::clone(&receiver);
            let thread = std::thread::Builder::new()
                .name("store-reader".to_owned())
                .spawn(move || serve(&db, &receiver))
                .map_err(|error| Failure::Io { detail: error.to_string() })?;
            threads.push(thread);
        }
        Ok(Readers { sender: Mutex::new(Some(sender)), room: Arc::new(Semaphore::new(limits::READ_QUEUE)), threads: Mutex::new(threads) })
    }

    pub(super) async fn run(&self, body: impl FnOnce(&Connection) + Send + 'static) -> Result<(), Failure> {
        let room = Arc::clone(&self.room).acquire_owned().await.map_err(|_| Failure::Closed)?;
        let sender = self.sender.lock().map_err(|_| Failure::Closed)?;
        sender.as_ref().ok_or(Failure::Closed)?.try_send((Box::new(body), room)).map_err(|_| Failure::Closed)
    }

    pub(super) fn close(&self) {
        if let Ok(mut sender) = self.sender.lock() {
            sender.take();
        }
        let threads = self.threads.lock().map(|mut threads| std::mem::take(&mut *threads)).unwrap_or_default();
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a reader of the store ended by a panic");
            }
        }
    }
}

fn serve(db: &Connection, receiver: &Mutex<Receiver<(Body, OwnedSemaphorePermit)>>) {
    loop {
        // One thread waits for the queue while holding the lock, the others wait for the lock; the lock is free while reading.
        let next = match receiver.lock() {
            Ok(queue) => queue.recv(),
            Err(_) => return,
        };
        match next {
            Ok((body, _room)) => body(db),
            Err(_) => return,
        }
    }
}

/// Runs several statements on one view of the data.
pub(super) fn consistently<T, E: From<Failure>>(db: &Connection, body: impl FnOnce(&Connection) -> Result<T, E>) -> Result<T, E> {
    let view = db.unchecked_transaction().map_err(Failure::from)?;
    let result = body(&view);
    // Nothing was written; if ending fails, the transaction ends with the drop.
    let _ = view.finish();
    result
}

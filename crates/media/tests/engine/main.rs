//! The media engine over real sockets on the loopback interface: the test is the other end of every call.

mod bridge;
mod chaos;
mod control;
mod digits;
mod latch;
mod mix;
mod party;
mod ports;
mod prompt;
mod recording;
mod room;
mod srtp;

//! Audio of calls: RTP and RTCP sockets, G.711 bridging and mixing on media threads, prompts and music, DTMF, recording, quality.
//!
//! Decides everything about packets once somebody else has decided who talks to whom. Knows nothing of SIP, queues or
//! agents: its caller opens streams, says what each stream hears and what is recorded ([`engine::Edit`]), and is told
//! what happened ([`engine::Event`]). Wideband codecs are left out; they will be a layer around [`engine`], not variants
//! inside it.
//!
//! # Layout
//!
//! - [`ids`]: names of groups, streams, recordings and playings
//! - [`engine`]: the media threads and the handle to them; start reading at [`engine::Engine`]
//! - [`rtp`], [`rtcp`], [`reception`], [`dtmf`]: the packets and what is counted about them
//! - [`srtp`]: the same packets encrypted
//! - [`codec`], [`tone`], [`wav`], [`prompt`]: sound as bytes
//! - [`record`]: stereo files of calls
//! - [`quality`]: from figures to a mean opinion score
//! - [`limits`]: every limit

pub mod codec;
pub mod dtmf;
pub mod engine;
pub mod ids;
pub mod limits;
pub mod prompt;
pub mod quality;
pub mod reception;
pub mod record;
pub mod rtcp;
pub mod rtp;
pub mod srtp;
pub mod tone;
pub mod wav;

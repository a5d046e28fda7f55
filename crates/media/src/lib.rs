//! Audio of calls: RTP and RTCP sockets, G.711 bridging, prompts and music, DTMF, recording, quality.

pub mod codec;
pub mod ids;
pub mod prompt;
pub mod record;

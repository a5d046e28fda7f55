//! Recordings: running ones, and the files they leave.

use super::{
    client::{Call, Client, RequestId, parsed},
    model::{Recording, StartRecording},
};
use crate::transport::{Failure, Repeat, told};
use reqwest::{Method, StatusCode, Url};
use tokio::io::{AsyncWrite, AsyncWriteExt};

/// Where files of recordings lie. Proof of who we are is sent to nobody else.
const FILE_HOSTS: [&str; 3] = [".asm.skype.com", ".asyncgw.teams.microsoft.com", ".ams.gov.teams.microsoft.us"];
/// Most times a broken transfer is taken up again.
const TAKEN_UP: u32 = 3;

impl Client {
    /// Records a call. `RecordingStateChanged` or `StartRecordingFailed` follows.
    ///
    /// # Errors
    /// As for every operation.
    pub async fn start_recording(&self, request: &StartRecording, id: RequestId) -> Result<Recording, Failure> {
        if !self.version.has_teams() {
            return Err(Failure::Impossible(format!("version {} cannot record by connection", self.version.0)));
        }
        parsed(&self.post(&["calling", "recordings"], Some(request), id).await?)
    }

    /// What a recording is at present.
    ///
    /// # Errors
    /// As for every operation; [`Failure::is_gone`] for one that is over.
    pub async fn recording(&self, recording: &str) -> Result<Recording, Failure> {
        let url = self.url(&["calling", "recordings", recording], &self.version)?;
        parsed(&self.answer(&Call::new(Method::GET, url, Repeat::Safe)).await?)
    }

    /// Records nothing until further notice.
    ///
    /// # Errors
    /// As for every operation.
    pub async fn pause_recording(&self, recording: &str) -> Result<(), Failure> {
        self.post_same(&["calling", "recordings", &format!("{recording}:pause")], None::<&()>).await.map(drop)
    }

    /// Records again.
    ///
    /// # Errors
    /// As for every operation.
    pub async fn resume_recording(&self, recording: &str) -> Result<(), Failure> {
        self.post_same(&["calling", "recordings", &format!("{recording}:resume")], None::<&()>).await.map(drop)
    }

    /// Ends a recording. The notice of its file follows by Event Grid.
    ///
    /// # Errors
    /// As for every operation.
    pub async fn stop_recording(&self, recording: &str) -> Result<(), Failure> {
        let url = self.url(&["calling", "recordings", recording], &self.version)?;
        self.answer(&Call::new(Method::DELETE, url, Repeat::Safe)).await.map(drop)
    }

    /// Writes a file of a recording. A transfer that breaks is taken up where it broke. Returns how many bytes it has.
    ///
    /// # Errors
    /// When it is refused, breaks too often, has more than `most` bytes, or cannot be written.
    pub async fn fetch(&self, address: &str, into: &mut (impl AsyncWrite + Unpin), most: u64) -> Result<u64, Failure> {
        let url = self.file(address)?;
        let host = self.host();
        let mut written = 0_u64;
        let mut broken = 0;
        loop {
            let mut call = Call::new(Method::GET, url.clone(), Repeat::Safe);
            call.signed_host = Some(&host);
            call.range = (written > 0).then(|| format!("bytes={written}-"));
            let mut response = self.send(&call).await?;
            if written > 0 && response.status() != StatusCode::PARTIAL_CONTENT {
                return Err(Failure::Unreadable("a broken transfer cannot be taken up".to_owned()));
            }
            let problem = loop {
                match response.chunk().await {
                    Ok(Some(part)) => {
                        written += part.len() as u64;
                        if written > most {
                            return Err(Failure::Unreadable(format!("the file has more than {most} bytes")));
                        }
                        into.write_all(&part).await.map_err(|error| Failure::Impossible(format!("the file cannot be written: {error}")))?;
                    }
                    Ok(None) => {
                        into.flush().await.map_err(|error| Failure::Impossible(format!("the file cannot be written: {error}")))?;
                        return Ok(written);
                    }
                    Err(error) => break error.without_url(),
                }
            };
            broken += 1;
            if broken > TAKEN_UP {
                return Err(Failure::Uncertain(told(&problem)));
            }
        }
    }

    /// Deletes a file of a recording.
    ///
    /// # Errors
    /// As for every operation.
    pub async fn delete_file(&self, address: &str) -> Result<(), Failure> {
        let host = self.host();
        let mut call = Call::new(Method::DELETE, self.file(address)?, Repeat::Safe);
        call.signed_host = Some(&host);
        self.answer(&call).await.map(drop)
    }

    fn file(&self, address: &str) -> Result<Url, Failure> {
        let url = self.transport.address(address)?;
        let host = url.host_str().unwrap_or_default();
        let known = FILE_HOSTS.iter().any(|end| host.ends_with(end)) || host == self.host_name();
        if known { Ok(url) } else { Err(Failure::Impossible(format!("{host} is no place of recordings; our proof is not sent there"))) }
    }
}

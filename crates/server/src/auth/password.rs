//! Passwords: what is acceptable, and how they are kept (argon2id, RFC 9106).

use crate::{
    error::{Code, Problem},
    limits,
};
use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicUsize, Ordering},
};
use tokio::sync::Semaphore;

/// Refuses passwords that are too short, too long or the user's own name.
///
/// # Errors
/// `AUTH-006`, saying which.
pub fn check(user: &str, password: &str) -> Result<(), Problem> {
    let weak = |why: String| Err(Problem::new(Code::WeakPassword, why).field("password"));
    let length = password.chars().count();
    if length < limits::PASSWORD_CHARS_MIN {
        return weak(format!("A password needs at least {} characters; several words make a good one.", limits::PASSWORD_CHARS_MIN));
    }
    if length > limits::PASSWORD_CHARS_MAX {
        return weak(format!("A password has at most {} characters.", limits::PASSWORD_CHARS_MAX));
    }
    let mut characters = password.chars();
    let first = characters.next();
    if characters.all(|character| Some(character) == first) {
        return weak("A password needs more than one and the same character.".to_owned());
    }
    if password.to_lowercase().contains(&user.to_lowercase()) && length < user.chars().count() + limits::PASSWORD_CHARS_MIN / 2 {
        return weak("A password must not be little more than the user name.".to_owned());
    }
    Ok(())
}

/// A password that nobody thought up: 100 bits in words of five letters and digits.
pub fn generate() -> String {
    // No letters and digits that look alike, since people copy this from a screen.
    const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz234567892";
    let mut bytes = [0_u8; 20];
    fill(&mut bytes);
    let mut text = String::with_capacity(23);
    for (index, byte) in bytes.iter().enumerate() {
        if index > 0 && index % 5 == 0 {
            text.push('-');
        }
        text.push(char::from(LETTERS[usize::from(byte & 31)]));
    }
    text
}

/// Fills with randomness of the system.
pub(crate) fn fill(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the system gives randomness; without it no secret is safe, and nothing can go on");
}

/// Hashes and checks passwords, few at a time: each takes a lot of memory and time on purpose.
#[derive(Clone)]
pub struct Hasher {
    turns: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
}

impl Default for Hasher {
    fn default() -> Self {
        Hasher { turns: Arc::new(Semaphore::new(limits::HASHES_AT_ONCE)), waiting: Arc::default() }
    }
}

impl Hasher {
    /// The text to keep instead of the password.
    ///
    /// # Errors
    /// `SERVER-003` when too many are waiting.
    pub async fn hash(&self, password: &str) -> Result<String, Problem> {
        let password = password.to_owned();
        self.work(move || hash_now(&password)).await?
    }

    /// Whether `password` is the one `kept` was made of. Takes the same time when `kept` is `None`, so that nobody learns
    /// which users exist.
    ///
    /// # Errors
    /// `SERVER-003` when too many are waiting.
    pub async fn verify(&self, password: &str, kept: Option<String>) -> Result<bool, Problem> {
        let password: String = password.chars().take(limits::PASSWORD_CHARS_MAX + 1).collect();
        self.work(move || {
            static NOBODY: OnceLock<String> = OnceLock::new();
            let known = kept.is_some();
            let kept = kept.unwrap_or_else(|| NOBODY.get_or_init(|| hash_now("nobody has this password").unwrap_or_default()).clone());
            let matches = PasswordHash::new(&kept).is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
            matches && known
        })
        .await
    }

    async fn work<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
        let busy = || Problem::new(Code::Busy, "Too many people sign in at this moment; try again shortly.").retry_after(2);
        let _place = Place::take(&self.waiting).ok_or_else(busy)?;
        let _turn = self.turns.acquire().await.map_err(|_| busy())?;
        tokio::task::spawn_blocking(work).await.map_err(|error| Problem::failure(&error))
    }
}

/// One of the places to wait in.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize) -> Option<Place<'a>> {
        let place = Place(waiting);
        (waiting.fetch_add(1, Ordering::Relaxed) < limits::HASHES_WAITING).then_some(place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Hashes on the calling thread; for start-up and the command line.
///
/// # Errors
/// `SERVER-002` when hashing fails, which it does not with the parameters used.
pub fn hash_now(password: &str) -> Result<String, Problem> {
    Argon2::default()
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|error| Problem::new(Code::Failure, format!("The password could not be hashed: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_recognized_and_another_is_not() {
        let hasher = Hasher::default();
        let kept = hasher.hash("correct horse battery").await.unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(hasher.verify("correct horse battery", Some(kept.clone())).await.unwrap());
        assert!(!hasher.verify("correct horse batterx", Some(kept)).await.unwrap());
        assert!(!hasher.verify("nobody has this password", None).await.unwrap(), "nobody can sign in as a user that is not there");
    }

    #[test]
    fn weak_passwords_are_refused() {
        for weak in ["short", "aaaaaaaaaaaaaaaaaaa", "administrator1", &"x1".repeat(101)] {
            assert_eq!(check("administrator", weak).unwrap_err().code(), "AUTH-006", "{weak}");
        }
        assert!(check("administrator", "three words of mine").is_ok());
    }

    #[test]
    fn a_generated_password_is_acceptable_and_new_each_time() {
        let one = generate();
        assert!(check("admin", &one).is_ok());
        assert_eq!(one.len(), 23);
        assert_ne!(one, generate());
    }
}

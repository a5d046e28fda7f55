//! What the engine does, told as short stories: each test is a sentence about a contact center.

mod main_path;
mod office;

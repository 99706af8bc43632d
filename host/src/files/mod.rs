//! Files as people have them: a path that a shell has changed, characters that an editor has chosen, and PEM in all the
//! spellings that tools write. What a file holds instead of what was wanted is said, because "no item found" is no answer.

pub(crate) mod encoding;
pub(crate) mod path;
pub(crate) mod pem;

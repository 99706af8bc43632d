//! What a text begins with that is to be taken line by line, or as JSON.
//!
//! Excel and PowerShell put a mark before a text, or write it in 16-bit characters. The first reaches the platform as three
//! bytes that do not show and no JSON reader there takes; of the second every line arrives as garbage, "delivered".

use std::fs::File;
use std::io::{self, Read, Seek};

use thingpost_host::Encoding;

/// The mark of UTF-8.
const MARK: &str = "\u{feff}";

/// Takes the mark of UTF-8 off the first line, or off a document, and refuses one of UTF-16.
pub fn check(line: &mut Vec<u8>) -> io::Result<()> {
    refuse_utf16(line)?;
    if line.starts_with(MARK.as_bytes()) {
        line.drain(..MARK.len());
    }
    Ok(())
}

/// Refuses a file in UTF-16, before anything of it is sent.
pub fn check_file(file: &mut File) -> io::Result<()> {
    let mut beginning = Vec::new();
    Read::by_ref(file).take(4).read_to_end(&mut beginning)?;
    refuse_utf16(&beginning)?;
    file.rewind()
}

fn refuse_utf16(beginning: &[u8]) -> io::Result<()> {
    match Encoding::of(beginning).is_utf16() {
        true => Err(io::Error::new(io::ErrorKind::InvalidData, UTF16)),
        false => Ok(()),
    }
}

const UTF16: &str = "it is written in UTF-16, so nothing in it is what it looks like; convert it with `iconv -f UTF-16 -t UTF-8`, or in \
                     PowerShell with `Get-Content FILE | Set-Content -Encoding utf8 NEW`";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_goes_and_all_else_stays() {
        for (line, left) in [("\u{feff}a", "a"), ("\u{feff}", ""), ("a\u{feff}", "a\u{feff}"), ("", ""), ("é", "é")] {
            let mut line = line.as_bytes().to_vec();
            check(&mut line).unwrap();
            assert_eq!(line, left.as_bytes());
        }
    }

    #[test]
    fn sixteen_bits_are_refused_with_the_command_that_converts() {
        for line in [&b"\xff\xfe{\0}\0"[..], b"\xfe\xff\0{\0}", b"{\0}\0", b"\0{\0}"] {
            let said = check(&mut line.to_vec()).unwrap_err().to_string();
            assert!(said.contains("UTF-16") && said.contains("iconv"), "{said}");
        }
    }
}

//! Reads any bytes as a command line: it is refused, or its words can be quoted and read again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use s6gen::execline::words;
use s6gen::templates::execline_word;

fuzz_target!(|bytes: &[u8]| {
    let Ok(found) = words(bytes) else { return };
    let Ok(texts) = found.iter().map(|word| str::from_utf8(word)).collect::<Result<Vec<_>, _>>() else {
        return;
    };
    let quoted: Vec<String> = texts.into_iter().map(execline_word).collect();
    assert_eq!(words(quoted.join(" ").as_bytes()).as_ref(), Ok(&found));
});

//! Files as servers send them compressed, made once so that no server compresses for each customer.

use anyhow::{Context, Result};
use brotli::enc::BrotliEncoderParams;
use flate2::{Compression, GzBuilder};
use std::io::Write;

/// By brotli, as small as it goes, with the window that every browser takes.
pub(crate) fn brotli(bytes: &[u8]) -> Result<Vec<u8>> {
    let parameters = BrotliEncoderParams { quality: 11, lgwin: 22, size_hint: bytes.len(), ..Default::default() };
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut &bytes[..], &mut compressed, &parameters).context("brotli failed")?;
    Ok(compressed)
}

/// By gzip, without name or time: equal bytes stay equal.
pub(crate) fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut writer = GzBuilder::new().write(Vec::new(), Compression::best());
    writer.write_all(bytes)?;
    writer.finish().context("gzip failed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn what_was_compressed_comes_back() {
        for bytes in [b"".to_vec(), b"cashier ".repeat(1000), (0..=255).collect()] {
            let mut back = Vec::new();
            brotli::BrotliDecompress(&mut &brotli(&bytes).expect("compressed")[..], &mut back).expect("it is brotli");
            assert_eq!(back, bytes);
            let mut back = Vec::new();
            let compressed = gzip(&bytes).expect("compressed");
            flate2::read::GzDecoder::new(&compressed[..]).read_to_end(&mut back).expect("it is gzip");
            assert_eq!(back, bytes);
            // RFC 1952, section 2.3: flags and time of modification.
            assert_eq!(compressed[3..8], [0; 5], "no name and no time");
        }
    }
}

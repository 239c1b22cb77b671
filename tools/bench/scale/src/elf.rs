// SPDX-License-Identifier: GPL-2.0

//! The sizes of the sections of a module in memory.

use std::fs;

use crate::figure::Result;

/// Bytes by kind of section.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Machine code.
    pub text: u64,
    /// Read-only data.
    pub constants: u64,
    /// Writable data.
    pub data: u64,
    /// Code and data that are freed once the module is loaded.
    pub init: u64,
}

/// Flags of a section: written to, in memory, code.
const WRITE: u64 = 1;
const ALLOC: u64 = 2;
const CODE: u64 = 4;

/// Reads the section headers of a file.
pub fn sizes(path: &str) -> Result<Sizes> {
    let file = fs::read(path).map_err(|error| format!("{path}: {error}"))?;
    read(&file).ok_or_else(|| format!("{path} is no ELF file of 64 bits, least byte first"))
}

/// A number of `N` bytes at an offset.
fn number<const N: usize>(file: &[u8], at: usize) -> Option<u64> {
    let bytes = file.get(at..at.checked_add(N)?)?;
    Some(
        bytes
            .iter()
            .rev()
            .fold(0, |value, &byte| (value << 8) | u64::from(byte)),
    )
}

fn read(file: &[u8]) -> Option<Sizes> {
    if file.get(..6)? != b"\x7fELF\x02\x01" {
        return None;
    }
    let table = number::<8>(file, 0x28)? as usize;
    let entry = number::<2>(file, 0x3a)? as usize;
    let count = number::<2>(file, 0x3c)? as usize;
    let header = |index: usize| table.checked_add(entry.checked_mul(index)?);
    let names = number::<8>(file, header(number::<2>(file, 0x3e)? as usize)? + 0x18)? as usize;
    let mut sizes = Sizes::default();
    for index in 0..count {
        let at = header(index)?;
        let name = file.get(names + number::<4>(file, at)? as usize..)?;
        let (flags, size) = (number::<8>(file, at + 8)?, number::<8>(file, at + 0x20)?);
        let kind = match flags {
            flags if flags & ALLOC == 0 => continue,
            _ if name.starts_with(b".init") => &mut sizes.init,
            flags if flags & CODE != 0 => &mut sizes.text,
            flags if flags & WRITE != 0 => &mut sizes.data,
            _ => &mut sizes.constants,
        };
        *kind += size;
    }
    Some(sizes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with these sections, and one of their names.
    fn file(sections: &[(&str, u64, u64)]) -> Vec<u8> {
        let mut names = vec![0];
        let mut headers = Vec::new();
        let mut header = |name: usize, flags: u64, size: u64, offset: u64| {
            let mut bytes = [0; 64];
            bytes[..4].copy_from_slice(&(name as u32).to_le_bytes());
            bytes[8..16].copy_from_slice(&flags.to_le_bytes());
            bytes[0x18..0x20].copy_from_slice(&offset.to_le_bytes());
            bytes[0x20..0x28].copy_from_slice(&size.to_le_bytes());
            headers.extend(bytes);
        };
        for &(name, flags, size) in sections {
            header(names.len(), flags, size, 0);
            names.extend(name.as_bytes());
            names.push(0);
        }
        let table = 64 + names.len() as u64;
        header(0, 0, names.len() as u64, 64);
        let mut file = vec![0; 64];
        file[..6].copy_from_slice(b"\x7fELF\x02\x01");
        file[0x28..0x30].copy_from_slice(&table.to_le_bytes());
        file[0x3a..0x3c].copy_from_slice(&64u16.to_le_bytes());
        file[0x3c..0x3e].copy_from_slice(&(sections.len() as u16 + 1).to_le_bytes());
        file[0x3e..0x40].copy_from_slice(&(sections.len() as u16).to_le_bytes());
        [file, names, headers].concat()
    }

    #[test]
    fn sections_are_counted_by_what_they_are_for() {
        let file = file(&[
            (".text", ALLOC | CODE, 1000),
            (".init.text", ALLOC | CODE, 50),
            (".rodata", ALLOC, 300),
            (".data", ALLOC | WRITE, 20),
            (".bss", ALLOC | WRITE, 4),
            (".debug_info", 0, 99_999),
        ]);
        let expected = Sizes {
            text: 1000,
            constants: 300,
            data: 24,
            init: 50,
        };
        assert_eq!(read(&file), Some(expected));
    }

    #[test]
    fn what_is_no_such_file_is_refused() {
        assert_eq!(read(b""), None);
        assert_eq!(read(b"\x7fELF\x02\x01"), None);
        let mut short = file(&[(".text", ALLOC | CODE, 1000)]);
        short.truncate(short.len() - 40);
        assert_eq!(read(&short), None);
    }
}

// SPDX-License-Identifier: GPL-2.0

//! Partitions that processes have open, from /proc/PID/fdinfo. Everybody can read that of
//! one's own processes. Of a partition that is only mapped, or only used in the kernel,
//! there is nothing.

use std::{
    collections::BTreeMap,
    fs, io,
    os::fd::{AsFd, AsRawFd},
    path::{Path, PathBuf},
    process,
};

use genp::Descriptor;

use super::{Counts, Partition};

/// The value of a key, after the key, a colon and white space.
fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    Some(line.strip_prefix(':')?.trim())
}

/// What a descriptor may do: all, unless its text says otherwise.
fn rights(text: &str) -> u32 {
    let told = value(text, "genp-rights").and_then(|it| it.strip_prefix("0x"));
    told.map_or(genp::abi::GENP_RIGHTS_ALL, |it| {
        u32::from_str_radix(it, 16).unwrap_or(0)
    })
}

/// A partition from the text of its file in fdinfo, and the number of its inode, by which
/// it is told from others. `None` for another kind of file.
fn parse(text: &str) -> Option<(u64, Partition)> {
    let number = |key: &str| value(text, key)?.parse::<u64>().ok();
    let partition = Partition {
        name: value(text, "genp-name")?.to_owned(),
        reserve: number("genp-reserve")?,
        used: number("genp-used")?,
        limit: number("genp-borrow-limit")?,
        lent: number("genp-lent")?,
        leases: number("genp-leases")?,
        waiters: number("genp-waiters")?,
        stock_owned: number("genp-stock-owned")?,
        stock_free: number("genp-stock-free")?,
        counts: Some(Counts {
            borrows: number("genp-borrows")?,
            returns: number("genp-returns")?,
            revocations: number("genp-revocations")?,
            timeouts: number("genp-timeouts")?,
            misuses: number("genp-misuses")?,
            stale_handles: number("genp-stale-handles")?,
            stock_misses: number("genp-stock-misses")?,
        }),
        ..Default::default()
    };
    Some((number("ino")?, partition))
}

/// Whether a descriptor is one of a partition, by what it is a link to.
fn is_partition(descriptor: &Path) -> bool {
    let target = fs::read_link(descriptor);
    target.is_ok_and(|target| target.to_string_lossy().contains("[genp"))
}

/// The texts of all partitions that a process has open.
fn of_process(process: &Path) -> Vec<String> {
    // It may be gone, or somebody else's.
    let Ok(descriptors) = fs::read_dir(process.join("fd")) else {
        return Vec::new();
    };
    let open = descriptors
        .flatten()
        .filter(|entry| is_partition(&entry.path()));
    let text = |name| fs::read_to_string(process.join("fdinfo").join(name)).ok();
    open.filter_map(|entry| text(entry.file_name())).collect()
}

/// The partitions of the texts of each process by their inodes, each once, with all that have it.
fn by_inode(texts: impl IntoIterator<Item = (u32, Vec<String>)>) -> BTreeMap<u64, Partition> {
    let mut all = BTreeMap::new();
    for (pid, texts) in texts {
        for text in &texts {
            let Some((inode, partition)) = parse(text) else {
                continue;
            };
            let known: &mut Partition = all.entry(inode).or_insert(partition);
            if known.holders.last() != Some(&pid) {
                known.holders.push(pid);
                known.rights.push(0);
            }
            if let Some(last) = known.rights.last_mut() {
                *last |= rights(text);
            }
        }
    }
    all
}

/// The same in the order of their names.
fn collect(texts: impl IntoIterator<Item = (u32, Vec<String>)>) -> Vec<Partition> {
    let mut all: Vec<Partition> = by_inode(texts).into_values().collect();
    all.sort_by(|a, b| (&a.name, &a.holders).cmp(&(&b.name, &b.holders)));
    all
}

/// The texts of all processes that can be looked at.
fn texts() -> io::Result<impl Iterator<Item = (u32, Vec<String>)>> {
    let process = |path: PathBuf| {
        let pid = path.file_name()?.to_str()?.parse::<u32>().ok()?;
        Some((pid, of_process(&path)))
    };
    let entries = fs::read_dir("/proc")?.flatten();
    Ok(entries.filter_map(move |entry| process(entry.path())))
}

/// All partitions that can be seen in /proc.
pub fn read() -> io::Result<Vec<Partition>> {
    Ok(collect(texts()?))
}

/// The processes that have a partition open, and what each may do with it, without the caller:
/// those that the caller may look at, none without /proc. By a descriptor of the partition.
pub fn holders_of(part: &Descriptor) -> Vec<(u32, u32)> {
    let number = part.as_fd().as_raw_fd();
    let text = fs::read_to_string(format!("/proc/self/fdinfo/{number}"));
    let inode = text.ok().and_then(|text| Some(parse(&text)?.0));
    let (Some(inode), Ok(texts)) = (inode, texts()) else {
        return Vec::new();
    };
    let Some(found) = by_inode(texts).remove(&inode) else {
        return Vec::new();
    };
    let all = found.holders.into_iter().zip(found.rights);
    all.filter(|(pid, _)| *pid != process::id()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the kernel writes it, with the usual lines first.
    fn fdinfo(inode: u32, name: &str, misuses: u32) -> String {
        format!(
            "pos:\t0\nflags:\t02100002\nmnt_id:\t15\nino:\t{inode}\ngenp-name:\t{name}\n\
             genp-reserve:\t2097152\ngenp-borrow-limit:\t1048576\ngenp-used:\t4096\n\
             genp-lent:\t8192\ngenp-regions:\t1\ngenp-leases:\t2\ngenp-waiters:\t1\n\
             genp-dying:\t0\ngenp-borrows:\t7\ngenp-returns:\t5\ngenp-revocations:\t0\n\
             genp-timeouts:\t3\ngenp-misuses:\t{misuses}\ngenp-stale-handles:\t0\n\
             genp-overdues:\t0\ngenp-stock-owned:\t10\ngenp-stock-free:\t9\n\
             genp-stock-out:\t1\ngenp-stock-takes:\t4\ngenp-stock-misses:\t2\n"
        )
    }

    #[test]
    fn a_partition_is_read_from_fdinfo() {
        let (inode, part) = parse(&fdinfo(77, "control", 6)).unwrap();
        assert_eq!((inode, part.name.as_str()), (77, "control"));
        assert_eq!((part.reserve, part.used), (2 << 20, 4096));
        assert_eq!((part.limit, part.lent), (1 << 20, 8192));
        assert_eq!((part.stock_owned, part.stock_free), (10, 9));
        let counts = part.counts.unwrap();
        assert_eq!((counts.borrows, counts.returns), (7, 5));
        assert_eq!((counts.misuses, counts.stock_misses), (6, 2));
        assert_eq!(parse(&fdinfo(1, "", 0)).unwrap().1.name, "");
        assert_eq!(parse("pos:\t0\nflags:\t02\nino:\t4\n"), None);
    }

    #[test]
    fn a_partition_of_two_processes_is_one() {
        let both = fdinfo(5, "b", 0);
        let found = collect([
            (20, vec![both.clone(), both.clone(), fdinfo(6, "a", 0)]),
            (30, vec![both]),
            (40, vec!["pos:\t0\n".to_owned()]),
        ]);
        let shown: Vec<_> = found
            .iter()
            .map(|part| (part.name.as_str(), part.holders.as_slice()))
            .collect();
        assert_eq!(shown, [("a", [20].as_slice()), ("b", [20, 30].as_slice())]);
    }

    /// Several descriptors of one process have what any of them has.
    #[test]
    fn rights_are_those_of_each_process() {
        let with = |rights: &str| format!("{}genp-rights:\t{rights}\n", fdinfo(5, "b", 0));
        let found = collect([
            (20, vec![with("0x1"), with("0x2")]),
            (30, vec![with("0x0")]),
            (40, vec![with("0x1"), fdinfo(5, "b", 0)]),
        ]);
        assert_eq!(found[0].holders, [20, 30, 40]);
        assert_eq!(found[0].rights, [3, 0, genp::abi::GENP_RIGHTS_ALL]);
    }

    /// Two partitions without a name are two.
    #[test]
    fn partitions_without_a_name_are_told_apart() {
        let texts = vec![fdinfo(5, "", 0), fdinfo(6, "", 0)];
        assert_eq!(collect([(1, texts)]).len(), 2);
    }
}

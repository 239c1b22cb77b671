// SPDX-License-Identifier: GPL-2.0

//! Creating a partition for a command, or to hold it for others.

use std::{
    ffi::OsString,
    io::{self, Write},
    os::{
        fd::{AsFd, AsRawFd},
        unix::process::CommandExt,
    },
    process::Command,
};

use clap::{error::ErrorKind, CommandFactory};
use genp::{
    abi::{self, genp_create, genp_info, genp_stat},
    Descriptor,
};
use serde_json::{json, Value};

use crate::{
    blocks, child,
    cli::{Cli, CreateArgs},
    output::{self, Format},
    pool,
    problem::Problem,
    size, stat, sysfs,
    table::Table,
    time,
};

/// What could not be done.
const WHAT: &str = "cannot create the partition";

/// The request for the kernel, from the arguments.
pub fn request(args: &CreateArgs, info: &genp_info) -> Result<genp_create, Problem> {
    let pages = |bytes| {
        size::whole_pages(bytes, info.page_size).ok_or_else(|| too_big(info, "more than 2^64"))
    };
    let name = args.name.as_deref().unwrap_or("");
    Ok(genp_create {
        name: genp::name_field(name)
            .map_err(|error| Problem::new(WHAT, error, "Give a shorter --name."))?,
        reserve: pages(args.reserve)?,
        borrow_limit: pages(args.borrow)?,
        flags: match args.multimap {
            true => abi::GENP_CREATE_MULTIMAP,
            false => 0,
        },
        min_alloc_order: args.unit.unwrap_or(0),
        max_regions: args.max_regions.unwrap_or(0),
        lease_default_ns: args.term.unwrap_or(0),
        source: match args.range {
            true => abi::GENP_SOURCE_RANGE,
            false => abi::GENP_SOURCE_POOL,
        },
        node: args.node.unwrap_or(abi::GENP_ANY_NODE),
        stock_pages: args.stock,
        stock_limit: args.stock_limit,
        stock_low: args.stock_low,
        blocks: args.blocks.by_order(),
        max_leases: args.max_leases.unwrap_or(0),
        mode: args.mode.unwrap_or(0),
        quota: pages(args.quota)?,
        max_children: args.max_children,
        ..Default::default()
    })
}

/// The problem if a request exceeds the pool.
fn too_big(info: &genp_info, found: impl ToString) -> Problem {
    let capacity = size::show(info.capacity);
    let advice = format!(
        "The pool has {capacity} in all: ask for less, or load the module with a larger pool_mib."
    );
    Problem::new(WHAT, found, advice)
}

/// Advice for EINVAL: what the command line let through.
fn refused_value(request: &genp_create, info: &genp_info) -> String {
    let longest = time::show(info.max_lease_ns);
    if request.lease_default_ns > info.max_lease_ns {
        return format!("The longest term is {longest}: give a shorter --term, or load the module with a longer max_lease_ms.");
    }
    if request.stock_limit != 0 || request.stock_low != 0 {
        return "The watermarks contradict each other: --stock-low is at most --stock, and that at most --stock-limit.".to_owned();
    }
    if request.node != abi::GENP_ANY_NODE {
        return format!(
            "The pool has no memory of node {}: see /sys/devices/system/node, or leave --node out.",
            request.node
        );
    }
    "Module and genpctl may be of different versions: build both from one tree.".to_owned()
}

/// Advice for ENOSPC, which has three causes.
fn no_room(info: &genp_info, reserve: u64, ceiling: Option<u64>) -> String {
    if reserve > info.free {
        let [asked, free, committed, lent] =
            [reserve, info.free, info.committed, info.lent].map(size::show);
        return format!(
            "{asked} of reserve were asked for, {free} are free ({committed} committed, {lent} lent).\n\
             Ask for less, wait for leases to end, destroy a partition, or load the module with a larger pool_mib."
        );
    }
    if info.partitions >= info.max_partitions {
        return format!(
            "There are {} partitions and can be no more: destroy one, or load the module with a larger max_partitions.",
            info.partitions
        );
    }
    match ceiling {
        Some(ceiling) => format!(
            "{} are free, but one user may have {} of reserve in all: ask for less, destroy one of yours, or use CAP_SYS_RESOURCE.",
            size::show(info.free),
            size::show(ceiling)
        ),
        None => "There is room now: try again.".to_owned(),
    }
}

/// Advice if there are too few contiguous blocks.
fn no_blocks(request: &genp_create, info: &genp_info) -> Option<String> {
    let lacks = |(asked, free): (&u32, &u32)| asked > free;
    let lacking = request.blocks.iter().zip(&info.blocks_free).any(lacks);
    lacking.then(|| {
        format!(
            "Of the blocks by order, {}, these are free: {}. Ask for less, destroy a partition, or load the module\n\
             with more blocks.",
            blocks::show(&info.blocks),
            blocks::show(&info.blocks_free)
        )
    })
}

/// Bytes that a partition commits.
fn committed(request: &genp_create, info: &genp_info) -> u64 {
    let stock = u64::from(request.stock_pages).saturating_mul(info.page_size.into());
    match request.source {
        // The range is no part of the pool.
        abi::GENP_SOURCE_RANGE => stock,
        _ => request.reserve.saturating_add(stock),
    }
    .saturating_add(request.quota)
}

/// The problem if the kernel did not create the partition.
pub fn refused(request: &genp_create, name: &str, error: io::Error) -> Problem {
    // The current state of the pool matters.
    let info = match pool::info() {
        Ok(info) => info,
        Err(problem) => return problem,
    };
    let blocks = match error.raw_os_error() {
        Some(libc::E2BIG | libc::ENOSPC) => no_blocks(request, &info),
        _ => None,
    };
    if let Some(advice) = blocks {
        return Problem::new(WHAT, error, advice);
    }
    let advice = match error.raw_os_error() {
        Some(libc::E2BIG) => return too_big(&info, "more than the pool has at all (E2BIG)"),
        Some(libc::EINVAL) => refused_value(request, &info),
        Some(libc::EOPNOTSUPP) => {
            "The module has no physical range: load it with range_base and range_mib, or leave --range out.".to_owned()
        }
        Some(libc::ENOSPC) if request.source == abi::GENP_SOURCE_RANGE && request.reserve > info.range_free => format!(
            "{} of the range are free: ask for less, or destroy a partition in it.",
            size::show(info.range_free)
        ),
        Some(libc::ENOSPC) => no_room(&info, committed(request, &info), sysfs::uid_ceiling().flatten()),
        Some(libc::EUSERS) => format!(
            "Your user has what one may have ({}): destroy a partition, ask for fewer --max-leases, or use CAP_SYS_RESOURCE.",
            pool::ceilings(&info).unwrap_or_default()
        ),
        Some(libc::EAGAIN) => {
            "The partitions before it caused GenP's threads as much work as they may: try again later, or load the module with a larger recall_share.".to_owned()
        }
        Some(libc::EEXIST) => {
            format!(
                "There is a partition {name} already: choose another name, or destroy it first."
            )
        }
        Some(libc::ENOMEM) => "The kernel lacks memory for its tables: free some.".to_owned(),
        Some(libc::EMFILE | libc::ENFILE) => {
            "Too many files are open: raise the limit (ulimit -n).".to_owned()
        }
        _ => {
            "Module and genpctl may be of different versions: build both from one tree.".to_owned()
        }
    };
    Problem::new(WHAT, error, advice)
}

/// The new partition for programs.
pub fn document(name: Option<&str>, fd: i32, stat: &genp_stat) -> Value {
    json!({
        "name": name,
        "fd": fd,
        "max_leases": stat.max_leases,
        "windows": stat::windows_document(&stat.windows),
    })
}

/// The new partition: its descriptor and where to map it.
fn report(part: &Descriptor, name: Option<&str>, format: Format) -> Result<String, Problem> {
    let stat = part
        .stat()
        .map_err(|error| Problem::asking(name.unwrap_or("without a name"), &error))?;
    let fd = part.as_fd().as_raw_fd();
    let text = || {
        let mut table = Table::new("ll");
        table.pair("name", name.unwrap_or("none"));
        table.pair("fd", fd);
        stat::windows(&stat.windows, stat.max_leases, &mut table);
        table.show()
    };
    Ok(format.choose(|| document(name, fd, &stat), text))
}

/// Executes the command, which inherits the partition; returns if that fails.
fn become_command(part: &Descriptor, program: &OsString, args: &[OsString]) -> Problem {
    let what = format!("cannot run {}", program.to_string_lossy());
    let error = match part.inherit() {
        Ok(()) => Command::new(program)
            .args(args)
            .env("GENP_FD", part.as_fd().as_raw_fd().to_string())
            .exec(),
        Err(error) => error,
    };
    let advice = "See whether it is there and may be executed; the partition is gone again.";
    Problem::new(what, error, advice)
}

/// Creates a partition.
pub fn make(args: &CreateArgs) -> Result<Descriptor, Problem> {
    let request = request(args, &pool::info()?)?;
    let name = args.name.as_deref().unwrap_or("");
    let Some(parent) = &args.parent else {
        return Descriptor::create(request).map_err(|error| refused(&request, name, error));
    };
    let part = Descriptor::open(parent).map_err(|error| Problem::opening(parent, &error))?;
    let stat = part
        .stat()
        .map_err(|error| Problem::asking(parent, &error))?;
    part.create_child(request)
        .map_err(|error| match child::advice(&stat, parent, &error) {
            Some(advice) => Problem::new(WHAT, error, advice),
            None => refused(&request, name, error),
        })
}

/// `genpctl create`.
pub fn run(args: &CreateArgs, format: Format) -> Result<(), Problem> {
    let bytes = [args.reserve, args.borrow, args.quota, args.stock.into()];
    if bytes == [0; 4] && args.blocks.is_none() {
        let what = "a partition needs a --reserve, a --stock, --blocks, a --quota or something to --borrow";
        Cli::command()
            .error(ErrorKind::ValueValidation, what)
            .exit();
    }
    let mut part = make(args)?;
    if let Some(rights) = args.restrict {
        // The one with all of them is closed; this one keeps the partition.
        part = part.restrict(rights).map_err(|error| {
            Problem::new(
                WHAT,
                error,
                "The module may be older than 0.2, which has no rights.",
            )
        })?;
    }
    let name = args.name.as_deref();
    let report = report(&part, name, format)?;
    if let [program, rest @ ..] = args.command.as_slice() {
        // Stdout belongs to the command.
        let _ = write!(io::stderr(), "{report}");
        return Err(become_command(&part, program, rest));
    }
    output::print(&report)?;
    part.wait_destroyed()
        .map_err(|error| Problem::asking(name.unwrap_or("without a name"), &error))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::Command;

    /// The request of a command line.
    fn asked(line: &str) -> genp_create {
        let words = ["genpctl", "create"]
            .into_iter()
            .chain(line.split_whitespace());
        let Command::Create(args) = Cli::try_parse_from(words).unwrap().command else {
            panic!("{line}");
        };
        let info = genp_info {
            page_size: 4096,
            ..Default::default()
        };
        request(&args, &info).unwrap()
    }

    #[test]
    fn each_field_of_the_request_has_an_option() {
        let plain = asked("--reserve 1");
        assert_eq!((plain.reserve, plain.node), (4096, abi::GENP_ANY_NODE));
        assert_eq!(
            (plain.flags, plain.source, plain.min_alloc_order),
            (0, 0, 0)
        );
        let full = asked(
            "--name a --reserve 1M --borrow 2M --unit 4K --node 1 --stock 5 --stock-limit 6 \
             --stock-low 4 --max-regions 7 --max-leases 8 --mode 640 --term 9ms --range --multimap \
             --quota 3M --max-children 2",
        );
        assert_eq!(full.flags, abi::GENP_CREATE_MULTIMAP);
        assert_eq!((full.reserve, full.borrow_limit), (1 << 20, 2 << 20));
        assert_eq!((full.min_alloc_order, full.node), (12, 1));
        let stock = (full.stock_pages, full.stock_limit, full.stock_low);
        assert_eq!(stock, (5, 6, 4));
        assert_eq!((full.max_regions, full.max_leases), (7, 8));
        assert_eq!((full.mode, full.lease_default_ns), (0o640, 9_000_000));
        assert_eq!(full.source, abi::GENP_SOURCE_RANGE);
        assert_eq!((full.quota, full.max_children), (3 << 20, 2));
    }

    #[test]
    fn a_refused_value_is_named() {
        let info = genp_info {
            max_lease_ns: 1_000_000,
            ..Default::default()
        };
        let why = |line: &str| refused_value(&asked(line), &info);
        assert!(why("--borrow 1M --term 2ms").contains("longest term is 1 ms"));
        assert!(why("--stock 4 --stock-low 5").contains("contradict"));
        assert!(why("--reserve 1M --node 9").contains("no memory of node 9"));
    }

    #[test]
    fn each_lack_of_room_is_told_from_the_others() {
        let mut info = genp_info {
            free: 1 << 20,
            partitions: 3,
            max_partitions: 4,
            ..Default::default()
        };
        assert!(no_room(&info, 2 << 20, None)
            .contains("2 MiB of reserve were asked for, 1 MiB are free"));
        assert!(no_room(&info, 4096, Some(8192)).contains("one user may have 8 KiB"));
        assert!(no_room(&info, 4096, None).contains("try again"));
        info.partitions = 4;
        assert!(no_room(&info, 4096, None).contains("max_partitions"));
    }
}

// SPDX-License-Identifier: GPL-2.0

//! The command line.

use std::{ffi::OsString, path::PathBuf, time::Duration};

use clap::{builder::PossibleValuesParser, Args, Parser, Subcommand};
use clap_complete::Shell;
use genp_core::block_counts::BlockCounts;

use crate::{
    blocks,
    operation::Operation,
    order::Order,
    rights, size, time,
    values::{interval, mode, name, unit},
};

/// Looks at GenP's pool and its partitions, and makes and ends them
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "A SIZE is in bytes, or in K, M, G or T of 1024 each: 4096, 64K, 2M, 1G.\n\
                  Ends with 0, with 1 if something failed, or with 2 for wrong usage."
)]
pub struct Cli {
    /// Print JSON, one document a line; its keys are in Documentation/genpctl.rst
    #[arg(long, global = true)]
    pub json: bool,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show what the pool says of itself
    Info,
    /// List the partitions: all of them for who may open /dev/genp, or those of one's own processes
    List,
    /// List the partitions by what they did wrong, or by what they have
    Top(TopArgs),
    /// Create a partition, and run a command that has it or hold it
    Create(CreateArgs),
    /// Run an unchanged program with its malloc in a partition
    Run(RunArgs),
    /// Record what a program, or partitions that are there, need while they run
    Record(RecordArgs),
    /// Make a plan of recordings: reserves, limits, leases, stocks
    Suggest(SuggestArgs),
    /// Show the state and the counters of a partition
    Stat(NameArgs),
    /// Show the bounds of a partition: memory that suffices, longest times
    Bounds(BoundsArgs),
    /// Show how often an operation of a partition took how long
    Histogram(HistogramArgs),
    /// End a partition for all who use it
    Destroy(NameArgs),
    /// Say whether reserves would be admitted now, and what that would leave
    Admission(AdmissionArgs),
    /// Say whether the partitions of a plan would be admitted, and what its bounds are
    Plan(PlanArgs),
    /// Create the partitions of plans and hold them until a signal ends it
    Apply(ApplyArgs),
    /// Say how large an atomic stock must be for bursts of a driver
    Stock(StockArgs),
    /// Show the pool and all partitions again and again, until q or Ctrl-C
    Watch(WatchArgs),
    /// Measure how long calls take here: blocks, leases, first touches of a reserve
    Latency(LatencyArgs),
    /// Print the script with which a shell completes this command line
    Completion(CompletionArgs),
    /// Print the manual page, or write one for each command
    Man(ManArgs),
}

/// A partition.
#[derive(Args, Debug)]
pub struct NameArgs {
    /// Name of the partition
    #[arg(value_parser = name)]
    pub name: String,
}

/// How partitions are sorted.
#[derive(Args, Debug)]
pub struct TopArgs {
    /// By what: the most of it comes first
    #[arg(long, value_enum, default_value_t = Order::Misuse)]
    pub by: Order,
    /// Partitions to show, at most
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    pub count: u32,
}

/// The attributes of a new partition.
#[derive(Args, Debug, Default)]
pub struct CreateArgs {
    /// Name by which others can open it [default: none]
    #[arg(long, value_parser = name)]
    pub name: Option<String>,
    /// Memory of its own, rounded up to whole pages
    #[arg(long, value_name = "SIZE", default_value = "0", value_parser = size::parse)]
    pub reserve: u64,
    /// Memory it may have on lease at a time, rounded up to whole pages
    #[arg(long, value_name = "SIZE", default_value = "0", value_parser = size::parse)]
    pub borrow: u64,
    /// Pages of an atomic stock, for drivers to take from in any context
    #[arg(long, value_name = "PAGES", default_value_t = 0)]
    pub stock: u32,
    /// Pages the stock may grow to [default: those of --stock]
    #[arg(long, value_name = "PAGES", default_value_t = 0, requires = "stock")]
    pub stock_limit: u32,
    /// With fewer free pages the stock is refilled [default: a quarter of --stock]
    #[arg(long, value_name = "PAGES", default_value_t = 0, requires = "stock")]
    pub stock_low: u32,
    /// Memory for children, which are made of it whatever others have
    #[arg(long, value_name = "SIZE", default_value = "0", value_parser = size::parse)]
    pub quota: u64,
    /// Children, and theirs, that it can have
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub max_children: u32,
    /// Partition that it is to be part of: it is made of what that has for children
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub parent: Option<String>,
    /// Contiguous blocks, for drivers to take from in any context: ORDER:COUNT,...
    #[arg(long, value_name = "BLOCKS", default_value = "", value_parser = blocks::parse, hide_default_value = true)]
    pub blocks: BlockCounts,
    /// Who may open it by name: permission bits, up to 666 [default: 600]
    #[arg(long, value_name = "OCT", value_parser = mode)]
    pub mode: Option<u32>,
    /// Regions are multiples of it: a power of two, 16 to 1M [default: 64]
    #[arg(long, value_name = "SIZE", value_parser = unit)]
    pub unit: Option<u32>,
    /// Regions it may have at a time, up to 1048576 [default: 1024]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_048_576))]
    pub max_regions: Option<u32>,
    /// Term of a lease for which none is asked, as in 10ms [default: the longest]
    #[arg(long, value_name = "TIME", value_parser = time::parse_some)]
    pub term: Option<u64>,
    /// Memory node to prefer [default: any]
    #[arg(long, value_name = "NODE", value_parser = clap::value_parser!(i32).range(0..))]
    pub node: Option<i32>,
    /// Have the reserve in the physical range that was given at load
    #[arg(long, requires = "reserve")]
    pub range: bool,
    /// Let one address space map the lease window several times
    #[arg(long)]
    pub multimap: bool,
    /// Leases it may have at a time, up to 64 [default: 16]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub max_leases: Option<u32>,
    /// Rights that the program gets: write,alloc,borrow,events,manage,children or some of them, or none
    /// [default: all]
    #[arg(long, value_name = "RIGHTS", value_parser = rights::parse, requires = "command")]
    pub restrict: Option<u32>,
    /// Program to run in place of genpctl, with the partition's file descriptor in
    /// GENP_FD, as genp_inherited() of libgenp takes it; without one, genpctl holds the partition until a signal ends it or
    /// the partition is destroyed
    #[arg(last = true)]
    pub command: Vec<OsString>,
}

/// A program and what its malloc has.
#[derive(Args, Debug)]
#[command(
    after_help = "The program gets libgenp-preload.so by LD_PRELOAD; programs that are \
                        statically linked or set-user-ID cannot be run so.\n\
                        Ends with the program's status; with 125 if there is no partition for it, \
                        126 if it cannot be run so, 127 if it is not there."
)]
pub struct RunArgs {
    /// Memory of the program's heap, rounded up to whole pages
    #[arg(long, value_name = "SIZE", value_parser = size::parse)]
    pub reserve: u64,
    /// Memory its partition may have on lease at a time; malloc takes none of it
    #[arg(long, value_name = "SIZE", default_value = "0", value_parser = size::parse)]
    pub borrow: u64,
    /// Name of the partition, to look at it while the program runs [default: none]
    #[arg(long, value_parser = name)]
    pub name: Option<String>,
    /// What malloc does when the reserve is full: fail, or take from libc and count that
    #[arg(long, value_name = "HOW", default_value = "fail", value_parser = PossibleValuesParser::new(["fail", "overflow"]))]
    pub full: String,
    /// What a forked child has: a copy of the heap, nothing (it is aborted), or a copy and
    /// all that is new from libc
    #[arg(long, value_name = "HOW", default_value = "copy", value_parser = PossibleValuesParser::new(["copy", "abort", "libc"]))]
    pub fork: String,
    /// What a program has that this one executes: no partition, the same of its own, or
    /// that only if there is room
    #[arg(long, value_name = "HOW", default_value = "plain", value_parser = PossibleValuesParser::new(["plain", "same", "try"]))]
    pub exec: String,
    /// Say at the end of the program what was in use, refused, and taken from libc
    #[arg(long)]
    pub report: bool,
    /// The library [default: libgenp-preload.so beside genpctl, in ../lib or its folder for this machine, or in /usr/lib]
    #[arg(long, value_name = "FILE")]
    pub library: Option<PathBuf>,
    /// Program to run, and its arguments
    #[arg(last = true, required = true, value_name = "PROGRAM")]
    pub command: Vec<OsString>,
}

/// What is recorded.
#[derive(Args, Debug)]
#[command(
    group = clap::ArgGroup::new("whom").required(true).args(["of", "all", "command"]),
    after_help = "A program runs as by 'genpctl run'; what its reserve has no room for comes from libc and \
                  is recorded as well, so --reserve need not suffice.\n\
                  Ends with the program's status, or with 125 to 127 as 'genpctl run' does."
)]
pub struct RecordArgs {
    /// File for the recording
    #[arg(
        short,
        long,
        value_name = "FILE",
        default_value = "genp-recording.json"
    )]
    pub output: PathBuf,
    /// From one look to the next
    #[arg(long, value_name = "TIME", default_value = "100ms", value_parser = time::parse_some)]
    pub interval: u64,
    /// Record a partition that is there; can be given several times
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub of: Vec<String>,
    /// Record all partitions that have a name, and can be opened
    #[arg(long)]
    pub all: bool,
    /// End after this time [default: when all of them have ended, or by a signal]
    #[arg(long = "for", value_name = "TIME", value_parser = time::parse_some, conflicts_with = "command")]
    pub duration: Option<u64>,
    /// Memory of the program's heap while it is recorded
    #[arg(long, value_name = "SIZE", default_value = "16M", value_parser = size::parse)]
    pub reserve: u64,
    /// Name of its partition [default: none]
    #[arg(long, value_parser = name)]
    pub name: Option<String>,
    /// What a forked child has, as for 'genpctl run'
    #[arg(long, value_name = "HOW", default_value = "copy", value_parser = PossibleValuesParser::new(["copy", "abort", "libc"]))]
    pub fork: String,
    /// The library, as for 'genpctl run'
    #[arg(long, value_name = "FILE")]
    pub library: Option<PathBuf>,
    /// Program to run, and its arguments
    #[arg(last = true, value_name = "PROGRAM")]
    pub command: Vec<OsString>,
}

/// Recordings, and how much more than they show is to be planned.
#[derive(Args, Debug)]
#[command(
    after_help = "Prints a plan as 'genpctl plan' and 'apply' take it, with its reasons; \
                        ends with 1 if the module would not admit it."
)]
pub struct SuggestArgs {
    /// How much more than was seen, in per cent
    #[arg(long, value_name = "PERCENT", default_value_t = 25, value_parser = clap::value_parser!(u32).range(0..=1000))]
    pub margin: u32,
    /// Plan reserves that always suffice, whatever the order of requests: many times as large
    #[arg(long)]
    pub always: bool,
    /// Recordings; of what has the same name in several the most counts
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

/// A partition and what a program needs of it.
#[derive(Args, Debug)]
pub struct BoundsArgs {
    /// Name of the partition
    #[arg(value_parser = name)]
    pub name: String,
    /// Ask which reserve suffices for so much memory in regions at a time
    #[arg(long, value_name = "SIZE", value_parser = size::parse, requires = "largest")]
    pub live: Option<u64>,
    /// The largest region asked for, alignment included
    #[arg(long, value_name = "SIZE", value_parser = size::parse, requires = "live")]
    pub largest: Option<u64>,
}

/// An operation of a partition.
#[derive(Args, Debug)]
pub struct HistogramArgs {
    /// Name of the partition
    #[arg(value_parser = name)]
    pub name: String,
    /// Operation that was timed
    pub op: Operation,
}

/// Requested reserves.
#[derive(Args, Debug)]
pub struct AdmissionArgs {
    /// Check the ceiling per user too, as if one user asked for all of them who has
    /// none yet and no CAP_SYS_RESOURCE
    #[arg(long)]
    pub uid: bool,
    /// Reserves, asked for in this order; ends with 1 unless all would surely be admitted
    #[arg(required = true, value_name = "RESERVE", value_parser = size::parse)]
    pub reserves: Vec<u64>,
}

/// A plan.
#[derive(Args, Debug)]
pub struct PlanArgs {
    /// File of the plan, as samples/plan.toml; ends with 1 unless all of it is admitted
    pub file: PathBuf,
}

/// A plan that is applied.
#[derive(Args, Debug)]
pub struct ApplyArgs {
    /// Files of plans, whose partitions have names, or directories of *.toml; read again at SIGHUP
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
}

/// How a driver takes pages.
#[derive(Args, Debug)]
pub struct StockArgs {
    /// Pages it takes at once, at most
    #[arg(long, value_name = "PAGES", value_parser = clap::value_parser!(u32).range(1..))]
    pub burst: u32,
    /// The least time from one burst to the next, as in 250us, 1ms, 2s
    #[arg(long, value_name = "TIME", value_parser = time::parse_some)]
    pub period: u64,
    /// The longest time until a page is given back
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    pub hold: u64,
    /// The longest time until the refill thread has run, for a stock that grows
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    pub refill: Option<u64>,
    /// Name of a partition whose stock is judged; ends with 1 if it does not suffice
    #[arg(value_parser = name)]
    pub name: Option<String>,
}

/// What to display, and how often.
#[derive(Args, Debug)]
pub struct WatchArgs {
    /// Seconds from one look to the next, 0.1 to 3600
    #[arg(long, value_name = "S", default_value = "1", value_parser = interval)]
    pub interval: Duration,
    /// Name of a partition to show all figures of as well
    #[arg(value_parser = name)]
    pub name: Option<String>,
}

/// What is measured.
#[derive(Args, Debug)]
pub struct LatencyArgs {
    /// Reserve of the partition that is created for it; 0 measures leases only
    #[arg(long, value_name = "SIZE", default_value = "4M", value_parser = size::parse)]
    pub reserve: u64,
    /// Block that is allocated from the heap of libgenp, and freed
    #[arg(long, value_name = "SIZE", default_value = "4K", value_parser = size::parse)]
    pub size: u64,
    /// Lease that is borrowed and returned; 0 measures none
    #[arg(long, value_name = "SIZE", default_value = "64K", value_parser = size::parse)]
    pub lease: u64,
    /// Calls of each kind
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
    pub count: u32,
    /// Priority of SCHED_FIFO to measure at, with locked memory [default: as it is]
    #[arg(long, value_name = "PRIO", value_parser = clap::value_parser!(i32).range(1..=99))]
    pub priority: Option<i32>,
    /// File for a picture of the histograms
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
}

/// A shell.
#[derive(Args, Debug)]
pub struct CompletionArgs {
    /// Shell that is to read it
    pub shell: Shell,
}

/// Where manual pages go.
#[derive(Args, Debug)]
pub struct ManArgs {
    /// Directory for a page of each command, as in share/man/man1
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}

// SPDX-License-Identifier: GPL-2.0

//! The cost of having memory for a while: borrowed, touched and returned, by number of
//! pages, compared with the other methods by which a program gets pages and gives them
//! back. Runs in a guest as root; prints figures.

mod floor;
mod lender;
mod library;
mod measure;
mod method;
mod peers;

use std::process::ExitCode;

use harness::process;
use measure::Measured;
use method::{Method, Result, MOST};
use stats::Meter;

const USAGE: &str = "usage: bench_borrow [SUBJECT...] [PAGES...]\n\
    SUBJECT: kernel, genp, libgenp, mmap_populate, memfd, dma_heap, hugetlbfs\n\
    PAGES: 1 to 4096; without any: every power of two";

/// Above all ordinary threads and below GenP's: the measured code is not interrupted by
/// the scrubber, which is an ordinary thread.
const PRIORITY: i32 = 10;

/// What to measure; everything if nothing is named.
#[derive(Default)]
struct Wanted {
    subjects: Vec<String>,
    sizes: Vec<usize>,
}

impl Wanted {
    fn read(words: impl Iterator<Item = String>) -> Option<Self> {
        let mut wanted = Self::default();
        for word in words {
            match word.parse() {
                Ok(pages @ 1..=MOST) => wanted.sizes.push(pages),
                Err(_) if methods(&word).is_some() || word == floor::SUBJECT => {
                    wanted.subjects.push(word);
                }
                _ => return None,
            }
        }
        if wanted.sizes.is_empty() {
            wanted.sizes = (0..=MOST.ilog2()).map(|order| 1 << order).collect();
        }
        if wanted.subjects.is_empty() {
            wanted.subjects.push(floor::SUBJECT.into());
            wanted.subjects.extend(SUBJECTS.map(str::to_string));
        }
        Some(wanted)
    }
}

const SUBJECTS: [&str; 6] = [
    "genp",
    "libgenp",
    "mmap_populate",
    "memfd",
    "dma_heap",
    "hugetlbfs",
];

/// Sets a method up.
type SetUp = fn() -> Result<Box<dyn Method>>;

/// The methods of a subject, not yet set up.
fn methods(subject: &str) -> Option<Vec<SetUp>> {
    Some(match subject {
        "genp" => vec![|| lender::clean(), || lender::dirty()],
        "libgenp" => vec![|| library::Library::set_up()],
        "mmap_populate" => vec![|| peers::Anonymous::set_up()],
        "memfd" => vec![|| peers::Memfd::set_up()],
        "dma_heap" => vec![|| peers::DmaHeap::set_up()],
        "hugetlbfs" => vec![|| peers::Huge::set_up()],
        _ => return None,
    })
}

/// Measures one method at all sizes; returns whether nothing failed. A method that the
/// kernel does not have gives a figure that says so, which is no failure.
fn measure_method(meter: &Meter, subject: &str, set_up: SetUp, sizes: &[usize]) -> bool {
    let mut method = match set_up() {
        Ok(method) => method,
        Err(why) => {
            measure::figure(meter, "borrow", subject)
                .with("refused", 1)
                .with("note", why)
                .print();
            return subject != "genp" && subject != "libgenp";
        }
    };
    sizes.iter().all(
        |&pages| match Measured::take(meter, method.as_mut(), pages) {
            Ok(measured) => {
                measured.print(meter, method.as_ref(), pages);
                true
            }
            Err(why) => {
                println!("FAILED {subject} with {pages} pages: {why}");
                false
            }
        },
    )
}

fn main() -> ExitCode {
    let Some(wanted) = Wanted::read(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    if let Err(errno) = process::set_fifo(PRIORITY) {
        println!("FAILED to become SCHED_FIFO: errno {errno}");
        return ExitCode::FAILURE;
    }
    process::pin_to(0);
    let meter = Meter::find();
    println!("# measuring {} on {}", meter.unit(), meter.machine().name());
    let mut whole = true;
    for subject in &wanted.subjects {
        if subject == floor::SUBJECT {
            whole &= floor::measure(&meter, &wanted.sizes);
        }
        for set_up in methods(subject).unwrap_or_default() {
            whole &= measure_method(&meter, subject, set_up, &wanted.sizes);
        }
    }
    ExitCode::from(u8::from(!whole))
}

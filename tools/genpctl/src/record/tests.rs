// SPDX-License-Identifier: GPL-2.0

//! What is kept of a partition that is looked at.

use std::{fs, os::unix::fs::PermissionsExt};

use genp::abi::{self, genp_stat};

use super::{beside, recording::Watched, replace, Recorded, Recording};

const SECOND: u64 = 1_000_000_000;

fn stat() -> genp_stat {
    genp_stat {
        heap_peak: abi::GENP_NOT_TOLD as u64,
        ..Default::default()
    }
}

#[test]
fn the_most_of_each_look_is_kept_and_counters_are_of_the_recording() {
    let mut watched = Watched::new("a", Vec::new());
    let before = genp_stat {
        misuses: 5,
        leases: 2,
        used_peak: 10,
        ..stat()
    };
    watched.look(0, &before);
    let meanwhile = genp_stat {
        heap_peak: 30,
        waiters: 3,
        misuses: 6,
        revocations: 4,
        borrows: 4,
        ..stat()
    };
    watched.look(2 * SECOND, &meanwhile);
    let last = genp_stat {
        misuses: 7,
        revocations: 4,
        borrows: 4,
        ..stat()
    };
    watched.look(2 * SECOND + 1, &last);
    let seen = watched.end();
    assert_eq!((seen.looks, seen.waiters_peak, seen.leases_peak), (3, 3, 2));
    assert_eq!((seen.used_peak_bytes, seen.heap_peak_bytes), (10, Some(30)));
    assert_eq!(seen.counters["misuses"], 2);
    // Four in two seconds; two leases for two seconds, four grants.
    assert_eq!(seen.ends_peak_per_second, 2);
    assert_eq!(seen.lease_held_mean_ns, Some(SECOND));
}

#[test]
fn nothing_is_made_up_for_what_was_not_seen() {
    let mut watched = Watched::new("a", Vec::new());
    watched.look(0, &stat());
    let seen = watched.end();
    assert_eq!(
        (seen.heap_peak_bytes, seen.lease_held_mean_ns),
        (None, None)
    );
}

#[test]
fn a_recording_is_read_as_it_was_written() {
    let recording = Recording {
        partitions: vec![Recorded {
            name: "a".to_owned(),
            heap_peak_bytes: Some(u64::MAX),
            ..Default::default()
        }],
        ..Default::default()
    };
    let text = serde_json::to_string(&recording).unwrap();
    assert_eq!(serde_json::from_str::<Recording>(&text).unwrap(), recording);
}

#[test]
fn an_older_recording_stays_until_the_new_one_is_whole() {
    let folder = std::env::temp_dir().join(format!("genpctl-record-{}", std::process::id()));
    fs::create_dir(&folder).unwrap();
    let path = folder.join("recording");
    replace(&path, "old").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    // The new one cannot be written.
    fs::create_dir(beside(&path, "new")).unwrap();
    assert!(replace(&path, "new").is_err());
    assert_eq!(fs::read(&path).unwrap(), b"old");
    fs::remove_dir(beside(&path, "new")).unwrap();
    // Through a link, too, and nothing else is left there.
    let link = folder.join("link");
    std::os::unix::fs::symlink("recording", &link).unwrap();
    replace(&link, "new").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert!(link.is_symlink());
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
    replace("/dev/null".as_ref(), "new").unwrap();
    fs::remove_dir_all(&folder).unwrap();
}

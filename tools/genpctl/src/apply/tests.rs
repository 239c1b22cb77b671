// SPDX-License-Identifier: GPL-2.0

//! Sets of partitions that a list of texts stands for, and a service manager.

use std::{
    cell::RefCell,
    env, fs,
    os::{
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixDatagram},
    },
    path::PathBuf,
    process,
    rc::Rc,
    time::Duration,
};

use genp::abi::genp_info;

use super::{
    files,
    notify::Service,
    set::{Change, Maker, Set},
};
use crate::{plan, problem::Problem};

/// The names of the partitions there are.
type There = Rc<RefCell<Vec<String>>>;

/// Makes partitions, but none whose name begins with `bad`.
struct Fake(There);

impl Maker for Fake {
    type Held = String;

    fn make(&mut self, plan: &plan::PartitionPlan) -> Result<String, Problem> {
        if plan.name.starts_with("bad") {
            return Err(Problem::new(
                "cannot create the partition",
                "no room",
                "Ask for less.",
            ));
        }
        self.0.borrow_mut().push(plan.name.clone());
        Ok(plan.name.clone())
    }

    fn end(&mut self, held: String) {
        self.0.borrow_mut().retain(|name| *name != held);
    }
}

/// A plan of partitions with these names, each with a reserve of so many bytes.
fn plan_of(names: &[&str], reserve: u32) -> plan::PlanFile {
    let part = |name: &&str| format!("[[partition]]\nname = \"{name}\"\nreserve = {reserve}\n");
    plan::read(&names.iter().map(part).collect::<String>(), "").unwrap()
}

fn apply(set: &mut Set<Fake>, names: &[&str]) -> Result<Change, Problem> {
    set.apply(&plan_of(names, 4096).partition)
}

fn new_set() -> (Set<Fake>, There) {
    let there = There::default();
    (Set::new(Fake(there.clone())), there)
}

#[test]
fn all_of_a_plan_is_made_in_its_order() {
    let (mut set, there) = new_set();
    let change = apply(&mut set, &["a", "b"]).unwrap();
    assert_eq!(
        (change.made, change.ended.len()),
        (vec!["a".to_owned(), "b".to_owned()], 0)
    );
    assert_eq!(*there.borrow(), ["a", "b"]);
    drop(set);
    assert!(there.borrow().is_empty());
}

#[test]
fn if_one_cannot_be_made_none_is() {
    let (mut set, there) = new_set();
    let problem = apply(&mut set, &["a", "b", "bad", "c"]).unwrap_err();
    assert!(there.borrow().is_empty());
    assert_eq!(set.len(), 0);
    assert!(
        problem.to_string().contains("partition bad: cannot create"),
        "{problem}"
    );
}

#[test]
fn a_changed_plan_makes_and_ends_what_differs() {
    let (mut set, there) = new_set();
    apply(&mut set, &["a", "b"]).unwrap();
    let change = apply(&mut set, &["b", "c"]).unwrap();
    assert_eq!(
        (change.made, change.ended),
        (vec!["c".to_owned()], vec!["a".to_owned()])
    );
    assert_eq!(*there.borrow(), ["b", "c"]);
}

#[test]
fn a_changed_plan_that_fails_changes_nothing() {
    let (mut set, there) = new_set();
    apply(&mut set, &["a", "b"]).unwrap();
    apply(&mut set, &["b", "c", "bad"]).unwrap_err();
    assert_eq!(*there.borrow(), ["a", "b"]);
    assert_eq!(set.len(), 2);
}

/// What others use is not exchanged under them.
#[test]
fn a_partition_that_is_held_keeps_its_figures() {
    let (mut set, there) = new_set();
    apply(&mut set, &["a"]).unwrap();
    let problem = set
        .apply(&plan_of(&["new", "a"], 8192).partition)
        .unwrap_err();
    assert!(problem
        .to_string()
        .contains("partition a is there with other figures"));
    assert_eq!(*there.borrow(), ["a"]);
    // What is only planned may change.
    let planned = "[[partition]]\nname = \"a\"\nreserve = 4096\nwaiters = 3\nuser = \"u\"\n";
    let change = set.apply(&plan::read(planned, "").unwrap().partition);
    assert_eq!(change.unwrap(), Change::default());
}

#[test]
fn one_that_others_destroyed_is_made_again_by_the_next_plan() {
    let (mut set, there) = new_set();
    apply(&mut set, &["a", "b"]).unwrap();
    there.borrow_mut().clear();
    assert_eq!(set.lose(0), Some("a".to_owned()));
    assert_eq!(set.lose(9), None);
    assert_eq!(apply(&mut set, &["a", "b"]).unwrap().made, ["a"]);
}

#[test]
fn names_given_twice_are_left_to_the_module() {
    let (mut set, there) = new_set();
    apply(&mut set, &["a", "a"]).unwrap();
    assert_eq!(there.borrow().len(), 2);
}

#[test]
fn a_service_manager_is_told() {
    let name = format!("genpctl-test-{}", process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let manager = UnixDatagram::bind_addr(&address).unwrap();
    manager
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let service = Service::at(Some(format!("@{name}").into_bytes()));
    let told = |tell: &dyn Fn()| {
        tell();
        let mut text = [0; 256];
        let length = manager.recv(&mut text).unwrap();
        String::from_utf8_lossy(&text[..length]).into_owned()
    };
    assert_eq!(
        told(&|| service.ready(2)),
        "READY=1\nSTATUS=holds 2 partitions"
    );
    assert!(told(&|| service.reloading()).starts_with("RELOADING=1\nMONOTONIC_USEC="));
    assert_eq!(told(&|| service.stopping()), "STOPPING=1");
    // Without one nothing happens.
    Service::at(None).ready(1);
}

/// A directory of its own with these files, gone at the end.
struct Folder(PathBuf);

impl Folder {
    fn with(name: &str, plans: &[(&str, &str)]) -> Self {
        let folder = env::temp_dir().join(format!("genpctl-{name}-{}", process::id()));
        fs::create_dir(&folder).unwrap();
        for (file, partition) in plans {
            let text = format!("[[partition]]\nname = \"{partition}\"\nreserve = 4096\n");
            fs::write(folder.join(file), text).unwrap();
        }
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn names(paths: &[PathBuf]) -> Result<Vec<String>, Problem> {
    let partitions = files::read(paths, &genp_info::default())?;
    Ok(partitions
        .iter()
        .map(|plan| plan.get_ref().name.clone())
        .collect())
}

#[test]
fn a_directory_stands_for_its_plans_by_name() {
    let plans = [("b.toml", "second"), ("a.toml", "first"), ("c.txt", "none")];
    let folder = Folder::with("plans", &plans);
    let one = folder.0.join("b.toml");
    let all = names(&[one, folder.0.clone()]).unwrap();
    assert_eq!(all, ["second", "first", "second"]);
    assert!(names(&[folder.0.join("d.toml")]).is_err());
}

#[test]
fn a_directory_without_a_plan_stands_for_nothing() {
    let folder = Folder::with("empty", &[("a.text", "none")]);
    assert!(names(&[folder.0.clone()]).unwrap().is_empty());
}

#[test]
fn one_bad_plan_of_a_directory_is_named_and_nothing_is_applied() {
    let folder = Folder::with("bad", &[("a.toml", "first"), ("b.toml", "")]);
    let problem = names(&[folder.0.clone()]).unwrap_err().to_string();
    assert!(problem.contains("b.toml"), "{problem}");
    assert!(problem.contains("line 1"), "{problem}");
}

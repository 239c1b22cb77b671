// SPDX-License-Identifier: MIT OR Apache-2.0

//! libgenp in a plug-in: a shared library of C that contains `libgenp.a`, loaded and
//! unloaded by a program that does not know of it. Its /dev/genp is
//! `tests/plugin/fake.c`, so that no kernel module is needed. Each case runs in a process
//! of its own.

use std::{
    env,
    ffi::{c_int, c_void, CString},
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{mpsc, OnceLock},
    thread,
};

/// The newest `libgenp.a`: cargo has just built it, beside this program.
fn archive() -> PathBuf {
    let folder = env::current_exe().unwrap();
    fs::read_dir(folder.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            name.starts_with("libgenp-") && name.ends_with(".a")
        })
        .max_by_key(|path| fs::metadata(path).unwrap().modified().unwrap())
        .expect("cargo builds it with the tests")
}

/// Runs a compiler with what is common to C and C++.
fn compile(compiler: &str, arguments: impl FnOnce(&mut Command) -> &mut Command) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let include = here.join("../../include/uapi");
    let mut command = Command::new(compiler);
    command
        .args(["-fPIC", "-O1", "-g", "-Wall", "-Wextra", "-Werror"])
        .args(["-fvisibility=hidden", "-I"])
        .arg(here.join("include"))
        .arg("-idirafter")
        .arg(&include)
        .arg("-include")
        .arg(include.join("linux/genp.h"));
    let output = arguments(&mut command).output().unwrap();
    assert!(
        output.status.success(),
        "no plug-in: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The plug-in, built once.
fn plugin() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plugin");
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let out = |end: &str| folder.join(format!("genp-plugin-{}.{end}", std::process::id()));
        let sources = [
            "blocks", "fake", "fork", "handler", "heap", "manager", "pool", "resize", "share",
            "stack", "steps", "threads",
        ]
        .map(|name| here.join(format!("{name}.c")));
        let (object, library) = (out("o"), out("so"));
        compile("c++", |command| {
            command
                .args(["-std=c++17", "-c", "-o"])
                .arg(&object)
                .arg(here.join("containers.cc"))
        });
        compile("cc", |command| {
            command
                .args(["-shared", "-Wl,--exclude-libs,ALL", "-o"])
                .arg(&library)
                .args(&sources)
                .args([&object, &archive()])
                .arg("-lstdc++")
        });
        library
    })
}

struct Plugin(*mut c_void);

// SAFETY: a handle of the dynamic linker.
unsafe impl Send for Plugin {}
// SAFETY: as above.
unsafe impl Sync for Plugin {}

impl Plugin {
    fn load(path: &Path) -> Self {
        let path = CString::new(path.to_str().unwrap()).unwrap();
        // SAFETY: a string that ends with zero.
        let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW) };
        assert!(!handle.is_null());
        Self(handle)
    }

    /// Calls a function of the plug-in.
    fn call(&self, name: &str) -> c_int {
        let name = CString::new(name).unwrap();
        // SAFETY: the plug-in's functions are all of this type.
        unsafe {
            let function = libc::dlsym(self.0, name.as_ptr());
            assert!(!function.is_null());
            std::mem::transmute::<*mut c_void, extern "C" fn() -> c_int>(function)()
        }
    }

    fn unload(self) {
        // SAFETY: loaded by `load`, and used no longer.
        assert_eq!(unsafe { libc::dlclose(self.0) }, 0);
    }
}

/// Where the process of a case finds the plug-in.
const PLUGIN: &str = "GENP_PLUGIN";

/// Runs the case of this name in a process of its own, or is that process.
fn run(name: &str, case: impl FnOnce(&Path)) {
    if let Some(path) = env::var_os(PLUGIN) {
        return case(Path::new(&path));
    }
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", name, "--test-threads=1", "--nocapture"])
        .env(PLUGIN, plugin())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A thread that uses the plug-in, and ends when told to.
fn user(plugin: &Plugin) -> (mpsc::Sender<()>, thread::JoinHandle<()>) {
    let (end, told) = mpsc::channel::<()>();
    let (using, used) = mpsc::channel();
    let plugin = Plugin(plugin.0);
    let thread = thread::spawn(move || {
        using.send(plugin.call("use")).unwrap();
        let _ = told.recv();
    });
    assert_eq!(used.recv().unwrap(), 0);
    (end, thread)
}

fn outlive(path: &Path) {
    let plugin = Plugin::load(path);
    let threads = [(); 4].map(|()| user(&plugin));
    assert_eq!(plugin.call("finish"), 0);
    plugin.unload();
    for (end, thread) in threads {
        end.send(()).unwrap();
        thread.join().unwrap();
    }
}

fn load_again(path: &Path) {
    for _ in 0..50 {
        let plugin = Plugin::load(path);
        let (end, thread) = user(&plugin);
        assert_eq!(plugin.call("use"), 0);
        assert_eq!(plugin.call("finish"), 0);
        plugin.unload();
        drop(end);
        thread.join().unwrap();
    }
}

fn exit(path: &Path) {
    let plugin = Plugin::load(path);
    let threads = [(); 4].map(|()| user(&plugin));
    plugin.unload();
    std::mem::forget(threads);
    std::process::exit(0);
}

#[test]
fn threads_that_used_a_plugin_outlive_it() {
    run("threads_that_used_a_plugin_outlive_it", outlive);
}

#[test]
fn a_plugin_is_loaded_again() {
    run("a_plugin_is_loaded_again", load_again);
}

#[test]
fn a_program_exits_with_threads_of_an_unloaded_plugin() {
    run("a_program_exits_with_threads_of_an_unloaded_plugin", exit);
}

/// Cases that are functions of the plug-in.
macro_rules! cases {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            const NAME: &str = stringify!($name);
            run(NAME, |path| assert_eq!(Plugin::load(path).call(NAME), 0, "its line"));
        })*
    };
}

#[cfg(target_arch = "x86_64")]
cases! {
    a_handler_between_any_two_instructions_has_a_block_of_its_own
    a_handler_between_any_two_instructions_is_refused_or_served
}

cases! {
    a_child_that_destroys_harms_nobody
    a_child_is_refused
    a_child_may_have_its_own
    a_grandchild_harms_nobody
    a_child_loses_nothing_of_its_own
    a_child_without_handlers_harms_nobody
    a_child_of_vfork_harms_nobody
    locks_of_other_threads_do_not_stop_a_child
    a_handler_is_refused_or_served
    what_was_freed_can_be_had_again
    aligned_blocks_lie_close
    only_powers_of_two_are_alignments
    a_block_is_made_smaller_where_it_is
    a_vector_grows_through_the_heap
    a_vector_moves_down_to_grow
    realloc_keeps_the_alignment
    free_blocks_of_a_thread_are_had_by_another
    what_is_no_block_is_refused
    threads_with_bursts_do_not_wait
    a_byte_behind_a_block_is_found
    writes_to_freed_blocks_do_no_harm
    no_call_takes_more_steps_than_is_said
    what_came_later_takes_no_more_steps_than_is_said
    a_heap_grows_where_it_is
    a_heap_shrinks_when_its_end_is_free
    only_what_was_made_for_it_is_resized
    who_is_refused_in_the_middle_goes_on
    threads_go_on_while_it_is_resized
    a_forked_child_resizes_nothing
    an_arena_grows_and_shrinks_behind_its_blocks
    heaps_of_other_crates_only_grow
    who_cannot_resize_is_told_so
    a_full_stack_takes_no_more_steps_than_is_said
    a_partition_is_found_among_all
    a_block_says_what_it_has
    a_block_grows_where_it_is_or_stays
    a_batch_is_allocated_and_freed
    all_blocks_are_freed_at_once
    addresses_and_offsets_belong_together
    statistics_of_a_heap_add_up
    an_attached_thread_makes_no_system_call
    objects_are_guaranteed
    a_pool_grows_if_it_is_to
    senseless_pools_are_refused
    threads_share_a_pool
    a_child_is_refused_its_parents_pool
    an_arena_frees_all_at_once
    allocators_of_other_crates_are_managers
    other_managers_take_no_more_steps_than_is_said
    a_heap_keeps_to_what_managers_do
    an_arena_takes_no_more_steps_than_is_said
    a_shared_heap_takes_no_more_steps_than_is_said
    a_program_brings_its_own_manager
    containers_of_pmr_lie_in_the_reserve
    the_allocator_serves_any_type
    a_full_heap_is_bad_alloc
    threads_share_a_resource
}

# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Gates of Rust: format, clippy, rustdoc, and the rules of the module.

module_format() {
	"$IN_ROOT" rustfmt --check --edition 2021 --config-path "$KERNEL_DIR/source/.rustfmt.toml" \
		genp_rust.rs genp_kunit_rust.rs
}

# Clippy with the kernel's lints, as the compiler of the module.
module_clippy() {
	local out=$BUILD/kernel/rt/clippy log
	mkdir -p "$out"
	rm -f "$out/genp_rust.o"
	# shellcheck disable=SC2046  # a list of words
	log=$("$IN_ROOT" make -C "$KERNEL_DIR/source" O="$KERNEL_DIR/build" M="$TOP" MO="$out" CLIPPY=1 \
		-j"$(nproc)" $(cat "$KERNEL_DIR/arguments") modules 2>&1) || {
		printf '%s\n' "$log"
		return 1
	}
	printf '%s\n' "$log"
	! grep -qE '^(warning|error)|: warning:' <<<"$log"
}

# The flags genp_rust.o was compiled with, one a line, as far as rustdoc takes them.
module_flags() { # BUILD-DIR
	# The command is quoted for a shell.
	sed -n 's/^savedcmd_genp_rust\.o := .* rustc //p' "$1/.genp_rust.o.cmd" | xargs -n 1 |
		grep -vE '^-[WAD]|^--(out-dir|emit)(=|$)|^\./$|\.rs$'
}

# The documentation of the module: no link in it, in that of private items neither, leads
# nowhere.
module_doc() {
	local module flags
	module=$("$TOP/scripts/modules" rt)
	mapfile -t flags < <(module_flags "$module")
	[ "${#flags[@]}" -gt 10 ] || {
		echo "the command of genp_rust.o in $module/.genp_rust.o.cmd was not understood"
		return 1
	}
	# In the folder of the build, where relative paths of the command lead from.
	# shellcheck disable=SC2016  # for the shell within
	"$IN_ROOT" env RUSTC_BOOTSTRAP=1 GENP_GENERATED="$module/genp/sys" OBJTREE="$KERNEL_DIR/build" \
		RUST_MODFILE=./genp sh -ec 'cd "$1"; shift; exec rustdoc "$@"' sh "$module" "${flags[@]}" \
		--document-private-items -D rustdoc::broken_intra_doc_links -o "$BUILD/doc" "$TOP/genp_rust.rs"
}

tools_format() { "$IN_ROOT" cargo fmt --all --check --manifest-path tools/Cargo.toml; }

tools_clippy() {
	CARGO_TARGET_DIR=$BUILD/cargo "$IN_ROOT" cargo clippy --locked --workspace --exclude genp-bench-user --all-targets \
		--manifest-path tools/Cargo.toml -- -D warnings -D clippy::self_named_module_files
}

# As module_doc, for the workspace: genp-core is in it, as the host compiles it.
tools_doc() {
	CARGO_TARGET_DIR=$BUILD/cargo "$IN_ROOT" \
		env RUSTDOCFLAGS='-D rustdoc::broken_intra_doc_links -D warnings -A rustdoc::private_intra_doc_links' \
		cargo doc --locked --workspace --exclude genp-bench-user --no-deps --document-private-items \
		--manifest-path tools/Cargo.toml
}

# The ABI in Rust is that of the header.
bindings() { scripts/bindings --check; }

# Mistakes of a driver in Rust that the types must refuse.
compile_fail() { scripts/internal/compile-fail; }

# A module with a folder is its mod.rs. Clippy's self_named_module_files says so too, but
# does not look at files outside of the folder that the compiler runs in, as the module's.
module_files() {
	local file found=
	while IFS= read -r file; do
		[ ! -d "${file%.rs}" ] || found+=" $file"
	done < <(tracked '*.rs')
	[ -z "$found" ] || {
		printf 'beside a folder of the same name; move into it as mod.rs:%s\n' "$found"
		return 1
	}
}

unsafe_rooms() {
	# shellcheck disable=SC2046  # a list of words
	lint_python unsafe_rooms.py $(tracked 'genp/*.rs' 'genp*_rust.rs')
}

rooms() { lint_python rooms.py order genp_rust.rs; }

# The root files of the crates of the host: programs, libraries, tests.
crate_roots() {
	tracked '*.rs' | grep -E '^(tools/.*|genp/core/)(src/(main|lib|bin/[a-z_]+)|tests/[a-z_]+|build)\.rs$' || true
	tracked 'tools/*/tests/*/main.rs' 'genp/core/tests/*/main.rs'
}

# Not in the simulated kernel, whose parts call each other as those of a kernel do.
tools_circles() {
	# shellcheck disable=SC2046  # a list of words
	lint_python rooms.py circles $(crate_roots | grep -v '^tools/testing/sim/kernel/')
}

no_panics() {
	! grep -rnE '\.(unwrap|expect)\(|\b(panic|todo|unimplemented|unreachable)!' --include='*.rs' \
		--exclude-dir=tests genp genp*_rust.rs
}

# Each entry point of the module has a bound above all that was counted.
worst_case() { scripts/worst-case; }

# Neither its callers nor what it calls runs out of stack.
stack_frames() { "$IN_ROOT" "$TOP/scripts/internal/stack-frames" "$("$TOP/scripts/modules" rt)/genp.ko"; }

# None is left by the compiler either: of a kernel that checks overflow, each + is one
# unless its result is known to be in range.
no_panic_calls() {
	local module
	module=$("$TOP/scripts/modules" rt)
	module_flags "$module" | grep -qxF -e -Coverflow-checks=y || {
		echo "this kernel does not check overflow, so its genp.ko shows nothing"
		return 1
	}
	"$IN_ROOT" "$TOP/scripts/internal/panics" "$module/genp.ko"
}

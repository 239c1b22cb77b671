# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Gates of C and of shell.

shell() {
	# shellcheck disable=SC2046  # a list of words
	"$IN_ROOT" shellcheck -S warning -x -P SCRIPTDIR -P scripts/internal $(tracked '*.sh') \
		$(tracked scripts .ci debian | xargs grep -lE '^#!.*(bash|busybox sh|/bin/sh)')
}

# The kernel's own judge of C.
checkpatch() {
	# shellcheck disable=SC2046  # a list of words
	"$IN_ROOT" "$KERNEL_DIR/source/scripts/checkpatch.pl" --no-tree --terse --quiet --show-types --file \
		--ignore FILE_PATH_CHANGES,AVOID_EXTERNS,COMPLEX_MACRO,MACRO_ARG_REUSE,MACRO_ARG_UNUSED,TRACING_LOGGING,SPACING,OPEN_ENDED_LINE,EXPORT_SYMBOL,LINUX_VERSION_CODE \
		$(tracked 'genp/*.c' 'genp/*.h' 'include/*.h')
}

header() { # LANGUAGE OPTION
	printf '#include "include/uapi/linux/genp.h"\n' |
		"$IN_ROOT" gcc -x "$1" "$2" -Wall -Wextra -Werror -fsyntax-only -I. -
}
header_c() { header c -m64; }
header_c_32() { header c -m32; }
header_cxx() { header c++ -m64; }

# Each command, constant and field of the ABI is known to syzkaller, the fields of a
# structure in the same order. Not constants that only answers have.
syzkaller_knows_all() {
	local missing
	missing=$(awk '
		FNR == NR {
			if (match($0, /^(type )?genp_[a-z]+(\[[A-Z]+\])? \{$/)) {
				kind = $0; sub(/^type /, "", kind); sub(/[ \[].*/, "", kind)
			} else if ($0 == "}") kind = ""
			else if (kind != "" && /^\t/) described[kind] = described[kind] " " $1
			else if ($0 !~ /^#/) for (n = split($0, words, /[^A-Za-z0-9_$]+/); n; n--) word[words[n]] = 1
			if (kind != "") for (n = split($0, words, /[^A-Za-z0-9_$]+/); n; n--) word[words[n]] = 1
			next
		}
		/^#define GENP_[A-Z_]+[ \t]/ {
			name = $2
			if (/_IO(WR?|R)?\(GENP_IOC_MAGIC/) { commands++; if (!word["ioctl$" name]) print name }
			else if (name !~ /^GENP_(ABI_VERSION|DEVICE_PATH|IOC_MAGIC|FEATURE_.*|ORDER_.*|RECALL_.*_NS|NO_OFFSET)$/ && !word[name]) print name
		}
		/^struct genp_[a-z]+ \{$/ { kind = $2; next }
		/^};/ { kind = "" }
		kind != "" && match($0, /[a-z_]+(\[[A-Z_]+\])?;$/) {
			name = substr($0, RSTART); sub(/[\[;].*/, "", name); fields++
			wanted[kind] = wanted[kind] " " name
		}
		END {
			for (kind in wanted) if (wanted[kind] != described[kind]) print kind ":" wanted[kind]
			if (commands < 10 || fields < 100) print "(the header was not understood)"
		}
	' tools/testing/syzkaller/genp.txt include/uapi/linux/genp.h)
	[ -z "$missing" ] || {
		printf 'missing in tools/testing/syzkaller/genp.txt, or different there: %s\n' "$missing"
		return 1
	}
}

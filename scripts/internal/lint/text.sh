# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Gates of all text: what documents name, licences, lengths, words.

# Each test that the threat model names, by program and test.
named_tests() {
	local name program test missing=
	for name in $(grep -oE '``[a-z_]+/[a-z_]+``' Documentation/threat-model.rst | tr -d '`' | sort -u); do
		program=${name%/*} test=${name#*/}
		case $program in
		genp_*) grep -rq "fn $test(" genp && grep -rq "kunit_tests($program)" genp ;;
		*) grep -q "^TEST($test)" "tools/testing/selftests/genp/$program.c" ;;
		esac || missing+=" $name"
	done
	[ -z "$missing" ] || {
		printf 'Documentation/threat-model.rst names tests that do not exist:%s\n' "$missing"
		return 1
	}
}

# Each mutant still applies to the tree, so that it can be planted.
mutants_apply() {
	local patch bad=
	for patch in tools/testing/mutants/*.patch; do
		git apply --check "$patch" 2>/dev/null || bad+=" ${patch##*/}"
	done
	[ -z "$bad" ] || {
		printf 'do not apply any longer; plant the same bug in the code of today:%s\n' "$bad"
		return 1
	}
}

# make help names each target, and each script says what it does.
help_is_whole() {
	local target script missing=
	for target in $(sed -n '/^\.PHONY:/,/[^\]$/p' Makefile | tr -d '\\' | sed 's/^\.PHONY://'); do
		[ "$target" = help ] || grep -qE "^	@echo .*\b$target\b" Makefile || missing+=" $target"
	done
	[ -z "$missing" ] || {
		printf 'make help does not name:%s\n' "$missing"
		return 1
	}
	for script in scripts/*; do
		[ -f "$script" ] && [ -x "$script" ] || continue
		"$script" --help | head -n 1 | grep -q "^${script##*/}.*: " || {
			printf '%s --help does not begin with its name\n' "$script"
			return 1
		}
	done
}

# Names between backticks in documents exist, and the scripts that scripts name.
named_things() {
	local script
	for script in $(grep -rhoE '[$]TOP/scripts/[A-Za-z0-9/._-]+' scripts | sort -u); do
		[ -e "${script#*/}" ] || {
			printf 'there is no %s\n' "${script#*/}"
			return 1
		}
	done
	# shellcheck disable=SC2046  # a list of words
	tracked . | lint_python names.py scripts/internal/lint/foreign-names $(tracked '*.rst' '*.md' | grep -v '^LICENSES/')
}

# The pages are built as debian/rules does, anew: what sphinx has read already it does not warn of.
pages_build() {
	"$IN_ROOT" sphinx-build -b dummy -E -C -D project=GenP -W --keep-going -q \
		-d "$BUILD/pages/doctrees" Documentation "$BUILD/pages/out"
}

# list FILE: the lines of a list of exceptions, without comments.
list() { grep -vE '^(#|$)' "$LINT/$1"; }

licences() {
	local missing exempt
	exempt=$(list no-licence-line | awk '{ print ":!" $1 }')
	# shellcheck disable=SC2086  # a list of words
	missing=$(tracked . $exempt | xargs grep -L 'SPDX-License-Identifier' || true)
	[ -z "$missing" ] || {
		printf 'without a line SPDX-License-Identifier: %s\n' "$missing"
		return 1
	}
}

# No source file above 400 lines, no page above 300; the list of those that are longer
# only shrinks.
sizes() {
	local found
	found=$({
		list long-files | sed 's/^/listed /'
		tracked '*.rs' '*.c' '*.h' '*.py' '*.sh' '*.pml' scripts | xargs wc -l | sed 's/^/400 /'
		tracked 'Documentation/*.rst' '*.md' | xargs wc -l | sed 's/^/300 /'
	} | awk '
		$1 == "listed" { allowed[$2] = $3; next }
		$3 == "total" { next }
		{ seen[$3] = 1 }
		!($3 in allowed) { if ($2 > $1) print $3 " has " $2 " lines, more than " $1; next }
		allowed[$3] == "any" { next }
		$2 > allowed[$3] { print $3 " has " $2 " lines, more than the " allowed[$3] " of long-files"; next }
		$2 <= $1 { print $3 " has " $2 " lines: take it out of long-files"; next }
		$2 < allowed[$3] { print $3 " has " $2 " lines: long-files must say that, not " allowed[$3] }
		END { for (file in allowed) if (!(file in seen)) print "there is no " file ": take it out of long-files" }')
	[ -z "$found" ] || {
		printf '%s\n' "$found"
		return 1
	}
}

# Words that were renamed do not come back.
old_words() {
	! git grep -nwF --untracked -f <(list old-words) -- . \
		':!scripts/internal/lint/old-words' ':!LICENSES'
}

# The gates that are programs themselves find what they have to.
self_test() { lint_python rooms_test.py && lint_python names_test.py && lint_python panics_test.py && lint_python mutants_test.py && lint_python packaging_test.py; }

#!/bin/sh
# Runs groups of tests (lint unit sanitize e2e packages gpu) and ends with "N passed, N failed, N skipped".
# Every test program prints TAP on stdout; what it says is shown only when something fails.
set -u
cd "$(dirname "$0")/.." || exit 1
passed=0 failed=0 skipped=0
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT

count() { # NAME STATUS: counts the TAP lines in $out/tap
	# cmocka 1.1 calls a skipped test "not ok N # SKIP".
	sed -i 's/^not \(ok [0-9]* *# SKIP\)/\1/' "$out/tap"
	p=$(grep -c '^ok ' "$out/tap")
	s=$(grep -ci '^ok .*# skip' "$out/tap")
	f=$(grep -c '^not ok ' "$out/tap")
	plan=$(sed -n 's/^1\.\.\([0-9]*\).*/\1/p' "$out/tap" | tail -n 1)
	if [ "$2" -ne 0 ] && [ "$f" -eq 0 ]; then f=1; fi
	if [ -z "$plan" ] || [ "$plan" -ne $((p + f)) ] && [ "$2" -eq 0 ]; then f=$((f + 1)); fi
	passed=$((passed + p - s)) failed=$((failed + f)) skipped=$((skipped + s))
	printf '%-46s %3d passed' "$1" $((p - s))
	[ "$s" -gt 0 ] && printf ', %d skipped' "$s"
	[ "$f" -gt 0 ] && printf ', %d FAILED' "$f"
	echo
	grep -i '^ok .*# skip' "$out/tap" | sed 's/^ok [0-9]* *-* */    skipped: /'
	if [ "$f" -gt 0 ]; then
		cat "$out/tap" "$out/err" | tail -n 200
	fi
}

program() { # NAME TIMEOUT COMMAND...
	name=$1 limit=$2
	shift 2
	CMOCKA_MESSAGE_OUTPUT=TAP timeout -k 5 "$limit" "$@" >"$out/tap" 2>"$out/err"
	count "$name" $?
}

command_test() { # NAME COMMAND...: a command that succeeds or fails as a whole
	name=$1
	shift
	if "$@" >"$out/err" 2>&1; then echo "ok 1 - $name"; else echo "not ok 1 - $name"; fi >"$out/tap"
	echo 1..1 >>"$out/tap"
	count "$name" 0
}

units() { # BUILD-TREE
	for t in tests/unit_*.c tests/sim_*.c; do
		t=$(basename "$t" .c)
		program "$1: $t" 300 env EVO_BUILD="$1" "$1/tests/$t"
	done
}

for group in "$@"; do
	case $group in
	lint) command_test "lint" make -s -j2 WERROR=1 lint ;;
	unit) units build ;;
	sanitize)
		export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
		units build-asan
		for t in tests/fuzz_*.c; do
			t=$(basename "$t" .c)
			command_test "corpus: $t" sh -c "build-asan/tests/$t tests/corpus/${t#fuzz_}/*"
		done
		unset ASAN_OPTIONS UBSAN_OPTIONS
		;;
	e2e)
		for t in tests/e2e/test_*.py; do
			program "$t" 600 python3 "$t"
		done
		;;
	packages)
		for t in tests/packages/test_*.py; do
			program "$t" 1800 python3 "$t"
		done
		;;
	gpu)
		for t in tests/gpu/test_*.py; do
			program "$t" 600 python3 "$t"
		done
		;;
	*)
		echo "tests/run.sh: unknown group $group" >&2
		exit 2
		;;
	esac
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]

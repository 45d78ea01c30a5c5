#!/bin/sh
# Fuzzes each target for SECONDS with libFuzzer, starting from its corpus. New findings stay in
# build-fuzz/; a crash is written there and fails the script.
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-60}
make -s CC=clang B=build-fuzz OPT='-O1 -g' SAN='-fsanitize=address,undefined,fuzzer-no-link' LIBFUZZER=1 fuzz-targets
for t in tests/fuzz_*.c; do
	t=$(basename "$t" .c)
	mkdir -p "build-fuzz/found/$t"
	"build-fuzz/tests/$t" -max_total_time="$seconds" -artifact_prefix="build-fuzz/$t-" \
		"build-fuzz/found/$t" "tests/corpus/${t#fuzz_}"
done

# `./dev test`: its parts, their times and the closing count. Sourced by ./dev.
#
# A part is a function that leaves `passed failed skipped` in the file it is given. Every part runs, whatever became of those
# before it; a part that leaves no counts (its build broke, it died) counts as one failure.

results=$root/build/results

# part NAME TITLE COMMAND…: runs COMMAND with $counts set to the file for its counts.
part() {
  local name=$1 title=$2 started=$SECONDS passed=0 failed=0 skipped=0 note=
  shift 2
  counts=$results/$name.counts
  say "$title"
  # Not tested by `if`: that would switch `set -e` off inside.
  set +e
  ( set -e; "$@" )
  local code=$?
  set -e
  if [ -s "$counts" ]; then read -r passed failed skipped note <"$counts"; fi
  if [ "$code" != 0 ] && [ "$failed" = 0 ]; then
    failed=1
    note="ended with $code before its tests had run"
  fi
  printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$title" $((SECONDS - started)) "$passed" "$failed" "$skipped" "$note" \
    >>"$results/parts.tsv"
}

# ctest_part PRESET CTEST-OPTION…: builds the preset's tree, runs its tests and counts the test cases inside them.
ctest_part() {
  local preset=$1 code=0; shift
  build_tree "$preset"
  rm -rf "build/$preset/results"
  ctest --test-dir "build/$preset" -j "$(nproc)" --output-on-failure --output-junit results/ctest.xml "$@" || code=$?
  python3 -m tests.harness.count "build/$preset/results" >"$counts"
  return $code
}

# find_go: sets GO, for every part: tests build programs with it too. Unset where none can be had; why is in $results/go.why.
find_go() {
  if GO=$(go_command 2>"$results/go.why"); then export GO; else unset GO; fi
  cat "$results/go.why"
}

# conformance_part OPTION…: the suites of others, if there is a Go to build them with. Without, that is a skipped case, or with
# --complete a failed one.
conformance_part() {
  local without="0 0 1"
  [[ " $* " != *" --complete "* ]] || without="0 1 0"
  if [ -z "${GO:-}" ]; then
    echo "NOT RUN: $(tail -n 1 "$results/go.why")"
    echo "$without $(tail -n 1 "$results/go.why")" >"$counts"
    return 0
  fi
  [ "${1:-}" = --quick ] || offer_toolchains
  python3 -m tests.conformance "$@" --counts "$counts"
}

run_tests() {
  local long=(-LE long) sanitized=(-L 'unit|sim' -LE long) suites=(--quick)
  if [ "$1" = --all ]; then
    long=() sanitized=(-L 'unit|sim') suites=(--complete)
    [ "$(id -u)" != 0 ] || need package package_test
  fi
  rm -rf "$results"
  mkdir -p "$results"
  find_go
  export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1 UBSAN_OPTIONS=print_stacktrace=1
  export TSAN_OPTIONS=second_deadlock_stack=1
  part release "release: build, unit, simulation and integration tests, style" ctest_part release "${long[@]}"
  part conformance "conformance: suites that others wrote" conformance_part "${suites[@]}"
  part asan "asan-ubsan: unit and simulation tests" ctest_part asan-ubsan "${sanitized[@]}"
  part tsan "tsan: unit and simulation tests" ctest_part tsan "${sanitized[@]}"
  [ "$1" != --all ] || part fuzz "fuzz: a minute for each target" fuzz_part 60
  summary
}

# summary: one line a part, then the closing line; fails when a test failed.
summary() {
  say "summary"
  awk -F '\t' '
    { printf "%4d:%02d  %-62s %5d passed %3d failed %3d skipped%s\n", $2 / 60, $2 % 60, $1, $3, $4, $5, $6 == "" ? "" : "  (" $6 ")"
      passed += $3; failed += $4; skipped += $5; seconds += $2 }
    END {
      printf "%4d:%02d  altogether\n\n", seconds / 60, seconds % 60
      printf "%d passed, %d failed%s\n", passed, failed, skipped ? ", " skipped " skipped" : ""
      exit failed > 0 || passed == 0
    }' "$results/parts.tsv"
}

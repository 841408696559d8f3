# `./dev fuzz`: libFuzzer over the targets of tests/fuzz. Sourced by ./dev.

# fuzz_targets: the names of all targets, one a line.
fuzz_targets() { sed -n 's/^pinion_fuzz(\([a-z0-9_]*\) .*/\1/p' tests/fuzz/CMakeLists.txt; }

# fuzz_one TARGET SECONDS: grows .cache/fuzz/TARGET/corpus from the target's seeds; a finding stays in .cache/fuzz/TARGET.
fuzz_one() {
  local target=$1 seconds=$2 dir=.cache/fuzz/$1 programs=build/fuzz/tests/fuzz code=0
  mkdir -p "$dir/corpus"
  local IFS=';'
  # shellcheck disable=SC2046  # paths, separated by ;
  "$programs/fuzz_${target}_replay" --write "$dir/seeds" $(cat "$programs/$target.corpus")
  unset IFS
  say "fuzzing $target for $seconds s"
  "$programs/fuzz_$target" "$dir/corpus" "$dir/seeds" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
    -max_len=4096 -artifact_prefix="$dir/" -print_final_stats=1 >"$dir/log" 2>&1 || code=$?
  if [ "$code" != 0 ]; then
    grep -E 'CHECK failed|ERROR: |SUMMARY: |runtime error' "$dir/log" >&2 || tail -n 20 "$dir/log" >&2
    printf 'found: %s\nreplay: %s %s\n' "$(find "$dir" -maxdepth 1 -name '*-*' -newer "$dir/seeds" | sort | tail -n 1)" \
      "$programs/fuzz_$target" "$dir/FILE; the whole output is in $dir/log" >&2
    return 1
  fi
  sed -n 's/^stat::number_of_executed_units: */executed: /p' "$dir/log"
}

# fuzz_part SECONDS: a part of `./dev test --all`; each target counts as one test.
fuzz_part() {
  local target passed=0 failed=0
  build_tree fuzz fuzz_programs
  for target in $(fuzz_targets); do
    if ( fuzz_one "$target" "$1" ); then passed=$((passed + 1)); else failed=$((failed + 1)); fi
  done
  echo "$passed $failed 0" >"$counts"
  [ "$failed" = 0 ]
}

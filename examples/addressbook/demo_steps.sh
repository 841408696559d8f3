# How demo.sh tells, runs and checks; sourced by it. A step that is not seen to work ends the demo with exit 1 and says what was
# expected and what came.

patience=20  # seconds for a program to start, or for a change to reach the gateway

declare -A pids     # name → process id of what runs
order=()            # names as they were started
declare -A started  # name → how often; each run has a log of its own

bold=; plain=
if [ -t 1 ]; then bold=$'\e[1m'; plain=$'\e[0m'; fi

chapter() { printf '\n%s== %s%s\n' "$bold" "$1" "$plain"; }
say() { printf '\n'; fold -s -w 110 <<<"$*" | sed 's/ *$//'; }

log_of() { echo "$work/$1.${started[$1]}.log"; }

fail() {
  printf '\ndemo: %s\n' "$1" >&2
  local name
  for name in "${!started[@]}"; do
    [ -s "$(log_of "$name")" ] || continue
    printf -- '-- the last that %s said:\n' "$name" >&2
    tail -n 15 "$(log_of "$name")" >&2
  done
  exit 1
}

# attempt STATUS COMMAND TEXT…: runs the command. Sets `output`, and `wrong` to what is not as expected of it.
attempt() {
  local expected=$1 command=$2 status=0 text
  shift 2
  output=$(eval "$command" 2>&1) || status=$?
  wrong=
  [ $status -eq "$expected" ] || wrong="exit status $status instead of $expected"
  for text; do
    [[ $output == *"$text"* ]] || wrong="the output does not contain: $text"
  done
}

show() {
  printf '  $ %s\n' "$1"
  [ -z "$output" ] || sed 's/^/    /' <<<"$output"
  [ -z "$wrong" ] || fail "$wrong"
}

# run COMMAND TEXT…: the command succeeds and its output has every TEXT.
run() { attempt 0 "$@"; show "$1"; }

# refused COMMAND TEXT…: the command fails, and says so in these words.
refused() { attempt 1 "$@"; show "$1"; }

# follows COMMAND TEXT…: as run, but the change before it may still be on its way to the gateway; says so when it was.
follows() {
  local end=$((SECONDS + patience)) times=1
  attempt 0 "$@"
  while [ -n "$wrong" ] && [ $SECONDS -lt $end ]; do
    sleep 0.05
    times=$((times + 1))
    attempt 0 "$@"
  done
  show "$1"
  [ $times -eq 1 ] || printf '    (attempt %s: until then the change was on its way to the gateway)\n' $times
}

# start NAME COMMAND: in the background, until `stop NAME` or the end.
start() {
  local name=$1
  started[$name]=$((${started[$name]:-0} + 1))
  printf '  $ %s &\n' "$2"
  : >"$(log_of "$name")"
  # exec: the process id is the program's own.
  eval "exec $2" >"$(log_of "$name")" 2>&1 </dev/null &
  pids[$name]=$!
  order+=("$name")
}

# announced NAME PATTERN: waits until what NAME prints matches a sed pattern, and sets `answer` to its first group.
announced() {
  local end=$((SECONDS + patience))
  while answer=$(sed -nE "s|.*$2.*|\\1|p" "$(log_of "$1")" | head -n 1); [ -z "$answer" ]; do
    kill -0 "${pids[$1]}" 2>/dev/null || fail "$1 has ended"
    [ $SECONDS -lt $end ] || fail "$1 has not said within $patience s: $2"
    sleep 0.05
  done
}

# stop NAME: asks it to end and waits until it has, with exit status 0.
stop() {
  local status=0
  printf '  $ kill %s    # %s\n' "${pids[$1]}" "$1"
  kill "${pids[$1]}"
  wait "${pids[$1]}" || status=$?
  unset "pids[$1]"
  [ $status -eq 0 ] || fail "$1 ended with exit status $status"
}

# Until Ctrl-C, or until something that should run has ended.
watch_over() {
  local name
  while true; do
    wait -n "${pids[@]}" || true
    for name in "${!pids[@]}"; do
      kill -0 "${pids[$name]}" 2>/dev/null || fail "$name has ended"
    done
  done
}

# What was started last ends first, so that servers can still give up their registrations.
clean_up() {
  local i pid end
  for ((i = ${#order[@]} - 1; i >= 0; i--)); do
    pid=${pids[${order[$i]}]:-}
    [ -n "$pid" ] && kill "$pid" 2>/dev/null || continue
    end=$((SECONDS + patience))
    while kill -0 "$pid" 2>/dev/null && [ $SECONDS -lt $end ]; do sleep 0.05; done
    kill -9 "$pid" 2>/dev/null || true
  done
  rm -rf "$work"
}

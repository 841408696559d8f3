#!/bin/sh
# precompile.sh COMPILER ARGUMENT…: compiles a precompiled header and leaves its checksum beside it, which ccache takes in place of
# reading up to 250 MB anew for each source (CCACHE_PCH_EXTSUM).
set -e
"$@"
for argument; do
  [ "$before" != -o ] || made=$argument
  before=$argument
done
case $made in *.gch|*.pch) sha256sum <"$made" >"$made.sum" ;; esac

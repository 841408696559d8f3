#!/usr/bin/env bash
# Lays out the whole file system of a container that runs pinion, on the Debian that built it.
#
#   packaging/image_root.sh PROGRAM DIRECTORY    DIRECTORY is made
set -euo pipefail

[ $# = 2 ] || { echo "usage: image_root.sh PROGRAM DIRECTORY" >&2; exit 2; }
program=$1 root=$2
readonly user=65532
[ ! -e "$root" ] || { echo "image_root.sh: $root is there already; name another directory, or remove it" >&2; exit 1; }

mkdir -p "$root"/{etc/ssl/certs,etc/pinion,tmp,usr/bin,usr/share/doc,var/lib/pinion}
chmod 1777 "$root/tmp"
chmod 0750 "$root/var/lib/pinion"
[ "$(id -u)" != 0 ] || chown "$user:$user" "$root/var/lib/pinion"

strip --strip-debug -o "$root/usr/bin/pinion" "$program"
chmod 0755 "$root/usr/bin/pinion"

# The loader and the libraries, at the paths at which the loader looks for them, with their licences.
mapfile -t libraries < <(ldd "$program" | sed -nE 's/^[^/]*(\/[^ ]+) \(0x.*/\1/p' | sort -u)
for library in "${libraries[@]}"; do
  install -D -m 0755 "$library" "$root$library"
done
mapfile -t packages < <(dpkg-query --search "${libraries[@]}" "${libraries[@]/#//usr}" 2>/dev/null | cut -d : -f 1 | sort -u)
for package in "${packages[@]}"; do
  install -D -m 0644 "/usr/share/doc/$package/copyright" "$root/usr/share/doc/$package/copyright"
done

# Whom the system trusts, how names are looked up, and who runs.
install -m 0644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
printf 'root:x:0:0:root:/:/nonexistent\npinion:x:%s:%s:pinion:/var/lib/pinion:/nonexistent\n' "$user" "$user" >"$root/etc/passwd"
printf 'root:x:0:\npinion:x:%s:\n' "$user" >"$root/etc/group"

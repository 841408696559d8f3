#!/bin/sh
# Run by systemd inside the clean root, once the package is installed there: whether its units start under all their restrictions,
# reload, restart and stop. Leaves /trial.log, with the line `well` if all did, and powers off.
exec >/trial.log 2>&1
trap 'journalctl --no-pager -u pinion-gateway -u pinion-registry; systemctl poweroff' EXIT
set -ex

# answers COMMAND…: within some seconds it succeeds.
answers() {
  tries=0
  until "$@"; do
    tries=$((tries + 1))
    [ "$tries" -lt 100 ]
    sleep 0.1
  done
}

systemctl start pinion-registry pinion-gateway
answers pinion status
answers sh -c "pinion status | grep '^gateways:  *1'"
pinion service create db/people --kind database
systemctl reload pinion-gateway pinion-registry
answers pinion status
systemctl restart pinion-registry
answers pinion service show db/people

pid=$(systemctl show -P MainPID pinion-gateway)
grep -E '^CapEff:\s+0+400$' "/proc/$pid/status"
grep -E '^NoNewPrivs:\s+1$' "/proc/$pid/status"
grep -E '^Seccomp:\s+2$' "/proc/$pid/status"

# A newer package restarts what runs.
dpkg --install /pinion.deb
[ "$(systemctl show -P MainPID pinion-gateway)" != "$pid" ]
systemctl is-active pinion-registry pinion-gateway
systemctl stop pinion-gateway pinion-registry
[ "$(systemctl is-failed pinion-gateway pinion-registry | sort -u)" = inactive ]
trap - EXIT
echo well
systemctl poweroff

#!/usr/bin/env bash
# The story of the address book in real calls: two API versions behind one port, each consumer on the one it is pinned to.
#
#   ./dev demo           builds, then runs this; it goes on until Ctrl-C and prints the commands to try
#   ./dev demo --once    ends by itself: exit 0 only if every step was seen to work
#
# Every answer is checked. What is started here is ended here, by process id; all files are in a folder of its own under /tmp.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

once=
case "${1:-}" in
  '') ;;
  --once) once=1 ;;
  *) echo "usage: demo.sh [--once]" >&2; exit 2 ;;
esac

build=${PINION_BUILD:-build/release}
pinion=$build/pinion
programs=$build/examples/addressbook
for program in $pinion $programs/addressbook_{v1,v2,v2_1,client,migrate,pages}; do
  [ -x "$program" ] || { echo "demo: $program is not built; run ./dev demo" >&2; exit 1; }
done

. examples/addressbook/demo_steps.sh
work=$(mktemp -d /tmp/pinion-demo.XXXXXX)
trap clean_up EXIT
trap 'echo; exit 130' INT
trap 'exit 143' TERM
db=$work/addressbook.db
pages=$work/static
export PINION_REGISTRY=unix:$work/registry.sock PINION_ACTOR=demo

# calls CONSUMER SCHEMA METHOD…: a consumer's call through the gateway. Its code was written against one schema.
calls() {
  local consumer=$1 schema=$2; shift 2
  echo "$programs/addressbook_client --target $gateway --consumer $consumer --schema $schema $*"
}

chapter "1. Version 1.0.0 is in production"
say "The address book's own database, and pinion: registry and gateway in one process, on an embedded database."
run "$programs/addressbook_migrate create --db $db" "0 contacts; not expanded"
cat >"$work/pinion.yaml" <<YAML
node: {id: demo, cluster: demo}
listeners:
- name: ingress
  address: {socket_address: {address: 127.0.0.1, port_value: 0}}
  consumer_identity: {trusted_header: {name: api-consumer, trusted_peers: [127.0.0.0/8]}}
gateway: {workers: 1, report_interval: 0.5s}  # what calls use; usually every 30 s
registry:
  address: {pipe: {path: $work/registry.sock}}
  store: {sqlite: {path: $work/registry.db}}
  rollback_window: 0s  # nobody here wants three days to change their mind
  usage_window: 0s     # nor to be seen to call no more
YAML
start pinion "$pinion serve --config $work/pinion.yaml"
announced pinion 'listening name=ingress address=(.*)'
gateway=$answer
say "The gateway listens on $gateway."

say "The registry knows the database as a service of its own, whose versions are the steps that its schema goes through."
run "$pinion service create db/people --kind database"
run "$pinion version publish db/people 1"
run "$pinion version activate db/people 1"

say "The owners of the address book publish 1.0.0, which needs the column 'address', and start a server, which registers itself under a lease."
say "Calls go to a server only once it is seen to serve, and to have the schema that was published."
run "$pinion service create addressbook --verify enforce"
run "$pinion version publish addressbook 1.0.0 --descriptor-set $programs/v1.binpb --requires 'db/people <3'"
cp -r examples/addressbook/static "$pages"
run "$programs/addressbook_pages 1.0.0 --static-root $pages"
start v1 "$programs/addressbook_v1 --db $db --registry $PINION_REGISTRY --static-root $pages"
announced v1 'pages on (http://[^ ]*)'
site=$answer
announced v1 'registered as (.*)'
follows "$pinion instance list addressbook" ready

say "billing and shipping are written against 1.0.0 and say so, once: with a pin."
for consumer in billing shipping; do
  run "$pinion consumer add $consumer"
  run "$pinion pin set $consumer addressbook '^1'"
done
follows "$(calls billing 1 put id=ada "name='Ada Lovelace'" "address='12 St James Square\nLondon'")" \
  "api-version: 1.0.0" '"address":"12 St James Square\nLondon"'

chapter "2. Version 2.0.0 goes beside it, and moves nobody"
say "In 2.0.0 an address is two lines. It needs step 2 of the database, which has both, and should not be deployed before."
run "$pinion version publish db/people 2"
run "$pinion version publish addressbook 2.0.0 --descriptor-set $programs/v2.binpb --requires 'db/people 2'"
refused "$pinion can-deploy addressbook 2.0.0" "db/people 2: nothing active matches; published: 2" "pinion version activate db/people 2"
say "The database is expanded while 1.0.0 runs: two more columns, null in every row."
run "$programs/addressbook_migrate expand --db $db" "1 contacts; expanded; 0 with address lines"
run "$pinion version activate db/people 2"
run "$pinion can-deploy addressbook 2.0.0" "can be deployed"
start v2 "$programs/addressbook_v2 --db $db --registry $PINION_REGISTRY"
announced v2 'registered as (.*)'
follows "$pinion instance list addressbook 2.0.0" ready
follows "$(calls shipping 1 get id=ada)" "api-version: 1.0.0" '"address":"12 St James Square\nLondon"'

say "shipping has its new code ready and bumps its pin: one command. Its next call follows."
run "$pinion pin set shipping addressbook '^2'"
follows "$(calls shipping 2 get id=ada)" \
  "api-version: 2.0.0" '"address_line1":"12 St James Square"' '"address_line2":"London"'
say "billing calls the same method through the same port, and nothing has changed for it."
follows "$(calls billing 1 get id=ada)" "api-version: 1.0.0" '"address":"12 St James Square\nLondon"'

say "What either writes, the other sees, each in its own words."
follows "$(calls shipping 2 put id=ada "name='Ada Lovelace'" "address_line1='10 Dorset Street'" "address_line2=Marylebone")" \
  "api-version: 2.0.0"
follows "$(calls billing 1 get id=ada)" "api-version: 1.0.0" '"address":"10 Dorset Street\nMarylebone"'
follows "$(calls billing 1 put id=ada "name='Ada Lovelace'" "address='Ockham Park\nSurrey'")"
follows "$(calls shipping 2 get id=ada)" "api-version: 2.0.0" '"address_line1":"Ockham Park"' '"address_line2":"Surrey"'

chapter "3. shipping goes back, and forwards again"
say "Something is wrong with shipping's new code. It goes back to the old code and the old pin: one command."
run "$pinion pin rollback shipping addressbook"
follows "$(calls shipping 1 get id=ada)" "api-version: 1.0.0" '"address":"Ockham Park\nSurrey"'
say "Mended, and forwards again."
run "$pinion pin set shipping addressbook '^2'"
follows "$(calls shipping 2 get id=ada)" "api-version: 2.0.0" '"address_line1":"Ockham Park"'
run "$pinion pin history shipping addressbook" "^1" "^2"

chapter "4. A call that cannot be right is told why"
say "A version that does not exist:"
refused "$(calls billing 1 --api-version 9.9.9 get id=ada)" \
  UNIMPLEMENTED "reason: VERSION_NOT_FOUND (domain pinion)" "asked: 9.9.9" "available:" 1.0.0 2.0.0
say "A method that billing's version does not have:"
refused "$(calls billing 2 import id=bob name=Bob)" UNIMPLEMENTED "reason: METHOD_NOT_IN_VERSION" 2.0.0
say "The same decisions, step by step, without a call:"
run "$pinion explain --consumer billing --method /acme.AddressBook/Get" '^1' 1.0.0

chapter "5. The whole service goes back, and loses nothing"
say "2.0.0 itself has a mistake. shipping moves back first, then its server is ended; the server gives up its registration."
run "$pinion pin rollback shipping addressbook"
follows "$(calls shipping 1 get id=ada)" "api-version: 1.0.0" '"address":"Ockham Park\nSurrey"'
stop v2
run "$pinion instance list addressbook" 1.0.0
follows "$(calls billing 1 put id=bob name=Bob "address='1 Elm Street\nYork'")" "api-version: 1.0.0"
say "Mended and redeployed. Its columns are set to null first, so that it takes every address from what 1.0.0 knows."
run "$programs/addressbook_migrate reset --db $db" "2 contacts; expanded; 0 with address lines"
start v2 "$programs/addressbook_v2 --db $db --registry $PINION_REGISTRY"
announced v2 'registered as (.*)'
run "$pinion pin set shipping addressbook '^2'"
follows "$(calls shipping 2 list)" \
  "api-version: 2.0.0" '"address_line1":"Ockham Park","address_line2":"Surrey"' '"address_line1":"1 Elm Street","address_line2":"York"'

chapter "6. Pages go the same way"
say "Each version's pages have a folder of their own that is never touched again; a pointer says which of them visitors get."
run "curl -sSL $site | grep title" "Address book 1.0.0"
run "$programs/addressbook_pages 2.0.0 --static-root $pages"
run "curl -sSL $site | grep title" "Address book 2.0.0"
run "$programs/addressbook_pages 1.0.0 --static-root $pages"
run "curl -sSL $site | grep title" "Address book 1.0.0"
run "curl -sS ${site}2.0.0/ | grep title" "Address book 2.0.0"

chapter "7. The old column cannot go while a version needs it"
say "In step 3 of the database 'address' is gone. It says what it ends, and two versions stand against it:"
run "$pinion version publish db/people 3 --ends '<3'"
refused "$pinion can-deploy db/people 3" "it ends 1, 2" \
  "addressbook 1.0.0 requires db/people <3" "addressbook 2.0.0 requires db/people 2"
refused "$pinion version activate db/people 3" "cannot be activated yet: 2 requirements"

# Ends 1.0.0 and 2.0.0, which nobody could try out afterwards.
contract() {
  chapter "8. It goes once they are retired"
  say "2.1.0 has the API of 2.0.0 and can do without the column. shipping's ^2 means it as soon as it runs."
  run "$pinion version publish addressbook 2.1.0 --descriptor-set $programs/v2.binpb --requires 'db/people >=2'"
  run "$pinion can-deploy addressbook 2.1.0" "db/people >=2: satisfied by 2"
  start v2_1 "$programs/addressbook_v2_1 --db $db --registry $PINION_REGISTRY"
  announced v2_1 'registered as (.*)'
  follows "$(calls shipping 2 get id=ada)" "api-version: 2.1.0" '"address_line1":"Ockham Park"'
  say "Months later billing has moved as well. The old versions are deprecated, their servers ended, and both are retired."
  run "$pinion pin set billing addressbook '^2'"
  follows "$(calls billing 2 get id=bob)" "api-version: 2.1.0" '"address_line1":"1 Elm Street"'
  run "$pinion channel set addressbook stable 2.1.0"
  local version
  for version in 1.0.0 2.0.0; do run "$pinion version deprecate addressbook $version --successor 2.1.0"; done
  stop v1
  stop v2
  for version in 1.0.0 2.0.0; do
    follows "$pinion can-retire addressbook $version" "addressbook $version can be retired"
    run "$pinion version retire addressbook $version"
  done
  say "Now the step is allowed. First it is activated, so that nothing can come to need the column; then the column goes."
  run "$pinion can-deploy db/people 3" "db/people 3 can be deployed" "it ends 1, 2"
  run "$pinion version activate db/people 3" "ended: db/people 1 is retired" "ended: db/people 2 is retired"
  run "$programs/addressbook_migrate contract --db $db" "2 contacts; contracted"
  follows "$(calls billing 2 get id=bob)" "api-version: 2.1.0" '"address_line1":"1 Elm Street","address_line2":"York"'
  follows "$(calls shipping 2 put id=cid name=Cid "address_line1='2 Oak Street'")" "api-version: 2.1.0"
  refused "$programs/addressbook_v1 --db $db" "the database is contracted"
}
[ -z "$once" ] || contract

chapter "Every step was seen to work"
say "Who did what is on record:"
run "$pinion audit log" pin.set pin.rollback demo
[ -z "$once" ] || exit 0

chapter "Your turn: everything runs on until Ctrl-C. In another terminal:"
cat <<TRY

  cd $PWD
  export PINION_REGISTRY=$PINION_REGISTRY

  # each consumer calls its own version
  $(calls billing 1 get id=ada)
  $(calls shipping 2 get id=ada)
  $(calls shipping 2 list)

  # move a pin and go back; the next call follows
  $pinion pin set billing addressbook '^2'
  $(calls billing 2 get id=ada)
  $pinion pin rollback billing addressbook

  # ask for something else, for one call
  $(calls billing 2 --api-version 2.0.0 get id=ada)
  $(calls billing 1 --api-version "'^7'" get id=ada)

  # look
  $pinion status
  $pinion version list addressbook
  $pinion pin list
  $pinion usage addressbook
  $pinion explain --consumer shipping --method /acme.AddressBook/Get
  $pinion can-deploy db/people 3     # what stands against it; ./dev demo --once shows how it goes away

  # the database and the pages
  $programs/addressbook_migrate status --db $db
  $programs/addressbook_pages 2.0.0 --static-root $pages
  curl -sSL $site

TRY
watch_over

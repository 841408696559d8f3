// What keeps a registration going, and what ends it.
const assert = require('node:assert');
const {test} = require('node:test');

const grpc = require('@grpc/grpc-js');
const {Refusal, serve} = require('..');
const {Registration} = require('../dist/registration');

const {OK, DEADLINE_EXCEEDED, UNAVAILABLE, NOT_FOUND, PERMISSION_DENIED, ALREADY_EXISTS} = grpc.status;

// Of a call that is not answered.
const HANGS = 'hangs';

// A registry's client that answers each call with the next of its codes, then with none.
function scripted(codes) {
  const left = [...codes];
  const script = {calls: [], over: new AbortController()};
  const answer = (name, response) => (request, metadata, options, callback) => {
    script.calls.push(name);
    if (left.length === 0) script.over.abort();
    const code = left.shift() ?? OK;
    if (code === HANGS) setTimeout(() => callback({code: DEADLINE_EXCEEDED, details: 'late'}), options.deadline - Date.now());
    else setImmediate(() => (code === OK ? callback(null, response) : callback({code, details: `as written, at ${script.calls.length}`})));
  };
  script.client = {
    PublishVersion: answer('publish', {}), RegisterInstance: answer('register', {instance: {instance: {uid: 'one'}}}),
    RenewInstance: answer('renew', {}), DeregisterInstance: answer('deregister', {}), close: () => {},
  };
  return script;
}

const SERVER = {service: 'echo', version: '1.0.0', address: '127.0.0.1:1', grpcServices: [], leaseSeconds: 0.003, log: () => {}};

for (const [name, codes, toPublish, want, ended] of [
  ['until the registry is there', [UNAVAILABLE, UNAVAILABLE], false, ['register', 'register', 'register']],
  ['not when it is refused at first', [UNAVAILABLE, PERMISSION_DENIED], false, ['register', 'register'], PERMISSION_DENIED],
  ['whatever is said later', [OK, UNAVAILABLE, PERMISSION_DENIED, OK], false, ['register', 'renew', 'renew', 'renew', 'renew']],
  ['anew after its lease was lost', [OK, NOT_FOUND, UNAVAILABLE, OK], false, ['register', 'renew', 'register', 'register', 'renew']],
  ['publishes until it is published', [UNAVAILABLE, OK, UNAVAILABLE], true, ['publish', 'publish', 'register', 'register']],
  ['not when what it publishes is refused', [ALREADY_EXISTS], true, ['publish'], ALREADY_EXISTS],
]) {
  test(`a registration goes on: ${name}`, async () => {
    const script = scripted(codes);
    const schema = {bytes: new Uint8Array(), grpcServices: []};
    const registration = new Registration(() => script.client, SERVER, toPublish ? schema : undefined);
    const kept = registration.keep(script.over.signal);
    if (ended) await assert.rejects(kept, {code: ended});
    else await kept;
    await registration.end();
    assert.deepStrictEqual(script.calls.slice(0, want.length), want);
  });
}

test('two renewals may hang, each on a connection of its own', async () => {
  const script = scripted([OK, HANGS, HANGS]);
  let connected = 0;
  const connect = () => {
    connected += 1;
    return script.client;
  };
  const begun = performance.now();
  await new Registration(connect, {...SERVER, leaseSeconds: 3}).keep(script.over.signal);
  assert(performance.now() - begun < 3000);
  assert.strictEqual(connected, 3);
  assert.deepStrictEqual(script.calls, ['register', 'renew', 'renew', 'renew']);
});

test('an outage is one line, whatever numbers it tells', async () => {
  const script = scripted([UNAVAILABLE, UNAVAILABLE, UNAVAILABLE]);
  const lines = [];
  const registration = new Registration(() => script.client, {...SERVER, log: line => lines.push(line)});
  await registration.keep(script.over.signal);
  assert.deepStrictEqual(lines, ['the registry does not answer; trying again: as written, at 1', 'the registry has this server again, as one']);
});

test('what the callback throws ends it, whenever that is', async () => {
  const script = scripted([OK, NOT_FOUND]);
  const uids = [];
  const onRegistered = uid => {
    uids.push(uid);
    if (uids.length === 2) throw new Error('of the program');
  };
  await assert.rejects(new Registration(() => script.client, {...SERVER, onRegistered}).keep(script.over.signal), {message: 'of the program'});
});

test('a description that cannot be registered', async () => {
  const registry = {address: '127.0.0.1:1', credentials: grpc.credentials.createInsecure()};
  for (const [more, why] of [
    [{address: '0.0.0.0:1'}, /every address of this machine/],
    [{publish: true}, /none to publish/],
    [{descriptorSet: Buffer.from('no'), grpcServices: ['a.A']}, /descriptorSet/],
  ]) {
    const error = await serve(new grpc.Server(), registry, {...SERVER, ...more}).catch(thrown => thrown);
    assert.match(error.message, why);
    assert(!(error instanceof Refusal));
  }
});

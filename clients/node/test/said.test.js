// What is read from metadata, pins of a chain, and what servers say of themselves.
const assert = require('node:assert');
const {test} = require('node:test');

const {Metadata} = require('@grpc/grpc-js');
const protobuf = require('protobufjs');
const {formatPins, parsePins} = require('../dist/chain');
const {chain, interceptor, passOn, Refusal, response} = require('../dist');
const {parseAddress} = require('../dist/registration');
const {typed} = require('../dist/refusal');

function said(...fields) {
  const metadata = new Metadata();
  for (const [name, value] of fields) metadata.add(name, value);
  return metadata;
}

test('a notice', () => {
  const deprecated = new Date(1764000000_000);
  for (const [metadata, want] of [
    [said(), {version: ''}],
    [said(['api-version', '1.0.0'], ['sunset', 'Mon, 01 Mar 2027 00:00:00 GMT']), {version: '1.0.0'}],
    [said(['api-version', '1.0.0'], ['deprecation', '@1764000000'], ['sunset', 'Mon, 01 Mar 2027 00:00:00 GMT'],
      ['link', '<https://a.example>; rel="next"'], ['link', '<https://a.example/v2>; rel="successor-version"']),
    {version: '1.0.0', notice: {grpcService: 'a.A', version: '1.0.0', deprecated, sunset: new Date('2027-03-01T00:00:00Z'),
      link: 'https://a.example/v2'}}],
    [said(['api-version', '1.0.0'], ['deprecation', 'yes'], ['sunset', 'soon']),
      {version: '1.0.0', notice: {grpcService: 'a.A', version: '1.0.0', deprecated: undefined, sunset: undefined, link: undefined}}],
  ]) assert.deepStrictEqual(response(metadata, 'a.A'), want);
});

const SCHEMA = protobuf.parse(`syntax = "proto3";
  message Any { string type_url = 1; bytes value = 2; }
  message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
  message Info { string reason = 1; string domain = 2; map<string, string> metadata = 3; }
  message Link { string description = 1; string url = 2; }
  message Help { repeated Link links = 1; }`, {keepCase: true}).root;
const encoded = (name, value) => SCHEMA.lookupType(name).encode(value).finish();

function refused(domain) {
  const metadata = {service: 'people', asked: '^3', available: '2.0.0, 1.0.0', more: 'x'};
  const details = [
    {type_url: 'type.googleapis.com/google.rpc.ErrorInfo', value: encoded('Info', {reason: 'VERSION_NOT_FOUND', domain, metadata})},
    {type_url: 'type.googleapis.com/google.rpc.Help', value: encoded('Help', {links: [{url: 'https://a.example/help'}]})},
  ];
  return {code: 12, details: 'no such version',
    metadata: said(['grpc-status-details-bin', Buffer.from(encoded('Status', {code: 12, details}))])};
}

test('a refusal', () => {
  const error = Object.assign(new Error('12 UNIMPLEMENTED: no such version'), typed(refused('pinion')));
  assert(error instanceof Refusal);
  const {code, reason, service, asked, available, help, variables} = error;
  assert.deepStrictEqual({code, reason, service, asked, available, help, more: variables.more}, {code: 12, reason: 'VERSION_NOT_FOUND',
    service: 'people', asked: '^3', available: ['2.0.0', '1.0.0'], help: 'https://a.example/help', more: 'x'});
});

test('what is no refusal stays what it is', () => {
  for (const status of [{code: 5, details: ''}, {code: 5, details: '', metadata: said()}, refused('another.example'),
    {code: 5, details: '', metadata: said(['grpc-status-details-bin', Buffer.from([0xff])])}]) {
    assert.strictEqual(typed(status), status);
  }
  for (const other of [undefined, null, 'x', new Error('x')]) assert(!(other instanceof Refusal));
});

test('pins of a chain', () => {
  const text = 'a.A=>=1 <2 || 3, b.B=@stable';
  assert.deepStrictEqual(parsePins(text), {'a.A': '>=1 <2 || 3', 'b.B': '@stable'});
  assert.strictEqual(formatPins(parsePins(text)), text);
  for (const malformed of ['', 'a.A', 'a.A=', '=^1', 'a.A=^1,', 'x'.repeat(4097)]) assert.throws(() => parsePins(malformed));
  assert.deepStrictEqual(passOn(chain({'a.A': '^1'})).getMap(), {'api-version-context': 'a.A=^1'});
  assert.deepStrictEqual(passOn(new Metadata()).getMap(), {});
  assert.throws(() => passOn(said(['api-version-context', 'a.A'])), {code: 3});
});

// What a call sends, with these options and metadata.
function sent(options, metadata) {
  let got;
  const next = () => ({start: started => { got = started; }});
  interceptor(options)({method_definition: {path: '/acme.People/Get'}}, next).start(metadata, {});
  return got.get('api-version');
}

test('the pin of a call', () => {
  const pins = {'acme.People': '^2'};
  const chained = chain({'acme.People': '^3'});
  for (const [want, options, metadata] of [
    [[], {}, said()],
    [['^1'], {defaultPin: '^1'}, said()],
    [['^2'], {defaultPin: '^1', pins}, said()],
    [[], {pins: {'acme.X': '^2'}}, said()],
    [['^3'], {pins, passOn: true}, chained],
    [['^2'], {pins}, chained],
    [['^4'], {pins, passOn: true}, said(['api-version', '^4'], ['api-version-context', 'acme.People=^3'])],
  ]) assert.deepStrictEqual(sent(options, metadata), want);
  assert.deepStrictEqual(chained.get('api-version'), [], 'the caller\'s own metadata was changed');
});

test('addresses', () => {
  assert.deepStrictEqual(parseAddress('[::1]:1'), {socket_address: {address: '::1', port_value: 1}});
  assert.deepStrictEqual(parseAddress('people.corp:443'), {socket_address: {address: 'people.corp', port_value: 443}});
  assert.deepStrictEqual(parseAddress('unix:/run/people'), {pipe: {path: '/run/people'}});
  for (const bad of ['', 'host', ':50051', '0.0.0.0:50051', '[::]:50051', 'host:http']) assert.throws(() => parseAddress(bad), bad);
});

// The client of gRPC's interoperability tests on @grpc/grpc-js, which packages none.
//
//     node client.js --proto FILE --port PORT [--metadata NAME:VALUE] [--ca FILE]
//
// Runs every case against 127.0.0.1:PORT and prints `PASS name` or `FAIL name: why` for each. With --ca over TLS, trusting it.
'use strict';

const fs = require('node:fs');
const { once } = require('node:events');
const { parseArgs } = require('node:util');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const REQUEST_BYTES = 271828;
const RESPONSE_BYTES = 314159;
const REQUEST_SIZES = [27182, 8, 1828, 45904];
const RESPONSE_SIZES = [31415, 9, 2653, 58979];
const INITIAL = ['x-grpc-test-echo-initial', 'test_initial_metadata_value'];
const TRAILING = ['x-grpc-test-echo-trailing-bin', Buffer.from([0xab, 0xab, 0xab])];
const STATUS_MESSAGE = 'test status message';
const SPECIAL_MESSAGE = '\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \u{1f608}\t\n';
const CALL_MILLISECONDS = 20000;
const CASE_MILLISECONDS = 40000;
const SOAK_CALLS = 20;
const CONCURRENT_CALLS = 100;

const { values: options } = parseArgs({
  options: { proto: { type: 'string' }, port: { type: 'string' }, metadata: { type: 'string' }, ca: { type: 'string' } },
});
const testing = grpc.loadPackageDefinition(loader.loadSync(options.proto, { keepCase: true })).grpc.testing;

function connect(Service = testing.TestService) {
  const target = `127.0.0.1:${options.port}`;
  const channel = { 'grpc.use_local_subchannel_pool': 1, 'grpc.enable_http_proxy': 0 };
  if (!options.ca) return new Service(target, grpc.credentials.createInsecure(), channel);
  const trusted = grpc.credentials.createSsl(fs.readFileSync(options.ca));
  return new Service(target, trusted, { ...channel, 'grpc.ssl_target_name_override': 'localhost' });
}

function metadata(pairs = []) {
  const result = new grpc.Metadata();
  if (options.metadata) {
    const colon = options.metadata.indexOf(':');
    result.add(options.metadata.slice(0, colon), options.metadata.slice(colon + 1));
  }
  for (const [name, value] of pairs) result.add(name, value);
  return result;
}

const within = (milliseconds = CALL_MILLISECONDS) => ({ deadline: Date.now() + milliseconds });
const payload = (size) => ({ body: Buffer.alloc(size) });
const simple = () => ({ response_size: RESPONSE_BYTES, payload: payload(REQUEST_BYTES) });
const streamed = (size, sent, interval_us = 0) => ({ response_parameters: [{ size, interval_us }], payload: payload(sent) });

function expect(what, actual, wanted) {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(wanted)];
  if (a !== b) throw new Error(`${what}: ${String(a).slice(0, 100)} instead of ${String(b).slice(0, 100)}`);
}

// The answer to a unary call, with the metadata that came along.
function unary(client, method, request, pairs) {
  return new Promise((resolve, reject) => {
    const seen = {};
    const call = client[method](request, metadata(pairs), within(), (error, response) =>
      error ? reject(error) : setImmediate(() => resolve({ response, ...seen })));
    call.on('metadata', (initial) => { seen.initial = initial; });
    call.on('status', (status) => { seen.trailing = status.metadata; });
  });
}

// The answers of a stream, read one by one: next() is the next, or undefined at the end; it throws the error's status.
class Answers {
  constructor(call) {
    this.seen = {};
    call.on('metadata', (initial) => { this.seen.initial = initial; });
    call.on('status', (status) => { this.seen.trailing = status.metadata; });
    this.iterator = call[Symbol.asyncIterator]();
  }

  async next() {
    const { done, value } = await this.iterator.next();
    return done ? undefined : value;
  }

  async rest() {
    const all = [];
    for (let answer; (answer = await this.next()) !== undefined;) all.push(answer);
    return all;
  }
}

async function fails(promise, code, details) {
  let status = { code: grpc.status.OK };
  try { await promise; } catch (error) { status = error; }
  if (status.code === undefined) throw status;
  expect('status', status.code, code);
  if (details !== undefined) expect('message', status.details, details);
}

async function pingPong(client) {
  const call = client.FullDuplexCall(metadata(), within());
  const answers = new Answers(call);
  for (let i = 0; i < RESPONSE_SIZES.length; ++i) {
    call.write(streamed(RESPONSE_SIZES[i], REQUEST_SIZES[i]));
    expect('bytes', (await answers.next()).payload.body.length, RESPONSE_SIZES[i]);
  }
  call.end();
  expect('further answers', await answers.rest(), []);
}

async function largeUnary(client) {
  const { response } = await unary(client, 'UnaryCall', simple());
  expect('bytes', response.payload.body.length, RESPONSE_BYTES);
}

const cases = {
  async empty_unary(client) { expect('answer', (await unary(client, 'EmptyCall', {})).response, {}); },
  large_unary: largeUnary,
  async client_streaming(client) {
    const sum = await new Promise((resolve, reject) => {
      const call = client.StreamingInputCall(metadata(), within(), (error, response) =>
        error ? reject(error) : resolve(response.aggregated_payload_size));
      for (const size of REQUEST_SIZES) call.write({ payload: payload(size) });
      call.end();
    });
    expect('bytes', sum, REQUEST_SIZES.reduce((a, b) => a + b));
  },
  async server_streaming(client) {
    const request = { response_parameters: RESPONSE_SIZES.map((size) => ({ size })) };
    const answers = await new Answers(client.StreamingOutputCall(request, metadata(), within())).rest();
    expect('sizes', answers.map((answer) => answer.payload.body.length), RESPONSE_SIZES);
  },
  ping_pong: pingPong,
  async empty_stream(client) {
    const call = client.FullDuplexCall(metadata(), within());
    const answers = new Answers(call);
    call.end();
    expect('answers', await answers.rest(), []);
  },
  async timeout_on_sleeping_server(client) {
    const call = client.FullDuplexCall(metadata(), within(1));
    call.write(streamed(RESPONSE_SIZES[0], REQUEST_SIZES[0], 200000));
    await fails(new Answers(call).next(), grpc.status.DEADLINE_EXCEEDED);
  },
  async cancel_after_begin(client) {
    await fails(new Promise((resolve, reject) => {
      client.StreamingInputCall(metadata(), within(), (error) => error ? reject(error) : resolve()).cancel();
    }), grpc.status.CANCELLED);
  },
  async cancel_after_first_response(client) {
    const call = client.FullDuplexCall(metadata(), within());
    const answers = new Answers(call);
    call.write(streamed(RESPONSE_SIZES[0], REQUEST_SIZES[0]));
    await answers.next();
    call.cancel();
    await fails(answers.next(), grpc.status.CANCELLED);
  },
  async status_code_and_message(client) {
    const response_status = { code: grpc.status.UNKNOWN, message: STATUS_MESSAGE };
    await fails(unary(client, 'UnaryCall', { response_status }), grpc.status.UNKNOWN, STATUS_MESSAGE);
    const call = client.FullDuplexCall(metadata(), within());
    const answers = new Answers(call);
    call.write({ response_status });
    call.end();
    await fails(answers.rest(), grpc.status.UNKNOWN, STATUS_MESSAGE);
  },
  async special_status_message(client) {
    const response_status = { code: grpc.status.UNKNOWN, message: SPECIAL_MESSAGE };
    await fails(unary(client, 'UnaryCall', { response_status }), grpc.status.UNKNOWN, SPECIAL_MESSAGE);
  },
  async custom_metadata(client) {
    const check = ({ initial, trailing }) => {
      expect('initial', initial.get(INITIAL[0]), [INITIAL[1]]);
      expect('trailing', trailing.get(TRAILING[0]), [TRAILING[1]]);
    };
    check(await unary(client, 'UnaryCall', simple(), [INITIAL, TRAILING]));
    const call = client.FullDuplexCall(metadata([INITIAL, TRAILING]), within());
    const answers = new Answers(call);
    const status = once(call, 'status');
    call.write(streamed(RESPONSE_BYTES, REQUEST_BYTES));
    call.end();
    expect('answers', (await answers.rest()).length, 1);
    await status;
    check(answers.seen);
  },
  unimplemented_method: (client) => fails(unary(client, 'UnimplementedCall', {}), grpc.status.UNIMPLEMENTED),
  async unimplemented_service() {
    const client = connect(testing.UnimplementedService);
    try {
      await fails(unary(client, 'UnimplementedCall', {}), grpc.status.UNIMPLEMENTED);
    } finally {
      client.close();
    }
  },
  async rpc_soak(client) { for (let i = 0; i < SOAK_CALLS; ++i) await largeUnary(client); },
  async channel_soak() {
    for (let i = 0; i < SOAK_CALLS; ++i) {
      const client = connect();
      try { await largeUnary(client); } finally { client.close(); }
    }
  },
  concurrent_unary: (client) => Promise.all(Array.from({ length: CONCURRENT_CALLS }, () => largeUnary(client))),
  concurrent_streams: (client) => Promise.all(Array.from({ length: CONCURRENT_CALLS }, () => pingPong(client))),
};

async function main() {
  let failed = 0;
  for (const [name, run] of Object.entries(cases)) {
    const client = connect();
    let timer;
    const limit = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error('no end')), CASE_MILLISECONDS); });
    try {
      await Promise.race([run(client), limit]);
      console.log(`PASS ${name}`);
    } catch (error) {
      ++failed;
      console.log(`FAIL ${name}: ${String(error.details || error.message).replace(/\s+/g, ' ').slice(0, 220)}`);
    }
    clearTimeout(timer);
    client.close();
  }
  process.exit(failed ? 1 : 0);
}

main();

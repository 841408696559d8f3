// The server of gRPC's interoperability tests on @grpc/grpc-js, which packages none.
//
//     node server.js --proto FILE
//
// Listens on a free port of 127.0.0.1 until it is ended.
'use strict';

const { setTimeout: sleep } = require('node:timers/promises');
const { parseArgs } = require('node:util');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const INITIAL_KEY = 'x-grpc-test-echo-initial';
const TRAILING_KEY = 'x-grpc-test-echo-trailing-bin';

const { values: options } = parseArgs({ options: { proto: { type: 'string' } } });
const testing = grpc.loadPackageDefinition(loader.loadSync(options.proto, { keepCase: true, defaults: true })).grpc.testing;

const payload = (size) => ({ body: Buffer.alloc(size) });

function copy(metadata, key) {
  const result = new grpc.Metadata();
  for (const value of metadata.get(key)) result.add(key, value);
  return result;
}

// Both kinds of custom metadata come back where the tests expect them: at once, and in what this returns.
function echoMetadata(call) {
  call.sendMetadata(copy(call.metadata, INITIAL_KEY));
  return copy(call.metadata, TRAILING_KEY);
}

// The status that a request wants instead of an answer, or undefined.
function wantedStatus(request, metadata) {
  const status = request.response_status;
  return status && status.code ? { code: status.code, details: status.message, metadata } : undefined;
}

// Writes what one request of a stream asks for; throws the status that it wants.
async function answer(call, request, metadata) {
  const status = wantedStatus(request, metadata);
  if (status) throw status;
  for (const { size, interval_us } of request.response_parameters) {
    if (interval_us) await sleep(interval_us / 1000);
    if (call.cancelled) return;
    call.write({ payload: payload(size) });
  }
}

// Handles the requests of a stream one after the other; done when all are. (An async iterator would close the stream both ways.)
function forEachRequest(call, handle) {
  return new Promise((resolve, reject) => {
    let work = Promise.resolve();
    call.on('data', (request) => {
      work = work.then(() => handle(request));
      work.catch(reject);
    });
    call.on('end', () => work.then(resolve, reject));
  });
}

// Ends the call when `work` has: with its trailing metadata, or with the status that it threw.
function settle(call, metadata, work) {
  work.then(() => call.end(metadata), (status) => call.emit('error', status));
}

function unary(makeResponse) {
  return (call, callback) => {
    const metadata = echoMetadata(call);
    callback(wantedStatus(call.request, metadata) || null, makeResponse(call.request), metadata);
  };
}

const service = {
  EmptyCall: unary(() => ({})),
  UnaryCall: unary((request) => ({ payload: payload(request.response_size) })),
  StreamingOutputCall(call) {
    const metadata = echoMetadata(call);
    settle(call, metadata, answer(call, call.request, metadata));
  },
  StreamingInputCall(call, callback) {
    const metadata = echoMetadata(call);
    let sum = 0;
    call.on('data', (request) => { sum += request.payload.body.length; });
    call.on('end', () => callback(null, { aggregated_payload_size: sum }, metadata));
  },
  FullDuplexCall(call) {
    const metadata = echoMetadata(call);
    settle(call, metadata, forEachRequest(call, (request) => answer(call, request, metadata)));
  },
  HalfDuplexCall(call) {
    const metadata = echoMetadata(call);
    const requests = [];
    settle(call, metadata, forEachRequest(call, (request) => requests.push(request)).then(async () => {
      for (const request of requests) await answer(call, request, metadata);
    }));
  },
};

const server = new grpc.Server({ 'grpc.max_receive_message_length': -1 });
server.addService(testing.TestService.service, service);
server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  console.log(`listening on ${port}`);
});
process.on('SIGTERM', () => server.tryShutdown(() => process.exit(0)));

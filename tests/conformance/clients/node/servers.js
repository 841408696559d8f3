// Servers that publish and register themselves.
const {readFileSync} = require('node:fs');
const {promisify} = require('node:util');

const grpc = require('@grpc/grpc-js');
const health = require('grpc-health-check');
const loader = require('@grpc/proto-loader');
const pinion = require('pinion-grpc');
const {ECHO, Echo, MILLISECONDS, credentialsOf, errorAnswer} = require('./calls');

const servers = new Map();

// Says what came, and the same through the next gateway.
async function say(version, call) {
  const received = Object.fromEntries(Object.keys(call.metadata.getMap()).map(name => [name, call.metadata.get(name).join(', ')]));
  const passedOn = pinion.passOn(call.metadata);
  const [next, ...rest] = call.request.through;
  if (!next) return {version, received};
  const client = new Echo(next, grpc.credentials.createInsecure(), {interceptors: [pinion.interceptor({passOn: true})]});
  try {
    const through = await promisify(client.Say.bind(client))({through: rest}, passedOn);
    return {version, received, through};
  } finally {
    client.close();
  }
}

function handlers(version) {
  const unary = (call, callback) => say(version, call).then(reply => callback(null, reply), callback);
  const repeat = call => say(version, call).then(reply => {
    call.write(reply);
    call.write(reply);
    call.end();
  }, error => call.emit('error', error));
  return {Say: unary, Later: unary, Repeat: repeat};
}

// The next registration, or the end.
function next(server) {
  return new Promise(resolve => {
    if (server.events.length > 0) resolve(server.events.shift());
    else server.waiting = resolve;
  });
}

function tell(server, event) {
  if (server.waiting) server.waiting(event);
  else server.events.push(event);
  server.waiting = undefined;
}

async function serve({as, version, registry, publish, lease_seconds: leaseSeconds, ...shown}) {
  const program = new grpc.Server();
  program.addService(Echo.service, handlers(version));
  const port = await promisify(program.bindAsync.bind(program))('127.0.0.1:0', grpc.ServerCredentials.createInsecure());
  const server = {events: [], address: `127.0.0.1:${port}`, stop: new AbortController()};
  servers.set(as, server);
  pinion.serve(program, {address: registry, credentials: credentialsOf(shown)}, {
    service: 'echo', version, address: server.address, grpcServices: [ECHO], leaseSeconds, actor: 'driver',
    descriptorSet: readFileSync(process.env.ECHO_SCHEMA), publish,
    onRegistered: uid => tell(server, {uid, address: server.address}),
  }, server.stop.signal).then(() => tell(server, {}), error => tell(server, {error: errorAnswer(error)}));
  return next(server);
}

const again = ({as}) => next(servers.get(as));

function end({as}) {
  servers.get(as).stop.abort();
  return next(servers.get(as));
}

function healthOf({as}) {
  const {Health} = grpc.loadPackageDefinition(loader.loadSync(health.protoPath, {enums: String})).grpc.health.v1;
  const client = new Health(servers.get(as).address, grpc.credentials.createInsecure());
  return promisify(client.check.bind(client))({service: ECHO}, {deadline: Date.now() + MILLISECONDS}).finally(() => client.close());
}

module.exports = {verbs: {serve, again, end, health: healthOf}};

// A greeter that keeps itself registered as one version of the service `greeter`, until SIGTERM or Ctrl-C.
const {readFileSync} = require('node:fs');
const {parseArgs, promisify} = require('node:util');

const grpc = require('@grpc/grpc-js');
const pinion = require('pinion-grpc');
const {Greeter, NAME, schema} = require('./greeter');

// Over TLS and with a token where the registry asks who calls.
function credentials({'tls-ca': ca, 'token-file': tokenFile}) {
  if (!ca && tokenFile) throw new Error('a token is only sent over TLS: --token-file needs --tls-ca');
  if (!ca) return grpc.credentials.createInsecure();
  const tls = grpc.credentials.createSsl(readFileSync(ca));
  return tokenFile ? grpc.credentials.combineChannelCredentials(tls, pinion.tokenFile(tokenFile)) : tls;
}

async function main() {
  const {values} = parseArgs({options: {
    registry: {type: 'string', default: '127.0.0.1:8081'}, // HOST:PORT or unix:PATH
    version: {type: 'string', default: '1.0.0'}, // the API version that this server serves
    'tls-ca': {type: 'string'}, // who signs the registry's certificate; none: without TLS
    'token-file': {type: 'string'}, // what the registry is shown
  }});
  const server = new grpc.Server();
  server.addService(Greeter.service, {
    greet: ({request}, callback) => callback(null, {text: `hello ${request.name}, says ${values.version}`}),
  });
  const port = await promisify(server.bindAsync.bind(server))('127.0.0.1:0', grpc.ServerCredentials.createInsecure());
  await pinion.serve(server, {address: values.registry, credentials: credentials(values)}, {
    service: 'greeter',
    version: values.version,
    address: `127.0.0.1:${port}`,
    grpcServices: [NAME],
    descriptorSet: schema,
    publish: true,
    actor: 'greeter-sample',
    onRegistered: uid => console.log(`registered as ${uid}`),
  });
}

main().catch(error => {
  console.error(error.message);
  process.exitCode = 1;
});

// Greets through a gateway, asking for the version that it was written against.
const {parseArgs} = require('node:util');

const grpc = require('@grpc/grpc-js');
const pinion = require('pinion-grpc');
const {Greeter, NAME} = require('./greeter');

const {values} = parseArgs({options: {
  gateway: {type: 'string', default: '127.0.0.1:8080'}, // where calls go
  pin: {type: 'string', default: '^1'}, // the version that this program was written against
}});
const client = new Greeter(values.gateway, grpc.credentials.createInsecure(),
  {interceptors: [pinion.interceptor({pins: {[NAME]: values.pin}})]});

let version = '';
const call = client.greet({name: 'ada'}, {deadline: Date.now() + 10_000}, (error, reply) => {
  if (error instanceof pinion.Refusal) {
    console.error(`refused, ${error.reason}: ${error.details}`);
    process.exitCode = 1;
  } else if (error) {
    console.error(error.message);
    process.exitCode = 1;
  } else {
    console.log(`${reply.text} (api-version: ${version})`);
  }
  client.close();
});
call.on('metadata', metadata => { version = pinion.response(metadata).version; });

// The API of the sample, from the schema that `npm install` has made of greeter.proto.
const {readFileSync} = require('node:fs');
const path = require('node:path');

const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const schema = readFileSync(path.join(__dirname, 'greeter.binpb'));
const {Greeter} = grpc.loadPackageDefinition(loader.loadFileDescriptorSetFromBuffer(schema)).pinion.sample.v1;

module.exports = {Greeter, NAME: 'pinion.sample.v1.Greeter', schema};

// What a server shows of its schema.
const assert = require('node:assert');
const {test} = require('node:test');

const grpc = require('@grpc/grpc-js');
const {FileDescriptorProto, FileDescriptorSet} = require('protobufjs/ext/descriptor');
const {addReflection} = require('../dist/reflection');
const {reflectionMethod} = require('../dist/protos');
const {Schema} = require('../dist/schema');

const PEOPLE = {name: 'people.proto', package: 'acme', dependency: ['person.proto'],
  service: [{name: 'People', method: [{name: 'Get', inputType: '.acme.Person', outputType: '.acme.Person'}]}]};
const PERSON = {name: 'person.proto', package: 'acme', dependency: ['note.proto'],
  messageType: [{name: 'Person', field: [{name: 'name', number: 1}], nestedType: [{name: 'Pet'}], enumType: [{name: 'Kind'}],
    extensionRange: [{start: 100, end: 200}]}]};
const NOTE = {name: 'note.proto', messageType: [{name: 'Note'}], extension: [{name: 'more', number: 100, extendee: '.acme.Person'}]};

const setOf = (...file) => FileDescriptorSet.encode({file}).finish();
const names = found => found?.map(bytes => FileDescriptorProto.decode(bytes).name);

test('what declares a name comes with all that it imports', () => {
  const schema = new Schema(setOf(NOTE, PERSON, PEOPLE), ['acme.People']);
  for (const [name, want] of [
    ['acme.People', ['people.proto', 'person.proto', 'note.proto']],
    ['acme.People.Get', ['people.proto', 'person.proto', 'note.proto']],
    ['acme.Person', ['person.proto', 'note.proto']],
    ['acme.Person.name', ['person.proto', 'note.proto']],
    ['acme.Person.Pet', ['person.proto', 'note.proto']],
    ['acme.Person.Kind', ['person.proto', 'note.proto']],
    ['Note', ['note.proto']],
    ['more', ['note.proto']],
    ['acme.Nobody', undefined],
  ]) assert.deepStrictEqual(names(schema.declaring(name)), want, name);
  assert.deepStrictEqual(names(schema.file('note.proto')), ['note.proto']);
  assert.deepStrictEqual(names(schema.extension('acme.Person', 100)), ['note.proto']);
  assert.strictEqual(schema.extension('acme.Person', 101), undefined);
  assert.deepStrictEqual(schema.extensionsOf('acme.Person'), [100]);
  assert.deepStrictEqual(schema.extensionsOf('Note'), []);
  assert.strictEqual(schema.extensionsOf('acme.Nobody'), undefined);
});

test('files keep what nobody here knows', () => {
  const unknown = Buffer.from([0x8a, 0xb5, 0x18, 1, 0x78]); // field 50001, "x"
  const file = Buffer.concat([FileDescriptorProto.encode({...PEOPLE, dependency: []}).finish(), unknown]);
  const schema = new Schema(Buffer.concat([Buffer.from([0x0a, file.length]), file]), ['acme.People']);
  assert.deepStrictEqual(Buffer.from(schema.file('people.proto')[0]), file);
});

test('a set that does not do says why', () => {
  for (const [bytes, services, why] of [
    [setOf(PERSON, PEOPLE), ['acme.People'], /person.proto imports note.proto, which is not there; .*--include_imports/],
    [setOf(NOTE, PERSON, PEOPLE), ['acme.Person'], /no service acme.Person; it has acme.People$/],
    [setOf(NOTE), ['acme.People'], /it has none at all/],
    [Buffer.from('syntax = "proto3";'), [], /is no FileDescriptorSet, as protoc writes it/],
  ]) assert.throws(() => new Schema(bytes, services), {message: why});
});

test('reflection, v1 and v1alpha', async () => {
  const schema = new Schema(setOf(NOTE, PERSON, PEOPLE), ['acme.People']);
  const server = new grpc.Server();
  addReflection(server, schema);
  const port = await new Promise((resolve, reject) => server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(),
    (error, bound) => (error ? reject(error) : resolve(bound))));
  const requests = [{list_services: '*'}, {file_by_filename: 'people.proto'}, {file_containing_symbol: 'acme.Nobody'},
    {file_containing_extension: {containing_type: 'acme.Person', extension_number: 100}}, {all_extension_numbers_of_type: 'acme.Person'}, {}];
  for (const version of ['v1', 'v1alpha']) {
    const Client = grpc.makeGenericClientConstructor({
      ask: {...reflectionMethod(), path: `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`}});
    const client = new Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
    const stream = client.ask({deadline: Date.now() + 10_000});
    for (const request of requests) stream.write(request);
    stream.end();
    const answers = [];
    for await (const response of stream) answers.push(response);
    client.close();
    assert.deepStrictEqual(answers.map(({message_response: kind}) => kind), ['list_services_response', 'file_descriptor_response',
      'error_response', 'file_descriptor_response', 'all_extension_numbers_response', 'error_response']);
    assert.deepStrictEqual(answers[0].list_services_response.service, [{name: 'acme.People'}]);
    assert.deepStrictEqual(names(answers[1].file_descriptor_response.file_descriptor_proto), ['people.proto', 'person.proto', 'note.proto']);
    assert.strictEqual(answers[2].error_response.error_code, grpc.status.NOT_FOUND);
    assert.strictEqual(answers[2].original_request.file_containing_symbol, 'acme.Nobody');
    assert.deepStrictEqual(answers[4].all_extension_numbers_response.extension_number, [100]);
    assert.strictEqual(answers[5].error_response.error_code, grpc.status.UNIMPLEMENTED);
  }
  server.forceShutdown();
});

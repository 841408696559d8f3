// Connections and the calls on them.
const {readFileSync} = require('node:fs');
const path = require('node:path');

const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');
const pinion = require('pinion-grpc');

const MILLISECONDS = 10_000;
const ECHO = 'pinion.conformance.v1.Echo';
const PARTS = ['reason', 'service', 'version', 'consumer', 'asked', 'source', 'available', 'successor', 'help'];

const {Echo} = grpc.loadPackageDefinition(loader.loadSync(path.join(__dirname, '../echo.proto'), {keepCase: true, defaults: true}))
  .pinion.conformance.v1;
const connections = new Map();

function errorAnswer(error) {
  const said = {code: error.code, message: error.details};
  if (error instanceof pinion.Refusal) said.refusal = Object.fromEntries(PARTS.map(part => [part, error[part]]));
  return said;
}

function noticeAnswer(notice) {
  if (!notice) return null;
  const seconds = date => date && date.getTime() / 1000;
  return {service: notice.grpcService, version: notice.version, deprecated: seconds(notice.deprecated), sunset: seconds(notice.sunset),
    link: notice.link};
}

function replyAnswer({version, received, through}) {
  return {served_by: version, received, ...(through && {through: replyAnswer(through)})};
}

function credentialsOf({ca, api_key: apiKey, token, token_file: tokenFile, certificate, key}) {
  if (!ca) return grpc.credentials.createInsecure();
  const plain = grpc.credentials.createSsl(readFileSync(ca), ...(certificate ? [readFileSync(key), readFileSync(certificate)] : []));
  const ofCalls = apiKey ? pinion.apiKey(apiKey) : tokenFile ? pinion.tokenFile(tokenFile) : token && pinion.token(token);
  return ofCalls ? grpc.credentials.combineChannelCredentials(plain, ofCalls) : plain;
}

function dial(command) {
  const made = {notices: [], lines: 0, header: command.header ?? 'api-version'};
  made.client = new Echo(command.target, credentialsOf(command), {interceptors: [pinion.interceptor({
    pins: command.pins, defaultPin: command.default_pin, header: command.header, passOn: command.pass_on,
    onDeprecation: notice => made.notices.push(noticeAnswer(notice)),
    log: () => { made.lines += 1; },
  })]});
  connections.set(command.as, made);
  return {};
}

function metadataOf({chain, metadata = {}, pin}, header) {
  const sent = chain ? pinion.chain(chain) : new grpc.Metadata();
  for (const [name, value] of Object.entries(metadata)) sent.set(name, value);
  if (pin) {
    sent.remove(header);
    sent.merge(pinion.pin(pin, header));
  }
  return sent;
}

function call(command) {
  const {client, header} = connections.get(command.as);
  const options = {deadline: Date.now() + MILLISECONDS};
  const request = {through: command.through ?? []};
  return new Promise(resolve => {
    let answered = {version: ''};
    const end = (error, reply) => {
      if (error && answered.version === '') answered = pinion.response(error.metadata, ECHO, header);
      resolve({version: answered.version, notice: noticeAnswer(answered.notice),
        ...(error ? {error: errorAnswer(error)} : replyAnswer(reply))});
    };
    const unary = command.method !== 'Repeat';
    const started = unary ? client[command.method ?? 'Say'](request, metadataOf(command, header), options, end)
      : client.Repeat(request, metadataOf(command, header), options);
    started.on('metadata', metadata => { answered = pinion.response(metadata, ECHO, header); });
    if (!unary) started.on('data', reply => end(null, reply)).on('error', error => end(error));
  });
}

function told({as}) {
  const {notices, lines} = connections.get(as);
  return {notices, lines};
}

module.exports = {ECHO, Echo, MILLISECONDS, credentialsOf, errorAnswer, verbs: {dial, call, told}};

// The conformance scenarios' driver for Node: reads commands as JSON, one a line, and answers each with a line.
const readline = require('node:readline');

const calls = require('./calls');
const servers = require('./servers');

const verbs = {...calls.verbs, ...servers.verbs};

async function main() {
  for await (const line of readline.createInterface({input: process.stdin})) {
    const command = JSON.parse(line);
    const verb = verbs[command.do] ?? (() => ({failure: `no command ${command.do}`}));
    console.log(JSON.stringify(await verb(command)));
  }
  process.exit(0);
}

main();

// As an ES module's import.
import assert from 'node:assert';
import {test} from 'node:test';

import {apiKey, chain, interceptor, passOn, pin, Refusal, response, serve, token, tokenFile} from '../dist/index.js';

test('all names can be imported', () => {
  for (const name of [apiKey, chain, interceptor, passOn, pin, Refusal, response, serve, token, tokenFile]) {
    assert.strictEqual(typeof name, 'function');
  }
});

/** What an installed package does on any Node line: plain JavaScript, no test runner, exit code 0 or the first failure. */
import assert from 'node:assert/strict';
import { isLodeError, memoryStore } from 'lode';

const store = memoryStore();
assert.equal((await store.put('a/b', 'hello')).outcome, 'stored');
assert.equal((await store.put('a/b', 'again')).outcome, 'conflict');
const stored = await store.get('a/b');
assert.equal(new TextDecoder().decode(await stored?.bytes()), 'hello');
await assert.rejects(store.put('../up', 'x'), (error) => isLodeError(error, 'LODE_INVALID_KEY'));

console.log(`ok on node ${process.version}`);

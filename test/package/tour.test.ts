/** At risk: a directory of the user's that the tour takes for its own and clears. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { root } from '../files.ts';

describe('the tour', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lode-tour-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const tour = (directory: string): { status: number | null; stderr: string } => {
    const main = join(root, 'dist/examples/tour/main.js');
    const args = [main, '--dir', directory];
    const { status, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
    return { status, stderr };
  };

  it('leaves a directory alone that it has not made', () => {
    const kept = join(folder, 'datasets', 'mine', 'latest');
    mkdirSync(join(folder, 'datasets', 'mine'), { recursive: true });
    writeFileSync(kept, 'precious');
    const { status, stderr } = tour(folder);
    assert.equal(status, 1);
    assert.match(stderr, /is not empty/);
    assert.equal(readFileSync(kept, 'utf8'), 'precious');
  });

  it('runs again where it has been', () => {
    const place = join(folder, 'tour');
    for (const run of ['first', 'again']) {
      const { status, stderr } = tour(place);
      assert.equal(status, 0, `${run}: ${stderr}`);
    }
    assert.ok(existsSync(join(place, 'datasets', 'flights', 'latest')));
  });
});

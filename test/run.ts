/** Runs the test files: all, or those whose path contains one of the arguments. `npm test -- store/fs` */
import { spawnSync } from 'node:child_process';
import { globSync } from './files.ts';

const wanted = process.argv.slice(2);
const files = globSync('test', '.test.ts')
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .map((file) => `dist/${file.replace(/\.ts$/, '.js')}`);

if (files.length === 0) {
  console.error(`no test file matches ${wanted.join(' ')}`);
  process.exit(2);
}
const run = spawnSync(
  process.execPath,
  ['--enable-source-maps', '--expose-gc', '--test', ...files],
  {
    stdio: 'inherit',
  },
);
process.exit(run.status ?? 1);

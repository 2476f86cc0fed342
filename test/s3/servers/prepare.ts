/** Builds and installs what `npm run providers` and `.ci/run s3` start, unless it is there already. */
import { build } from './build.ts';
import { programs } from './programs.ts';
import { installR2, r2 } from './r2.ts';

for (const program of programs) {
  const started = performance.now();
  const built = await build(program);
  if ('missing' in built) process.exitCode = 1;
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.log(
    'missing' in built ? built.missing : `${program.name} ${program.version}: ${seconds} s`,
  );
}

const installed = await installR2();
if ('missing' in installed) process.exitCode = 1;
console.log('missing' in installed ? installed.missing : `${r2.name} ${r2.release}: installed`);

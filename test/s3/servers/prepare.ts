/** Builds what `npm run providers` and `.ci/run s3` start, unless it is there already. */
import { build } from './build.ts';
import { programs } from './programs.ts';

for (const program of programs) {
  const started = performance.now();
  const built = await build(program);
  if ('missing' in built) process.exitCode = 1;
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.log(
    'missing' in built ? built.missing : `${program.name} ${program.version}: ${seconds} s`,
  );
}

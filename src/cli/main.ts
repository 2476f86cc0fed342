/**
 * The `lode` program. Help and version are answered before anything else is loaded, so that they come as fast as Node
 * itself starts; every other command loads what it needs and no more.
 */
const args = process.argv.slice(2);
const options = args.includes('--') ? args.slice(0, args.indexOf('--')) : args;
const [first = 'help'] = args;

if (first === 'help' || options.includes('--help') || options.includes('-h')) {
  const { commandIn, helpFor } = await import('./help.ts');
  const { text, known } = helpFor(commandIn(first === 'help' ? args.slice(1) : args));
  (known ? process.stdout : process.stderr).write(text);
  process.exitCode = known ? 0 : 2;
} else if (first === '--version' || first === '-V') {
  const { version } = await import('./version.ts');
  process.stdout.write(`${version()}\n`);
} else {
  const { run } = await import('./run.ts');
  process.exitCode = await run(args);
}

export {};

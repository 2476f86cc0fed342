/**
 * One command from its arguments to its exit code. The first Ctrl-C aborts it, the second ends the process; a reader
 * that has read enough (`| head`) ends it quietly.
 */
import { parseArgs } from 'node:util';
import type { ParseArgsConfig } from 'node:util';
import { Call, commonOptions, usage } from './command.ts';
import type { Command } from './command.ts';
import { exitCodeOf, exitCodes, failureText } from './failure.ts';
import { commandIn, unknownCommand } from './help.ts';
import { Output } from './output.ts';

const commands: Readonly<Record<string, () => Promise<{ readonly command: Command }>>> = {
  ls: () => import('./commands/ls.ts'),
  log: () => import('./commands/log.ts'),
  show: () => import('./commands/show.ts'),
  cat: () => import('./commands/cat.ts'),
  diff: () => import('./commands/diff.ts'),
  verify: () => import('./commands/verify.ts'),
  doctor: () => import('./commands/doctor.ts'),
  gc: () => import('./commands/gc.ts'),
  repair: () => import('./commands/repair.ts'),
  'volume map': () => import('./commands/volume-map.ts'),
  'volume read': () => import('./commands/volume-read.ts'),
  'volume fill': () => import('./commands/volume-fill.ts'),
  'volume materialize': () => import('./commands/volume-materialize.ts'),
  'journal inspect': () => import('./commands/journal-inspect.ts'),
  'journal tail': () => import('./commands/journal-tail.ts'),
  'journal verify': () => import('./commands/journal-verify.ts'),
  'journal recover': () => import('./commands/journal-recover.ts'),
  'journal export': () => import('./commands/journal-export.ts'),
  'journal restore': () => import('./commands/journal-restore.ts'),
};

const interrupted = Symbol('interrupted');
const readerGone = Symbol('reader gone');

export async function run(args: readonly string[]): Promise<number> {
  const name = commandIn(args);
  const rest = args.slice(name.split(' ').length);
  if (!Object.hasOwn(commands, name)) {
    process.stderr.write(unknownCommand(name));
    return exitCodes.usage;
  }
  const stop = new AbortController();
  const { signal } = stop;
  const json = rest.includes('--json');
  process.on('SIGINT', () => {
    if (signal.aborted) process.exit(exitCodes.interrupted);
    process.stderr.write('\nlode: stopping; again to stop at once\n');
    stop.abort(interrupted);
  });
  process.stdout.on('error', (error: NodeJS.ErrnoException) =>
    stop.abort(error.code === 'EPIPE' ? readerGone : error),
  );
  let out: Output | undefined;
  let call: Call | undefined;
  try {
    const command = (await commands[name]?.())?.command;
    if (command === undefined) return exitCodes.usage;
    const { values, positionals } = parsed(command, rest);
    out = new Output({ json, quiet: values['quiet'] === true, signal });
    call = new Call(positionals, values, out, signal);
    const code = await command.run(call);
    await out.flush();
    return code ?? exitCodes.ok;
  } catch (error) {
    out?.clearProgress();
    if (signal.reason === readerGone || isBrokenPipe(error)) return exitCodes.ok;
    // What came before the failure is data all the same.
    if (!signal.aborted) await out?.flush();
    if (signal.reason === interrupted) return exitCodes.interrupted;
    process.stderr.write(failureText(error, json));
    return exitCodeOf(error);
  } finally {
    await call?.close();
  }
}

type Parsed = {
  readonly values: Record<string, string | boolean | (string | boolean)[]>;
  readonly positionals: string[];
};

function parsed(command: Command, args: readonly string[]): Parsed {
  const [fewest, most] = command.takes;
  const options: ParseArgsConfig['options'] = { ...commonOptions, ...command.options };
  let result: Parsed;
  try {
    result = parseArgs({ args: [...args], options, allowPositionals: true }) as Parsed;
  } catch (error) {
    // Node's words name the option; its advice on how to pass positionals does not help here.
    throw usage((error instanceof Error ? error.message : String(error)).replace(/\. To .*$/s, ''));
  }
  const { length } = result.positionals;
  const names = command.names ?? ['STORE', 'NAME'];
  if (length < fewest) throw usage(`a ${names[length]} is missing`);
  if (length > most) throw usage('too many arguments', result.positionals[most]);
  if (result.positionals.includes('')) throw usage('an argument is empty');
  return result;
}

function isBrokenPipe(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EPIPE';
}

/**
 * Options as callers without types, or with a typing error, pass them. A member that nobody reads is refused: it was meant
 * to do something.
 */
import { LodeError } from './errors.ts';

/** Every member of an option type: a list that lacks one does not compile. */
type Names<T> = { readonly [K in keyof T]-?: true };

/** @param what  How messages call them, such as `retry`; members are named `retry.attempts`, or bare when it is empty. */
export function assertOptions<T>(options: unknown, what: string, names: Names<T>): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new LodeError('LODE_INVALID_ARGUMENT', 'options are an object', {
      field: what === '' ? 'options' : what,
      expected: `an object with members such as ${Object.keys(names)[0]}`,
      actual: kindOf(options),
    });
  }
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(names, name)) continue;
    throw new LodeError('LODE_INVALID_ARGUMENT', 'there is no such option', {
      field: what === '' ? name : `${what}.${name}`,
      expected: Object.keys(names).join(', '),
      next: 'Use one of the names expected.',
    });
  }
}

/** Names what was passed; text stays out, as messages end up in logs. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : typeof value;
}

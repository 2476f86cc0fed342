/** Conditions as a caller types them: `field>=value`. */
import type { Bounds, Comparable, Where } from 'lode';
import { usage } from './command.ts';

const comparisons = {
  '=': 'eq',
  '==': 'eq',
  '>': 'gt',
  '>=': 'gte',
  '<': 'lt',
  '<=': 'lte',
} as const;

export function whereOf(conditions: readonly string[]): Where<Record<string, unknown>> {
  const where: Record<string, Bounds<Comparable>> = Object.create(null) as typeof where;
  for (const condition of conditions) {
    const [, field = '', sign = '', text = ''] =
      /^([^=<>!]+)(==?|[<>]=?)(.*)$/s.exec(condition) ?? [];
    if (field === '') throw usage('a condition is field=value, or with >, >=, <, <=', condition);
    const name = comparisons[sign as keyof typeof comparisons];
    if (where[field]?.[name] !== undefined)
      throw usage('a field is compared twice in the same way', condition);
    where[field] = { ...where[field], [name]: valueOf(text) };
  }
  return where;
}

/** JSON where it is, a time where it is one to the millisecond, else text. */
function valueOf(text: string): Comparable {
  if (text === 'true' || text === 'false') return text === 'true';
  if (/^-?\d+$/.test(text)) {
    const number = Number(text);
    return Number.isSafeInteger(number) ? number : BigInt(text);
  }
  if (/^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text)) return Number(text);
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?(Z|[+-]\d\d:\d\d)$/.test(text)) {
    const time = new Date(text);
    if (!Number.isNaN(time.getTime())) return time;
  }
  if (!text.startsWith('"')) return text;
  try {
    return JSON.parse(text) as string;
  } catch {
    throw usage('a value that starts with a quote has to be a JSON string', text);
  }
}

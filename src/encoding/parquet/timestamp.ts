/**
 * Instants as nanoseconds since 1970, in the range a signed 64-bit integer holds (1677-09-21 to 2262-04-11), and their
 * RFC 3339 text.
 */

/** Exact, or undefined when the text is not RFC 3339, names no real instant, or is finer than a nanosecond. */
export function parseRfc3339(text: string): bigint | undefined {
  const match =
    /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9})0*)?(?:Z|([+-])(\d\d):(\d\d))$/.exec(
      text,
    );
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction, sign, offsetHour, offsetMinute] =
    match;
  const part = (digits: string | undefined): number => Number(digits ?? 0);
  if (part(hour) > 23 || part(minute) > 59 || part(second) > 59) return undefined;
  if (part(offsetHour) > 23 || part(offsetMinute) > 59) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(part(year), part(month) - 1, part(day));
  if (date.getUTCMonth() !== part(month) - 1 || date.getUTCDate() !== part(day)) return undefined;
  const offset = (part(offsetHour) * 3600 + part(offsetMinute) * 60) * (sign === '-' ? -1 : 1);
  const seconds =
    date.getTime() / 1000 + part(hour) * 3600 + part(minute) * 60 + part(second) - offset;
  return BigInt(seconds) * 1_000_000_000n + BigInt((fraction ?? '').padEnd(9, '0'));
}

/** The shortest text: no trailing zeros in the fraction, always UTC. */
export function formatRfc3339(nanos: bigint): string {
  const fraction = ((nanos % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const date = new Date(Number((nanos - fraction) / 1_000_000n));
  const whole = date.toISOString().replace(/\.\d+Z$/, '');
  if (fraction === 0n) return `${whole}Z`;
  return `${whole}.${fraction.toString().padStart(9, '0').replace(/0+$/, '')}Z`;
}

export function isInt64(value: bigint): boolean {
  return value === BigInt.asIntN(64, value);
}

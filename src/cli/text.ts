/** How values look to a person. */
import { jsonText } from './json.ts';

export function bytesText(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const units = ['kB', 'MB', 'GB', 'TB', 'PB'];
  let at = -1;
  let amount = bytes;
  for (; amount >= 999.5 && at < units.length - 1; at++) amount /= 1000;
  return `${amount.toFixed(amount < 10 ? 1 : 0)} ${units[at]}`;
}

export function countText(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

export function signed(count: number): string {
  return count > 0 ? `+${count}` : String(count);
}

/** Never 100 % of what is not whole, nor 0 % of what is there. */
export function shareText(part: number, whole: number): string {
  if (part === 0 || part === whole) return part === 0 ? '0 %' : '100 %';
  const share = Math.min(99.9, Math.max(0.1, (part / whole) * 100));
  return `${share < 1 || share > 99 ? share.toFixed(1) : Math.floor(share)} %`;
}

export function timeText(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}

/** Text of others on one line of a terminal: what could steer it is shown, not obeyed. */
export function plainText(text: string): string {
  return text.replace(
    // oxlint-disable-next-line no-control-regex -- control and direction characters are what is replaced
    /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Metadata and the like, in one line of bounded length. */
export function valueText(value: unknown, charsMax = 80): string {
  const text = plainText(jsonText(value));
  return text.length <= charsMax ? text : `${text.slice(0, charsMax - 1)}…`;
}

/** Rows with their columns aligned; `right` names columns of numbers. */
export function columnsText(
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
): string[] {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, at) => (widths[at] = Math.max(widths[at] ?? 0, cell.length)));
  return rows.map((row) =>
    row
      .map((cell, at) =>
        right.includes(at) ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}

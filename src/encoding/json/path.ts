/** Paths to a value inside a value, as people write them: `a.b[3]["odd name"]`. */

const plainName = /^[A-Za-z_$][A-Za-z0-9_$]*$/;

/** Longer paths are cut in the middle: the value at fault may lie at the end of a cycle. */
const partsMax = 16;

export function pathText(parts: readonly (string | number)[]): string {
  if (parts.length > partsMax) {
    return `${pathText(parts.slice(0, partsMax / 2))}…${pathText(parts.slice(-partsMax / 2))}`;
  }
  let text = '';
  for (const part of parts) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (!plainName.test(part)) text += `[${JSON.stringify(part)}]`;
    else text += text === '' ? part : `.${part}`;
  }
  return text;
}

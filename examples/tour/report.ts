/** What the tour prints: headings, facts, and progress where something takes time. */
const bold = process.stdout.isTTY && process.env['NO_COLOR'] === undefined;

export function scene(title: string): void {
  console.log(`\n${bold ? `\u001b[1m${title}\u001b[0m` : title}`);
}

export function fact(text: string): void {
  console.log(`  ${text}`);
}

/** Progress on a terminal only; it is erased when the work is done. */
export function progress(text: string): void {
  if (process.stdout.isTTY) process.stdout.write(`\r  ${text}\u001b[K`);
}

export function progressDone(): void {
  if (process.stdout.isTTY) process.stdout.write('\r\u001b[K');
}

export function amount(bytes: number): string {
  return bytes < 10_240
    ? `${bytes} B`
    : bytes < 10_485_760
      ? `${Math.round(bytes / 1024)} KiB`
      : `${Math.round(bytes / 1_048_576)} MiB`;
}

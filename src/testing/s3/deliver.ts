/** An answer on its way out: whole, or as its script cuts, stretches and misstates it. */
import type { LoopbackExchange } from '#platform/loopback.js';
import { concat, utf8Encode } from '../../bytes/index.ts';
import type { S3Answer, S3Request } from './protocol.ts';
import type { S3Act } from './script.ts';

const reasons: Readonly<Record<number, string>> = {
  200: 'OK',
  204: 'No Content',
  206: 'Partial Content',
  301: 'Moved Permanently',
  304: 'Not Modified',
  307: 'Temporary Redirect',
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  409: 'Conflict',
  412: 'Precondition Failed',
  416: 'Requested Range Not Satisfiable',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
};

/** An answer as it will be on the wire. */
interface WireAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly head: Uint8Array;
  readonly body: Uint8Array;
}

export function wireAnswer(
  answer: S3Answer,
  request: S3Request,
  act: S3Act,
  nowMs: number,
): WireAnswer {
  const { status } = answer;
  const bare = request.method === 'HEAD' || status === 204 || status === 304;
  const sized = status !== 204 && status !== 304 && !(request.method === 'HEAD' && status >= 300);
  const headers = {
    'x-amz-id-2': 'double',
    'x-amz-request-id': request.id,
    date: new Date(nowMs).toUTCString(),
    ...(act.chunked && !bare ? { 'transfer-encoding': 'chunked' } : {}),
    ...(sized && !act.chunked
      ? { 'content-length': String(answer.body.length + (act.lengthOff ?? 0)) }
      : {}),
    server: 'AmazonS3',
    ...answer.headers,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const first = `HTTP/1.1 ${status} ${reasons[status] ?? ''}\r\n`;
  const body = bare ? new Uint8Array() : act.chunked ? inChunks(answer.body) : answer.body;
  const head = utf8Encode(`${first}${lines.join('')}\r\n`);
  return { status, headers: Object.entries(headers), head, body };
}

const chunkBytes = 4096;

function inChunks(body: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < body.length; at += chunkBytes) {
    const chunk = body.subarray(at, at + chunkBytes);
    parts.push(utf8Encode(`${chunk.length.toString(16)}\r\n`), chunk, utf8Encode('\r\n'));
  }
  return concat([...parts, utf8Encode('0\r\n\r\n')]);
}

/** Sends the answer. What is not a plain whole answer ends its connection, so that nothing is left to misread. */
export async function deliver(
  exchange: LoopbackExchange,
  answer: WireAnswer,
  act: S3Act,
  sleep: (ms: number) => Promise<void>,
): Promise<void> {
  const { cut, pace, end, lengthOff = 0 } = act;
  const whole = cut === undefined && pace === undefined && end === undefined;
  if (whole && lengthOff <= 0 && !act.chunked && !act.early) {
    await exchange.answer(answer.status, answer.headers, answer.body);
    return;
  }
  const all = concat([answer.head, answer.body]);
  const size =
    cut === undefined ? all.length : 'head' in cut ? cut.head : answer.head.length + cut.body;
  const sent = all.subarray(0, size);
  const step = pace?.bytes ?? Math.max(1, sent.length);
  for (let at = 0; at < sent.length && !exchange.gone.aborted; at += step) {
    if (pace !== undefined && at > 0) await sleep(pace.everyMs);
    await exchange.write(sent.subarray(at, at + step));
  }
  exchange.end(end ?? (cut === undefined ? (act.early ? 'half-close' : 'close') : 'reset'));
}

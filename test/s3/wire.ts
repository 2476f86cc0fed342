/** A client of bare `node:http` with a signer of its own: what the double is asked with, and nothing of our adapter in it. */
import { createHash, createHmac } from 'node:crypto';
import { Agent, request, type IncomingHttpHeaders } from 'node:http';
import type { S3Credentials, S3Double } from '../../src/testing/index.ts';

export interface Sent {
  readonly method: string;
  /** Path and query, encoded. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** `false`: not signed. */
  readonly sign?: false | Signing;
  readonly agent?: Agent;
  /** Sends the head, waits for "100 Continue". */
  readonly expectContinue?: boolean;
  /** Destroys the connection after the request has been sent. */
  readonly leave?: boolean;
}

export interface Signing {
  readonly credentials?: S3Credentials;
  readonly region?: string;
  readonly atMs?: number;
  /** Goes into `x-amz-content-sha256`; the hash of the body unless told. */
  readonly payload?: string;
  /** Headers left out of the signature. */
  readonly unsigned?: readonly string[];
}

export interface Received {
  /** 0 when no head came. */
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly bytes: Uint8Array;
  /** How the connection failed, or `undefined`. */
  readonly failure: string | undefined;
  readonly continued: boolean;
}

const sha256 = (data: string | Uint8Array): string =>
  createHash('sha256').update(data).digest('hex');

export function signed(double: S3Double, sent: Sent): Record<string, string> {
  const signing = sent.sign || {};
  const { credentials = double.credentials, region = double.region } = signing;
  const date = new Date(signing.atMs ?? Date.now()).toISOString().replace(/[-:]|\.\d{3}/g, '');
  const headers: Record<string, string> = {
    host: `127.0.0.1:${double.port}`,
    ...sent.headers,
    'x-amz-date': date,
    'x-amz-content-sha256': signing.payload ?? sha256(sent.body ?? ''),
  };
  if (credentials.sessionToken) headers['x-amz-security-token'] = credentials.sessionToken;
  const names = Object.keys(headers)
    .filter((name) => !signing.unsigned?.includes(name))
    .sort();
  const [path = '', search = ''] = sent.path.split('?');
  const query = search
    .split('&')
    .filter((part) => part !== '')
    .map((part) => (part.includes('=') ? part : `${part}=`))
    .sort();
  const canonical = [
    sent.method,
    path,
    query.join('&'),
    ...names.map((name) => `${name}:${headers[name]}`),
    '',
    names.join(';'),
    headers['x-amz-content-sha256'],
  ].join('\n');
  const scope = [date.slice(0, 8), region, 's3', 'aws4_request'];
  let key: string | Buffer = `AWS4${credentials.secretAccessKey}`;
  for (const part of scope) key = createHmac('sha256', key).update(part).digest();
  const text = ['AWS4-HMAC-SHA256', date, scope.join('/'), sha256(canonical)].join('\n');
  const signature = createHmac('sha256', key).update(text).digest('hex');
  headers['authorization'] =
    `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope.join('/')}, ` +
    `SignedHeaders=${names.join(';')}, Signature=${signature}`;
  return headers;
}

/** Sends one request and takes whatever comes back. */
export function send(double: S3Double, sent: Sent): Promise<Received> {
  const { body = '', agent = new Agent({ keepAlive: false }) } = sent;
  const headers: Record<string, string> =
    sent.sign === false ? { ...sent.headers } : signed(double, sent);
  if (sent.method !== 'GET' && sent.method !== 'HEAD' && !headers['transfer-encoding'])
    headers['content-length'] ??= String(Buffer.byteLength(body));
  if (sent.expectContinue) headers['expect'] = '100-continue';
  return new Promise((resolve) => {
    let continued = false;
    let status = 0;
    let answered: IncomingHttpHeaders = {};
    const chunks: Buffer[] = [];
    const done = (failure?: string): void => {
      const bytes = Buffer.concat(chunks);
      resolve({
        status,
        headers: answered,
        body: bytes.toString(),
        bytes,
        failure,
        continued,
      });
    };
    const outgoing = request({
      host: '127.0.0.1',
      port: double.port,
      method: sent.method,
      path: sent.path,
      headers,
      agent,
    });
    outgoing.on('continue', () => {
      continued = true;
      outgoing.end(body);
    });
    outgoing.on('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
    outgoing.on('response', (response) => {
      status = response.statusCode ?? 0;
      answered = response.headers;
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
      response.on('end', () => done());
    });
    if (sent.expectContinue) outgoing.flushHeaders();
    else outgoing.end(body, () => sent.leave && outgoing.destroy());
  });
}

export const codeIn = ({ body }: Received): string | undefined =>
  /<Code>(.*?)<\/Code>/.exec(body)?.[1];

export const elementsIn = ({ body }: Received, name: string): string[] =>
  [...body.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, 'g'))].map(([, text = '']) => text);

/**
 * A server that takes objects and gives them back, and does nothing else: no signatures, no hashes. In a process of its own, so
 * that what is measured is the client. Started by `startStub`; `node s3-stub.js` is the process.
 */
import { fork } from 'node:child_process';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';

export interface Stub {
  readonly endpoint: string;
  close(): Promise<void>;
}

export async function startStub(): Promise<Stub> {
  const child = fork(fileURLToPath(import.meta.url), ['serve'], { stdio: 'inherit' });
  const port = await new Promise<number>((resolve, reject) => {
    child.once('message', (message) => resolve(Number(message)));
    child.once('exit', () => reject(new Error('the stub did not start')));
  });
  return {
    endpoint: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve());
        child.disconnect();
      }),
  };
}

function serve(): void {
  const objects = new Map<string, Buffer>();
  const server = createServer((request, response) => {
    const url = request.url ?? '';
    const [path = '', query = ''] = url.split('?');
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const answer = (body: string | Buffer, etag = '"e"', status = 200): void => {
        const length = Buffer.byteLength(body);
        response.writeHead(status, {
          'content-length': length,
          etag,
          'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT',
          ...(status === 206 && { 'content-range': `bytes 0-${length - 1}/${length}` }),
        });
        response.end(request.method === 'HEAD' ? undefined : body);
      };
      if (request.method === 'PUT') {
        // Parts are counted, not kept: the memory of this process is not what is measured.
        if (!query.includes('partNumber')) objects.set(path, Buffer.concat(chunks));
        answer('');
      } else if (request.method === 'POST') {
        if (query.startsWith('uploads'))
          answer(
            '<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>',
          );
        else
          answer('<CompleteMultipartUploadResult><ETag>"e"</ETag></CompleteMultipartUploadResult>');
      } else if (request.method === 'DELETE') answer('', '"e"', 204);
      else {
        // `zeros/N` is there without a put: so many MiB of them.
        const [, mebibytes] = /\/zeros\/(\d{1,3})$/.exec(path) ?? [];
        const object =
          mebibytes === undefined ? objects.get(path) : zeros.subarray(0, Number(mebibytes) << 20);
        if (object === undefined) answer('<Error><Code>NoSuchKey</Code></Error>', '"e"', 404);
        else answer(object);
      }
    });
  });
  const zeros = Buffer.alloc(256 * 1024 * 1024);
  process.once('disconnect', () => process.exit(0));
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    process.send?.(typeof address === 'object' ? address?.port : 0);
  });
}

if (process.argv[2] === 'serve' && process.send !== undefined) serve();

/**
 * What runs inside the simulator of R2: one call of a bucket's binding for each request. The call is in `x-ask`, conditions and
 * range are the headers S3 has for them, and what came of it is in `x-told`; both are JSON, percent-encoded.
 */

/** A call of the binding. */
export interface Ask {
  readonly op: 'put' | 'get' | 'head' | 'list' | 'delete' | 'begin' | 'part' | 'complete' | 'abort';
  readonly key?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly list?: Readonly<Record<string, string | number>>;
  readonly keys?: readonly string[];
  readonly upload?: string;
  readonly number?: number;
  readonly parts?: readonly { readonly partNumber: number; readonly etag: string }[];
}

/** Facts of an object, or what else the binding answered. */
export interface Told {
  /** What the binding threw. */
  readonly error?: string;
  /** There is no object, or a write whose condition did not hold. */
  readonly nothing?: true;
  /** The condition of a read did not hold: there is no body. */
  readonly unmet?: boolean;
  readonly object?: R2Facts;
  readonly objects?: readonly R2Facts[];
  readonly folded?: readonly string[];
  readonly cursor?: string;
  readonly upload?: string;
  readonly etag?: string;
}

export interface R2Facts {
  readonly key: string;
  readonly size: number;
  readonly etag: string;
  readonly uploadedMs: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly range?: { readonly offset?: number; readonly length?: number; readonly suffix?: number };
}

export const workerSource = `
const facts = (object) => ({
  key: object.key,
  size: object.size,
  etag: object.httpEtag,
  uploadedMs: object.uploaded.getTime(),
  metadata: object.customMetadata,
  range: object.range,
});

const calls = {
  async put(bucket, { key, metadata }, request) {
    const body = await request.arrayBuffer();
    const object = await bucket.put(key, body, { onlyIf: request.headers, customMetadata: metadata });
    return [object === null ? { nothing: true } : { object: facts(object) }];
  },
  async get(bucket, { key }, { headers }) {
    const ranged = headers.has('range') && { range: headers };
    const object = await bucket.get(key, { onlyIf: headers, ...ranged });
    if (object === null) return [{ nothing: true }];
    return [{ object: facts(object), unmet: object.body === undefined }, object.body];
  },
  async head(bucket, { key }) {
    const object = await bucket.head(key);
    return [object === null ? { nothing: true } : { object: facts(object) }];
  },
  async list(bucket, { list }) {
    const page = await bucket.list(list);
    const folded = page.delimitedPrefixes;
    return [{ cursor: page.cursor }, JSON.stringify({ objects: page.objects.map(facts), folded })];
  },
  async delete(bucket, { keys }) {
    await bucket.delete(keys);
    return [{}];
  },
  async begin(bucket, { key, metadata }) {
    const upload = await bucket.createMultipartUpload(key, { customMetadata: metadata });
    return [{ upload: upload.uploadId }];
  },
  async part(bucket, { key, upload, number }, request) {
    const one = bucket.resumeMultipartUpload(key, upload);
    return [{ etag: (await one.uploadPart(number, await request.arrayBuffer())).etag }];
  },
  async complete(bucket, { key, upload, parts }) {
    return [{ object: facts(await bucket.resumeMultipartUpload(key, upload).complete(parts)) }];
  },
  async abort(bucket, { key, upload }) {
    await bucket.resumeMultipartUpload(key, upload).abort();
    return [{}];
  },
};

export default {
  async fetch(request, { bucket }) {
    let told;
    let body = null;
    try {
      const ask = JSON.parse(decodeURIComponent(request.headers.get('x-ask')));
      [told, body = null] = await calls[ask.op](bucket, ask, request);
    } catch (error) {
      told = { error: String(error && error.message) };
    }
    return new Response(body, { headers: { 'x-told': encodeURIComponent(JSON.stringify(told)) } });
  },
};
`;

/** The S3 servers that are tested against: where each comes from, pinned, and how it is started. */

/** Where one is to listen, and for whom. */
export interface Place {
  readonly port: number;
  readonly folder: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface Program {
  readonly name: string;
  /** Of the Go module proxy. */
  readonly module: string;
  readonly version: string;
  /** What is built, below the module. */
  readonly package: string;
  /** A release, or what it is known as. */
  readonly release: string;
  start(place: Place): { readonly args: readonly string[]; readonly env: NodeJS.ProcessEnv };
}

const minio: Program = {
  name: 'MinIO',
  module: 'github.com/minio/minio',
  version: 'v0.0.0-20260212201848-7aac2a2c5b7c',
  package: '',
  release: '2026-02-12',
  start: ({ port, folder, accessKeyId, secretAccessKey }) => ({
    args: ['server', '--quiet', '--address', `127.0.0.1:${port}`, folder],
    env: {
      MINIO_ROOT_USER: accessKeyId,
      MINIO_ROOT_PASSWORD: secretAccessKey,
      MINIO_BROWSER: 'off',
      MINIO_UPDATE: 'off',
    },
  }),
};

const versitygw: Program = {
  name: 'versitygw',
  module: 'github.com/versity/versitygw',
  version: 'v1.8.0',
  package: '/cmd/versitygw',
  release: '1.8.0, posix',
  start: ({ port, folder, accessKeyId, secretAccessKey }) => ({
    args: ['--port', `127.0.0.1:${port}`, '--region', 'us-east-1', '--quiet', 'posix', folder],
    env: { ROOT_ACCESS_KEY: accessKeyId, ROOT_SECRET_KEY: secretAccessKey },
  }),
};

export const programs: readonly Program[] = [minio, versitygw];

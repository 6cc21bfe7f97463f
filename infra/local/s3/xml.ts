import type { ListPage, ListRequest } from './list.ts';

const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';

type Field = readonly [tag: string, content: string | number | boolean | readonly Field[]];

/** S3's documents, by tag and content; text is escaped. */
export function xml(root: string, fields: readonly Field[]): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="${NAMESPACE}">${fields.map(render).join('')}</${root}>`;
}

/** S3 gives its errors without a namespace. */
export function errorXml(code: string, message: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${render([
    'Error',
    [
      ['Code', code],
      ['Message', message],
    ],
  ])}`;
}

export function listXml(bucket: string, request: ListRequest, page: ListPage): string {
  const optional = (tag: string, value: string | undefined): Field[] => (value === undefined ? [] : [[tag, value]]);
  return xml('ListBucketResult', [
    ['Name', bucket],
    ['Prefix', request.prefix],
    ...optional('Delimiter', request.delimiter),
    ['MaxKeys', request.maxKeys],
    ['KeyCount', page.objects.length + page.commonPrefixes.length],
    ['IsTruncated', page.nextToken !== undefined],
    ...optional('ContinuationToken', request.continuationToken),
    ...optional('NextContinuationToken', page.nextToken),
    ...page.objects.map(
      (object): Field => [
        'Contents',
        [
          ['Key', object.key],
          ['LastModified', new Date(object.modified).toISOString()],
          ['ETag', `"${object.etag}"`],
          ['Size', object.size],
          ['StorageClass', 'STANDARD'],
        ],
      ],
    ),
    ...page.commonPrefixes.map((prefix): Field => ['CommonPrefixes', [['Prefix', prefix]]]),
  ]);
}

export interface PartsPage {
  readonly bucketName: string;
  readonly key: string;
  readonly uploadId: string;
  /** By number, in its order. */
  readonly page: readonly (readonly [
    number,
    { readonly size: number; readonly etag: string; readonly crc32: string },
  ])[];
  /** Whether there are parts after these. */
  readonly more: boolean;
}

/** ListParts. */
export function partsXml({ bucketName, key, uploadId, page, more }: PartsPage): string {
  return xml('ListPartsResult', [
    ['Bucket', bucketName],
    ['Key', key],
    ['UploadId', uploadId],
    ['IsTruncated', more],
    ...(more ? [['NextPartNumberMarker', page.at(-1)?.[0] ?? 0] as const] : []),
    ...page.map(
      ([number, { size, etag, crc32 }]): Field => [
        'Part',
        [
          ['PartNumber', number],
          ['ETag', `"${etag}"`],
          ['Size', size],
          ['ChecksumCRC32', crc32],
        ],
      ],
    ),
  ]);
}

/** The parts that a CompleteMultipartUpload names, in its order. */
export function partsOf(document: string): { readonly number: number; readonly etag: string }[] {
  return Array.from(document.matchAll(/<Part>(.*?)<\/Part>/gs), ([, part = '']) => ({
    number: Number(/<PartNumber>\s*(\d+)\s*</.exec(part)?.[1]),
    etag: (/<ETag>([^<]*)</.exec(part)?.[1] ?? '').replaceAll('&quot;', '').replaceAll('"', '').trim(),
  }));
}

function render([tag, content]: Field): string {
  const inner = typeof content === 'object' ? content.map(render).join('') : escapeText(String(content));
  return `<${tag}>${inner}</${tag}>`;
}

function escapeText(text: string): string {
  const named: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(
    /[&<>"\p{Cc}]/gu,
    (character) => named[character] ?? `&#x${character.charCodeAt(0).toString(16)};`,
  );
}

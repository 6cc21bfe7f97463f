import { FolderUploadJournal } from '../../infra/models/upload-journal.ts';
import { publishModel } from '../../shared/repository/publisher.ts';
import { S3PublishingStore } from '../../shared/repository/s3-publishing-store.ts';
import { s3Client } from '../support/s3.ts';

/** Publishes a folder and tells how many parts of its `big.bin` S3 has. */
const [folder = '', endpoint = '', bucket = ''] = process.argv.slice(2);
await publishModel({
  folder,
  store: new S3PublishingStore(s3Client(endpoint), bucket, new FolderUploadJournal(folder)),
  onProgress: ({ file, bytesDone }) => {
    if (file === 'big.bin') process.send?.(Math.floor(bytesDone / (8 * 1024 * 1024)));
  },
});

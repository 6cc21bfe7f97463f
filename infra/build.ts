import { join } from 'node:path';
import { bundleFunctions } from './bundle.ts';
import { bundleLocalPrograms } from './bundle-local.ts';
import { buildModels } from './bundle-models.ts';

const folder = join(import.meta.dirname, '..', 'build');
const [functions, , models] = await Promise.all([
  bundleFunctions(join(folder, 'functions')),
  bundleLocalPrograms(join(folder, 'local')),
  buildModels(join(folder, 'models')),
]);
for (const { name, files } of functions) {
  console.log(`function ${name}`);
  const chunks = files.filter(({ name: file }) => file.startsWith('chunk-'));
  for (const file of files) if (!chunks.includes(file)) print(file.name, file.bytes);
  print(
    `${chunks.length} chunks, imported late`,
    chunks.reduce((sum, { bytes }) => sum + bytes, 0),
  );
}
for (const model of models) console.log(`model in ${model}`);

function print(what: string, bytes: number): void {
  console.log(`  ${what.padEnd(32)} ${(bytes / 1024).toFixed(0).padStart(7)} KB`);
}

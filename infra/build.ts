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
  for (const file of files) console.log(`  ${file.name.padEnd(32)} ${(file.bytes / 1024).toFixed(0).padStart(7)} KB`);
}
for (const model of models) console.log(`model in ${model}`);

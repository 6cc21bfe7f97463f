import { buildLanguageDetection } from './convert.ts';

const targetFolder = process.argv[2] ?? 'build/models/language-detection';
await buildLanguageDetection(targetFolder);
console.log(`language-detection is in ${targetFolder}`);

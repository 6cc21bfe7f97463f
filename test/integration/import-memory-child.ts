import { readFileSync } from 'node:fs';
import { importModel } from '../../infra/models/import/import-model.ts';

const [folder = '', out = ''] = process.argv.slice(2);
const { weightBytes } = await importModel(folder, out);
const peakKb = /^VmHWM:\s*(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
console.log(JSON.stringify({ weightBytes, peakMb: Number(peakKb) / 1024 }));

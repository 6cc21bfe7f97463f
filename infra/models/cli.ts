import { Command } from 'commander';
import { runCommand } from '../operator-command.ts';
import { addImporting } from './cli/importing.ts';
import { addKeeping } from './cli/keeping.ts';
import { addPublishing } from './cli/publishing.ts';

const program = new Command('models')
  .description('Imports models, publishes them into the repository, and chooses which version is active.')
  .exitOverride();

for (const add of [addImporting, addPublishing, addKeeping]) add(program);

await runCommand(program);

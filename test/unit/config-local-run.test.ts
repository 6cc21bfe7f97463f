import { join, sep } from 'node:path';
import { describe, expect, it } from 'vitest';
import { functionVariables } from '../../infra/local/command.ts';
import { isLoopback } from '../../infra/local/local-access.ts';

describe('what a local run hands on to the functions', () => {
  it('is every setting of its own environment and nothing else', () => {
    const env = {
      CASALINGUA_CACHE_MB: '64',
      CASALINGUA_MODEL_LOADING_STRATEGY: 'eager',
      SECRET: 'x',
      CASALINGUA_NO: undefined,
    };

    expect(functionVariables(env)).toEqual({ CASALINGUA_CACHE_MB: '64', CASALINGUA_MODEL_LOADING_STRATEGY: 'eager' });
  });

  it('names the configuration file as seen from where npm was started', () => {
    const from = join(sep, 'somewhere', 'else');
    const file = (name: string, env = {}) =>
      functionVariables({ ...env, CASALINGUA_CONFIG_FILE: name })['CASALINGUA_CONFIG_FILE'];

    expect(file('mine.jsonc', { INIT_CWD: from })).toBe(join(from, 'mine.jsonc'));
    expect(file(join(from, 'mine.jsonc'), { INIT_CWD: process.cwd() })).toBe(join(from, 'mine.jsonc'));
    expect(file('mine.jsonc')).toBe(join(process.cwd(), 'mine.jsonc'));
    expect(file('')).toBe('');
  });
});

describe('a local run lets in whoever has no key', () => {
  it.each(['127.0.0.1', '127.1.2.3', 'localhost', '::1'])('where nobody else can reach it: %s', (hostname) => {
    expect(isLoopback(hostname)).toBe(true);
  });

  it.each(['0.0.0.0', '::', '192.168.0.7', '127.0.0.1.example.org', 'localhost.example.org', ''])(
    'and not elsewhere: %s',
    (hostname) => {
      expect(isLoopback(hostname)).toBe(false);
    },
  );
});

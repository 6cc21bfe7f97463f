/** Plays histories, one after the other, in a process of their own. */
import { serve } from '../serve.ts';
import { play } from './play.ts';
import type { Outcome, Trouble } from './trouble.ts';

// Nobody reads the stacks of millions of refusals.
Error.stackTraceLimit = 0;

serve<Trouble, Outcome>(async (trouble) => play(trouble));

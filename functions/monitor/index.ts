import { composeMonitor } from './compose.ts';

const monitor = composeMonitor(process.env, { assets: new URL('./', import.meta.url) });

/** What the schedule calls; its event says nothing that matters here. */
export const handler = () => monitor.run();

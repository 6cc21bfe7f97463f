/**
 * Runs it again and again, each time after as long as `everyMs` then says. Keeps no process alive: whoever waits for a
 * model has a socket or a timer. @returns what ends it
 */
export function repeatByTimer(run: () => void, everyMs: () => number): () => void {
  let timer: NodeJS.Timeout;
  const next = () => {
    timer = setTimeout(() => {
      run();
      next();
    }, everyMs()).unref();
  };
  next();
  return () => clearTimeout(timer);
}

import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The port asked for belongs to somebody else. */
export class PortTakenError extends Error {
  constructor(hostname: string, port: number, cause: unknown) {
    super(`port ${port} on ${hostname} is taken`, { cause });
    this.name = 'PortTakenError';
  }
}

/** Listens on loopback and resolves to the port; 0 takes any free one. @throws PortTakenError */
export function listenOnLoopback(server: Server, port: number): Promise<number> {
  return listen(server, port, '127.0.0.1');
}

/** Listens and resolves to the port; 0 takes any free one. @throws PortTakenError */
export function listen(server: Server, port: number, hostname: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? new PortTakenError(hostname, port, error) : error);
    });
    server.listen(port, hostname, () => {
      const address: AddressInfo | string | null = server.address();
      if (address === null || typeof address === 'string') reject(new Error('the server has no port'));
      else resolve(address.port);
    });
  });
}

/** Ends a server and every connection that it still holds. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

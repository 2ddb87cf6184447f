import type { Socket } from 'node:net';
import type { Limits } from '../limits.js';
import { plainAddress } from './source.js';

/** Counts connections, and closes at once those that are too many. @internal */
export class ConnectionCaps {
  readonly #limits: Pick<Limits, 'connections' | 'connectionsPerAddress'>;
  readonly #refused: (address: string) => void;
  readonly #isProxy: (address: string) => boolean;
  readonly #byAddress = new Map<string, number>();
  #all = 0;

  /** `refused` is told of each connection that is closed; a proxy has those of many clients. */
  constructor(
    limits: Pick<Limits, 'connections' | 'connectionsPerAddress'>,
    isProxy: (address: string) => boolean,
    refused: (address: string) => void,
  ) {
    this.#limits = limits;
    this.#isProxy = isProxy;
    this.#refused = refused;
  }

  /** Connections that are open. */
  get open(): number {
    return this.#all;
  }

  /** Takes a connection that has just been accepted. */
  take(socket: Socket): void {
    const address = plainAddress(socket.remoteAddress ?? '');
    const ofAddress = this.#byAddress.get(address) ?? 0;
    const { connections, connectionsPerAddress } = this.#limits;
    const most = this.#isProxy(address) ? Infinity : connectionsPerAddress;
    if (this.#all >= connections || ofAddress >= most) {
      socket.destroy();
      this.#refused(address);
      return;
    }
    this.#all += 1;
    this.#byAddress.set(address, ofAddress + 1);
    socket.once('close', () => {
      this.#all -= 1;
      const left = (this.#byAddress.get(address) ?? 1) - 1;
      if (left === 0) this.#byAddress.delete(address);
      else this.#byAddress.set(address, left);
    });
  }
}

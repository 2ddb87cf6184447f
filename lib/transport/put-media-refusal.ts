/** A PutMedia call was answered with an error. */
export class PutMediaRefusal extends Error {
  override readonly name: string = 'PutMediaRefusal';
  /** The service's clock when it answered, ms since 1970; undefined where it did not say. */
  readonly serverTime: number | undefined;

  constructor(message: string, serverTime?: number) {
    super(message);
    this.serverTime = serverTime;
  }
}

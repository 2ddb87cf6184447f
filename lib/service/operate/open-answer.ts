/** What is answered at a path that asks for no signature. @internal */
export interface OpenAnswer {
  readonly status: 200 | 503;
  readonly type: string;
  readonly body: string;
}

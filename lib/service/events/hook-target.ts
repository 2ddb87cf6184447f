/** Whether a hook is a URL and no command. @internal */
export function isUrl(target: string): boolean {
  return /^https?:\/\//i.test(target);
}

/**
 * A text in one line, as it can be printed: control characters, those of eight bits and the line ends
 * of Unicode included, and those that turn the direction of writing, become `\uXXXX`. What others
 * wrote could forge lines of a log else, or steer a terminal.
 */
export function printable(text: string): string {
  return text.replace(
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** AWS's C and C++ producers print seconds, a dot and whole milliseconds without zeros. */
const AWS_C_AGENT = /^AWS-(PRODUCER-SDK-KVS|SDK-KVS-CPP-CLIENT)\/|CPPSDK/;

/**
 * The value of x-amzn-producer-start-timestamp in ms. Seconds with decimals, but fewer than three
 * decimals of AWS's C and C++ clients are whole milliseconds (`….72` is 72 ms, not 720).
 * @internal
 */
export function startTimeMs(header: string, userAgent: string): number {
  const [seconds = '0', decimals = ''] = header.split('.');
  const whole = Number(seconds) * 1000;
  if (decimals === '') return whole;
  if (decimals.length < 3 && AWS_C_AGENT.test(userAgent)) return whole + Number(decimals);
  return whole + Math.floor(Number(`0.${decimals}`) * 1000 + 1e-6);
}

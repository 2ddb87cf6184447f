export const SHIPPED: readonly string[];
export const ELSEWHERE: readonly string[];
export function prebuildFile(target: string): string;

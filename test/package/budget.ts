import { readFileSync } from 'node:fs';

/** Sizes that the package may take (test/golden/package/budget.json). */
export interface Budget {
  readonly importKiB: number;
  readonly tarballKiB: number;
  readonly unpackedKiB: number;
  readonly addonKiB: number;
  readonly dependencies: DependencyBudget;
  readonly dependenciesOfProducer: DependencyBudget;
}

export interface DependencyBudget {
  readonly packages: number;
  readonly KiB: number;
}

export function budget(): Budget {
  const file = new URL('../golden/package/budget.json', import.meta.url);
  const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (!isBudget(parsed)) throw new TypeError('budget.json lacks a number');
  return parsed;
}

function isBudget(value: unknown): value is Budget {
  if (typeof value !== 'object' || value === null) return false;
  const numbers = ['importKiB', 'tarballKiB', 'unpackedKiB', 'addonKiB'];
  const groups = ['dependencies', 'dependenciesOfProducer'];
  return (
    numbers.every((name) => typeof Reflect.get(value, name) === 'number') &&
    groups.every((name) => {
      const group: unknown = Reflect.get(value, name);
      return typeof group === 'object' && group !== null && 'packages' in group && 'KiB' in group;
    })
  );
}

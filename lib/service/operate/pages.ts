import type { ServiceContext } from '../context.js';
import { prometheusText } from '../metrics/pages.js';
import { ServiceFigures, type FigureSources } from './figures.js';
import { listenForMetrics, type RunningListener } from './metrics-server.js';
import type { OpenAnswer } from './open-answer.js';
import { health, readiness } from './readiness.js';

type Pages = ReadonlyMap<string, () => Promise<OpenAnswer>>;

const PROMETHEUS = 'text/plain; version=0.0.4; charset=utf-8';

/** `/health` and `/ready`, which tell nothing of what is stored. @internal */
export function healthPages(context: ServiceContext): Pages {
  return new Map([
    ['/health', () => Promise.resolve(health())],
    ['/ready', () => readiness(context)],
  ]);
}

/** Starts the listener of `metricsListen`; undefined where none is wanted. @internal */
export async function startMetrics(
  context: ServiceContext,
  sources: FigureSources,
  pages: Pages,
): Promise<RunningListener | undefined> {
  const { metricsListen } = context.options;
  if (metricsListen === undefined) return undefined;
  const figures = new ServiceFigures(context, sources);
  const metrics = async (): Promise<OpenAnswer> => {
    const body = (await figures.text()) + prometheusText(context.metrics.all(), 'account');
    return { status: 200, type: PROMETHEUS, body };
  };
  try {
    const listener = await listenForMetrics({
      ...metricsListen,
      pages: new Map([...pages, ['/metrics', metrics]]),
    });
    return {
      port: listener.port,
      close: async () => {
        figures.close();
        await listener.close();
      },
    };
  } catch (error) {
    figures.close();
    throw error;
  }
}

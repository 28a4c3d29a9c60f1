import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Collector, nvmlCollector, tsmCollector } from '../collect/index.ts'
import type { NonEmpty } from '../core/outcome.ts'

/** Sources of this machine's evidence: its CPU by configfs-tsm, and every NVIDIA GPU where the driver is there. */
export interface Sources {
  readonly collectors: NonEmpty<Collector>
  readonly binding: 'raw' | 'composite'
}

const NVIDIA_CONTROL = 'dev/nvidiactl'

/** @param root where the file system begins: `/`, or a recorded tree */
export async function sourcesOf(root: string): Promise<Sources> {
  const cpu = tsmCollector({ root })
  const hasGpus = await stat(join(root, NVIDIA_CONTROL)).then(
    () => true,
    () => false,
  )
  // The CPU's report then covers those of the GPUs, so that none of another machine can stand in.
  return hasGpus ? { collectors: [nvmlCollector(), cpu], binding: 'composite' } : { collectors: [cpu], binding: 'raw' }
}
